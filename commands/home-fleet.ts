import type { HomePorts } from './home-ports.ts';
import { cardLink } from './home-runs.ts';
import { historyTrends } from '../src/bench/history.ts';
import { rateText } from '../src/bench/rate-text.ts';
import type { ResultRecord } from '../src/domain/bench.ts';
import { benchKinds } from '../src/domain/bench.ts';
import type { CardFacts } from '../src/domain/card-facts.ts';
import type { JournalEntry, JournalEvent } from '../src/domain/journal.ts';
import { byId } from '../src/report/journal-events.ts';
import type { Counted, HomeBench, HomeFleet, Shown } from '../src/report/home-model.ts';
import { postKey } from '../src/report/posts.ts';

const SHOWN_BENCHES = 6;
/** A chart is as wide as the page: of more, the figures say enough. */
const SHOWN_CHARTS = 3;
/** Of the past, for the trend. */
const RUNS_OF_TREND = 10;

type Card = readonly [name: string, facts: CardFacts | undefined];

/** Counts over all cards of the inventory, from what was seen earlier. */
export async function fleetOf({ inventory, facts }: HomePorts): Promise<HomeFleet> {
  const { hosts, sites } = inventory();
  const names = Object.values(hosts).flatMap(({ dpus }) => dpus.map(({ name }) => name));
  const cards = await Promise.all(names.map(async (name): Promise<Card> => [name, await facts.get(name)]));
  const seen = cards.flatMap(([name, known]) => (known === undefined ? [] : [{ name, known }]));
  const namesWhere = (holds: (facts: CardFacts['facts']) => boolean): string[] =>
    seen.filter(({ known }) => holds(known.facts)).map(({ name }) => name);
  const first = seen.toSorted((a, b) => a.known.atMs - b.known.atMs)[0];
  return {
    cards: names.length,
    hosts: Object.keys(hosts).length,
    simulated: Object.values(hosts).some(({ site }) => sites[site]?.simulated === true),
    unseen: cards.flatMap(([name, known]) => (known === undefined ? [name] : [])),
    states: counted(seen.map(({ known }) => stateText(known))),
    firmware: counted(seen.flatMap(({ known }) => known.facts['nic-firmware-running']?.value ?? [])),
    staged: namesWhere(isStaged),
    warned: namesWhere((known) => Object.values(known).some((fact) => fact?.warning !== undefined)),
    oldest: first && { card: first.name, atMs: first.known.atMs },
  };
}

function isStaged(facts: CardFacts['facts']): boolean {
  const staged = facts['nic-firmware-staged']?.value;
  return staged !== undefined && staged !== facts['nic-firmware-running']?.value;
}

function stateText({ facts }: CardFacts): string {
  return `${facts.mode?.value ?? 'mode not read'}, ${facts['arm-state']?.value ?? 'Arm not read'}`;
}

function counted(texts: readonly string[]): readonly Counted[] {
  const numbers = new Map<string, number>();
  for (const text of texts) numbers.set(text, (numbers.get(text) ?? 0) + 1);
  return [...numbers].map(([text, cards]) => ({ text, cards }));
}

/** The newest bench of each pair and kind, the newest first. */
export async function benchesOf(ports: HomePorts): Promise<Shown<HomeBench>> {
  const wanted = Object.keys(ports.inventory().pairs).flatMap((pair) => benchKinds.map((kind) => ({ pair, kind })));
  const past = await Promise.all(
    wanted.map(async ({ pair, kind }) => ports.results.history(pair, kind, RUNS_OF_TREND)),
  );
  const ordered = past
    .filter((records) => records.length > 0)
    .toSorted((a, b) => (b[0]?.atMs ?? 0) - (a[0]?.atMs ?? 0));
  const shown = ordered.slice(0, SHOWN_BENCHES).map(async (records, index) => benchOf(ports, records, index));
  return { shown: (await Promise.all(shown)).flat(), left: Math.max(0, ordered.length - SHOWN_BENCHES) };
}

async function benchOf(ports: HomePorts, records: readonly ResultRecord[], index: number): Promise<HomeBench[]> {
  const [newest] = records;
  if (newest === undefined) return [];
  const { run, pair, point, atMs, stamp, key } = newest;
  const told = await toldResult(ports, run);
  const chart = told === undefined || index >= SHOWN_CHARTS ? undefined : await chartOf(ports, run, told);
  const trend = historyTrends(records.filter((record) => record.key === key))[0];
  const line = told?.event.line ?? `${rateText(newest.medianGbps)}; the thread with its verdict is not kept any more`;
  return [{ run, pair, kind: point.kind, atMs, line, stamp, trend, link: await cardLink(ports, run), chart }];
}

type Measured = Extract<JournalEvent, { readonly type: 'measured' }>;
type Told = { readonly entry: JournalEntry; readonly event: Measured };

/** What the thread says of the result of a run: its first mention, because a second one of the same id is not posted. */
async function toldResult({ runs, journal }: HomePorts, runId: number): Promise<Told | undefined> {
  const run = await runs.get(runId);
  if (run === undefined) return undefined;
  const streams = await Promise.all(Object.keys(run.units).map(async (unit) => journal.read(runId, unit)));
  const told = streams
    .flat()
    .toSorted(byId)
    .flatMap((entry) => (entry.event.type === 'measured' ? [{ entry, event: entry.event }] : []));
  const last = told.at(-1);
  return told.find(({ event }) => event.id === last?.event.id);
}

/** The chart is in the chat since the result was posted; the publisher has noted its id with that post. */
async function chartOf({ posts }: HomePorts, runId: number, { entry, event }: Told): Promise<HomeBench['chart']> {
  const [file] = event.files;
  if (file === undefined || !file.mimeType.startsWith('image/')) return undefined;
  const key = postKey(runId, entry.unit, entry.id);
  const post = (await posts.all(runId)).find((one) => one.key === key);
  if (post?.state !== 'sent' || post.fileId === undefined) return undefined;
  return { fileId: post.fileId, altText: file.altText ?? event.line };
}
