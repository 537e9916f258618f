import type { HostSlice } from '../domain/inventory.ts';
import type { JournalEntry } from '../domain/journal.ts';
import type { PlannedStep } from '../domain/plan.ts';
import type { Failure } from '../domain/outcome.ts';
import { needsApproval } from '../domain/outcome.ts';
import { errors, failureOf } from '../errors.ts';
import { actOn } from './act.ts';
import { endsQuietly } from './ends-quietly.ts';
import type { UnitSession } from './unit-session.ts';

type HookName = 'drain' | 'undrain';

const titles: Readonly<Record<HookName, string>> = {
  drain: 'Take load off the host',
  undrain: 'Put load back on the host',
};

/**
 * The plan with the hooks of the host around it, when it may disturb what runs there. `isDrained`: this run has taken the
 * load off already, so it has to be put back even if nothing else is left to do.
 */
export function withHooks(slice: HostSlice, steps: readonly PlannedStep[], isDrained: boolean): readonly PlannedStep[] {
  if (isDrained) return [...steps, ...plannedHook(slice, 'undrain')];
  const disturbs = steps.some(
    (step) => needsApproval(step.risk) && (step.state === 'change' || step.state === 'deferred'),
  );
  if (!disturbs) return steps;
  return [...plannedHook(slice, 'drain'), ...steps, ...plannedHook(slice, 'undrain')];
}

function plannedHook(slice: HostSlice, name: HookName): readonly PlannedStep[] {
  const hook = slice.entry[name];
  if (hook === undefined) return [];
  const when = name === 'drain' ? 'before the first disruptive step' : 'when all is done';
  return [
    {
      step: name,
      title: titles[name],
      target: slice.name,
      state: 'change',
      reason: `${when}: ${hook.command.join(' ')}`,
      changes: [],
      params: null,
      wanted: hook.command,
      risk: 'change',
      reboots: [],
    },
  ];
}

/** True when a run has taken the load off a host and not put it back. `past`: what it journaled of its unit. */
export function isDrainedAfter(past: readonly JournalEntry[], host: string): boolean {
  const times = (name: HookName): number =>
    past.filter(({ event: e }) => e.type === 'done' && e.step === name && e.target === host && e.action === name)
      .length;
  return times('drain') > times('undrain');
}

/**
 * Runs the drain hook before the first disruptive step of this run: once. Where it fails, the host keeps its load and the
 * whole unit stops; a resume runs it again. Errors: hook-failed.
 */
export async function drainOnce(unit: UnitSession): Promise<void> {
  for (const slice of unit.slices) if (!isDrained(unit, slice)) await runHook(unit, slice, 'drain');
}

/** Puts load back where this run took it off. Returns the failure instead of throwing it: the work itself is done. */
export async function undrainIfDrained(unit: UnitSession, slice: HostSlice): Promise<Failure | undefined> {
  if (!isDrained(unit, slice)) return undefined;
  try {
    await runHook(unit, slice, 'undrain');
    return undefined;
  } catch (error) {
    unit.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    return failureOf(error);
  }
}

/** What a person has to know of a host that this run leaves without load; undefined when it does not. */
export function leftDrained(unit: UnitSession, slice: HostSlice): string | undefined {
  const { entry, name } = slice;
  if (entry.undrain === undefined || !isDrained(unit, slice)) return undefined;
  return `Load was taken off ${name} (drain) and is not put back: run \`${entry.undrain.command.join(' ')}\`.`;
}

function isDrained(unit: UnitSession, slice: HostSlice): boolean {
  const times = (name: HookName): number => unit.actionsOf(name, slice.name).filter((action) => action.done).length;
  return times('drain') > times('undrain');
}

async function runHook(unit: UnitSession, slice: HostSlice, name: HookName): Promise<void> {
  const hook = slice.entry[name];
  if (hook === undefined) return;
  const where = { step: name, target: slice.name };
  const command = hook.command.join(' ');
  const text = `${titles[name].toLowerCase()}: ${command}`;
  const sinceMs = unit.deps.clock.nowMs();
  await unit.progress({ ...where, text, sinceMs, limitMs: hook.timeoutSeconds * 1000 });
  await actOn(unit, where, { name, text }, async () => {
    const result = await unit
      .hostOf(slice.name)
      .run(hook.command, { timeoutMs: hook.timeoutSeconds * 1000, signal: unit.signal });
    const output = `${result.stdout}\n${result.stderr}`.trim();
    if (result.exitCode !== 0)
      throw errors.hookFailed({
        host: slice.name,
        hook: name,
        exitCode: result.exitCode,
        output: output.slice(-400),
        run: unit.run.id,
        state: unit.hasOtherWrites(name) ? 'changed' : 'unchanged',
      });
    return { evidence: `exit 0${output === '' ? '' : `: ${output.slice(-200)}`}`, value: undefined };
  });
  const tookMs = unit.deps.clock.nowMs() - sinceMs;
  await unit.append({ type: 'step-applied', ...where, reason: command, verdicts: [], tookMs });
}
