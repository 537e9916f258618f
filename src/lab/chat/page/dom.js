/** Small helpers for building the page. Text only ever enters the document as text nodes, never as HTML. */
import { formatDate, isoDate } from './zone.js';

/**
 * Makes an element. `class`, `dataset`, `on<event>`, and properties such as `value` or `disabled` are set as such,
 * everything else as an attribute; `undefined`, `null` and `false` are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (name === 'dataset') {
      Object.assign(element.dataset, value);
    } else if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (name === 'value' || name === 'checked' || name === 'selected' || name === 'disabled') {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false),
  );
  return element;
}

/** An element of the page's own HTML. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`the page has no element #${id}`);
  }
  return element;
}

/** A message timestamp as a date. */
export function dateOf(ts) {
  return new Date(Number(ts) * 1000);
}

/** A `<time>` with the short time, and the full one as its tooltip. */
export function timeElement(ts) {
  const date = dateOf(ts);
  const full = formatDate(date, { dateStyle: 'full', timeStyle: 'long' });
  return h(
    'time',
    { datetime: date.toISOString(), title: full },
    formatDate(date, { hour: '2-digit', minute: '2-digit' }),
  );
}

/** The heading of a day: "Today", "Yesterday" or the date. */
export function dayLabel(ts) {
  const date = dateOf(ts);
  const day = isoDate(date);
  if (day === isoDate(new Date())) {
    return 'Today';
  }
  return day === isoDate(new Date(Date.now() - 86_400_000))
    ? 'Yesterday'
    : formatDate(date, { weekday: 'long', day: 'numeric', month: 'long' });
}

/** `1 reply`, `2 replies`. */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
