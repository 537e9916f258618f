import type { Image } from '../domain/image.ts';
import type { ActionRecord, ObserveContext } from '../domain/step.ts';

/** The step whose acts these are, for steps that come before it. */
export const updateStep = 'update-bfb';

/** Acts of an update, each with its attempt. A new attempt is due only after the one before was given up. */
export const updateActs = {
  transfer: (attempt: number): string => `simple-update-${attempt}`,
  giveUp: (attempt: number): string => `give-up-update-${attempt}`,
  boot: (attempt: number): string => `await-installed-${attempt}`,
  record: (attempt: number): string => `record-image-${attempt}`,
} as const;

/** Where an update of this run stands, as the journal has it. */
export function updateOf(actions: readonly ActionRecord[]): {
  readonly underWay: boolean;
  readonly isRecorded: boolean;
  readonly attempt: number;
  readonly begun: ActionRecord | undefined;
} {
  const last = Math.max(0, ...actions.map((act) => Number(/^simple-update-(\d+)$/.exec(act.action)?.[1] ?? 0)));
  const isDone = (name: string): boolean => actions.some((act) => act.action === name && act.done);
  const isRecorded = last > 0 && isDone(updateActs.record(last));
  const underWay = last > 0 && !isRecorded;
  if (!underWay || isDone(updateActs.giveUp(last)))
    return { underWay: false, isRecorded, attempt: last + 1, begun: undefined };
  return {
    underWay,
    isRecorded,
    attempt: last,
    begun: actions.findLast((act) => act.action === updateActs.transfer(last)),
  };
}

/** True while this run has an update of the card under way: nothing may restart its Arm meanwhile. */
export function isUpdateUnderWay({ actionsIn, dpu }: Pick<ObserveContext, 'actionsIn' | 'dpu'>): boolean {
  return updateOf(actionsIn?.(updateStep, dpu.name) ?? []).underWay;
}

/**
 * The address as the BMC wants it: no scheme, and the path of the server after a second slash; with `http://` in front it
 * loses the name of the server. Source: NVIDIA BlueField docs ("host//path").
 */
export function imageUri({ url = '' }: Pick<Image, 'url'>): { address: string; host: string; protocol: string } {
  const { host, pathname, search, protocol } = new URL(url);
  return { address: `${host}/${pathname}${search}`, host, protocol: protocol === 'https:' ? 'HTTPS' : 'HTTP' };
}
