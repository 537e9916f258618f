import { z } from 'zod';
import { recipeVersions } from '../jobs/payloads.ts';
import { may } from '../src/domain/policy.ts';
import type { Run } from '../src/domain/run.ts';
import { resolveTargets } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { CardStatus } from '../src/report/status-answer.ts';
import { statusAnswer } from '../src/report/status-answer.ts';
import { Switch, Target } from './arguments.ts';
import type { CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

/** So many of the newest runs are asked who wrote to a card last. */
const RUNS_ASKED = 50;
const anyFailures = 999;

const Arguments = z.object({ target: Target.optional(), refresh: Switch });

/** Says what is known of cards, at once; `--refresh` has them looked at anew. */
export const status = defineCommand({
  name: 'status',
  summary: 'say what is known of cards: part, mode, image, firmware, link, addresses, and who works on them',
  positionals: [
    { name: 'target', about: 'the name of a rack, host or DPU; without it all cards, a line each', optional: true },
  ],
  flags: [{ name: 'refresh', kind: 'switch', about: 'look at the cards anew, in the channel; nothing is changed' }],
  examples: ['/dpu status', '/dpu status rack1', '/dpu status dpu-07 --refresh'],
  arguments: Arguments,
  who: 'anyone',
  whoText: 'anyone; `--refresh` needs the right to operate',
  changes: false,
  async run(request, args) {
    if (!args.refresh) return statusAnswer(args.target ?? 'all cards', await known(request, args.target), now(request));
    refuseRefresh(request, args.target);
    await startRun(request, {
      recipe: 'status',
      recipeVersion: recipeVersions.status,
      params: {},
      target: args.target ?? '',
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
function refuseRefresh({ context, roles, person }: CommandRequest, target: string | undefined): void {
  const inventory = context.inventory();
  if (!may(inventory, roles, 'operate')) {
    const need = `the role ${inventory.policy.operate.join(' or ')}`;
    throw errors.notAllowed({ who: person.displayName, action: 'use `/dpu status --refresh`', need });
  }
  if (target !== undefined) return;
  throw errors.commandInvalid({
    what: '`--refresh` needs a target.',
    why: 'An empty selection is never taken for "all".',
    next: 'Name a rack, host or DPU. Nothing was started.',
  });
}

async function known(request: CommandRequest, word: string | undefined): Promise<readonly CardStatus[]> {
  const { context } = request;
  const inventory = context.inventory();
  const changes = await lastChanges(request);
  const cards: CardStatus[] = [];
  for (const { host, dpus } of unitsOf(request, word)) {
    const held = await context.holds.get(host);
    const site = inventory.sites[inventory.hosts[host]?.site ?? ''];
    for (const dpu of dpus) {
      const facts = await context.facts.get(dpu);
      cards.push({ dpu, host, simulated: site?.simulated ?? false, facts, held, changed: changes.get(dpu) });
    }
  }
  return cards;
}

/** Errors: target-unknown. */
function unitsOf(
  { context }: CommandRequest,
  word: string | undefined,
): readonly { readonly host: string; readonly dpus: readonly string[] }[] {
  const inventory = context.inventory();
  if (word === undefined)
    return Object.entries(inventory.hosts).map(([host, { dpus }]) => ({ host, dpus: dpus.map(({ name }) => name) }));
  const result = resolveTargets(inventory, word);
  if (result.ok) return result.units;
  const suggestion = result.reason === 'unknown' ? result.suggestion : undefined;
  throw errors.targetUnknown({ target: word, suggestion });
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
