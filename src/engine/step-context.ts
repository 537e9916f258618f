import type { ApplyContext, ObserveContext, Step } from '../domain/step.ts';
import { actOn } from './act.ts';
import type { UnitSession } from './unit-session.ts';
import type { CardState } from './walk.ts';
import { observeContext, pairContext } from './walk.ts';

/** What a step may look at while its unit is carried out. */
export function stepContext(
  unit: UnitSession,
  step: Step,
  target: string,
  card: CardState,
  cards: readonly CardState[],
  signal: AbortSignal,
): ObserveContext {
  return observeContext(unit.deps, {
    runId: unit.run.id,
    slice: card.slice,
    scope: step.scope,
    card,
    cards,
    host: unit.hostOf(card.slice.name),
    signal,
    actions: unit.actionsOf(step.name, target),
    actionsIn: (other, its) => unit.actionsOf(other, its),
    ...(step.scope === 'pair' && { pair: pairContext(unit.record, cards, (name) => unit.hostOf(name)) }),
  });
}

/** What it gets on top when it acts. */
export function applyContext(
  unit: UnitSession,
  step: string,
  target: string,
  context: ObserveContext,
  cards: readonly CardState[],
): ApplyContext {
  const { deps } = unit;
  const { pair, ...rest } = context;
  const sessions = pair && pairContext(unit.record, cards, (name) => unit.hostOf(name));
  return {
    ...rest,
    ...(sessions && { pair: sessions }),
    host: unit.hostOf(context.slice.name),
    bmc: deps.devices.bmc,
    arm: deps.devices.arm,
    pins: deps.devices.pins,
    records: deps.devices.records,
    credentials: deps.devices.credentials,
    escrow: deps.devices.escrow,
    random: deps.devices.random,
    act: async (action, fn) => actOn(unit, { step, target }, action, fn),
    checkpoint: async () => unit.breakOff(target),
    artefact: async (file) => deps.artefacts.put(unit.run.id, file),
    readArtefact: async (id) => deps.artefacts.get(unit.run.id, id),
    results: deps.results,
    measured: async (measured) => unit.append({ type: 'measured', target, ...measured }),
    snippet: async (title, text) => unit.append({ type: 'snippet', step, target, title, text }),
    progress: async ({ sinceMs, ...sign }) =>
      unit.progress({ step, target, ...sign, sinceMs: sinceMs ?? deps.clock.nowMs() }),
  };
}
