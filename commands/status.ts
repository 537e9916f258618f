import { z } from 'zod';
import { recipeVersions } from '../jobs/payloads.ts';
import type { Run } from '../src/domain/run.ts';
import type { TargetUnit } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { CardStatus } from '../src/report/status-answer.ts';
import { statusAnswer } from '../src/report/status-answer.ts';
import { Switch } from './arguments.ts';
import { Target, selectionFlags, selectionShape, unitsSelected } from './selection.ts';
import type { CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';
import { refuseWithout } from './rights.ts';
import { startRun } from './start-run.ts';

/** So many of the newest runs are asked who wrote to a card last. */
const RUNS_ASKED = 50;
const anyFailures = 999;

type Wish = Pick<z.infer<typeof Arguments>, 'target' | 'only' | 'except'>;

const Arguments = z.object({ target: Target.optional(), refresh: Switch, ...selectionShape });

/** Says what is known of cards, at once; `--refresh` has them looked at anew. */
export const status = defineCommand({
  name: 'status',
  summary: 'say what is known of cards: part, mode, image, firmware, link, addresses, and who works on them',
  positionals: [
    {
      name: 'target',
      about: 'a rack, host or DPU, or several as for provision; without it all cards, a line each',
      optional: true,
    },
  ],
  flags: [
    { name: 'refresh', kind: 'switch', about: 'look at the cards anew, in the channel; nothing is changed' },
    ...selectionFlags,
  ],
  examples: ['/dpu status', '/dpu status rack1', '/dpu status dpu-07 --refresh'],
  arguments: Arguments,
  who: 'anyone',
  whoText: 'anyone; `--refresh` needs the right to operate',
  changes: false,
  async run(request, args) {
    const { target, only, except } = args;
    if (!args.refresh) return statusAnswer(target ?? 'all cards', await known(request, args), now(request));
    refuseRefresh(request, target);
    await startRun(request, {
      recipe: 'status',
      recipeVersion: recipeVersions.status,
      params: {},
      target: target ?? '',
      only,
      except,
      planOnly: false,
      maxFailures: anyFailures,
    });
    return undefined;
  },
});

function now({ context }: CommandRequest): number {
  return context.clock.nowMs();
}

/** Errors: not-allowed, command-invalid. */
function refuseRefresh(request: CommandRequest, target: string | undefined): void {
  refuseWithout(request, 'operate', 'use `/dpu status --refresh`');
  if (target !== undefined) return;
  throw errors.commandInvalid({
    what: '`--refresh` needs a target.',
    why: 'An empty selection is never taken for "all".',
    next: 'Name a rack, host or DPU. Nothing was started.',
  });
}

async function known(request: CommandRequest, wish: Wish): Promise<readonly CardStatus[]> {
  const { context } = request;
  const inventory = context.inventory();
  const changes = await lastChanges(request);
  const locks = await context.locks.all();
  const cards: CardStatus[] = [];
  for (const { host, dpus } of await unitsOf(request, wish)) {
    const held = await context.holds.get(host);
    const locked = locks.find((lock) => lock.host === host);
    const site = inventory.sites[inventory.hosts[host]?.site ?? ''];
    for (const dpu of dpus) {
      const facts = await context.facts.get(dpu);
      cards.push({ dpu, host, simulated: site?.simulated ?? false, facts, held, locked, changed: changes.get(dpu) });
    }
  }
  return cards;
}

/** Errors: target-unknown, command-invalid. */
async function unitsOf(request: CommandRequest, { target, only, except }: Wish): Promise<readonly TargetUnit[]> {
  if (target !== undefined) return unitsSelected(request, { target, only, except });
  if (only !== undefined || except !== undefined)
    throw errors.commandInvalid({
      what: '`--only` and `--except` need a target.',
      why: 'They take away from what it names.',
      next: 'Name a rack, host or DPU before them. Nothing was started.',
    });
  const { hosts } = request.context.inventory();
  return Object.entries(hosts).map(([host, { dpus }]) => ({ host, dpus: dpus.map(({ name }) => name) }));
}

/**
 * The newest run that worked on each card; what was seen before it may not be so any more. One that found all as wanted has
 * written nothing.
 */
async function lastChanges({ context }: CommandRequest): Promise<ReadonlyMap<string, CardStatus['changed']>> {
  const changes = new Map<string, CardStatus['changed']>();
  for (const run of await context.runs.recent(RUNS_ASKED))
    for (const unit of Object.values(run.units))
      for (const target of unit.targets) {
        const isWork = unit.startedAtMs !== undefined && unit.state !== 'satisfied';
        const atMs = !isWork ? undefined : endOf(run, unit.endedAtMs, context.clock.nowMs());
        if (atMs !== undefined && !changes.has(target)) changes.set(target, { runId: run.id, atMs });
      }
  return changes;
}

function endOf(run: Run, unitEndedAtMs: number | undefined, nowMs: number): number {
  return unitEndedAtMs ?? run.endedAtMs ?? nowMs;
}
