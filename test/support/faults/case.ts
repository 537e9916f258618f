import type { RunState } from '../../../src/domain/run.ts';
import type { DeviceState } from '../../../src/domain/outcome.ts';
import type { FaultName } from '../../../src/lab/rack/faults.ts';
import type { World } from '../engine-world.ts';
import type { CommandName } from './commands.ts';

/** The host of all cases, and its one card. */
export const faultHost = 'as7';
export const faultCard = 'as7-dpu0';

/**
 * When the fault is switched on: before the command, between plan and approval, or while it runs: when a step begins, when
 * an act is about to be done, when it has been done, or as soon as the card of the run says that.
 */
export type When =
  | 'before'
  | 'approved'
  | { readonly step: string }
  | { readonly intent: string }
  | { readonly done: string }
  | { readonly sign: string };

/** What a person does about the cause; `text` stands in the table. */
export interface Cure {
  readonly text: string;
  readonly act: (world: World) => void;
}

/** What must come of it. */
export type End =
  | {
      readonly kind: 'overcome';
      readonly state?: RunState;
      /** What the thread, the card of the run or its progress says about it; absent where there is nothing to say. */
      readonly says?: RegExp;
      /** What must be so at the end. */
      readonly proof?: (world: World) => void;
    }
  | {
      readonly kind: 'stop';
      readonly state: 'failed' | 'refused' | 'needs-human';
      readonly code: string;
      readonly card: DeviceState;
      readonly next: RegExp;
      readonly cure: Cure;
      /** The run is resumed and finishes; or the command that the refusal names is given, and finishes. */
      readonly goesOn: 'resume' | readonly CommandName[];
    };

export interface FaultCase {
  readonly fault: FaultName;
  readonly command: CommandName;
  /** `fresh`: as it comes out of the box; else one that `/dpu provision` has set up. */
  readonly card?: 'fresh';
  readonly when?: When;
  readonly uses?: number;
  /** A fault of hosts and cards hits the card; else the host. */
  readonly onCard?: true;
  /** Commands that were given before, and what else is so. */
  readonly given?: {
    readonly text: string;
    readonly commands?: readonly CommandName[];
    readonly act?: (world: World) => void;
  };
  readonly end: End;
}

/** What was seen of a case; stands in the table. */
export interface Seen {
  readonly sees: string;
  readonly code?: string;
  readonly card: string;
  readonly next: string;
  readonly end: string;
}
