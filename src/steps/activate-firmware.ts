import type { RecipeTarget } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import type { BarrierSeen } from './power-activation.ts';
import { judgeActivation, seeBarrier, verifyActivation, worstReboots } from './power-activation.ts';
import { powerCycleHost } from './power-cycle.ts';
import { ActivationParams } from './power-pending.ts';

/**
 * Bring staged NIC firmware into force: one cold power cycle of the host, after all its cards are staged.
 *
 * Why      New firmware waits in flash memory until the slot loses its power; neither a reboot of the host nor of the Arm does
 *          it, and what was installed would be judged with the old one.
 * Reads    lspci, flint q, mlxconfig -e q, boot_id (host); Systems and PowerState of the host's BMC.
 * Changes  ComputerSystem.Reset at the host's BMC: GracefulShutdown (then ForceOff), 30 s, On. Every card of the host goes down.
 * Errors   activation-by-hand, cold-boot-missing, host-power-stuck, host-power-unsupported, host-not-back, card-not-back,
 *          nic-mode-pending, firmware-wedged, output-unreadable.
 * Source   NVIDIA BlueField docs (cold boot); infra-controller issues 2367, 3058, 3480; DMTF ComputerSystem.Reset.
 */
export const activateFirmware = defineStep<ActivationParams, BarrierSeen>({
  name: 'activate-firmware',
  title: 'Bring staged firmware into force',
  scope: 'host',
  risk: 'disruptive',
  params: ActivationParams,
  timeoutMs: 2_700_000,
  // A cold power cycle of a server: 3 to 6 min.
  usualMs: 5 * 60_000,
  needs: ['host-ssh', 'rshim'],
  // What is looked at in a plan is the state before the cycle: what checks versions has to wait for this step.
  provides: ['staged-firmware'],
  worstReboots: (_dpu, slice, params) => worstReboots(slice.name, slice.entry, params),
  aim: ({ activation }) =>
    activation === 'host-bmc'
      ? 'a cold power cycle of the host when firmware is staged'
      : 'staged firmware becomes active',
  wanted: ({ activation }) => ({ firmware: 'running as staged', activation }),
  observe: (context, params) => seeBarrier(context, params, 'firmware'),
  diff: (seen, params) => judgeActivation(seen, params, 'firmware'),
  apply: async (context) => {
    await powerCycleHost(context);
    return { kind: 'done' };
  },
  verify: (context) => verifyActivation(context, 'firmware'),
});

/** Why nothing can be said of staged firmware: nothing brings any, or the host has nothing to read it with. */
export function withoutFirmware({ slice, profile, cards }: RecipeTarget): string | undefined {
  if (profile.doca !== undefined) return undefined;
  if (cards.every(({ dpu }) => slice.profiles[dpu.name]?.image === undefined))
    return 'the profile brings neither DOCA nor an image';
  if (!cards.every(({ learnt }) => learnt?.['rshim'] === 'missing')) return undefined;
  return `${slice.name} has no DOCA to read the firmware with; what the image has staged becomes active with a cold power cycle (\`/dpu reboot ${slice.name} host --cold\`)`;
}
