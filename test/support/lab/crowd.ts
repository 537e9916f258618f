import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '../../../src/domain/run.ts';
import { isEnded } from '../../../src/domain/run.ts';
import type { ChatStats } from '../../../src/lab/chat/stats.ts';
import { CardWatch } from './card-watch.ts';
import { eventually } from './eventually.ts';
import type { PersonName } from './people.ts';
import type { Stack } from './stack.ts';

/** What the crowd did and what the chat made of it. */
export interface CrowdFigures {
  readonly runs: number;
  /** Wall time of the watch, without the wait for the end. */
  readonly seconds: number;
  /** How many runs ended how. */
  readonly ends: Readonly<Record<string, number>>;
  /** From the first line typed. */
  readonly lastEndMs: number;
  readonly looks: number;
  /** Share of looks at which the card was up to date, 0 to 1, and how long it had been out of date at the others. */
  readonly upToDate: number;
  readonly staleMs: Spread;
  /** From the end of a run until its card said so. */
  readonly endToldMs: Spread;
  /** Messages in a thread, at the end of the watch. */
  readonly replies: Spread;
  readonly stats: ChatStats;
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

type Decision = 'approve' | 'reject' | 'cancel' | 'cancel-later' | 'fault';
/** Of ten runs, so that all ends differ; the fault makes its run fail. */
const decisions: readonly Decision[] = [
  ...(['approve', 'approve', 'approve', 'reject', 'approve'] as const),
  ...(['cancel', 'approve', 'cancel-later', 'approve', 'fault'] as const),
];
const plannedLimitMs = 120_000;
const lookEveryMs = 1_000;

interface Member {
  readonly host: string;
  readonly asker: PersonName;
  readonly decider: PersonName;
  readonly decision: Decision;
}

/**
 * Has a run started on each host at once by two people; each decides on the runs of the other as soon as they are asked.
 * Watches all cards for so long, then until all have ended and their cards say so.
 */
export async function crowd(stack: Stack, seconds: number, limitMs: number): Promise<CrowdFigures> {
  const members = stack.lab.hosts.map(({ name }, index): Member => {
    const [asker, decider] = index % 2 === 0 ? (['ana', 'ben'] as const) : (['ben', 'ana'] as const);
    return { host: name, asker, decider, decision: decisions[index % decisions.length] ?? 'approve' };
  });
  const startedAtMs = Date.now();
  await Promise.all(members.map(async ({ asker, host }) => saidFor(stack, asker, `/dpu provision ${host}`)));
  const runs = await Promise.all(members.map(async (member) => runOn(stack, member.host)));
  const watches = runs.map((run) => new CardWatch(stack, run.id, run.createdAtMs));
  const decided = Promise.all(members.map(async (member, index) => decide(stack, member, runs[index]?.id ?? 0)));

  await lookUntil(watches, () => Date.now() - startedAtMs >= seconds * 1000);
  const replies = await Promise.all(watches.map(async ({ ts }) => repliesOf(stack, ts)));
  const stats = await stack.people.stats();
  await decided;
  const deadlineMs = Date.now() + limitMs;
  await lookUntil(watches, () => watches.every(({ lateMs }) => lateMs !== undefined) || Date.now() > deadlineMs);
  const late = watches.filter(({ lateMs }) => lateMs === undefined);
  if (late.length > 0) throw new Error(`the cards of ${late.map(({ id }) => id).join(', ')} do not say their end`);

  const ages = watches.flatMap(({ agesMs }) => agesMs);
  const ended = await Promise.all(runs.map(async ({ id }) => stack.records.run(id)));
  return {
    runs: runs.length,
    seconds,
    ends: tally(ended),
    lastEndMs: Math.max(...ended.map(({ endedAtMs = 0 }) => endedAtMs)) - startedAtMs,
    looks: ages.length,
    upToDate: ages.filter((age) => age === 0).length / ages.length,
    staleMs: spread(ages.filter((age) => age > 0)),
    endToldMs: spread(watches.map(({ lateMs = 0 }) => lateMs)),
    replies: spread(replies),
    stats: { ...stats, rateLimited: (await stack.people.stats()).rateLimited },
  };
}

/** The figures as people read them. */
export function figuresOf(figures: CrowdFigures): Record<string, string | number> {
  const { calls, rateLimited, acks } = figures.stats;
  const inSeconds = ({ p50, p95, max }: Spread): string =>
    [p50, p95, max].map((ms) => `${(ms / 1000).toFixed(1)} s`).join(' / ');
  const { replies } = figures;
  return {
    'runs at once': figures.runs,
    'watched for': `${figures.seconds} s`,
    ended: Object.entries(figures.ends)
      .map(([state, number]) => `${number} ${state}`)
      .join(', '),
    'last run ended after': `${Math.round(figures.lastEndMs / 1000)} s`,
    '429 taken': rateLimited,
    ...Object.fromEntries(Object.entries(calls).map(([method, { ok }]) => [`calls of ${method}`, ok])),
    'looks at cards': figures.looks,
    'cards up to date': `${(figures.upToDate * 100).toFixed(0)} % of the looks`,
    'age of what the others showed, p50 / p95 / max': inSeconds(figures.staleMs),
    'from the end of a run until its card said so, p50 / p95 / max': inSeconds(figures.endToldMs),
    'messages in a thread by then, p50 / p95 / max': `${replies.p50} / ${replies.p95} / ${replies.max}`,
    'slowest acknowledgement': `${acks.maxMs} ms`,
  };
}

/** Looks at all cards once a second, so that no look weighs more than another. */
async function lookUntil(watches: readonly CardWatch[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const next = pause(lookEveryMs);
    await Promise.all(watches.map(async (watch) => watch.look()));
    await next;
  }
}

/** Types a line until Slack has shown that it was taken, as a person would. */
async function saidFor(stack: Stack, user: PersonName, line: string): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    const said = await stack.people.say(user, line);
    if (said.kind === 'slash' && said.status === 'acked') return;
  }
  throw new Error(`not taken: ${line}`);
}

async function runOn(stack: Stack, host: string): Promise<Run> {
  return eventually(
    `a run on ${host}`,
    async () => (await stack.records.stores.runs.recent(100)).find((run) => run.text === `provision ${host}`),
    30_000,
  );
}

async function decide(stack: Stack, { host, asker, decider, decision }: Member, id: number): Promise<void> {
  await stack.records.waitForRun(id, ['awaiting-approval'], plannedLimitMs);
  if (decision === 'fault') await stack.rack.fault('redfish-503', `${host}-dpu0`, 100_000);
  if (decision === 'reject') return saidFor(stack, decider, `/dpu reject ${id} --reason "not tonight"`);
  if (decision === 'cancel') return saidFor(stack, asker, `/dpu cancel ${id}`);
  await saidFor(stack, decider, `/dpu approve ${id}`);
  if (decision !== 'cancel-later') return;
  await stack.records.waitForEvent(id, host, (event) => event.type === 'intent', plannedLimitMs);
  await saidFor(stack, asker, `/dpu cancel ${id}`);
}

async function repliesOf(stack: Stack, ts: string | undefined): Promise<number> {
  return ts === undefined ? 0 : (await stack.people.messages('ana', ts)).length - 1;
}

function tally(runs: readonly Run[]): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const { state } of runs) if (isEnded(state)) ends[state] = (ends[state] ?? 0) + 1;
  return ends;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
