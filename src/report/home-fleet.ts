/** The parts of App Home about the fleet: who has which host, what is known of the cards, what was measured. */
import type { KnownBlock } from '@slack/types';
import { header, note, sections } from './blocks.ts';
import type { Counted, HomeBench, HomeFleet, HomeHeld, HomeLock, Shown } from './home-model.ts';
import { blockLimits } from './limits.ts';
import { count, cutPlain, escapeMrkdwn, inlineCode, nameList, oneLine, slackDate } from './text.ts';
import { isEnded } from '../domain/run.ts';
import { runStateText } from './words.ts';

const SHOWN_HELD = 15;
const SHOWN_NAMES = 8;
const SHOWN_COUNTS = 6;

/** Hosts that a stopped run holds come first: somebody has to decide about them. */
export function heldBlocks(held: readonly HomeHeld[], locks: readonly HomeLock[]): KnownBlock[] {
  const title = header('Holds and locks');
  if (held.length + locks.length === 0)
    return [title, note('No run has a host in its hands, and nobody has locked one.')];
  const stopped = held.filter(isStopped).map(heldText);
  const working = held.filter((one) => !isStopped(one)).map(heldText);
  const ordered = [...stopped, ...locks.map(lockText), ...working];
  const shown = ordered.slice(0, SHOWN_HELD);
  const rest = ordered.length - shown.length;
  const more = rest > 0 ? [note(`${count(rest, 'more host')} not shown; \`/dpu status\` says who has a host.`)] : [];
  return [title, ...sections(shown), ...more];
}

function lockText({ host, by, reason, sinceMs }: HomeLock): string {
  const since = slackDate(sinceMs, 'day-and-time');
  return `*${escapeMrkdwn(host)}* is locked by ${escapeMrkdwn(by.displayName)} since ${since}: ${oneLine(reason)}. ${inlineCode(`/dpu unlock ${host}`)} takes the lock off.`;
}

function isStopped({ run }: HomeHeld): boolean {
  return run === undefined || isEnded(run.state) || run.state === 'paused';
}

function heldText(held: HomeHeld): string {
  const { host, runId, by, run, sinceMs, worker } = held;
  const name = `*${escapeMrkdwn(host)}*`;
  const since = sinceMs === undefined ? '' : ` since ${slackDate(sinceMs, 'day-and-time')}`;
  if (run === undefined)
    return `${name} is held by run ${runId} (${escapeMrkdwn(by)})${since}, of which nothing else is kept. An admin takes it back with ${inlineCode(`/dpu unlock ${host} --force`)}.`;
  const who = `run ${runId} (${runStateText(run.state, run.recipe)}, ${escapeMrkdwn(by)})${since}`;
  if (isStopped(held))
    return `${name} is held by the stopped ${who}. \`/dpu resume ${runId}\` goes on with it, \`/dpu cancel ${runId}\` gives the host back.`;
  const at = worker === undefined ? 'no worker is at it now' : `worker ${escapeMrkdwn(worker)} is at it`;
  return `${name} is in the hands of ${who}; ${at}.`;
}

/** From what was seen earlier: no card is asked. */
export function fleetBlocks(fleet: HomeFleet): KnownBlock[] {
  const { cards, hosts, simulated, unseen, states, firmware, staged, warned, oldest } = fleet;
  const title = header(
    `The fleet${simulated ? ' (SIMULATED)' : ''}: ${count(cards, 'card')} in ${count(hosts, 'host')}`,
  );
  const lines = [
    ...(states.length === 0 ? [] : [`*State:* ${countedText(states)}`]),
    ...(firmware.length === 0 ? [] : [`*NIC firmware:* ${countedText(firmware)}`]),
    ...(firmware.length > 1 ? [`*Drift:* the cards run ${firmware.length} versions of NIC firmware.`] : []),
    ...(staged.length === 0 ? [] : [`*Staged and not running yet:* ${nameList(staged, SHOWN_NAMES)}`]),
    ...(warned.length === 0 ? [] : [`*With warnings:* ${nameList(warned, SHOWN_NAMES)}`]),
    ...(unseen.length === 0
      ? []
      : [`*No facts stored of:* ${count(unseen.length, 'card')} (${nameList(unseen, SHOWN_NAMES)})`]),
  ];
  const age =
    oldest === undefined
      ? 'Nothing is known yet: `/dpu status RACK --refresh` looks.'
      : `From what was seen earlier; the oldest look is that at ${escapeMrkdwn(oldest.card)}, ${slackDate(oldest.atMs, 'day-and-time')}. \`/dpu status\` tells more.`;
  return [title, ...sections(lines), note(age)];
}

function countedText(counted: readonly Counted[]): string {
  const ordered = counted.toSorted((a, b) => b.cards - a.cards);
  const shown = ordered
    .slice(0, SHOWN_COUNTS)
    .map(({ text, cards }) => `${oneLine(text, 80)} (${count(cards, 'card')})`);
  const rest = ordered.length - shown.length;
  return rest > 0 ? `${shown.join('; ')}; and ${rest} other` : shown.join('; ');
}

/** The chart that the thread has already, below its figures; without one the trend in signs. */
export function benchBlocks({ shown, left }: Shown<HomeBench>): KnownBlock[] {
  const title = header('Last benchmarks');
  if (shown.length === 0) return [title, note('Nothing is measured yet. `/dpu bench raw PAIR` measures.')];
  const rest = left > 0 ? [note(`${count(left, 'more')} not shown; \`/dpu bench history\` lists them.`)] : [];
  return [title, ...shown.flatMap(benchBlock), ...rest];
}

function benchBlock({ run, pair, kind, atMs, line, stamp, trend, link, chart }: HomeBench): KnownBlock[] {
  const stamped = stamp === undefined ? '' : ` (${stamp})`;
  const place = link === undefined ? `run ${run}` : `<${link}|run ${run}>`;
  const lines = [
    `*${escapeMrkdwn(pair)}, ${escapeMrkdwn(kind)}*${stamped}: ${oneLine(line, 900)} · ${place}, ${slackDate(atMs, 'day-and-time')}`,
    ...(trend === undefined ? [] : [oneLine(trend)]),
  ];
  if (chart === undefined) return sections(lines);
  const altText = cutPlain(chart.altText, blockLimits.fieldText) || `Chart of run ${run}`;
  return [...sections(lines), { type: 'image', slack_file: { id: chart.fileId }, alt_text: altText }];
}
