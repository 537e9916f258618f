import { z } from 'zod';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { ModeConfig } from '../facts/mlxconfig.ts';
import { dpuModeValues, isDpuModeStored, modeOf, readModeConfig } from '../facts/mlxconfig.ts';
import { pciAddressesOf } from './power-cards.ts';
import { runOk } from './remote.ts';

interface Observed {
  readonly config: ModeConfig;
  readonly device: string;
}

/**
 * Store DPU mode in the configuration of the card; it becomes active with the next cold boot of the host.
 *
 * Why      SuperNICs leave the factory in NIC mode, where the Arm does not run. A reboot of the Arm or of the host does not
 *          activate the mode: that is activate-mode.
 * Reads    lspci, mlxconfig -e q (host).
 * Changes  mlxconfig -y set INTERNAL_CPU_OFFLOAD_ENGINE=0, and INTERNAL_CPU_MODEL=1 where it differs (host). The enum is
 *          inverted: 0 is ENABLED, which is DPU mode.
 * Errors   firmware-wedged, nic-parameter-missing, command-failed, output-unreadable, verify-mismatch.
 * Source   NVIDIA BlueField BSP, Modes of Operation; mstflint mlxconfig; the seed's step on modes.
 */
export const setDpuMode = defineStep<Record<string, never>, Observed>({
  name: 'set-dpu-mode',
  title: 'Store DPU mode',
  scope: 'dpu',
  risk: 'destructive',
  params: z.strictObject({}),
  timeoutMs: 300_000,
  needs: ['rshim'],
  provides: ['staged-mode'],
  aim: () => 'DPU mode is stored, for the next cold boot of the host',
  wanted: () => ({ mode: 'dpu', model: 'embedded' }),
  observe: (context) => look(context),
  diff: ({ config }, _params, { name: target }) => {
    if (isDpuModeStored(config)) {
      const isActive = modeOf(config, 'current') === 'dpu';
      return { kind: 'satisfied', reason: isActive ? 'in DPU mode' : 'DPU mode is stored and waits for a cold boot' };
    }
    const from = `${modeOf(config, 'next')} mode (${config.engine.next})`;
    const to = `dpu mode (${dpuModeValues.engine})`;
    const text = `${target}: ${from} -> ${to}, active after a cold power cycle of the host; a reboot of the Arm does not activate it`;
    return { kind: 'change', changes: [{ target, from, to, text }] };
  },
  apply: async (context, _changes, _params, { config, device }) => {
    const { name } = context.dpu;
    await context.act({ name: 'set-mode', text: `store DPU mode in ${name}`, before: config }, async () => ({
      evidence: await store(context, config, device),
      value: undefined,
    }));
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { config } = await look(context);
    const { engine, model } = config;
    const settings: readonly (readonly [string, string, string])[] = [
      ['INTERNAL_CPU_OFFLOAD_ENGINE', engine.next, dpuModeValues.engine],
      ...(model === undefined ? [] : [['INTERNAL_CPU_MODEL', model.next, dpuModeValues.model] as const]),
    ];
    return settings.map(([name, actual, expected]) => ({
      check: `${name} (next boot)`,
      pass: actual === expected,
      expected,
      actual,
    }));
  },
});

async function look({ host, card, dpu, signal }: ObserveContext): Promise<Observed> {
  const device = (await pciAddressesOf(host, [card], signal)).get(dpu.name);
  if (device === undefined) throw errors.bug({ detail: `no PCI address for ${dpu.name}` });
  return { device, config: await readModeConfig(host, dpu.name, device, signal) };
}

/** When the connection is lost the configuration is read back: it shows whether the card took it. */
async function store(context: ApplyContext, { model }: ModeConfig, device: string): Promise<string> {
  const { host, signal } = context;
  const assignments = ['INTERNAL_CPU_OFFLOAD_ENGINE=0'];
  if (model !== undefined && model.next !== dpuModeValues.model) assignments.push('INTERNAL_CPU_MODEL=1');
  const argv = ['sudo', '-n', 'mlxconfig', '-d', device, '-y', 'set', ...assignments];
  try {
    const { stdout } = await runOk(host, argv, { timeoutMs: 120_000, signal });
    return `mlxconfig set ${assignments.join(' ')}: ${stdout.trim().split('\n').slice(-2).join(' ').slice(0, 200)}`;
  } catch (error) {
    if (!(error instanceof OpsError) || !['ssh-lost', 'ssh-timeout'].includes(error.code)) throw error;
    const { config } = await look(context);
    if (!isDpuModeStored(config)) throw error;
    return 'mlxconfig set: the connection was lost, and it reads back as stored';
  }
}
