import { z } from 'zod';
import { isLookName } from '../src/domain/look.ts';
import type { Run, UnitRecord } from '../src/domain/run.ts';
import { hostsOf, isUnitEnded, unitOfHost } from '../src/domain/run.ts';
import type { HostStates, Selected, Selection } from '../src/domain/target-expression.ts';
import { asksStates, selectTargets } from '../src/domain/target-expression.ts';
import type { TargetUnit } from '../src/domain/targets.ts';
import type { OpsError } from '../src/errors.ts';
import { errors } from '../src/errors.ts';
import type { CommandContext, CommandRequest, Flag, Positional } from './define.ts';

/** Runs are read so many at a time for `state:...`. */
const RUNS_A_PAGE = 100;

/** What a target may be; whether it exists is asked of the inventory. */
export const Target = z
  .string()
  .regex(/^[A-Za-z0-9.,:*?[\] -]{1,500}$/, 'is a rack, host or DPU, or an expression as in rack[1-4],tag:gen5');

export const targetPositional: Positional = {
  name: 'target',
  about: 'a rack, host or DPU; several as in `rack1,as9`, `as[07-12]`, `host-*`, `tag:gen5`, `state:failed`',
};

/** Only those of the target that the expression names too, or all but those. */
export const selectionFlags: readonly Flag[] = [
  { name: 'only', kind: 'text', value: 'TARGET', about: 'of the target only these' },
  { name: 'except', kind: 'text', value: 'TARGET', about: 'of the target all but these' },
];

/** Their place among the arguments of a command. */
export const selectionShape = { only: Target.optional(), except: Target.optional() };

/** Units that an expression means now. Errors: target-unknown, command-invalid; never an empty list. */
export async function unitsSelected(request: CommandRequest, selection: Selection): Promise<readonly TargetUnit[]> {
  const { context } = request;
  const states = asksStates(selection) ? await hostStatesNow(context) : undefined;
  const selected = selectTargets(context.inventory(), selection, states);
  if (selected.ok) return selected.units;
  throw refusalOf(selection, selected);
}

/**
 * How things stand with each host: as the stopped run left it that still holds it, else as the newest run ended that was to
 * change it, of all that are kept. Benches, looks and plans change nothing, and a run at work has no outcome yet. Right already
 * counts as done.
 */
export async function hostStatesNow({
  runs,
  holds,
  inventory,
}: Pick<CommandContext, 'runs' | 'holds' | 'inventory'>): Promise<HostStates> {
  const states = new Map<string, string>();
  const note = (host: string, unit: UnitRecord | undefined): void => {
    if (unit !== undefined && isUnitEnded(unit.state) && !states.has(host)) states.set(host, wordOf(unit.state));
  };
  for (const { unit: host, runId } of await holds.all()) {
    const run = await runs.get(runId);
    if (run !== undefined) note(host, unitOfHost(run, host));
  }
  const hosts = Object.keys(inventory().hosts);
  let page = await runs.recent(RUNS_A_PAGE);
  while (page.length > 0 && !hosts.every((host) => states.has(host))) {
    for (const run of page.filter(isToChange))
      for (const unit of Object.values(run.units)) for (const host of hostsOf(unit)) note(host, unit);
    const before = Math.min(...page.map(({ id }) => id));
    page = await runs.recent(RUNS_A_PAGE, { before });
  }
  return states;
}

function isToChange({ recipe, planOnly }: Run): boolean {
  return !planOnly && !isLookName(recipe) && recipe !== 'inspect' && recipe !== 'bench';
}

function wordOf(state: UnitRecord['state']): string {
  if (state === 'satisfied') return 'done';
  return state === 'plan-outdated' ? 'cancelled' : state;
}

function refusalOf({ target }: Selection, selected: Extract<Selected, { readonly ok: false }>): OpsError {
  const { part } = selected;
  const next = '`/dpu help provision` shows how targets are written. Nothing was started.';
  switch (selected.reason) {
    case 'unknown':
      return errors.targetUnknown({ target: part, suggestion: selected.suggestion });
    case 'no-match': {
      const meant = selected.suggestion === undefined ? '' : ` Did you mean "${selected.suggestion}"?`;
      const why = `An empty selection is never taken for "all".${meant}`;
      return errors.commandInvalid({ what: `"${part}" fits no card of the inventory.`, why, next });
    }
    case 'malformed':
      return errors.commandInvalid({ what: `"${part}" is no target.`, why: selected.problem, next });
    case 'nothing-left':
      return errors.commandInvalid({
        what: `--${selected.flag} ${part} leaves nothing of ${target}.`,
        why: 'An empty selection is never taken for "all".',
        next: `Name what is to be worked on. Nothing was started.`,
      });
  }
}
