/**
 * The tests and actions of `find`, made out of its words.
 *
 * Source: findutils 4.9 (messages and precedence as printed by the program), find(1).
 */
import { patternToRegExp } from '../files/paths.ts';
import type { FoundNode } from '../files/nodes.ts';
import { out } from '../shell/descriptors.ts';
import { runProgram } from '../shell/programs.ts';
import type { Frame, Steps } from '../shell/types.ts';
import { attempt, look } from './file-tools.ts';
import { findFormat, typeLetter } from './find-format.ts';

/** A file that was come upon. */
export interface Entry {
  /** As shown: below the word of the command line. */
  path: string;
  start: string;
  depth: number;
  node: FoundNode;
}

/** What a walk knows while it goes on. */
export interface Walk {
  frame: Frame;
  pruned: boolean;
  quits: boolean;
  status: number;
}

export type Test = (walk: Walk, entry: Entry) => Steps<boolean>;

/** A word that cannot be understood. */
export class FindError extends Error {}

export interface Expression {
  test: Test;
  /** Has an action that replaces -print. */
  acts: boolean;
  /** What is in a directory comes before it. */
  depthFirst: boolean;
  minDepth: number;
  maxDepth: number;
}

function plain(run: (walk: Walk, entry: Entry) => boolean): Test {
  // oxlint-disable-next-line require-yield -- tests are generators because some of them run a program; this one does not
  return function* test(walk, entry) {
    return run(walk, entry);
  };
}

function nameOfEntry({ path }: Entry): string {
  const trimmed = path.replace(/(.)\/+$/, '$1');
  return trimmed.slice(trimmed.lastIndexOf('/') + 1) || '/';
}

/** `+N`, `-N` or `N` against a number. */
function compares(word: string, value: number): boolean {
  const wanted = Number(word.replace(/^[-+]/, ''));
  return word.startsWith('+') ? value > wanted : word.startsWith('-') ? value < wanted : value === wanted;
}

const sizeUnits: Record<string, number> = { c: 1, w: 2, b: 512, k: 1024, M: 1_048_576, G: 1_073_741_824 };

function sizeTest(word: string): Test {
  const unit = sizeUnits[word.slice(-1)] ?? 512;
  const count = word.replace(/[a-zA-Z]$/, '');
  return plain(({ frame }, { node }) => compares(count, Math.ceil(frame.machine.files.size(node) / unit)));
}

function isEmpty({ frame }: Walk, { node, path }: Entry): boolean {
  const { files } = frame.machine;
  if (node.kind !== 'dir') return node.kind !== 'link' && files.size(node) === 0;
  return files.list(path.startsWith('/') ? path : `${frame.directory}/${path}`).length === 0;
}

function age(frame: Frame, node: FoundNode, unitMs: number): number {
  return Math.floor((frame.rack.nowMs() - node.modifiedAtMs) / unitMs);
}

const ageUnitsMs: Record<string, number> = { '-mmin': 60_000, '-mtime': 86_400_000 };

/** Tests with one word after them. */
function valueTest(name: string, value: string): Test | null {
  const ignoresCase = name.startsWith('-i');
  const pattern = (text: string): RegExp => new RegExp(patternToRegExp(text, true), ignoresCase ? 'i' : '');
  switch (name) {
    case '-name':
    case '-iname':
      return plain((_walk, entry) => pattern(value).test(nameOfEntry(entry)));
    case '-path':
    case '-ipath':
    case '-wholename':
      return plain((_walk, { path }) => pattern(value).test(path));
    case '-lname':
      return plain((_walk, { node }) => node.kind === 'link' && pattern(value).test(node.target));
    case '-type':
      return plain((_walk, { node }) => value.split(',').includes(typeLetter(node)));
    case '-xtype':
      return plain(({ frame }, { node, path }) => {
        const reached = node.kind === 'link' ? look(frame, path) : node;
        return value.split(',').includes(typeLetter(reached ?? node));
      });
    case '-size':
      return sizeTest(value);
    case '-user':
      return plain((_walk, { node }) => node.owner === value);
    case '-perm':
      return plain((_walk, { node }) => {
        const wanted = Number.parseInt(value.replace(/^[-/]/, ''), 8);
        if (value.startsWith('-')) return (node.mode & wanted) === wanted;
        return value.startsWith('/') ? (node.mode & wanted) !== 0 : (node.mode & 0o7777) === wanted;
      });
    case '-newer':
      return plain(({ frame }, { node }) => node.modifiedAtMs > (look(frame, value)?.modifiedAtMs ?? 0));
    case '-printf':
      return plain((walk, entry) => {
        out(walk.frame, findFormat(walk.frame, entry, value));
        return true;
      });
    default: {
      const unitMs = ageUnitsMs[name];
      return unitMs === undefined ? null : plain(({ frame }, { node }) => compares(value, age(frame, node, unitMs)));
    }
  }
}

const wordTests: Record<string, Test> = {
  '-true': plain(() => true),
  '-false': plain(() => false),
  '-empty': plain(isEmpty),
  '-executable': plain(({ frame }, { node }) => frame.machine.files.allows(node, frame, 1)),
  '-readable': plain(({ frame }, { node }) => frame.machine.files.allows(node, frame, 4)),
  '-print': plain(({ frame }, { path }) => {
    out(frame, `${path}\n`);
    return true;
  }),
  '-print0': plain(({ frame }, { path }) => {
    out(frame, `${path}\0`);
    return true;
  }),
  '-prune': plain((walk) => (walk.pruned = true)),
  '-quit': plain((walk) => (walk.quits = true)),
  '-delete': plain((walk, { path }) => {
    const full = path.startsWith('/') ? path : `${walk.frame.directory}/${path}`;
    const done = attempt(walk.frame, `find: cannot delete '${path}'`, () =>
      walk.frame.machine.files.remove(full, walk.frame),
    );
    if (!done) walk.status = 1;
    return done;
  }),
};

const acting = new Set(['-print', '-print0', '-printf', '-delete', '-quit', '-exec', '-execdir']);

/** Words that stand for the whole search. */
const quiet = new Set(['-xdev', '-mount', '-noleaf', '-nowarn', '-warn', '-ignore_readdir_race', '-daystart']);

/** Reads the words after the paths. */
export class FindParser {
  readonly #words: string[];
  #at = 0;
  readonly #found = { acts: false, depthFirst: false, minDepth: 0, maxDepth: Number.POSITIVE_INFINITY };

  constructor(words: string[]) {
    this.#words = words;
  }

  parse(): Expression {
    const test = this.#words.length === 0 ? plain(() => true) : this.#either();
    if (this.#at < this.#words.length) throw new FindError("find: invalid expression; you have too many ')'\n");
    return { ...this.#found, test };
  }

  #peek(): string | undefined {
    return this.#words[this.#at];
  }

  #either(): Test {
    let left = this.#both();
    while (this.#peek() === '-o' || this.#peek() === '-or') {
      this.#at += 1;
      const first = left;
      const second = this.#both();
      left = function* either(walk, entry) {
        return (yield* first(walk, entry)) || (yield* second(walk, entry));
      };
    }
    return left;
  }

  #both(): Test {
    let left = this.#single();
    for (;;) {
      const word = this.#peek();
      if (word === undefined || word === ')' || word === '-o' || word === '-or') return left;
      if (word === '-a' || word === '-and') this.#at += 1;
      const first = left;
      const second = this.#single();
      left = function* both(walk, entry) {
        return (yield* first(walk, entry)) && (yield* second(walk, entry));
      };
    }
  }

  #single(): Test {
    const word = this.#peek() ?? '';
    this.#at += 1;
    if (word === '!' || word === '-not') {
      const inner = this.#single();
      return function* not(walk, entry) {
        return !(yield* inner(walk, entry));
      };
    }
    if (word === '(') {
      const inner = this.#either();
      if (this.#peek() !== ')')
        throw new FindError("find: invalid expression; I was expecting to find a ')' somewhere but did not see one.\n");
      this.#at += 1;
      return inner;
    }
    if (acting.has(word)) this.#found.acts = true;
    if (word === '-delete' || word === '-depth') this.#found.depthFirst = true;
    if (quiet.has(word) || word === '-depth') return plain(() => true);
    const known = wordTests[word];
    if (known !== undefined) return known;
    return word === '-exec' || word === '-execdir' ? this.#execute() : this.#valued(word);
  }

  #valued(word: string): Test {
    const value = this.#peek();
    const isDepth = word === '-maxdepth' || word === '-mindepth';
    const test = isDepth ? plain(() => true) : valueTest(word, value ?? '');
    if (test === null) throw new FindError(`find: unknown predicate \`${word}'\n`);
    if (value === undefined) throw new FindError(`find: missing argument to \`${word}'\n`);
    this.#at += 1;
    if (word === '-maxdepth') this.#found.maxDepth = Number(value);
    if (word === '-mindepth') this.#found.minDepth = Number(value);
    return test;
  }

  #execute(): Test {
    const end = this.#words.findIndex((word, index) => index >= this.#at && (word === ';' || word === '+'));
    if (end === -1) throw new FindError("find: missing argument to `-exec'\n");
    const argv = this.#words.slice(this.#at, end);
    this.#at = end + 1;
    return function* execute({ frame }, { path }) {
      const filled = argv.map((word) => word.replaceAll('{}', path));
      return (yield* runProgram(frame, filled, () => undefined)) === 0;
    };
  }
}
