/**
 * A small `awk`: patterns, BEGIN/END, fields, variables, print/printf, comparisons, matches, string and number
 * operators, a few functions. Loops, arrays and user functions are refused.
 *
 * Source: POSIX.1-2017 XCU awk.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Program } from '../shell/types.ts';
import { AwkParser, Stop } from './awk-language.ts';
import type { Rule, State } from './awk-language.ts';
import { Unsupported } from './awk-lexer.ts';
import { text, truth } from './awk-values.ts';
import { parseOptions } from './options.ts';
import { posixRegExp } from './regex.ts';
import { inputs, linesOf } from './text-tools.ts';

function run(rules: Rule[], state: State, files: string[]): void {
  const each = (when: 'BEGIN' | 'END'): void => {
    for (const rule of rules) if (rule.when === when) rule.action(state);
  };
  each('BEGIN');
  for (const [index, line] of files.flatMap(linesOf).entries()) {
    const separator = text(state.variables['FS'] ?? ' ');
    const parts =
      separator === ' '
        ? line
            .trim()
            .split(/\s+/)
            .filter((part) => part !== '')
        : line.split(separator.length === 1 ? separator : (posixRegExp(separator, true) ?? separator));
    state.fields = [line, ...parts];
    state.variables['NR'] = index + 1;
    state.variables['FNR'] = index + 1;
    for (const rule of rules) {
      if (rule.when === 'BEGIN' || rule.when === 'END') continue;
      if (rule.when === null || truth(rule.when(state))) rule.action(state);
    }
  }
  each('END');
}

/** The program. */
export const awk: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'awk', args, { values: 'F v f', stopsAtOperand: true });
  if (options === null) return 2;
  const [source = '', ...paths] = options.rest;
  const state: State = {
    fields: [''],
    variables: { FS: (options.values['F'] ?? ' ').replaceAll('\\t', '\t') },
    output: [],
  };
  for (const [index, arg] of args.entries()) {
    const match = /^(?:-v)?([A-Za-z_]\w*)=(.*)$/s.exec(arg);
    if (match?.[1] !== undefined && (arg.startsWith('-v') || args[index - 1] === '-v'))
      state.variables[match[1]] = match[2] ?? '';
  }
  try {
    const rules = new AwkParser(source).rules();
    const files = rules.every(({ when }) => when === 'BEGIN') ? [] : yield* inputs(frame, 'awk', paths);
    run(
      rules,
      state,
      files.map(({ text }) => text ?? ''),
    );
  } catch (error) {
    if (error instanceof Unsupported) {
      complain(frame, `awk: ${error.message}\n`);
      return 2;
    }
    if (!(error instanceof Stop)) throw error;
  }
  out(frame, state.output.join(''));
  return 0;
};
