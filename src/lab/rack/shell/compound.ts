/**
 * Runs compound commands: loops, case, lists, `&&` and `||`.
 *
 * Source: POSIX.1-2017 XCU 2.9.3, 2.9.4.
 */
import { patternToRegExp } from '../files/paths.ts';
import { nothing } from './descriptors.ts';
import { expandFields, expandPattern, expandText } from './expand.ts';
import { assign } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import { Jump } from './signals.ts';
import { childFrame, spawn, substitute } from './subshells.ts';
import type { Node } from './syntax.ts';
import type { Steps } from './types.ts';

/** Device time one command of a script takes at least. */
const commandMs = 1;

/** Run a condition: its failure does not end the shell under `set -e`. */
export function* tested(shell: Shell, node: Node): Steps<number> {
  shell.tested += 1;
  try {
    return yield* shell.runNode(shell, node);
  } finally {
    shell.tested -= 1;
  }
}

/** A loop body; true when the loop ends. */
function* runBody(shell: Shell, body: Node): Steps<boolean> {
  yield { untilMs: shell.frame.rack.nowMs() + commandMs };
  try {
    yield* shell.runNode(shell, body);
    return false;
  } catch (error) {
    if (!(error instanceof Jump) || error.kind === 'return') throw error;
    error.levels -= 1;
    if (error.levels > 0) throw error;
    shell.status = 0;
    return error.kind === 'break';
  }
}

/** while, until and for. */
export function* runLoop(shell: Shell, node: Node & { kind: 'loop' | 'for' }): Steps<number> {
  let last = 0;
  if (node.kind === 'loop') {
    for (;;) {
      const status = yield* tested(shell, node.condition);
      if ((status === 0) === node.until) return last;
      if (yield* runBody(shell, node.body)) return 0;
      last = shell.status;
    }
  }
  const values = node.words === null ? [...shell.arguments] : yield* expandFields(shell, node.words, substitute);
  for (const value of values) {
    assign(shell, node.name, value);
    if (yield* runBody(shell, node.body)) return 0;
    last = shell.status;
  }
  return last;
}

/** The first branch of `case` that matches. */
export function* runCase(shell: Shell, node: Node & { kind: 'case' }): Steps<number> {
  const text = yield* expandText(shell, node.word, substitute);
  for (const { patterns, body } of node.branches) {
    for (const word of patterns) {
      const pattern = yield* expandPattern(shell, word, substitute);
      if (patternToRegExp(pattern, true).test(text)) return yield* shell.runNode(shell, body);
    }
  }
  return 0;
}

/** Commands one after the other; those with `&` in the background. */
export function* runList(shell: Shell, node: Node & { kind: 'list' }): Steps<number> {
  let status = 0;
  for (const { node: each, background } of node.items) {
    if (background) {
      const frame = childFrame(shell.frame);
      frame.descriptors.set(
        0,
        frame.descriptors.get(0)?.tty === true ? (frame.descriptors.get(0) ?? nothing) : nothing,
      );
      shell.lastBackground = spawn(shell, frame, each);
      shell.children.push(shell.lastBackground);
      status = 0;
      shell.status = 0;
    } else status = yield* shell.runNode(shell, each);
  }
  return status;
}

/** `&&` and `||`. */
export function* runAndOr(shell: Shell, node: Node & { kind: 'and-or' }): Steps<number> {
  const left = yield* tested(shell, node.left);
  return (left === 0) === (node.operator === '&&') ? yield* shell.runNode(shell, node.right) : left;
}
