import type { FaultGroup } from '../../../../src/lab/rack/known-faults.ts';
import type { FaultCase } from '../case.ts';
import { arm } from './arm.ts';
import { bmc } from './bmc.ts';
import { boot } from './boot.ts';
import { firmware } from './firmware.ts';
import { flash } from './flash.ts';
import { hosts } from './hosts.ts';
import { lockedOut } from './locked-out.ts';
import { updates } from './updates.ts';

/** All cases, by the groups of the rack's list. */
export const faultCases: Readonly<Record<FaultGroup, readonly FaultCase[]>> = {
  'locked out': lockedOut,
  'BMC and Redfish': bmc,
  'updates through the BMC': updates,
  'rshim and flashing': flash,
  'boot and Secure Boot': boot,
  'mode, firmware and slot': firmware,
  'Arm and its console': arm,
  // They strike in benches, between two hosts.
  'data path and benches': [],
  'hosts and networks': hosts,
};
