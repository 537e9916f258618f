import type { z } from 'zod';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import { cutPlain } from '../src/report/text.ts';
import type { Command } from './define.ts';
import { usageOf } from './define.ts';
import { joinWords, splitWords } from './words.ts';

/** What a line means. `help` without a command: the list. */
export type ParsedLine =
  | { readonly kind: 'help'; readonly command?: Command; readonly line: string }
  | { readonly kind: 'form'; readonly command: Command; readonly line: string }
  | { readonly kind: 'command'; readonly command: Command; readonly args: unknown; readonly line: string };

/** The command table by name. */
export type CommandTable = ReadonlyMap<string, Command>;

/**
 * Understands one line. Throws nothing but OpsError `command-invalid`, which says what is wrong, what was probably meant
 * and how it is written. `forms`: a command that has a form and came without a word more is answered with it.
 */
export function parseLine(table: CommandTable, text: string, options: { readonly forms?: boolean } = {}): ParsedLine {
  const words = splitWords(text);
  // Mentions and habit bring the slash along: "/dpu provision rack1" means the same without it.
  const [first, ...rest] = words[0] === '/dpu' || words[0] === 'dpu' ? words.slice(1) : words;
  const line = joinWords(first === undefined ? [] : [first, ...rest]);
  if (first === undefined || isHelp(first)) return { kind: 'help', line };
  const { command, others } = commandOf(table, first, rest);
  if (others.some(isHelp)) return { kind: 'help', command, line };
  if (options.forms === true && others.length === 0 && command.form) return { kind: 'form', command, line };
  return { kind: 'command', command, args: argumentsOf(command, others), line };
}

/** The name of a command has one word, or two: `bench sweep`. */
function commandOf(
  table: CommandTable,
  first: string,
  rest: readonly string[],
): { readonly command: Command; readonly others: readonly string[] } {
  const [second, ...others] = rest;
  const longer = second === undefined ? undefined : table.get(`${first} ${second}`.toLowerCase());
  if (longer) return { command: longer, others };
  const command = table.get(first.toLowerCase());
  if (!command) throw unknownCommand(table, first);
  return { command, others: rest };
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h' || word === '-?';
}

function unknownCommand(table: CommandTable, word: string): Error {
  const names = [...table.keys()];
  const meant = nearestCommand(word.toLowerCase(), names);
  return errors.commandInvalid({
    what: `There is no command "${cutPlain(word, 40)}".`,
    why: meant === undefined ? `The commands are ${names.join(', ')}.` : `Did you mean "${meant}"?`,
    next: `\`/dpu help\` lists the commands. Nothing was started.`,
  });
}

/** The command that was probably meant; people also leave out its first word: `history` is `bench history`. */
export function nearestCommand(word: string, names: readonly string[]): string | undefined {
  const second = new Map(names.flatMap((name) => (name.includes(' ') ? [[name.split(' ')[1] ?? '', name]] : [])));
  const nearestSecond = nearest(word, [...second.keys()]);
  return second.get(word) ?? nearest(word, names) ?? (nearestSecond && second.get(nearestSecond));
}

function argumentsOf(command: Command, words: readonly string[]): unknown {
  const values = new Map<string, string | boolean>();
  const positionals: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (!/^-./.test(word)) {
      positionals.push(word);
      continue;
    }
    const [name, inline] = splitFlag(word);
    const flag = command.flags.find((entry) => entry.name === name && word.startsWith('--'));
    if (!flag) throw unknownFlag(command, word, name);
    if (values.has(name)) throw invalid(command, `--${name} is given twice.`, 'Only one of them could count.');
    if (flag.kind === 'switch') {
      if (inline !== undefined)
        throw invalid(command, `--${name} takes no value.`, `"${cutPlain(inline, 40)}" follows it.`);
      values.set(name, true);
      continue;
    }
    const value = inline ?? words[++index];
    if (value === undefined || value.trim() === '' || (inline === undefined && /^--[a-z]/.test(value)))
      throw invalid(command, `--${name} needs a text.`, 'Nothing follows it.');
    values.set(name, value);
  }
  placePositionals(command, positionals, values);
  return checked(command, values);
}

function splitFlag(word: string): [string, string | undefined] {
  const bare = word.replace(/^-+/, '');
  const split = bare.indexOf('=');
  return split === -1 ? [bare.toLowerCase(), undefined] : [bare.slice(0, split).toLowerCase(), bare.slice(split + 1)];
}

function placePositionals(command: Command, words: readonly string[], values: Map<string, string | boolean>): void {
  const extra = words[command.positionals.length];
  if (extra !== undefined) {
    const hasText = command.flags.some((flag) => flag.kind === 'text' && values.has(flag.name));
    const several = command.positionals.some(({ name }) => name === 'target')
      ? 'Several targets are divided by commas: rack1,as9.'
      : 'One thing at a time is understood.';
    const why = hasText ? 'A text of several words needs quotes around it.' : several;
    throw invalid(command, `"${cutPlain(extra, 40)}" is one word too many.`, why);
  }
  for (const [index, positional] of command.positionals.entries()) {
    const word = words[index];
    if (word !== undefined && word.trim() !== '') values.set(positional.name, word.trim());
    else if (positional.optional !== true)
      throw invalid(command, `<${positional.name}> is missing.`, `It is ${positional.about}.`);
  }
}

function checked(command: Command, values: ReadonlyMap<string, string | boolean>): unknown {
  const result = command.arguments.safeParse(Object.fromEntries(values));
  if (result.success) return result.data;
  const texts = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? '');
    const shown = command.flags.some((flag) => flag.name === name) ? `--${name}` : `<${name}>`;
    // What a command checks by itself it also words itself.
    return values.has(name) || issue.code === 'custom'
      ? `${shown} ${issue.message}${meantValue(issue, values.get(name))}`
      : `${shown} is missing`;
  });
  const said = texts.join('; ');
  const what = `The command is not complete or not right: ${said}${said.endsWith('?') ? '' : '.'}`;
  throw invalid(command, what, summaryOf(command));
}

/** Where one of a few words is wanted: the one that was probably meant. */
function meantValue(issue: z.core.$ZodIssue, given: string | boolean | undefined): string {
  if (issue.code !== 'invalid_value' || typeof given !== 'string') return '';
  const meant = nearest(given.toLowerCase(), issue.values.map(String));
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function unknownFlag(command: Command, word: string, name: string): Error {
  const names = command.flags.filter((flag) => flag.hidden !== true).map((flag) => flag.name);
  const meant = nearest(name, names);
  const has = names.length === 0 ? `${command.name} has no flags.` : `It has ${names.map((n) => `--${n}`).join(', ')}.`;
  const why = meant === undefined ? has : `Did you mean "--${meant}"?`;
  return invalid(command, `${command.name} has no flag "${cutPlain(word, 40)}".`, why);
}

function summaryOf(command: Command): string {
  return `${command.name}: ${command.summary}.`;
}

function invalid(command: Command, what: string, why: string): Error {
  const example = command.examples[0];
  const like = example === undefined ? '' : ` For example \`${example}\`.`;
  return errors.commandInvalid({ what, why, next: `Write \`${usageOf(command)}\`.${like} Nothing was started.` });
}
