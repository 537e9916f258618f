import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLine } from '../../../commands/parse.ts';
import { commandTable, commands } from '../../../commands/registry.ts';
import { OpsError } from '../../../src/errors.ts';

function parsed(text: string) {
  const line = parseLine(commandTable, text);
  return { command: line.command?.name, kind: line.kind, ...(line.kind === 'command' && { args: line.args }) };
}

function refusal(text: string): string {
  try {
    parseLine(commandTable, text);
  } catch (error) {
    if (error instanceof OpsError) return `${error.failure.what} ${error.failure.why} ${error.failure.next}`;
    throw error;
  }
  return 'was accepted';
}

const noFlags = {
  plan: false,
  adopt: false,
  reflash: false,
  'set-mode': false,
  'via-card': false,
  'outside-window': false,
};

describe('parseLine', () => {
  test.each([
    ['provision rack1', 'provision', { ...noFlags, target: 'rack1' }],
    ['provision --plan rack1', 'provision', { ...noFlags, target: 'rack1', plan: true }],
    ['PROVISION rack1 —plan', 'provision', { ...noFlags, target: 'rack1', plan: true }],
    ['/dpu provision rack1', 'provision', { ...noFlags, target: 'rack1' }],
    [
      'provision rack1 --canary host-07 --max-failures=2 --set-mode',
      'provision',
      { ...noFlags, target: 'rack1', canary: 'host-07', 'max-failures': 2, 'set-mode': true },
    ],
    ['sku 900-9D3B6-00CN-AB0', 'sku', { 'part-number': '900-9D3B6-00CN-AB0' }],
    ['done 418 --generation 3', 'resume', { run: 418, 'outside-window': false, generation: 3 }],
    ['run #418', 'run', { run: 418 }],
    ['details 418 --generation 2', 'run', { run: 418, generation: 2 }],
    ['approve 418', 'approve', { run: 418 }],
    ['approve 418 --generation 3', 'approve', { run: 418, generation: 3 }],
    ['reject 418 --reason "wrong rack"', 'reject', { run: 418, reason: 'wrong rack' }],
    ['halt --reason=fire', 'halt', { reason: 'fire' }],
    ['unlock host-07 --force', 'unlock', { target: 'host-07', force: true }],
    ['help provision', 'help', { command: 'provision' }],
  ])('understands %s', (text, command, args) => {
    expect(parsed(text)).toEqual({ kind: 'command', command, args });
  });

  test.each(['', '  ', '--help', '-h'])('takes "%s" for a wish for help', (text) => {
    expect(parsed(text)).toEqual({ kind: 'help', command: undefined });
  });

  test('takes --help anywhere for a wish for help on that command, also when the rest is wrong', () => {
    expect(parsed('unlock --frce --help')).toEqual({ kind: 'help', command: 'unlock' });
  });

  test.each([
    ['a command with a typo', 'provsion rack1', 'There is no command "provsion". Did you mean "provision"?'],
    ['an unheard-of command', 'frobnicate', 'There is no command "frobnicate". The commands are help, provision'],
    ['a name every object has', 'constructor', 'There is no command "constructor".'],
    ['a flag with a typo', 'provision rack1 --pln', 'provision has no flag "--pln". Did you mean "--plan"?'],
    ['a flag with one dash', 'provision rack1 -plan', 'provision has no flag "-plan". Did you mean "--plan"?'],
    [
      'a flag of another command',
      'provision rack1 --reason x',
      'provision has no flag "--reason". It has --plan, --adopt',
    ],
    ['a flag where none is known', 'runs --all', 'runs has no flag "--all". runs has no flags.'],
    ['a hidden flag in a suggestion', 'cancel 418 --generatio 1', 'cancel has no flags.'],
    ['a typo in the second word of a command', 'histroy', 'Did you mean "bench history"?'],
    ['a typo in one of a few words', 'mode dpu-07 dpuu', '<mode> is dpu or nic; did you mean "dpu"? mode:'],
    ['a typo in one of a few words of a flag', 'reflash dpu-07 --image x --via rshm', 'did you mean "rshim"?'],
    ['a missing target', 'provision', '<target> is missing. It is a rack, host or DPU; several as in'],
    ['a second target', 'provision rack1 rack2', '"rack2" is one word too many. Several targets are divided by commas'],
    [
      'a text without quotes',
      'halt --reason fan swap',
      '"swap" is one word too many. A text of several words needs quotes',
    ],
    ['a text flag without text', 'halt --reason', '--reason needs a text. Nothing follows it.'],
    ['a text flag before another flag', 'reject 1 --reason --plan', '--reason needs a text.'],
    ['a blank text', 'halt --reason "  "', '--reason needs a text.'],
    ['a missing required flag', 'halt', '--reason is missing'],
    ['a text that is too short', 'halt --reason x', '--reason is a text of at least 3 characters'],
    ['a switch with a value', 'provision rack1 --plan=yes', '--plan takes no value. "yes" follows it.'],
    ['a flag given twice', 'provision rack1 --plan --plan', '--plan is given twice.'],
    ['a run that is no number', 'run abc', '<run> is the number of a run, as in 418'],
    ['run 0', 'run 0', '<run> is the number of a run'],
    ['a target with odd characters', 'provision rack_1', '<target> is a rack, host or DPU, or an expression'],
  ])('refuses %s, saying what is wrong', (_what, text, expected) => {
    expect(refusal(text)).toContain(expected);
  });

  test('a refusal says how the command is written, with an example, and that nothing was started', () => {
    const text = refusal('provision');

    expect(text).toContain(
      'Write `/dpu provision <target> [--plan] [--adopt] [--reflash] [--set-mode] [--via-card] [--canary HOST]',
    );
    expect(text).toContain('For example `/dpu provision rack1`.');
    expect(text).toContain('Nothing was started.');
  });

  test('every example of every command is understood as that command', () => {
    for (const command of commands)
      for (const example of command.examples) expect(parsed(example)).toMatchObject({ command: command.name });
  });

  test('throws nothing but OpsError on 5,000 lines made of its own words and noise', () => {
    const own = commands.flatMap((command) => [command.name, ...command.flags.map((flag) => `--${flag.name}`)]);
    const word = fc.oneof(
      fc.constantFrom(...own, '418', 'rack1', '—plan', '--', '-', '"', '--reason=', '__proto__', '#', '--__proto__'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (parts) => {
        try {
          expect(parseLine(commandTable, parts.join(' ')).kind).toMatch(/^(help|command)$/);
        } catch (error) {
          expect(error).toBeInstanceOf(OpsError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
