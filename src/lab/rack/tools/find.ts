/**
 * `find [-H|-L|-P] PATH... EXPRESSION`.
 *
 * Source: findutils 4.9 as it walks: links on the command line stay links unless a slash follows them.
 */
import { toBytes } from '../files/nodes.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { at, look } from './file-tools.ts';
import { FindError, FindParser } from './find-tests.ts';
import type { Entry, Expression, Walk } from './find-tests.ts';

interface Search extends Walk {
  expression: Expression;
  follow: 'never' | 'start' | 'always';
}

function report(search: Search, path: string, reason: string): void {
  complain(search.frame, toBytes(`find: ‘${path}’: ${reason}\n`));
  search.status = 1;
}

function* judge(search: Search, entry: Entry): Steps<void> {
  const { test, acts, minDepth } = search.expression;
  if (entry.depth < minDepth || search.quits) return;
  if ((yield* test(search, entry)) && !acts) out(search.frame, `${entry.path}\n`);
}

function* visit(search: Search, entry: Entry): Steps<void> {
  const { frame, expression } = search;
  const { files } = frame.machine;
  search.pruned = false;
  if (!expression.depthFirst) yield* judge(search, entry);
  if (entry.node.kind === 'dir' && entry.depth < expression.maxDepth && (!search.pruned || expression.depthFirst)) {
    if (!files.allows(entry.node, frame, 4)) report(search, entry.path, 'Permission denied');
    else {
      for (const name of files.list(at(frame, entry.path))) {
        if (search.quits) return;
        const path = `${entry.path}${entry.path.endsWith('/') ? '' : '/'}${name}`;
        const node = look(frame, path, search.follow === 'always') ?? look(frame, path, false);
        if (node !== null) yield* visit(search, { path, start: entry.start, depth: entry.depth + 1, node });
      }
    }
  }
  if (expression.depthFirst) yield* judge(search, entry);
}

/** Options in front of the paths, the paths, and the expression. */
function split(args: string[]): { follow: Search['follow']; paths: string[]; words: string[] } {
  let follow: Search['follow'] = 'never';
  let index = 0;
  for (; /^-[HLP]$/.test(args[index] ?? ''); index += 1)
    follow = args[index] === '-L' ? 'always' : args[index] === '-H' ? 'start' : 'never';
  const length = args.slice(index).findIndex((word) => /^(-.|\(|!)/.test(word));
  const end = length === -1 ? args.length : index + length;
  const paths = args.slice(index, end);
  return { follow, paths: paths.length === 0 ? ['.'] : paths, words: args.slice(end) };
}

function parse(frame: Frame, words: string[]): Expression | null {
  try {
    return new FindParser(words).parse();
  } catch (error) {
    if (!(error instanceof FindError)) throw error;
    complain(frame, error.message);
    return null;
  }
}

function* walk(search: Search, paths: string[]): Steps<void> {
  const { frame, follow } = search;
  for (const path of paths) {
    const follows = follow !== 'never' || path.endsWith('/');
    const node = look(frame, path, follows) ?? (path.endsWith('/') ? null : look(frame, path, false));
    if (node === null) {
      const hidden = frame.machine.files.find(at(frame, path), false) !== null;
      report(search, path, hidden ? 'Permission denied' : 'No such file or directory');
    } else if (!search.quits) yield* visit(search, { path, start: path, depth: 0, node });
  }
}

/** Actions that may change what is there. */
const changing = new Set(['-exec', '-execdir', '-delete']);

/** The program. */
export const find: Program = function* program(frame, args) {
  const { follow, paths, words } = split(args);
  const expression = parse(frame, words);
  if (expression === null) return 1;
  const search: Search = { frame, expression, follow, pruned: false, quits: false, status: 0 };
  const steps = walk(search, paths);
  // Only what -exec runs waits for anything: without it the first step is the whole walk.
  if (words.some((word) => changing.has(word))) yield* steps;
  else frame.machine.files.look(() => steps.next());
  return search.status;
};
