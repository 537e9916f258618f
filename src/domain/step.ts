import type { z } from 'zod';
import type { ArmAccess } from './arm-ports.ts';
import type { ArtefactRef, ArtefactStore } from './artefacts.ts';
import type { Measured, ResultStore } from './bench.ts';
import type { DpuEntry, HostSlice, Profile } from './inventory.ts';
import type { PairSliceEnd } from './pairs.ts';
import type { Change, Failure, Risk, Verdict } from './outcome.ts';
import type { PlannedPin, Reboot } from './plan.ts';
import type {
  BmcAccess,
  CardRecords,
  CardRef,
  CredentialStore,
  DeviceClock,
  Escrow,
  HostBmcAccess,
  HostReader,
  HostSession,
  PinStore,
  RandomSource,
} from './device-ports.ts';

export type Scope = 'host' | 'dpu' | 'pair';

/** What must be there before a step can look or act; earlier steps may provide it. */
export type Need =
  | 'host-ssh'
  | 'bmc-address'
  | 'bmc-pinned'
  | 'bmc-session'
  | 'secure-boot-off'
  /** The rshim driver on the host, with MFT: brought by DOCA. */
  | 'rshim'
  /** A mode that was set and waits for a cold boot of the host, and the mode that runs. */
  | 'staged-mode'
  | 'dpu-mode'
  | 'staged-bfb'
  /** NIC firmware that came with an image and may wait for a cold boot of the host. */
  | 'staged-firmware'
  | 'active-image'
  | 'arm-ssh'
  | 'drivers'
  /** Links of the Arm that stand for those of the host: there in switchdev mode only. */
  | 'representors'
  /** The path of a pair as it will be measured: bridges, MTU, IPsec, addresses. */
  | 'bench-path';

/** An act of this run on this step and target, as the journal has it; `done` is missing when the worker died in between. */
export interface ActionRecord {
  readonly action: string;
  readonly before?: unknown;
  readonly done: boolean;
  readonly atMs: number;
}

/** One end of a pair, as a step of scope `pair` gets it. */
export interface End<H extends HostReader = HostReader> {
  readonly name: 'a' | 'b';
  readonly slice: HostSlice;
  readonly card: CardRef;
  readonly dpu: DpuEntry;
  readonly profile: Profile;
  readonly host: H;
  readonly entry: PairSliceEnd;
}

/** Both ends of a pair, the first one of the inventory first. */
export interface Pair<H extends HostReader = HostReader> {
  readonly name: string;
  readonly ends: readonly [End<H>, End<H>];
}

/** All that observing needs; nothing here can change a device. */
export interface ObserveContext {
  readonly runId: number;
  readonly slice: HostSlice;
  /** The card, for steps of scope `dpu`; `serial` is there once `identify-card` has read it. */
  readonly card: CardRef;
  readonly dpu: DpuEntry;
  /** Profile of the card; for steps of scope `host` that of the host. */
  readonly profile: Profile;
  /** The cards of the unit that are still in, with their serials: what a step of scope `host` has to think of. */
  readonly cards: readonly CardRef[];
  readonly host: HostReader;
  /** Only for steps of scope `pair`; `slice`, `card`, `profile` and `host` are then those of its first end. */
  readonly pair?: Pair;
  readonly bmc: Pick<BmcAccess, 'fingerprint' | 'login'>;
  readonly arm: Pick<ArmAccess, 'login' | 'publicKey'>;
  readonly hostBmc: HostBmcAccess;
  readonly pins: Pick<PinStore, 'get'>;
  readonly records: Pick<CardRecords, 'get'>;
  /** Throws `credential-missing` or `credential-unreadable` unless the named credential can be read. */
  checkCredential(ref: string): Promise<void>;
  readonly clock: DeviceClock;
  readonly signal: AbortSignal;
  readonly actions: readonly ActionRecord[];
  /** What this run did in another step, for those that come before a long one and must not spoil it. Absent in looks. */
  readonly actionsIn?: (step: string, target: string) => readonly ActionRecord[];
}

/** What `apply` gets on top: writing sessions, and `act`, which journals the intent before and the result after. */
export interface ApplyContext extends Omit<ObserveContext, 'pair'> {
  readonly host: HostSession;
  readonly pair?: Pair<HostSession>;
  readonly bmc: BmcAccess;
  readonly arm: ArmAccess;
  readonly pins: PinStore;
  readonly records: CardRecords;
  readonly credentials: CredentialStore;
  readonly escrow: Escrow;
  readonly random: RandomSource;
  /**
   * Carries out one remote act: makes sure of lease and hold, journals the intent (with `before`), runs `fn`, journals the
   * evidence. Every write to a device or to pins and credentials goes through it. Cancel and halt count between steps.
   */
  act<T>(
    action: { readonly name: string; readonly text: string; readonly before?: unknown },
    fn: () => Promise<{ readonly evidence: string; readonly value: T }>,
  ): Promise<T>;
  /** Overwrites the sign of life. `limitMs` is wall time. */
  progress(sign: {
    readonly text: string;
    readonly percent?: number;
    readonly lastLine?: string;
    readonly sinceMs?: number;
    readonly limitMs?: number;
  }): Promise<void>;
  /** For long acts that may be broken off in between: throws what ends the step when the run was cancelled or all is halted. */
  checkpoint(): Promise<void>;
  /** Files that belong to the run: charts, raw figures, logs of tools. */
  artefact(file: Parameters<ArtefactStore['put']>[1]): Promise<ArtefactRef>;
  /** What `artefact` has stored in this run, also in an earlier life of the step. */
  readArtefact(id: string): Promise<Uint8Array | undefined>;
  readonly results: ResultStore;
  /** Posts what was measured, once per `measured.id`. */
  measured(measured: Measured): Promise<void>;
  /** Posts a piece of a console or log into the thread of the run (redacted; at most 40 lines of it are shown). */
  snippet(title: string, text: string): Promise<void>;
}

export type Diff =
  | {
      readonly kind: 'satisfied';
      readonly reason: string;
      /** Right, but worth a person's eye: shown in plan and summary, and bound by the approval. */
      readonly warning?: string;
      /** Staged and not yet active: the run ends as `activation-pending`. */
      readonly pending?: true;
    }
  | {
      readonly kind: 'change';
      readonly changes: readonly Change[];
      readonly warning?: string;
      readonly reboots?: readonly Reboot[];
      readonly pins?: readonly PlannedPin[];
      readonly present?: unknown;
    }
  /** Cannot be known before an earlier planned change has provided `awaits`. */
  | { readonly kind: 'deferred'; readonly awaits: Need; readonly reason: string }
  | { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number }
  | { readonly kind: 'refused'; readonly failure: Failure };

export type ApplyResult =
  | { readonly kind: 'done' }
  /** Nothing more can be done before `untilMs` (wall); the unit gives its worker back until then. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number };

/** A step with its types known; `defineStep` turns it into a `Step`. */
export interface StepSpec<P, O> {
  readonly name: string;
  readonly title: string;
  readonly scope: Scope;
  readonly risk: Risk;
  readonly params: z.ZodType<P>;
  /** Whole step, device milliseconds; each remote call has its own smaller limit. */
  readonly timeoutMs: number;
  /**
   * What it usually takes when it has work to do, device milliseconds, from the step's source; nothing without one. A function
   * where the parameters say it: then no measurement of other parameters counts. Shown, never waited for.
   */
  readonly usualMs?: number | ((params: P) => number);
  readonly needs: readonly Need[];
  readonly provides: readonly Need[];
  /** Reboots counted while the step is deferred: its declared worst case. */
  readonly worstReboots?: (dpu: DpuEntry, slice: HostSlice, params: P) => readonly Reboot[];
  /** What the step is for, as a person reads it in a plan while the details cannot be known yet. */
  readonly aim?: (params: P) => string;
  /** What the step wants, as it goes into the plan hash. */
  readonly wanted: (params: P) => unknown;
  observe(context: ObserveContext, params: P): Promise<O>;
  diff(observed: O, params: P, dpu: DpuEntry): Diff;
  /** Absent on steps of risk `read`. */
  apply?(context: ApplyContext, changes: readonly Change[], params: P, observed: O): Promise<ApplyResult>;
  verify?(context: ObserveContext, params: P): Promise<readonly Verdict[]>;
  /**
   * Takes away exactly what this run added (`context.actions`), and nothing that was there before; idempotent. Only in recipes
   * that clean up: called in reverse order at the end of the unit, however it ends, for every target that the step acted on.
   */
  undo?(context: ApplyContext, params: P): Promise<void>;
  /** Learnt while observing: passed on to later steps (the serial number). */
  serial?(observed: O, dpu: DpuEntry): string | undefined;
  /** Learnt while observing: what the recipe chooses later steps of this card by. A step that is put off before it looks teaches nothing yet. */
  learns?(observed: O, params: P, dpu: DpuEntry): Readonly<Record<string, string>>;
}

/** A step as the engine sees it: parameters and observations are opaque. */
export interface Step extends StepSpec<unknown, unknown> {}

/**
 * Declares a step. The cast is the one place where the types of parameters and observation are forgotten: the engine
 * always passes a step what that same step's `params` parsed and `observe` returned.
 */
export function defineStep<P, O>(spec: StepSpec<P, O>): Step {
  return spec as unknown as Step;
}

/**
 * The same step at a second place of a recipe: plan, approval and journal tell the two apart by name. There it mostly finds
 * its work done, so what it usually takes does not hold.
 */
export function asStep({ usualMs: _usual, ...step }: Step, name: string, title: string): Step {
  return { ...step, name, title };
}

/** What a recipe knows about a target when it chooses parameters. `options`: what the person said (`--adopt`). */
export interface RecipeTarget {
  readonly slice: HostSlice;
  readonly dpu: DpuEntry;
  readonly profile: Profile;
  /** The cards of the unit that are still in. */
  readonly cards: readonly CardRef[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Of a unit that is a pair. */
  readonly pair?: Pair;
}

export interface RecipeStep {
  readonly step: Step;
  readonly params: (target: RecipeTarget) => unknown;
  /** A sentence means: not for this target, and why. */
  readonly skip?: (target: RecipeTarget) => string | undefined;
  /** A plan puts the step off until these are there too; nobody asks for them when it is carried out. */
  readonly waitsFor?: readonly Need[];
}

/** What is missing and why. `untilMs` (wall): it comes by itself then, so it is waited for. */
export interface Unmet {
  readonly met: false;
  readonly failure: Failure;
  readonly untilMs?: number;
}

/** Is a need there right now? Asked by the engine before a step observes. */
export type NeedCheck = (context: ObserveContext) => Promise<{ readonly met: true } | Unmet>;

/** What opening a host may use that this run may have left without power. */
export type RescueContext = Pick<
  ApplyContext,
  'hostBmc' | 'slice' | 'signal' | 'clock' | 'progress' | 'runId' | 'act' | 'actions'
>;

/** How a host is opened in whose power cycle, one of these steps, the worker died: it may be off, going down or booting. */
export interface Rescue {
  readonly steps: readonly string[];
  /** Asked only of a step that has not come to an end. */
  isDue(actions: readonly ActionRecord[]): boolean;
  open(context: RescueContext, open: () => Promise<HostSession>): Promise<HostSession>;
}

export interface Recipe {
  readonly name: string;
  /** Raised when steps or their meaning change: an approval of another version is void. */
  readonly version: number;
  /** `stop`: forward only, resumable. `cleanup`: undo what this run added, in reverse. */
  readonly onFailure: 'stop' | 'cleanup';
  readonly steps: readonly RecipeStep[];
  readonly needs: Readonly<Partial<Record<Need, NeedCheck>>>;
  readonly rescue?: Rescue;
  /** The look that is taken at the cards which a run has changed, after its end. */
  readonly looksAfter?: 'status';
}
