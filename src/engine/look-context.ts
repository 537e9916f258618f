import type { BmcAccess, CardRef, HostReader, HostSession } from '../domain/device-ports.ts';
import type { HostSlice } from '../domain/inventory.ts';
import type { LookContext } from '../domain/look.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { asOnlyReader } from './only-reader.ts';
import type { CardState } from './walk.ts';
import { cardRef, cardsOf, observeContext } from './walk.ts';

export interface ReadingInput {
  readonly run: Run;
  readonly record: UnitRecord;
  readonly slice: HostSlice;
  readonly signal: AbortSignal;
}

/** What a look may read at a unit; who carries it out says where its signs of life and its pieces go. */
export async function readingContext(
  deps: EngineDeps,
  { run, record, slice, signal }: ReadingInput,
): Promise<Omit<LookContext, 'progress' | 'report'>> {
  const { arm } = deps.devices;
  const states = await withSerials(deps, cardsOf(slice, record.targets));
  const host = openedLate(deps, slice, signal);
  return {
    runId: run.id,
    slice,
    cards: states.map((state) => cardRef(slice, state)),
    options: run.params,
    facts: deps.facts,
    console: (card, device, options) => arm.console(card, device, options),
    clock: deps.devices.clockOf(slice),
    signal,
    of: (card) => {
      const state = stateOf(states, card);
      const seen = observeContext(deps, {
        runId: run.id,
        slice,
        scope: 'dpu',
        card: state,
        cards: states,
        host,
        signal,
        actions: [],
      });
      return { ...seen, bmc: lookingOnly(deps.devices.bmc) };
    },
    heldBy: async () => (await deps.holds.get(record.unit))?.runId,
    alone: async (thing, work) => asOnlyReader(deps, run, thing, signal, work),
  };
}

/** Who only looks uses up no try: the password that is filed as current, or none. */
function lookingOnly(bmc: BmcAccess): ObserveContext['bmc'] {
  return {
    fingerprint: (card, options) => bmc.fingerprint(card, options),
    login: (card, options) => bmc.login(card, { ...options, knownOnly: true }),
  };
}

/** Where the inventory has no serial, the one that was read the last time. */
async function withSerials(deps: EngineDeps, cards: readonly CardState[]): Promise<readonly CardState[]> {
  return Promise.all(
    cards.map(async (card) => {
      const serial = card.dpu.serial ?? (await deps.facts.get(card.dpu.name))?.facts.serial?.value;
      return serial === undefined ? card : { ...card, serial };
    }),
  );
}

/** The look may have learnt a serial by now. */
function stateOf(states: readonly CardState[], { dpu, serial }: CardRef): CardState {
  const state = states.find((one) => one.dpu.name === dpu.name);
  if (state === undefined) throw errors.bug({ detail: `${dpu.name} is no card of this look` });
  return serial === undefined ? state : { ...state, serial };
}

/** The host is opened by the first read. That it cannot be opened is remembered: nobody waits for a dead host twice. */
function openedLate(deps: EngineDeps, slice: HostSlice, signal: AbortSignal): HostReader {
  let opening: Promise<HostSession> | undefined;
  return {
    name: slice.name,
    read: async (command, options) => {
      signal.throwIfAborted();
      opening ??= deps.devices.hosts.open(slice);
      return (await opening).read(command, options);
    },
  };
}
