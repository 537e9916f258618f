import { z } from 'zod';
import type { BmcReader } from '../domain/device-ports.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { DpuMode } from '../facts/dpu-mode.ts';
import { readDpuMode } from '../facts/dpu-mode.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { resetArm } from './arm-reset.ts';
import { bmcReader } from './bmc-session.ts';
import type { RebootSeen } from './reboot-once.ts';
import { hasRun, judgeReboot, seeReboot } from './reboot-once.ts';

const actName = 'reset-arm';

interface Seen extends RebootSeen {
  readonly mode: DpuMode | 'not told';
}

/**
 * Reset the Arm complex of a card once, and see it up again.
 *
 * Why      A card that hangs, or a setting that UEFI takes over at a boot. The host stays up; what its network takes
 *          through the card's Arm stands still meanwhile. NIC firmware and mode do not change by it.
 * Reads    running bfb-install (host), Systems/Bluefield (BootProgress), its mode, tasks of its BMC.
 * Changes  ComputerSystem.Reset ForceRestart at the card's BMC.
 * Errors   reboot-while-flashing, nic-mode, wrong-card, dpu-not-ready, those of the BMC.
 * Source   NVIDIA BlueField BMC docs (the reset hits the Arm complex only).
 */
export const rebootArm = defineStep<Record<string, never>, Seen>({
  name: 'reboot-arm',
  title: 'Reboot the Arm',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 900_000,
  // From the reset to OsIsRunning: 1 to 3 min.
  usualMs: 2 * 60_000,
  needs: ['bmc-pinned', 'bmc-session'],
  provides: [],
  wanted: () => 'one reset of the Arm',
  observe: async (context) => {
    const bmc = await bmcReader(context);
    const { bootState, serial } = await readDpuSystem(bmc, context.signal);
    return { ...(await seeReboot(context, actName, bootState, serial)), mode: await modeOf(bmc, context.signal) };
  },
  diff: (seen, _params, { name: target }) => {
    const diff = judgeReboot(seen, target, {
      change: { from: seen.state, to: 'OsIsRunning', text: `Arm of ${target}: one reset; the host stays up` },
      reboots: [{ what: 'arm', target, times: 1, certainty: 'planned' }],
    });
    if (diff.kind !== 'change' || seen.mode !== 'nic') return diff;
    return { kind: 'refused', failure: errors.nicMode({ target, resetIn: seen.host }).failure };
  },
  apply: async (context) => {
    if (!hasRun(context.actions, actName)) await resetArm(context, actName, 'requested');
    context.arm.forget(context.card);
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { bootState } = await readDpuSystem(await bmcReader(context), context.signal);
    const pass = bootState === 'OsIsRunning';
    return [{ check: 'boot progress', pass, expected: 'OsIsRunning', actual: bootState }];
  },
});

/** A BMC that does not tell the mode is no reason to leave a card alone that hangs. */
async function modeOf(bmc: BmcReader, signal: AbortSignal): Promise<DpuMode | 'not told'> {
  try {
    return await readDpuMode(bmc, signal);
  } catch (error) {
    if (error instanceof OpsError && error.code === 'redfish-unexpected') return 'not told';
    throw error;
  }
}
