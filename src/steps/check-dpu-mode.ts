import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { DpuMode } from '../facts/dpu-mode.ts';
import { readDpuMode } from '../facts/dpu-mode.ts';

/**
 * Refuse a card in NIC mode before anything resets it.
 *
 * Why      In NIC mode the Arm cores stop in UEFI: waiting for OsIsRunning would last forever.
 * Reads    Systems/Bluefield/Oem/Nvidia (Mode).     Changes  nothing.
 * Errors   nic-mode, redfish-unexpected.
 * Source   NVIDIA BlueField BSP, Modes of Operation; infra-controller issue 2115.
 */
export const checkDpuMode = defineStep<Record<string, never>, { mode: DpuMode; target: string }>({
  name: 'check-dpu-mode',
  title: 'Check the mode',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({}),
  timeoutMs: 120_000,
  needs: ['bmc-session'],
  provides: [],
  wanted: () => 'dpu',
  observe: async (context) => {
    const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
    if (login.state !== 'in') throw errors.bug({ detail: `check-dpu-mode observed while ${login.state}` });
    return { mode: await readDpuMode(login.session, context.signal), target: context.dpu.name };
  },
  diff: ({ mode, target }) =>
    mode === 'dpu'
      ? { kind: 'satisfied', reason: 'in DPU mode' }
      : { kind: 'refused', failure: errors.nicMode({ target }).failure },
});
