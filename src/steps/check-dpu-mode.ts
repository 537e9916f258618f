import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { DpuMode } from '../facts/dpu-mode.ts';
import { readDpuMode } from '../facts/dpu-mode.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { bmcReader } from './bmc-session.ts';

interface Params {
  /** A card in NIC mode is put into DPU mode later in this run (`--set-mode`). */
  readonly setMode: boolean;
}

interface Observed {
  readonly mode: DpuMode;
  readonly bmcSerial: string;
  readonly cardSerial: string | undefined;
  readonly runId: number;
}

/**
 * Refuse a card in NIC mode (unless this run changes that), and a BMC that belongs to another card, before anything is reset.
 *
 * Why      In NIC mode the Arm cores stop in UEFI: waiting for OsIsRunning would last forever. With swapped BMC addresses
 *          the reset would hit another card than the plan names; set-bmc-password compares too, but a profile may skip it.
 * Reads    Systems/Bluefield/Oem/Nvidia (Mode), Systems/Bluefield (serial).     Changes  nothing.
 * Errors   nic-mode, wrong-card, redfish-unexpected.
 * Source   NVIDIA BlueField BSP, Modes of Operation; infra-controller issue 2115.
 */
export const checkDpuMode = defineStep<Params, Observed>({
  name: 'check-dpu-mode',
  title: 'Check the mode',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({ setMode: z.boolean() }),
  timeoutMs: 120_000,
  needs: ['bmc-pinned', 'bmc-session'],
  provides: [],
  aim: ({ setMode }) =>
    setMode ? 'in NIC mode it is put into DPU mode' : 'refused in NIC mode, before anything is reset',
  wanted: ({ setMode }) => (setMode ? 'dpu, set by this run' : 'dpu'),
  observe: async (context) => {
    const bmc = await bmcReader(context);
    const { serial: bmcSerial } = await readDpuSystem(bmc, context.signal);
    const mode = await readDpuMode(bmc, context.signal);
    return { mode, bmcSerial, cardSerial: context.card.serial, runId: context.runId };
  },
  diff: ({ mode, bmcSerial, cardSerial, runId }, { setMode }, { name: target }) => {
    if (bmcSerial !== cardSerial) {
      const vpdSerial = cardSerial ?? 'unknown';
      return { kind: 'refused', failure: errors.wrongCard({ target, vpdSerial, bmcSerial, run: runId }).failure };
    }
    if (mode === 'dpu') return { kind: 'satisfied', reason: 'in DPU mode' };
    return setMode
      ? { kind: 'satisfied', reason: 'in NIC mode; a later step of this run puts it into DPU mode' }
      : { kind: 'refused', failure: errors.nicMode({ target }).failure };
  },
});
