/**
 * `mlxfwreset -d DEV [-y] [-l N] [--sync N] query|reset`.
 *
 * Source: mstflint mlxfwreset (levels, types, steps), published runs.
 */
import { complain, out, readLine } from '../shell/descriptors.ts';
import type { Program } from '../shell/types.ts';
import { findDevice } from './mft.ts';
import { parseOptions } from './options.ts';

const levels: [string, boolean][] = [
  ['0: Driver, PCI link, network link will remain up ("live-Patch")', false],
  ['1: Only ARM side will not remain up ("Immediate reset").', false],
  ['3: Driver restart and PCI reset', true],
  ['4: Warm Reboot', true],
];
const stepMs = 5_000;

function queryText(): string {
  const row = ([text, supported]: [string, boolean], index: number): string =>
    `${text.padEnd(62)}-${supported ? 'Supported     ' : 'Not Supported '}${index === 2 ? '(default)' : ''}\n`;
  return `Reset-levels:\n${levels.map(row).join('')}\nReset-types (relevant only for reset-levels 1,3,4):\n${'0: Full chip reset'.padEnd(62)}-Supported     (default)\n\nReset-sync (relevant only for reset-level 3):\n${'0: Tool is the owner'.padEnd(62)}-Not Supported \n${'1: Driver is the owner'.padEnd(62)}-Supported     (default)\n`;
}

/** The program. */
export const mlxfwreset: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'mlxfwreset', args, {
    flags: 'y yes=y v skip_driver s json',
    values: 'd device=d l level=l t type=t m sync=sync',
  });
  if (options === null) return 1;
  if (!frame.root) {
    complain(frame, '-E- Permission denied: you need root to use mlxfwreset\n');
    return 1;
  }
  const { rack, machine, user, root, env } = frame;
  const found = findDevice({ rack, machine, user, root, env, stdin: '' }, options.values['d']);
  if ('exitCode' in found) {
    complain(frame, found.stderr);
    return 1;
  }
  const { card, device } = found;
  const [verb = ''] = options.rest;
  if (verb === 'q' || verb === 'query') {
    out(frame, queryText());
    return 0;
  }
  if (verb !== 'r' && verb !== 'reset') {
    complain(frame, `-E- Unknown command: ${verb}\n`);
    return 1;
  }
  const level = options.values['l'] ?? '3';
  const text = levels.find(([each]) => each.startsWith(`${level}:`));
  if (text?.[1] !== true) {
    complain(frame, `-E- Reset level ${level} is not supported on the current state of this device\n`);
    return 1;
  }
  out(frame, `Requested reset level for device, ${device}:\n\n${text[0]}\nContinue with reset?[y/N] `);
  if (!options.flags.has('y')) {
    const answer = yield* readLine(frame);
    if (!/^y/i.test(answer?.line ?? '')) {
      out(frame, '\nAborted by user\n');
      return 1;
    }
  }
  out(frame, 'y\n');
  for (const step of [
    'Sending Reset Command To Fw',
    'Stopping Driver',
    'Resetting PCI',
    'Starting Driver',
    'Restarting MST',
  ]) {
    yield { untilMs: rack.nowMs() + stepMs };
    out(frame, `-I- ${step.padEnd(40)}-Done\n`);
  }
  card.nicFirmware = { running: card.nicFirmware.staged ?? card.nicFirmware.running, staged: null };
  out(frame, '-I- FW was loaded successfully.\n');
  return 0;
};
