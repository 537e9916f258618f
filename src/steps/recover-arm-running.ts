import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { bmcReader } from './bmc-session.ts';

const pollMs = 5_000;
/** DPF and infra-controller both allow five minutes from reset to OsIsRunning. */
const bootLimitMs = 300_000;

/**
 * See the Arm of a card up that has been put into DPU mode.
 *
 * Why      DPU mode is there for the Arm: a card that has the mode and does not boot is not recovered.
 * Reads    Systems/Bluefield (BootProgress), until it says OsIsRunning.     Changes  nothing.
 * Errors   dpu-not-ready, redfish-unexpected.
 * Source   NVIDIA BlueField BMC docs (OemLastState); NVIDIA BlueField BSP, Modes of Operation.
 */
export const recoverArmRunning = defineStep<Record<string, never>, { readonly state: string; readonly runId: number }>({
  name: 'recover-arm-running',
  title: 'See the Arm up',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({}),
  timeoutMs: 600_000,
  needs: ['bmc-pinned', 'bmc-session', 'dpu-mode'],
  provides: [],
  aim: () => 'its Arm is seen up, at most five minutes after the power cycle',
  wanted: () => 'OsIsRunning',
  observe: async (context) => {
    const { clock, signal, runId } = context;
    const startMs = clock.nowMs();
    for (;;) {
      const { bootState: state } = await readDpuSystem(await bmcReader(context), signal);
      const isOver = clock.nowMs() - startMs >= clock.deadlineMs(bootLimitMs);
      if (state === 'OsIsRunning' || isOver) return { state, runId };
      await clock.poll(pollMs, signal);
    }
  },
  diff: ({ state, runId: run }, _params, { name: target }) =>
    state === 'OsIsRunning'
      ? { kind: 'satisfied', reason: 'in DPU mode, and its Arm is up (OsIsRunning)' }
      : { kind: 'refused', failure: errors.armNotReady({ target, state, limit: '5 min', run }).failure },
});
