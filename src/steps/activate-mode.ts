import { defineStep } from '../domain/step.ts';
import { modeOf } from '../facts/mlxconfig.ts';
import type { BarrierSeen } from './power-activation.ts';
import { judgeActivation, seeBarrier, verifyActivation, worstReboots } from './power-activation.ts';
import { powerCycleHost } from './power-cycle.ts';
import { ActivationParams } from './power-pending.ts';

/**
 * Bring a stored mode into force: one cold power cycle of the host, after the mode of all its cards is set.
 *
 * Why      The Arm of a card in NIC mode does not run; nothing can be installed on it before the mode is active.
 * Reads    lspci, mlxconfig -e q, boot_id (host); Systems and PowerState of the host's BMC.
 * Changes  ComputerSystem.Reset at the host's BMC, as activate-firmware. Staged firmware becomes active with it.
 * Errors   as activate-firmware. `activation: later` cannot wait here, unless the mode is all that was asked for.
 * Source   NVIDIA BlueField BSP, Modes of Operation; infra-controller issue 2367 (a warm reset keeps the old mode).
 */
export const activateMode = defineStep<ActivationParams, BarrierSeen>({
  name: 'activate-mode',
  title: 'Bring the mode into force',
  scope: 'host',
  risk: 'disruptive',
  params: ActivationParams,
  timeoutMs: 2_700_000,
  needs: ['host-ssh', 'rshim'],
  provides: ['dpu-mode'],
  worstReboots: (_dpu, slice, params) => worstReboots(slice.name, slice.entry, params),
  aim: () => 'a cold power cycle of the host when a mode waits for it',
  wanted: ({ activation }) => ({ mode: 'running as stored', activation }),
  observe: (context, params) => seeBarrier(context, params, 'mode'),
  diff: (seen, params) => judgeActivation(seen, params, 'mode'),
  apply: async (context, _changes, _params, { cards }) => {
    const toNic = cards.filter(({ mode }) => modeOf(mode, 'next') === 'nic').map((card) => card.target);
    await powerCycleHost(context, toNic);
    return { kind: 'done' };
  },
  verify: (context) => verifyActivation(context, 'mode'),
});
