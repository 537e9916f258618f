/** `test` and `[`. Source: POSIX.1-2017 XCU test; dash messages. */
import { FileError } from '../files/nodes.ts';
import type { FoundNode } from '../files/nodes.ts';
import { normalize } from '../files/paths.ts';
import type { Frame } from './types.ts';

function nodeAt(frame: Frame, path: string, follow = true): FoundNode | null {
  if (path === '') return null;
  try {
    return frame.machine.files.get(normalize(path, frame.directory), frame, follow);
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}

function unary(frame: Frame, operator: string, value: string): boolean | null {
  if (operator === '-n') return value !== '';
  if (operator === '-z') return value === '';
  if (operator === '-t') return frame.descriptors.get(Number(value))?.tty ?? false;
  if (!/^-[edfhLrwxscbpSgku]$/.test(operator)) return null;
  const link = operator === '-h' || operator === '-L';
  const node = nodeAt(frame, value, !link);
  if (node === null) return false;
  const { files } = frame.machine;
  const device = node.kind === 'live' && node.file.device === true;
  switch (operator) {
    case '-e':
      return true;
    case '-d':
      return node.kind === 'dir';
    case '-f':
      return node.kind === 'file' || node.kind === 'virtual' || (node.kind === 'live' && !device);
    case '-c':
      return device && node.file.block !== true;
    case '-b':
      return device && node.file.block === true;
    case '-r':
      return files.allows(node, frame, 4);
    case '-w':
      return files.allows(node, frame, 2);
    case '-x':
      return frame.root ? node.kind === 'dir' || (node.mode & 0o111) !== 0 : files.allows(node, frame, 1);
    case '-s':
      return files.size(node) > 0;
    case '-h':
    case '-L':
      return node.kind === 'link';
    default:
      return false;
  }
}

const numeric: Record<string, (left: number, right: number) => boolean> = {
  '-eq': (left, right) => left === right,
  '-ne': (left, right) => left !== right,
  '-lt': (left, right) => left < right,
  '-le': (left, right) => left <= right,
  '-gt': (left, right) => left > right,
  '-ge': (left, right) => left >= right,
};

function binary(frame: Frame, left: string, operator: string, right: string): boolean | string | null {
  if (operator === '=' || operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === '-nt' || operator === '-ot') {
    const newer = (nodeAt(frame, left)?.modifiedAtMs ?? 0) - (nodeAt(frame, right)?.modifiedAtMs ?? 0);
    return operator === '-nt' ? newer > 0 : newer < 0;
  }
  if (operator === '-ef') return normalize(left, frame.directory) === normalize(right, frame.directory);
  const compare = numeric[operator];
  if (compare === undefined) return null;
  for (const each of [left, right]) if (!/^\s*[-+]?\d+\s*$/.test(each)) return `Illegal number: ${each}`;
  return compare(Number(left), Number(right));
}

/** The verdict, or what is wrong with the expression. */
export function evaluateTest(frame: Frame, args: string[]): boolean | string {
  let at = 0;
  let problem: string | null = null;
  const primary = (): boolean => {
    const [first, second, third] = args.slice(at);
    if (first === undefined) {
      problem ??= 'argument expected';
      return false;
    }
    if (second !== undefined && third !== undefined) {
      const verdict = binary(frame, first, second, third);
      if (verdict !== null) {
        at += 3;
        if (typeof verdict === 'string') problem ??= verdict;
        return verdict === true;
      }
    }
    if (first === '!' && second !== undefined) {
      at += 1;
      return !primary();
    }
    if (first === '(' && args.length > 1) {
      at += 1;
      const inner = or();
      if (args[at] !== ')') problem ??= 'closing paren expected';
      at += 1;
      return inner;
    }
    if (second !== undefined) {
      const verdict = unary(frame, first, second);
      if (verdict !== null) {
        at += 2;
        return verdict;
      }
    }
    at += 1;
    return first !== '';
  };
  const and = (): boolean => {
    let value = primary();
    while (args[at] === '-a') {
      at += 1;
      value = primary() && value;
    }
    return value;
  };
  const or = (): boolean => {
    let value = and();
    while (args[at] === '-o') {
      at += 1;
      value = and() || value;
    }
    return value;
  };
  if (args.length === 0) return false;
  const verdict = or();
  if (at < args.length) problem ??= `${args[at] ?? ''}: unexpected operator`;
  return problem ?? verdict;
}
