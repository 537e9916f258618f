import type { CardRecord } from '../domain/device-ports.ts';
import type { ActionRecord } from '../domain/step.ts';
import type { InstallerLog } from '../facts/installer-log.ts';
import type { FlashParams } from './flash-params.ts';

/** The step whose acts these are, for steps that come before it. */
export const flashStep = 'install-bfb';

/**
 * Names of the acts of a flash, by which a resumed run knows them again. All carry the attempt: what was done for an
 * earlier one says nothing about this one.
 */
export const flashActs = {
  push: (attempt: number): string => `push-${attempt}`,
  /** The push has failed, and a person has been told. */
  giveUp: (attempt: number): string => `give-up-push-${attempt}`,
  clear: (attempt: number): string => `remove-bf-cfg-${attempt}`,
  boot: (attempt: number): string => `await-boot-${attempt}`,
  /** Secure Boot came back, and the new system cannot start with it. */
  secureBootOff: (attempt: number): string => `secure-boot-off-${attempt}`,
  freeingReset: (attempt: number): string => `freeing-reset-${attempt}`,
  record: (attempt: number): string => `record-image-${attempt}`,
} as const;

/** What is journaled with the intent of a push, and used again by whoever picks it up. */
export interface PushBefore {
  readonly bootState: string;
  readonly bootStateTime: string;
  /** When the push was begun: its watchdog counts from there. */
  readonly sinceMs: number;
  /** What was known of the card; put back when not a byte was sent. */
  readonly record?: CardRecord | undefined;
}

/** One attempt to flash a card. */
export interface Flash {
  readonly params: FlashParams;
  readonly serial: string;
  readonly attempt: number;
  readonly folder: string;
  readonly before: PushBefore;
}

/** A push that was brought to its end. */
export interface Pushed extends Flash {
  readonly log: InstallerLog;
  /** BMC parts that went wrong and were not asked for. */
  readonly warnings: readonly string[];
}

/** Where a push of this run stands, as the journal has it. */
export interface Pushes {
  /** Begun and not recorded as brought to its end. */
  readonly underWay: boolean;
  /** The last one was brought to its end. */
  readonly recorded: boolean;
  /** The attempt to look at, or to begin: each has a job folder of its own, which is never used twice. */
  readonly attempt: number;
  /** That attempt, when it was begun: what was journaled with its newest intent. */
  readonly begun: { readonly before: unknown; readonly done: boolean } | undefined;
}

/**
 * A new attempt is due only after the one before was given up, or was brought to its end: then a person has read why, and
 * has resumed the run. All else (the worker died, the link was lost) is the same attempt, to be looked at. Its newest intent
 * counts: an older one was not carried out, or else it would have been picked up.
 */
export function pushesOf(actions: readonly ActionRecord[]): Pushes {
  const last = Math.max(0, ...actions.map((act) => Number(/^push-(\d+)$/.exec(act.action)?.[1] ?? 0)));
  const isDone = (name: string): boolean => actions.some((act) => act.action === name && act.done);
  const recorded = last > 0 && isDone(flashActs.record(last));
  const underWay = last > 0 && !recorded;
  if (!underWay || isDone(flashActs.giveUp(last))) return { underWay, recorded, attempt: last + 1, begun: undefined };
  const newest = actions.findLast((act) => act.action === flashActs.push(last));
  const begun = { before: newest?.before, done: isDone(flashActs.push(last)) };
  return { underWay, recorded, attempt: last, begun };
}

/** Undefined for what is no `before` of a push. */
export function pushBeforeOf(value: unknown): PushBefore | undefined {
  return isPushBefore(value) ? value : undefined;
}

function isPushBefore(value: unknown): value is PushBefore {
  if (typeof value !== 'object' || value === null) return false;
  return 'sinceMs' in value && typeof value.sinceMs === 'number' && 'bootState' in value && 'bootStateTime' in value;
}
