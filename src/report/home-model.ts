/** What App Home shows, as plain data: read by commands, turned into blocks here. All times in ms of the wall clock. */
import type { KnownBlock } from '@slack/types';
import type { Stamp } from '../domain/bench.ts';
import type { Actor } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Halt } from '../domain/ports.ts';
import type { Approval, Run } from '../domain/run.ts';
import type { RunAction } from './blocks.ts';

/** The Home tab of one person, within all limits of a view. */
export interface HomeMessage {
  readonly blocks: readonly KnownBlock[];
}

/** The first of many, and how many are not there. */
export interface Shown<T> {
  readonly shown: readonly T[];
  readonly left: number;
}

export interface HomeRun {
  readonly run: Run;
  /** Of the run's newest card in its channel. */
  readonly link: string | undefined;
  /** The last signs of life of its units. */
  readonly now: readonly {
    readonly unit: string;
    readonly text: string;
    readonly stepIndex: number;
    readonly stepCount: number;
  }[];
  /** Legal in this state, and this person may press them. */
  readonly buttons: readonly RunAction[];
}

/** A run that this person may approve. */
export interface HomeApproval {
  readonly run: Run;
  readonly approval: Approval;
  readonly link: string | undefined;
  readonly given: number;
  readonly wanted: number;
  /** "1 more approval by role approvers, not by ana". */
  readonly missing: string;
  /** `with-reason`: the person asked for it, and may approve it alone by typing a reason. */
  readonly may: 'press' | 'with-reason';
}

/** A host that a run has in its hands. */
export interface HomeHeld {
  readonly host: string;
  readonly runId: number;
  /** Undefined: the run only works there and has not begun to change anything. */
  readonly sinceMs: number | undefined;
  readonly by: string;
  /** Undefined: its record is not kept any more. */
  readonly run: Pick<Run, 'state' | 'recipe'> | undefined;
  /** The worker that has the lease of the host. */
  readonly worker: string | undefined;
}

/** A host that a person has taken out of dpubot's hands. */
export interface HomeLock {
  readonly host: string;
  readonly by: Actor;
  readonly reason: string;
  readonly sinceMs: number;
}

/** `text` on so many cards. */
export interface Counted {
  readonly text: string;
  readonly cards: number;
}

export interface HomeFleet {
  readonly cards: number;
  readonly hosts: number;
  readonly simulated: boolean;
  readonly unseen: readonly string[];
  /** "DPU mode, OsIsRunning, power On". */
  readonly states: readonly Counted[];
  /** NIC firmware that runs. */
  readonly firmware: readonly Counted[];
  /** Cards on which another NIC firmware is staged than runs. */
  readonly staged: readonly string[];
  readonly warned: readonly string[];
  /** The card that was looked at the longest ago. */
  readonly oldest: { readonly card: string; readonly atMs: number } | undefined;
}

/** The newest bench of a pair and kind. */
export interface HomeBench {
  readonly run: number;
  readonly pair: string;
  readonly kind: string;
  readonly atMs: number;
  /** Rate, share of the line rate, verdict: the line of the thread, or the figure alone where the thread is gone. */
  readonly line: string;
  readonly stamp: Stamp | undefined;
  /** "▅▆█ raw, testpmd, ...: 340.1 to 390.2 Gb/s, runs 12 to 18". */
  readonly trend: string | undefined;
  readonly link: string | undefined;
  /** The chat's id of the chart that is in the thread already. */
  readonly chart: { readonly fileId: string; readonly altText: string } | undefined;
}

/** Of somebody who works with dpubot. */
export interface HomeModel {
  readonly mayOperate: boolean;
  readonly halt: Halt | undefined;
  readonly approvals: Shown<HomeApproval>;
  readonly runs: Shown<HomeRun>;
  readonly held: readonly HomeHeld[];
  readonly locks: readonly HomeLock[];
  readonly fleet: HomeFleet;
  readonly benches: Shown<HomeBench>;
}

/** Of somebody who does not. */
export type HomeRefusal =
  /** No account of this workspace, or a guest. */
  | { readonly kind: 'stranger' }
  /** A member without any role: what they may say, and the roles that give more. */
  | { readonly kind: 'no-role'; readonly commands: readonly string[]; readonly operateRoles: readonly string[] }
  | { readonly kind: 'failed'; readonly failure: Failure };
