import * as fc from 'fast-check';
import { commands } from '../../../commands/registry.ts';
import { hostilePieces } from './hostile-pieces.ts';

/**
 * Lines as people type them into a chat and as chat clients spoil them. The words are those of the command table, so a new
 * command or flag is tried from the day it is there.
 */

const names = [...commands.map((command) => command.name), 'details', 'done', 'HELP', 'provison', 'aprove'];
const flags = [...new Set(commands.flatMap((command) => command.flags.map((flag) => flag.name)))];

/** What stands where a target, a number or another value belongs: right ones, nearly right ones, and nonsense. */
const values: readonly string[] = [
  'rack1 rack2 host-a host-b host-c dpu-a dpu-b0 dpu-b1 dpu-c HOST-A host-z rak1',
  'rack[1-4] host-* dpu-b? tag:gen5 state:failed rack1,host-c !host-b all * [ rack[9-',
  '418 419 420 421 #418 422 0 -1 1e9 99999999999 4.5 418:2 0x1a2 ٤١٨',
  'bf-2.9.2 quick nic dpu raw ipsec wire1 lab 900-9D3B6-00CN-AB0 MBF3H332A',
  '22:00 25:99 tomorrow 60s 5m 10h 1,25%,rest 25% 9000 true null undefined',
  `"looked_at_both" "ana's_card" 'why_not' " '' work /dpu -- - ---`,
].flatMap((words) => words.split(' ').map((word) => word.replaceAll('_', ' ')));

const piece = fc.constantFrom(...hostilePieces);
const value = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...values) },
  { weight: 2, arbitrary: piece },
  { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
);

const flag = fc
  .tuple(fc.constantFrom(...flags, 'forse', 'PLAN'), fc.constantFrom('', '', '=', ' ', ' '), value)
  .map(([name, joint, text]) => `--${name}${joint === '' ? '' : `${joint}${text}`}`);

/** What is often right, by the name of a positional or flag; others get a text. */
const fitting: Readonly<Record<string, readonly string[]>> = {
  run: ['418', '418', '419', '#420', '421', '422'],
  cancel: ['419', '421'],
  generation: ['2', '0', '1'],
  canary: ['host-a', 'host-b', 'host-c'],
  'max-failures': ['0', '2'],
  image: ['bf-2.9.2'],
  lines: ['40', '2000'],
  follow: ['60s', '5m'],
  command: names,
  'part-number': ['900-9D3B6-00CN-AB0', 'MBF3H332A'],
  host: ['host-a', 'host-b', 'host-c'],
  target: ['host-a', 'host-c', 'dpu-a', 'dpu-c', 'rack2', 'rack1'],
};

function fittingWord(name: string): fc.Arbitrary<string> {
  return fc.constantFrom(...(fitting[name] ?? ['"looked at both"', 'dpu', 'nic', 'raw', 'wire1']));
}

/** A line that the command may well understand: a word for each positional, and some of its flags. */
const understood = fc.constantFrom(...commands).chain((command) => {
  const words = command.positionals.map((positional) => fittingWord(positional.name));
  const own = command.flags.map((one) => {
    const written =
      one.kind === 'switch'
        ? fc.constant(`--${one.name}`)
        : fittingWord(one.name).map((word) => `--${one.name} ${word}`);
    return fc.oneof(
      { weight: one.required === true ? 9 : 1, arbitrary: written },
      { weight: 3, arbitrary: fc.constant('') },
    );
  });
  return fc.tuple(...words, ...own).map((parts) => [command.name, ...parts].filter((part) => part !== '').join(' '));
});

/** A line that follows the grammar, as far as it goes. */
const spoken = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...names), fc.array(value, { maxLength: 3 }), fc.array(flag, { maxLength: 3 }))
      .map(([name, words, more]) => [name, ...words, ...more].join(' ')),
  },
  { weight: 6, arbitrary: understood },
  { weight: 1, arbitrary: fc.constantFrom(...commands.flatMap((command) => command.examples)).map(onSample) },
  { weight: 1, arbitrary: fc.constantFrom(...commands.flatMap(({ name }) => [`help ${name}`, `${name} --help`])) },
);

/** An example of the help, about what is there in the tests. */
function onSample(example: string): string {
  return example
    .replaceAll(/\bdpu-\d+\b/g, 'dpu-a')
    .replaceAll(/\bhost-\d+\b/g, 'host-a')
    .replaceAll(/\bimage-\S+/g, 'bf-2.9.2');
}

type Spoil = (line: string) => string;

/** What clients do to a line all the time, and what it has to survive. */
const habit = fc.constantFrom<Spoil>(
  (line) => line.replaceAll('--', '—'),
  (line) => line.replaceAll('--', '–'),
  (line) => line.replaceAll(/"([^"]*)"/g, '“$1”'),
  (line) => line.replaceAll(/"([^"]*)"/g, '„$1“'),
  (line) => line.replaceAll(' ', '\u00A0'),
  (line) => line.replaceAll(' ', '  \t '),
  (line) => line.replaceAll(' ', '\u200B \u2060'),
  (line) => `/dpu ${line}`,
  (line) => `  dpu ${line}  `,
);

const place = fc.nat({ max: 1_000 });
const at = (line: string, index: number): number => index % (line.length + 1);

/** One thing that clients, keyboards and enemies do to a line. */
const spoil: fc.Arbitrary<Spoil> = fc.oneof(
  fc.constantFrom<Spoil>(
    (line) => line.replaceAll('--', '−−'),
    (line) => line.replaceAll(/"([^"]*)"/g, '«$1»'),
    (line) => line.replaceAll('"', '”'),
    (line) => line.replaceAll("'", '’'),
    (line) => line.replace('"', ''),
    (line) => line.replaceAll(' ', '\n'),
    (line) => line.toUpperCase(),
    (line) => `${line} ${line}`,
    (line) => line.split('').toReversed().join(''),
    (line) => line.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(0xfee0 + (letter.codePointAt(0) ?? 0))),
    (line) => line.normalize('NFD').replaceAll('a', 'а'),
  ),
  fc.tuple(piece, place).map(([text, index]): Spoil => {
    return (line) => line.slice(0, at(line, index)) + text + line.slice(at(line, index));
  }),
  fc.tuple(place, fc.nat({ max: 6 })).map(([index, length]): Spoil => {
    return (line) => line.slice(0, at(line, index)) + line.slice(at(line, index) + length);
  }),
  // Slack cuts what is typed at 4,000 characters.
  fc.tuple(piece, place).map(([text, index]): Spoil => {
    return (line) =>
      (line.slice(0, at(line, index)) + text.repeat(4_000) + line.slice(at(line, index))).slice(0, 4_000);
  }),
);

/** Most lines are typed in peace. */
const spoils = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Spoil[]>([]) },
  { weight: 1, arbitrary: fc.array(spoil, { maxLength: 3 }) },
);

/** What follows `/dpu`, from a line that is all right to nothing but noise. */
export const randomLine: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(spoken, fc.array(habit, { maxLength: 2 }), spoils)
      .map(([line, ...spoils]) => spoils.flat().reduce((text, change) => change(text), line)),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 4_000, unit: 'binary', size: 'max' }) },
  { weight: 1, arbitrary: fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')) },
);
