import type { z } from 'zod';
import type { DpuEntry, HostSlice, Profile } from './inventory.ts';
import type { Change, Failure, Risk, Verdict } from './outcome.ts';
import type { PlannedPin, Reboot } from './plan.ts';
import type {
  BmcAccess,
  CardRef,
  CredentialStore,
  DeviceClock,
  Escrow,
  HostReader,
  HostSession,
  PinStore,
  RandomSource,
} from './device-ports.ts';

export type Scope = 'host' | 'dpu' | 'pair';

/** What must be there before a step can look or act; earlier steps may provide it. */
export type Need = 'host-ssh' | 'bmc-pinned' | 'bmc-session' | 'secure-boot-off' | 'rshim' | 'arm-ssh' | 'active-image';

/** An act of this run on this step and target, as the journal has it; `done` is missing when the worker died in between. */
export interface ActionRecord {
  readonly action: string;
  readonly before?: unknown;
  readonly done: boolean;
  readonly atMs: number;
}

/** All that observing needs; nothing here can change a device. */
export interface ObserveContext {
  readonly runId: number;
  readonly slice: HostSlice;
  /** The card, for steps of scope `dpu`; `serial` is there once `identify-card` has read it. */
  readonly card: CardRef;
  readonly dpu: DpuEntry;
  readonly profile: Profile;
  readonly host: HostReader;
  readonly bmc: Pick<BmcAccess, 'fingerprint' | 'login'>;
  readonly pins: Pick<PinStore, 'get'>;
  readonly clock: DeviceClock;
  readonly signal: AbortSignal;
  readonly actions: readonly ActionRecord[];
}

/** What `apply` gets on top: writing sessions, and `act`, which journals the intent before and the result after. */
export interface ApplyContext extends ObserveContext {
  readonly host: HostSession;
  readonly bmc: BmcAccess;
  readonly pins: PinStore;
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
}

export type Diff =
  | { readonly kind: 'satisfied'; readonly reason: string }
  | {
      readonly kind: 'change';
      readonly changes: readonly Change[];
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
  readonly needs: readonly Need[];
  readonly provides: readonly Need[];
  /** Reboots counted while the step is deferred: its declared worst case. */
  readonly worstReboots?: (dpu: DpuEntry) => readonly Reboot[];
  /** What the step is for, as a person reads it in a plan while the details cannot be known yet. */
  readonly aim?: (params: P) => string;
  /** What the step wants, as it goes into the plan hash. */
  readonly wanted: (params: P) => unknown;
  observe(context: ObserveContext, params: P): Promise<O>;
  diff(observed: O, params: P, dpu: DpuEntry): Diff;
  /** Absent on steps of risk `read`. */
  apply?(context: ApplyContext, changes: readonly Change[], params: P, observed: O): Promise<ApplyResult>;
  verify?(context: ObserveContext, params: P): Promise<readonly Verdict[]>;
  /** Learnt while observing: passed on to later steps (the serial number). */
  serial?(observed: O, dpu: DpuEntry): string | undefined;
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

export interface RecipeStep {
  readonly step: Step;
  /** Parameters for one card; a string means the step is skipped, and why. */
  readonly params: (target: {
    readonly slice: HostSlice;
    readonly dpu: DpuEntry;
    readonly profile: Profile;
  }) => unknown;
  readonly skip?: (target: { readonly profile: Profile }) => string | undefined;
}

/** What is missing and why. `untilMs` (wall): it comes by itself then, so it is waited for. */
export interface Unmet {
  readonly met: false;
  readonly failure: Failure;
  readonly untilMs?: number;
}

/** Is a need there right now? Asked by the engine before a step observes. */
export type NeedCheck = (context: ObserveContext) => Promise<{ readonly met: true } | Unmet>;

export interface Recipe {
  readonly name: string;
  /** Raised when steps or their meaning change: an approval of another version is void. */
  readonly version: number;
  /** `stop`: forward only, resumable. `cleanup`: undo what this run added, in reverse. */
  readonly onFailure: 'stop' | 'cleanup';
  readonly steps: readonly RecipeStep[];
  readonly needs: Readonly<Partial<Record<Need, NeedCheck>>>;
}
