/** Dates in the zone of the person one is, as Slack shows them in the zone of the reader. */

let timeZone;
const formats = new Map();

/** @param {string | undefined} zone Name of a zone (`Europe/Berlin`); undefined = the browser's own. */
export function setZone(zone) {
  timeZone = zone;
  formats.clear();
}

/** A date in words, for example `formatDate(date, { timeStyle: 'short' })`. */
export function formatDate(date, options) {
  const key = JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(undefined, { ...options, timeZone });
  formats.set(key, known);
  return known.format(date);
}

/** `2026-11-23`, in the person's zone. */
export function isoDate(date) {
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone }).format(date);
}
