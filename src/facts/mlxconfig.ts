import { defineRead } from '../domain/commands.ts';
import type { CommandResult, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import type { DpuMode } from './dpu-mode.ts';
import { expectAwake, expectMft, pciHole } from './nic-firmware.ts';
import { expectSuccess } from './read-helpers.ts';

/** A setting of the card's configuration: in force now, and after the next cold boot. */
export interface NicSetting {
  readonly current: string;
  readonly next: string;
}

/** The settings that make up the mode. `model` is absent where the firmware does not know it (embedded only). */
export interface ModeConfig {
  readonly engine: NicSetting;
  readonly model?: NicSetting;
}

/** Values as mlxconfig prints them. The enum of the engine is inverted: 0 means that the Arm has the offload engine. */
export const modeValues = {
  dpu: { engine: 'ENABLED(0)', model: 'EMBEDDED_CPU(1)' },
  nic: { engine: 'DISABLED(1)', model: 'EMBEDDED_CPU(1)' },
} as const;
const engineName = 'INTERNAL_CPU_OFFLOAD_ENGINE';
const modelName = 'INTERNAL_CPU_MODEL';

/** `-e`: default, current and next value. Only reads. Source: mstflint mlxconfig/mlxcfg_ui.cpp. */
export const modeQuery = defineRead({
  name: 'mlxconfig query mode',
  argv: ['sudo', '-n', 'mlxconfig', '-d', '{device}', '-e', 'q', engineName, modelName],
  holes: { device: pciHole },
});
export const engineQuery = defineRead({
  name: 'mlxconfig query engine',
  argv: ['sudo', '-n', 'mlxconfig', '-d', '{device}', '-e', 'q', engineName],
  holes: { device: pciHole },
});

/**
 * Reads the mode settings of the card at `device`. `target`: the name of the card in messages.
 * Errors: host-tool-missing, firmware-wedged, nic-parameter-missing, sudo-refused, command-failed, output-unreadable.
 */
export async function readModeConfig(
  host: HostReader,
  target: string,
  device: string,
  signal: AbortSignal,
): Promise<ModeConfig> {
  const options = { timeoutMs: 60_000, signal };
  let result = await host.read(modeQuery.bind({ device }), options);
  const hasModel = missingParameter(result) !== modelName;
  if (!hasModel) result = await host.read(engineQuery.bind({ device }), options);
  expectMft(host.name, 'mlxconfig', 'to read the mode', result);
  expectAwake(host.name, target, device, result);
  const missing = missingParameter(result);
  if (missing !== undefined)
    throw errors.parameterMissing({ target, parameter: missing, output: result.stdout.trim().slice(-200) });
  expectSuccess(host.name, `mlxconfig -d ${device} -e q`, result);
  const engine = parseSetting(target, engineName, result.stdout);
  return hasModel ? { engine, model: parseSetting(target, modelName, result.stdout) } : { engine };
}

function missingParameter({ stdout, stderr }: CommandResult): string | undefined {
  return /-E- The Device doesn't support (\w+) parameter/.exec(`${stdout}\n${stderr}`)?.[1];
}

/**
 * Finds the row of a setting in the output of `mlxconfig -e q`. Split at white space: the width of the columns differs
 * between versions, and a row may begin with `*` (next differs from default or current) or `RO`. Fewer than three values
 * mean that the firmware does not tell the current one: an error, because then pending cannot be told from active.
 */
export function parseSetting(target: string, name: string, text: string): NicSetting {
  const unreadable = (problem: string): Error =>
    errors.outputUnreadable({ target, source: 'mlxconfig', problem, evidence: text.slice(0, 800) });
  const header = text.split('\n').find((line) => line.startsWith('Configurations:'));
  if (header === undefined || !/\sDefault\s+Current\s+Next Boot\s*$/.test(header))
    throw unreadable('the columns Default, Current and Next Boot are not all there');
  const rows = text.split('\n').flatMap((line) => {
    const words = line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '*' && word !== 'RO');
    return words[0] === name ? [words.slice(1)] : [];
  });
  const [values, ...others] = rows;
  const [, current, next] = values ?? [];
  if (values === undefined || others.length > 0 || values.length !== 3) throw unreadable(`not one row of ${name}`);
  if (current === undefined || next === undefined || !isValue(current) || !isValue(next))
    throw unreadable(`no current and next value of ${name}`);
  return { current, next };
}

function isValue(word: string): boolean {
  return /^\w+\(\d+\)$/.test(word);
}

/** The mode that these values stand for. */
export function modeOf(config: ModeConfig, when: 'current' | 'next'): DpuMode {
  return config.engine[when] === modeValues.dpu.engine ? 'dpu' : 'nic';
}

/** True while a cold boot of the host would change the mode. */
export function isModePending({ engine, model }: ModeConfig): boolean {
  return engine.current !== engine.next || (model !== undefined && model.current !== model.next);
}

/** True when the card is in that mode after the next cold boot, at the latest. */
export function isModeStored({ engine, model }: ModeConfig, mode: DpuMode): boolean {
  const wanted = modeValues[mode];
  return engine.next === wanted.engine && (model === undefined || model.next === wanted.model);
}
