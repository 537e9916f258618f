import { format } from 'prettier';
import { RUN_STREAM, type JournalEvent } from '../../../src/domain/journal.ts';
import { Crash, createWorld, order, startEngine, workUntilStopped, type World } from '../engine-world.ts';
import { makeInventory } from '../make-run.ts';

const host = 'as7';
const dpu = 'as7-dpu0';
/** Until the lease of a dead worker has run out. */
const leaseGoneMs = 12_000;
const livesAtMost = 3;

/** What became of a run whose worker died at one point. */
export interface CrashOutcome {
  /** What the run was busy with when its worker died. */
  readonly during: string;
  readonly point: string;
  readonly state: string;
  /** Everything as after a run that nobody disturbed: Secure Boot, password, hold. */
  readonly asWanted: boolean;
  readonly extraResets: number;
}

/** Lets the worker die once at every crash point of a provision run, in the process, on a fake clock and the rack model. */
export async function allCrashes(): Promise<readonly CrashOutcome[]> {
  const calm = createWorld(makeInventory([host]));
  await runThrough(calm, undefined);
  const calmBoots = bootsOf(calm);
  const outcomes: CrashOutcome[] = [];
  for (const [crashAt, point] of calm.points.entries()) {
    const world = createWorld(makeInventory([host]));
    const { id, during } = await runThrough(world, crashAt);
    outcomes.push({
      during,
      point: pointText(point),
      state: (await world.stores.runs.get(id))?.state ?? 'gone',
      asWanted: await isAsWanted(world),
      extraResets: bootsOf(world) - calmBoots,
    });
  }
  return outcomes;
}

/** The page: one row for each kind of crash point, with what came of it. Formatted as the rest of the repository. */
export async function crashTable(outcomes: readonly CrashOutcome[]): Promise<string> {
  const groups = new Map<string, CrashOutcome[]>();
  const order = outcomes.map((one) => one.during);
  for (const one of outcomes.toSorted((a, b) => order.indexOf(a.during) - order.indexOf(b.during))) {
    const key = `| ${one.during} | ${one.point} |`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const rows = [...groups].map(([key, all]) => `${key} ${all.length} | ${summaryOf(all)} | ${resetsOf(all)} |`);
  const text = `# What happens when a worker dies

Written by \`npm test -- --layer lab test/lab/e2e/crash-table.test.ts --update\`, which lets the worker of a provision run of
one card die once at each of ${outcomes.length} points (before and after every entry of the journal, every change of the run's
record and every remote write) and then starts another one. A test compares this page with what the code does.

"Goes on by itself" means: without anybody's help the run ends as \`done\`, with Secure Boot off, the password that the BMC
has filed as the current one, and no hold left. One Arm reset too many is allowed, one too few is not.

| busy with | the worker dies | points | then | Arm resets more |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

Points at which a person is needed: ${outcomes.filter((one) => !isGood(one)).length}. A flash of the card, which this recipe does not have, will be the first.
`;
  return format(text, { parser: 'markdown', printWidth: 120 });
}

/** `before update 418` and `after update plan-ready`: what changes is the run's record, with the entry of that name. */
function pointText(point: string): string {
  return point.replace(/ update (\d+)?$/, ' change of the run').replace(' update ', ' change of the run with ');
}

function isGood({ state, asWanted }: CrashOutcome): boolean {
  return state === 'done' && asWanted;
}

function summaryOf(all: readonly CrashOutcome[]): string {
  const bad = all.filter((one) => !isGood(one));
  return bad.length === 0 ? 'goes on by itself' : [...new Set(bad.map((one) => `ends as ${one.state}`))].join(', ');
}

function resetsOf(all: readonly CrashOutcome[]): string {
  const counts = all.map((one) => one.extraResets);
  const least = Math.min(...counts);
  const most = Math.max(...counts);
  return least === most ? String(least) : `${least} to ${most}`;
}

async function runThrough(world: World, crashAt: number | undefined): Promise<{ id: number; during: string }> {
  const { id } = await order(world);
  let during = 'nothing';
  let deps = startEngine(world, crashAt === undefined ? {} : { crashAt });
  for (let lives = 1; lives <= livesAtMost; lives += 1)
    try {
      await workUntilStopped(world, deps, id);
      return { id, during };
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      during = await busyWith(world, id);
      world.clock.advance(leaseGoneMs);
      deps = startEngine(world);
    }
  throw new Error(`the run did not end in ${livesAtMost} lives (crash point ${crashAt})`);
}

async function busyWith(world: World, id: number): Promise<string> {
  const unit = (await world.stores.journal.read(id, host)).map((entry) => entry.event);
  const run = (await world.stores.journal.read(id, RUN_STREAM)).map((entry) => entry.event);
  const has = (events: readonly JournalEvent[], type: JournalEvent['type']): boolean =>
    events.some((event) => event.type === type);
  if (has(unit, 'unit-ended')) return 'end of the run';
  const step = unit.findLast((event) => event.type === 'step-started');
  if (step?.type === 'step-started') return step.step;
  if (has(unit, 'unit-started')) return 'start of the host';
  if (has(run, 'wave-started')) return 'start of the wave';
  return has(unit, 'plan-ready') ? 'approval' : 'plan';
}

async function isAsWanted(world: World): Promise<boolean> {
  const card = cardOf(world);
  const filed = await world.stores.credentials.bmc({ serial: world.rack.card(dpu).serial });
  const isFiled =
    filed.length === 1 && filed[0]?.slot === 'current' && filed[0].secret.reveal() === card.bmc.rootPassword;
  const isOff = !card.secureBoot.enable && !card.secureBoot.currentBoot;
  return isFiled && isOff && (await world.stores.holds.get(host)) === undefined;
}

function bootsOf(world: World): number {
  return cardOf(world).arm.bootCount;
}

function cardOf(world: World): ReturnType<World['rack']['snapshot']>['cards'][number] {
  const card = world.rack.snapshot().cards.find((one) => one.name === dpu);
  if (card === undefined) throw new Error(`the rack model has no ${dpu}`);
  return card;
}
