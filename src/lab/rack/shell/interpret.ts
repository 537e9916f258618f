/**
 * Runs a parsed shell program step by step on the device clock.
 *
 * Source: POSIX.1-2017 XCU 2.8 to 2.12; messages of dash 0.5.11.
 */
import { builtins } from './builtins.ts';
import { runAndOr, runCase, runList, runLoop, tested } from './compound.ts';
import { expandFields, expandText } from './expand.ts';
import { parseProgram } from './parse.ts';
import { runProgram } from './programs.ts';
import { redirect } from './redirects.ts';
import { assign, environmentOf, shellComplaint } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import { ExitShell, Jump, Killed } from './signals.ts';
import { childFrame, inSubshell, redirected, runExitTrap, runPipeline, substitute } from './subshells.ts';
import { SyntaxProblem } from './syntax.ts';
import type { Node } from './syntax.ts';
import { immediately } from './types.ts';
import type { Frame, Steps } from './types.ts';

function* runFunction(shell: Shell, body: Node, args: string[]): Steps<number> {
  const outer = shell.arguments;
  shell.arguments = args;
  shell.locals.push({});
  try {
    return yield* runNode(shell, body);
  } catch (error) {
    if (error instanceof Jump && error.kind === 'return') return error.status;
    throw error;
  } finally {
    shell.arguments = outer;
    for (const [name, value] of Object.entries(shell.locals.pop() ?? {})) {
      if (value === undefined) delete shell.variables[name];
      else shell.variables[name] = value;
    }
  }
}

/** Run argv: a function, a built-in or a program. */
function* runArgv(shell: Shell, argv: string[]): Steps<number> {
  const [name = '', ...args] = argv;
  const body = Object.hasOwn(shell.functions, name) ? shell.functions[name] : undefined;
  if (body !== undefined) return yield* runFunction(shell, body, args);
  const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
  if (builtin !== undefined) return yield* builtin(shell, args);
  const frame: Frame = { ...shell.frame, env: environmentOf(shell) };
  return yield* runProgram(frame, argv, (word, reason) => {
    shellComplaint(shell, `${word}: ${reason}`);
  });
}

const specialBuiltins = new Set([
  'export',
  'readonly',
  'set',
  'eval',
  '.',
  ':',
  'exec',
  'exit',
  'return',
  'shift',
  'trap',
  'unset',
]);

function* runSimple(shell: Shell, node: Node & { kind: 'simple' }): Steps<number> {
  shell.line = node.line;
  const argv = yield* expandFields(shell, node.words, substitute);
  const values: [string, string][] = [];
  const statusBefore = shell.status;
  // Of an assignment alone the status is that of its last command substitution; `$?` in it is still the one before.
  let substituted = 0;
  const noting = function* (inner: Shell, body: Node): Steps<string> {
    const text = yield* substitute(inner, body);
    substituted = inner.status;
    return text;
  };
  for (const { name, value } of node.assignments) values.push([name, yield* expandText(shell, value, noting)]);
  shell.status = statusBefore;
  const [name] = argv;
  if (name === undefined) {
    for (const [key, value] of values) assign(shell, key, value);
    return yield* redirected(shell, node.redirects, () =>
      immediately(() => (node.assignments.length === 0 ? 0 : substituted)),
    );
  }
  if (shell.options.has('x')) shell.frame.descriptors.get(2)?.write(`+ ${argv.join(' ')}\n`);
  if (name === 'exec' && argv.length === 1)
    return (yield* redirect(shell, node.redirects, substitute)) === null ? 2 : 0;
  const keeps = specialBuiltins.has(name);
  const before = values.map(([key]): [string, string | undefined, boolean] => [
    key,
    shell.variables[key],
    shell.exported.has(key),
  ]);
  for (const [key, value] of values) {
    assign(shell, key, value);
    if (!keeps) shell.exported.add(key);
  }
  try {
    return yield* redirected(shell, node.redirects, () => runArgv(shell, argv));
  } finally {
    if (!keeps) {
      for (const [key, value, exported] of before) {
        if (value === undefined) delete shell.variables[key];
        else shell.variables[key] = value;
        if (!exported) shell.exported.delete(key);
      }
    }
  }
}

function* dispatch(shell: Shell, node: Node): Steps<number> {
  switch (node.kind) {
    case 'simple':
      return yield* runSimple(shell, node);
    case 'pipeline': {
      if (!node.negated) return yield* runPipeline(shell, node.stages);
      shell.tested += 1;
      const status = yield* runPipeline(shell, node.stages);
      shell.tested -= 1;
      return status === 0 ? 1 : 0;
    }
    case 'and-or':
      return yield* runAndOr(shell, node);
    case 'list':
      return yield* runList(shell, node);
    case 'subshell':
      return yield* redirected(shell, node.redirects, () => inSubshell(shell, childFrame(shell.frame), node.body));
    case 'group':
      return yield* redirected(shell, node.redirects, () => runNode(shell, node.body));
    case 'if':
      return yield* redirected(shell, node.redirects, function* branch() {
        if ((yield* tested(shell, node.condition)) === 0) return yield* runNode(shell, node.body);
        return node.otherwise === null ? 0 : yield* runNode(shell, node.otherwise);
      });
    case 'loop':
    case 'for':
      return yield* redirected(shell, node.redirects, () => runLoop(shell, node));
    case 'case':
      return yield* redirected(shell, node.redirects, () => runCase(shell, node));
    case 'function':
      shell.functions[node.name] = node.body;
      return 0;
  }
}

function* runArrivedSignals(shell: Shell): Steps<void> {
  const { process } = shell.frame;
  for (let signal = process.arrived.shift(); signal !== undefined; signal = process.arrived.shift()) {
    const text = shell.traps[signal];
    if (text === undefined) throw new Killed(signal);
    yield* runText(shell, text);
  }
}

/** Run one node; its status becomes $?. */
function* runNode(shell: Shell, node: Node): Steps<number> {
  const status = yield* dispatch(shell, node);
  shell.status = status;
  yield* runArrivedSignals(shell);
  const strict = node.kind === 'simple' || node.kind === 'pipeline' || node.kind === 'subshell';
  const negated = node.kind === 'pipeline' && node.negated;
  if (status !== 0 && strict && !negated && shell.tested === 0 && shell.options.has('e')) throw new ExitShell(status);
  return status;
}

/** Parse and run a program text in this shell. A syntax error gives status 2. */
function* runText(shell: Shell, text: string): Steps<number> {
  let program: Node;
  try {
    program = parseProgram(text);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    shell.line = error.line;
    shellComplaint(shell, error.message);
    return 2;
  }
  return yield* runNode(shell, program);
}

/** A new shell with these arguments; gives the status of the program. */
export function* runShell(
  frame: Frame,
  text: string,
  options: { name?: string; args?: string[]; flags?: string } = {},
): Steps<number> {
  const shell: Shell = {
    frame: childFrame(frame),
    name: options.name ?? 'sh',
    variables: { ...frame.env, IFS: ' \t\n', PWD: frame.directory },
    exported: new Set([...Object.keys(frame.env), 'PWD']),
    readonly: new Set(),
    functions: {},
    arguments: options.args ?? [],
    status: 0,
    lastBackground: null,
    children: [],
    options: new Set(options.flags ?? ''),
    traps: {},
    tested: 0,
    depth: 0,
    line: 1,
    locals: [],
    runNode,
    runText,
    runArgv,
  };
  try {
    return yield* runExitTrap(shell, yield* runText(shell, text));
  } catch (error) {
    if (error instanceof ExitShell) return yield* runExitTrap(shell, error.status);
    if (error instanceof Jump) return error.status;
    throw error;
  }
}
