import { z } from 'zod';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { DpuMode } from '../facts/dpu-mode.ts';
import type { ModeConfig } from '../facts/mlxconfig.ts';
import { isModeStored, modeOf, modeValues, readModeConfig } from '../facts/mlxconfig.ts';
import { pciAddressesOf } from './power-cards.ts';
import { runOk } from './remote.ts';

interface Observed {
  readonly config: ModeConfig;
  readonly device: string;
}

const Params = z.strictObject({ mode: z.enum(['dpu', 'nic']).default('dpu') });
type Params = z.infer<typeof Params>;

/**
 * Store the mode in the configuration of the card; it becomes active with the next cold boot of the host.
 *
 * Why      SuperNICs leave the factory in NIC mode, where the Arm does not run. A reboot of the Arm or of the host does not
 *          activate the mode: that is activate-mode.
 * Reads    lspci, mlxconfig -e q (host).
 * Changes  mlxconfig -y set INTERNAL_CPU_OFFLOAD_ENGINE=0 for DPU mode and =1 for NIC mode, and INTERNAL_CPU_MODEL=1 where
 *          it differs (host). The enum is inverted: 0 is ENABLED, which is DPU mode.
 * Errors   firmware-wedged, nic-parameter-missing, command-failed, output-unreadable, verify-mismatch.
 * Source   NVIDIA BlueField BSP, Modes of Operation; mstflint mlxconfig; the seed's step on modes.
 */
export const setDpuMode = defineStep<Params, Observed>({
  name: 'set-dpu-mode',
  title: 'Store the mode',
  scope: 'dpu',
  risk: 'destructive',
  params: Params,
  timeoutMs: 300_000,
  needs: ['rshim'],
  provides: ['staged-mode'],
  aim: ({ mode }) => `${modeText(mode)} is stored, for the next cold boot of the host`,
  wanted: ({ mode }) => ({ mode, model: 'embedded' }),
  observe: (context) => look(context),
  diff: ({ config }, { mode }, { name: target }) => {
    if (isModeStored(config, mode)) {
      const isActive = modeOf(config, 'current') === mode;
      const waits = `${modeText(mode)} is stored and waits for a cold boot`;
      return { kind: 'satisfied', reason: isActive ? `in ${modeText(mode)}` : waits };
    }
    const from = `${modeOf(config, 'next')} mode (${config.engine.next})`;
    const to = `${mode} mode (${modeValues[mode].engine})`;
    const stops = mode === 'nic' ? '; the Arm of the card does not run then' : '';
    const text = `${target}: ${from} -> ${to}, active after a cold power cycle of the host; a reboot of the Arm does not activate it${stops}`;
    return { kind: 'change', changes: [{ target, from, to, text }] };
  },
  apply: async (context, _changes, { mode }, { config, device }) => {
    const text = `store ${modeText(mode)} in ${context.dpu.name}`;
    await context.act({ name: 'set-mode', text, before: config }, async () => ({
      evidence: await store(context, config, mode, device),
      value: undefined,
    }));
    return { kind: 'done' };
  },
  verify: async (context, { mode }) => {
    const { config } = await look(context);
    const { engine, model } = config;
    const wanted = modeValues[mode];
    const settings: readonly (readonly [string, string, string])[] = [
      ['INTERNAL_CPU_OFFLOAD_ENGINE', engine.next, wanted.engine],
      ...(model === undefined ? [] : [['INTERNAL_CPU_MODEL', model.next, wanted.model] as const]),
    ];
    return settings.map(([name, actual, expected]) => ({
      check: `${name} (next boot)`,
      pass: actual === expected,
      expected,
      actual,
    }));
  },
});

function modeText(mode: DpuMode): string {
  return mode === 'dpu' ? 'DPU mode' : 'NIC mode';
}

async function look({ host, card, dpu, signal }: ObserveContext): Promise<Observed> {
  const device = (await pciAddressesOf(host, [card], signal)).get(dpu.name);
  if (device === undefined) throw errors.bug({ detail: `no PCI address for ${dpu.name}` });
  return { device, config: await readModeConfig(host, dpu.name, device, signal) };
}

/** When the connection is lost the configuration is read back: it shows whether the card took it. */
async function store(context: ApplyContext, { model }: ModeConfig, mode: DpuMode, device: string): Promise<string> {
  const { host, signal } = context;
  const assignments = [`INTERNAL_CPU_OFFLOAD_ENGINE=${mode === 'dpu' ? 0 : 1}`];
  if (model !== undefined && model.next !== modeValues[mode].model) assignments.push('INTERNAL_CPU_MODEL=1');
  const argv = ['sudo', '-n', 'mlxconfig', '-d', device, '-y', 'set', ...assignments];
  try {
    const { stdout } = await runOk(host, argv, { timeoutMs: 120_000, signal });
    return `mlxconfig set ${assignments.join(' ')}: ${stdout.trim().split('\n').slice(-2).join(' ').slice(0, 200)}`;
  } catch (error) {
    if (!(error instanceof OpsError) || !['ssh-lost', 'ssh-timeout'].includes(error.code)) throw error;
    const { config } = await look(context);
    if (!isModeStored(config, mode)) throw error;
    return 'mlxconfig set: the connection was lost, and it reads back as stored';
  }
}
