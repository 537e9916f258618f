import type { DeviceState } from '../../../src/domain/outcome.ts';

/** What a person reads in the thread about the state of the device. */
export const deviceStateTexts: Readonly<Record<DeviceState, string>> = {
  unchanged: 'Nothing was changed on the device.',
  changed: 'The device was changed before this happened.',
  unknown: 'Whether the device was changed is unknown.',
};
