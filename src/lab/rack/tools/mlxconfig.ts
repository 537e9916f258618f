/**
 * `mlxconfig -d DEV [-y] [-e] q [PARAM...]` and `set PARAM=VALUE...`.
 *
 * Source: mstflint mlxconfig/mlxcfg_ui.cpp; published output of a B3220. INTERNAL_CPU_OFFLOAD_ENGINE is inverted:
 * ENABLED is 0.
 */
import { firmwarePartNumber } from '../identity.ts';
import { queueMode } from '../power.ts';
import { complain, out, readLine } from '../shell/descriptors.ts';
import type { CommandContext, ExecResult, Program } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import type { CardState } from '../state.ts';
import { shownHardware } from '../state.ts';
import { findDevice } from './mft.ts';

/** Value texts by number; a parameter without any takes plain numbers. */
const enumerations: Record<string, string[]> = {
  INTERNAL_CPU_MODEL: ['SEPARATED_HOST(0)', 'EMBEDDED_CPU(1)'],
  INTERNAL_CPU_PAGE_SUPPLIER: ['ECPF(0)', 'EXT_HOST_PF(1)'],
  INTERNAL_CPU_ESWITCH_MANAGER: ['ECPF(0)', 'EXT_HOST_PF(1)'],
  INTERNAL_CPU_IB_VPORT0: ['ECPF(0)', 'EXT_HOST_PF(1)'],
  INTERNAL_CPU_OFFLOAD_ENGINE: ['ENABLED(0)', 'DISABLED(1)'],
  INTERNAL_CPU_RSHIM: ['ENABLED(0)', 'DISABLED(1)'],
  SRIOV_EN: ['False(0)', 'True(1)'],
  PER_PF_NUM_SF: ['False(0)', 'True(1)'],
  LAG_RESOURCE_ALLOCATION: ['DEVICE_DEFAULT(0)', 'LAG(1)'],
  HIDE_PORT2_PF: ['False(0)', 'True(1)'],
  CQE_COMPRESSION: ['BALANCED(0)', 'AGGRESSIVE(1)'],
  LINK_TYPE_P1: ['', 'IB(1)', 'ETH(2)'],
  LINK_TYPE_P2: ['', 'IB(1)', 'ETH(2)'],
  EXP_ROM_UEFI_ARM_ENABLE: ['False(0)', 'True(1)'],
};

function valueText(name: string, value: string): string | null {
  const known = enumerations[name];
  if (known === undefined) return /^\d+$/.test(value) ? value : null;
  const byName = known.find((text) => text.replace(/\(\d+\)$/, '').toLowerCase() === value.toLowerCase());
  const text = /^\d+$/.test(value) ? known[Number(value)] : byName;
  return text === undefined || text === '' ? null : text;
}

function head(context: CommandContext, card: CardState, device: string): string {
  const hardware = shownHardware(context.rack, card);
  return (
    '\nDevice #1:\n----------\n\n' +
    'Device type:    BlueField3      \n' +
    `Name:           ${firmwarePartNumber(hardware.partNumber)}\n` +
    `Description:    ${hardware.description}\n` +
    `Device:         ${device}\n\n`
  );
}

function row(name: string, values: string[], mark = ' '): string {
  return `${mark}       ${name.padEnd(44)}${values.map((value) => value.padEnd(16)).join('')}`.trimEnd();
}

function unsupported(name: string): ExecResult {
  return failed(3, `-E- The Device doesn't support ${name} parameter\n`);
}

function query(
  context: CommandContext,
  card: CardState,
  device: string,
  names: string[],
  extended: boolean,
): ExecResult {
  const { current, next } = card.nvconfig;
  const missing = names.find((name) => next[name] === undefined);
  if (missing !== undefined) return unsupported(missing);
  const shown = names.length === 0 ? Object.keys(next) : names;
  const title = `${'Configurations:'.padEnd(52)} ${extended ? 'Default         Current         Next Boot' : 'Next Boot'}\n`;
  const changed = shown.some((name) => next[name] !== current[name]);
  const rows = shown.map((name) => {
    const nextValue = next[name] ?? '';
    if (!extended) return row(name, [nextValue]);
    const defaultValue = name === 'INTERNAL_CPU_OFFLOAD_ENGINE' ? 'ENABLED(0)' : (current[name] ?? '');
    return row(name, [defaultValue, current[name] ?? '', nextValue], nextValue === current[name] ? ' ' : '*');
  });
  const footer =
    extended && changed ? "The '*' shows parameters with next value different from default/current value.\n" : '';
  return ok(`${head(context, card, device)}${title}${rows.map((each) => `${each}\n`).join('')}${footer}`);
}

function set(context: CommandContext, card: CardState, device: string, pairs: string[], yes: boolean): ExecResult {
  const changes: [string, string][] = [];
  for (const pair of pairs) {
    const [name = '', value = ''] = pair.split('=');
    if (card.nvconfig.next[name] === undefined) return unsupported(name);
    const text = valueText(name, value);
    if (text === null) return failed(3, `-E- Unknown value "${value}" for parameter ${name}\n`);
    changes.push([name, text]);
  }
  if (changes.length === 0) return failed(3, '-E- Missing configuration arguments\n');
  const rows = changes.map(([name, text]) => row(name, [card.nvconfig.next[name] ?? '', text]));
  const preview =
    `${head(context, card, device)}${'Configurations:'.padEnd(52)} Next Boot       New\n` +
    `${rows.map((each) => `${each}\n`).join('')}\n Apply new Configuration? (y/n) [n] : `;
  if (!yes && !/^y/i.test(context.stdin)) return { ...failed(1, '', `${preview}n\n`), stderr: '' };
  for (const [name, text] of changes) {
    card.nvconfig.next[name] = text;
    if (name === 'INTERNAL_CPU_OFFLOAD_ENGINE') queueMode(card, text === 'DISABLED(1)' ? 'nic' : 'dpu');
  }
  return {
    ...ok(`${preview}y\nApplying... Done!\n-I- Please reboot machine to load new configurations.\n`),
    takesMs: 1_000,
  };
}

/** The program: asks on standard input unless -y is given. */
export const mlxconfig: Program = function* program(frame, args) {
  const { rack, machine, user, root, env } = frame;
  const asks = args.some((arg) => arg === 's' || arg === 'set') && !args.includes('-y') && !args.includes('--yes');
  const answer = asks ? yield* readLine(frame) : null;
  const result = run({ rack, machine, user, root, env, stdin: answer?.line ?? '' }, args);
  if (result.takesMs !== undefined) yield { untilMs: rack.nowMs() + result.takesMs };
  complain(frame, result.stderr);
  out(frame, result.stdout);
  return result.exitCode ?? 0;
};

function run(context: CommandContext, args: string[]): ExecResult {
  if (!context.root) return failed(1, '-E- Permission denied: you need root to use mlxconfig\n');
  let device: string | undefined;
  let extended = false;
  let yes = false;
  let at = 0;
  for (; (args[at] ?? '').startsWith('-'); at += 1) {
    const option = args[at] ?? '';
    if (option === '-d' || option === '--dev') {
      at += 1;
      device = args[at];
    } else if (option === '-e' || option === '--enable_verbosity') extended = true;
    else if (option === '-y' || option === '--yes') yes = true;
    else return failed(3, `-E- Unknown argument ${option}\n`);
  }
  const found = findDevice(context, device);
  if ('exitCode' in found) return found;
  const [action, ...rest] = args.slice(at);
  if (action === 'q' || action === 'query') return query(context, found.card, found.device, rest, extended);
  if (action === 's' || action === 'set') return set(context, found.card, found.device, rest, yes);
  return failed(3, `-E- Unknown command ${action ?? ''}\n`);
}
