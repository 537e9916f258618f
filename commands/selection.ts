import { z } from 'zod';
import { isLookName } from '../src/domain/look.ts';
import type { Run } from '../src/domain/run.ts';
import { hostsOf, isUnitEnded } from '../src/domain/run.ts';
import type { HostStates, Selected, Selection } from '../src/domain/target-expression.ts';
import { asksStates, selectTargets } from '../src/domain/target-expression.ts';
import type { TargetUnit } from '../src/domain/targets.ts';
import type { OpsError } from '../src/errors.ts';
import { errors } from '../src/errors.ts';
import type { CommandRequest, Flag, Positional } from './define.ts';

/** So many of the newest runs are asked for `state:...`. */
const RUNS_ASKED = 200;

/** What a target may be; whether it exists is asked of the inventory. */
export const Target = z
  .string()
  .regex(/^[A-Za-z0-9.,:*?[\] -]{1,500}$/, 'is a rack, host or DPU, or an expression as in rack[1-4],tag:gen5');

export const targetPositional: Positional = {
  name: 'target',
  about: 'a rack, host or DPU; several as in `rack1,as9`, `as[07-12]`, `host-*`, `tag:gen5`, `state:failed`',
};

/** For commands that start runs: only those of the target that the expression names too, or all but those. */
export const selectionFlags: readonly Flag[] = [
  { name: 'only', kind: 'text', value: 'TARGET', about: 'of the target only these' },
  { name: 'except', kind: 'text', value: 'TARGET', about: 'of the target all but these' },
];

/** Their place among the arguments of a command. */
export const selectionShape = { only: Target.optional(), except: Target.optional() };

/** Units that an expression means now. Errors: target-unknown, command-invalid; never an empty list. */
export async function unitsSelected(request: CommandRequest, selection: Selection): Promise<readonly TargetUnit[]> {
  const { context } = request;
  const states = asksStates(selection) ? statesOf(await context.runs.recent(RUNS_ASKED)) : undefined;
  const selected = selectTargets(context.inventory(), selection, states);
  if (selected.ok) return selected.units;
  throw refusalOf(selection, selected);
}

/**
 * How the newest run that was to change a host ended for it. Looks and plans change nothing, and a run that is still at work
 * has no outcome. Right already counts as done.
 */
export function statesOf(runs: readonly Run[]): HostStates {
  const states = new Map<string, string>();
  for (const run of runs) {
    if (run.planOnly || isLookName(run.recipe) || run.recipe === 'inspect') continue;
    for (const unit of Object.values(run.units)) {
      if (!isUnitEnded(unit.state)) continue;
      const state = unit.state === 'satisfied' ? 'done' : unit.state === 'plan-outdated' ? 'cancelled' : unit.state;
      for (const host of hostsOf(unit)) if (!states.has(host)) states.set(host, state);
    }
  }
  return states;
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
