import type { Actor, RunEndState, UnitEndState } from './journal.ts';
import type { Failure, Risk } from './outcome.ts';
import type { HostSlice } from './inventory.ts';

export type RunState = 'planning' | 'awaiting-approval' | 'running' | 'paused' | RunEndState;
export type UnitState = 'planning' | 'planned' | 'queued' | 'running' | 'waiting' | UnitEndState;

export const runEndStates: readonly RunEndState[] = [
  'done',
  'satisfied',
  'planned',
  'activation-pending',
  'failed',
  'refused',
  'needs-human',
  'cancelled',
  'rejected',
  'expired',
];
/** Ended runs from which `/dpu resume` may go on. */
export const resumableStates: readonly RunState[] = ['failed', 'needs-human', 'cancelled', 'expired', 'paused'];
export const unitEndStates: readonly UnitEndState[] = [
  'done',
  'satisfied',
  'activation-pending',
  'failed',
  'refused',
  'needs-human',
  'cancelled',
  'plan-outdated',
];
/** Exit 0 of a script: the run did what was asked, or found it done. */
export const goodEndStates: readonly RunState[] = ['done', 'satisfied', 'planned', 'activation-pending'];

/** One line of a unit's summary about one card (or the host itself). */
export interface TargetNote {
  readonly target: string;
  readonly outcome: 'done' | 'satisfied' | 'activation-pending' | 'failed' | 'refused' | 'needs-human' | 'cancelled';
  readonly failure?: Failure;
  readonly warnings: readonly string[];
}

/** What became of the steps of a unit when all were walked, or none could be any more. */
export interface WalkEnd {
  readonly applied: number;
  readonly satisfied: number;
  readonly state: UnitEndState;
  readonly failure?: Failure;
  readonly notes: readonly TargetNote[];
}

export interface UnitRecord {
  readonly unit: string;
  readonly site: string;
  /** The two hosts of a pair, in the order of its ends. Absent: the unit is the host of its name. */
  readonly hosts?: readonly [string, string];
  readonly targets: readonly string[];
  readonly state: UnitState;
  /** Rises on resume, sweep and new approval; a job of an older generation ends silently. */
  readonly generation: number;
  readonly planHash?: string;
  readonly planRisk?: Risk;
  readonly planChanges?: number;
  readonly failure?: Failure;
  /** What became of each target, where it is worth a line: refusals, failures, warnings. */
  readonly targetNotes?: readonly TargetNote[];
  readonly waitingUntilMs?: number;
  readonly waitingReason?: string;
  /** `waitingUntilMs` is only when somebody looks again: what it waits for ends when others end it, or stands in the reason. */
  readonly looksAgain?: true;
  readonly queuedAtMs?: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** Its steps have come to this end, and what they had added is being taken away: who takes over only finishes that. */
  readonly cleaning?: WalkEnd;
  /** A run that cleans up has taken away all that it had added: nobody has to resume it for that. */
  readonly cleanedUp?: true;
}

export interface Vote {
  readonly by: Actor;
  readonly vote: 'approve' | 'reject';
  readonly reason?: string;
  /** Roles as read from the source of truth at the click. */
  readonly roles: readonly string[];
  readonly policyHash: string;
  readonly atMs: number;
}

/** Votes over a map unit -> plan hash. Kept with the run; changed by compare-and-set only. */
export interface Approval {
  readonly generation: number;
  readonly state: 'open' | 'approved' | 'rejected' | 'expired';
  readonly hashes: Readonly<Record<string, string>>;
  readonly risk: Risk;
  readonly requestedAtMs: number;
  readonly expiresAtMs: number;
  readonly votes: readonly Vote[];
  /** Who asked for it: the requester, and whoever resumed the run. None of them may approve it. */
  readonly askers: readonly Actor[];
  readonly approvedAtMs?: number;
}

/** One execution of a recipe on the targets a person named. `version` is the compare-and-set counter of the record. */
export interface Run {
  readonly id: number;
  readonly version: number;
  readonly recipe: string;
  readonly recipeVersion: number;
  /** Validated recipe parameters: ids and switches, never secrets. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The line as the person typed it, after clean-up of quotes and dashes. */
  readonly text: string;
  readonly requester: Actor;
  readonly channel: string;
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
  readonly state: RunState;
  readonly planOnly: boolean;
  readonly simulated: boolean;
  /** Real tools, no cards. */
  readonly testbed?: true;
  readonly slices: Readonly<Record<string, HostSlice>>;
  readonly sliceHashes: Readonly<Record<string, string>>;
  readonly units: Readonly<Record<string, UnitRecord>>;
  /** Unit names per wave; set when the plans are known. */
  readonly waves: readonly (readonly string[])[];
  readonly waveIndex: number;
  readonly maxFailures: number;
  readonly approval?: Approval;
  readonly approvalMinutes: number;
  readonly startByMinutes: number;
  readonly waveSpec: 'all' | readonly string[];
  /** No unit starts before this, as the requester asked (`--at`). */
  readonly startAtMs?: number;
  /** The maintenance windows do not count for this run; whoever approves it has seen that. */
  readonly outsideWindow?: true;
  /** Who set the stopped run going again, the last time. */
  readonly resumedBy?: Actor;
  readonly cancel?: { readonly by: Actor; readonly atMs: number };
  /** It gave its hosts back to others after it had begun: it cannot be resumed, because what it remembers may be over. */
  readonly givenUp?: true;
  readonly pausedReason?: string;
  readonly summary?: string;
  readonly failure?: Failure;
}

/** The hosts that a unit leases and holds. */
export function hostsOf({ unit, hosts }: Pick<UnitRecord, 'unit' | 'hosts'>): readonly string[] {
  return hosts ?? [unit];
}

/** The unit of a run to which a host belongs. */
export function unitOfHost(run: Pick<Run, 'units'>, host: string): UnitRecord | undefined {
  return Object.values(run.units).find((unit) => hostsOf(unit).includes(host));
}

export function isEnded(state: RunState): state is RunEndState {
  return (runEndStates as readonly string[]).includes(state);
}

export function isUnitEnded(state: UnitState): state is UnitEndState {
  return (unitEndStates as readonly string[]).includes(state);
}
