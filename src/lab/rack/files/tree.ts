/**
 * What lies where in the file system of one pretend machine: stored files, live files of /proc, /sys and /dev over
 * them, mounts; finding, reading and listing them.
 *
 * Source: path resolution and error order of Linux (path_resolution(7), open(2)).
 */
import { createHash } from 'node:crypto';
import { FileError } from './nodes.ts';
import type { FoundNode, LiveFiles, StoredFiles, StoredNode, Who } from './nodes.ts';
import { normalize, patternToRegExp } from './paths.ts';

export interface FilesOptions {
  stored: () => StoredFiles;
  /** The live files around a path: those of its first directory, or all for `/`. */
  live: (path: string) => LiveFiles;
  nowMs: () => number;
  /** Bytes that may still be written. */
  freeBytes: () => number;
  /** Programs that lie in /bin, /sbin, /usr/bin, /usr/sbin. */
  hasProgram: (path: string) => boolean;
  /** Other file systems mounted here: `/mnt` of the installer. */
  mounts?: Record<string, FileTree>;
}

const maxLinks = 20;

/** Size in bytes as stat tells it. */
export function sizeOfNode(node: FoundNode): number {
  if (node.kind === 'file') return node.text.length;
  if (node.kind === 'virtual') return node.bytes.size;
  if (node.kind === 'live') return node.file.device === true ? 0 : node.file.text.length;
  return node.kind === 'link' ? node.target.length : 4096;
}

/** Is the path one whose files are live? */
export function isLivePlace(path: string): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(path) && !path.startsWith('/dev/shm');
}

const directories = new WeakMap<LiveFiles, Set<string>>();

/** Every directory that one of the live files lies in; they are put together anew for each look, and asked often in it. */
function directoriesOf(live: LiveFiles): Set<string> {
  const known = directories.get(live);
  if (known !== undefined) return known;
  const found = new Set<string>();
  for (const path of live.keys())
    for (
      let end = path.lastIndexOf('/');
      end > 0 && !found.has(path.slice(0, end));
      end = path.lastIndexOf('/', end - 1)
    )
      found.add(path.slice(0, end));
  directories.set(live, found);
  return found;
}

/** A file system that is looked at. */
export class FileTree {
  protected readonly options: FilesOptions;
  /** Live files by first directory, for as long as one look takes; null between looks. */
  #seen: Map<string, LiveFiles> | null = null;

  constructor(options: FilesOptions) {
    this.options = options;
  }

  /**
   * One look, in which nothing changes: the live files are put together once, not for every path that is asked for.
   * `run` must not hand over to another program on the way.
   */
  look<T>(run: () => T): T {
    if (this.#seen !== null) return run();
    this.#seen = new Map();
    try {
      return run();
    } finally {
      this.#seen = null;
    }
  }

  /** A live file was written: what a look under way has seen may be gone. */
  protected lookAgain(): void {
    this.#seen?.clear();
  }

  #live(path: string): LiveFiles {
    const place = path.split('/')[1] ?? '';
    const known = this.#seen?.get(place);
    if (known !== undefined) return known;
    const live = this.options.live(path);
    this.#seen?.set(place, live);
    return live;
  }

  #mount(path: string): { files: FileTree; path: string } | null {
    for (const [point, files] of Object.entries(this.options.mounts ?? {})) {
      if (path === point || path.startsWith(`${point}/`)) return { files, path: path.slice(point.length) || '/' };
    }
    return null;
  }

  /** The node at exactly this path, without following a link at its end. */
  protected at(path: string): FoundNode | null {
    const mounted = this.#mount(path);
    if (mounted !== null) return mounted.files.at(mounted.path);
    const stored = this.options.stored()[path];
    if (stored !== undefined) return stored;
    const base = { owner: 'root', group: 'root', modifiedAtMs: 0 };
    if (isLivePlace(path)) {
      const live = this.#live(path);
      const file = live.get(path);
      if (file?.link !== undefined) return { ...base, kind: 'link', target: file.link, mode: 0o777 };
      if (file?.directory === true) return { ...base, kind: 'dir', mode: 0o755 };
      if (file !== undefined) {
        const write = file.write === undefined ? 0 : 0o200;
        return { ...base, kind: 'live', file, mode: (file.rootOnly === true ? 0o400 : 0o444) | write };
      }
      return directoriesOf(live).has(path) ? { ...base, kind: 'dir', mode: 0o755 } : null;
    }
    if (!this.options.hasProgram(path)) return null;
    return { ...base, kind: 'live', file: { text: '\u007fELF', executable: true }, mode: 0o755 };
  }

  /** Absolute path with every link on the way replaced; the end too unless `keepLast`. */
  resolve(path: string, keepLast = false): string {
    return this.look(() => this.#resolve(path, keepLast, 0));
  }

  #resolve(path: string, keepLast: boolean, depth: number): string {
    if (depth > maxLinks) throw new FileError('ELOOP');
    const parts = normalize(path).split('/').slice(1);
    let current = '';
    for (const [index, part] of parts.entries()) {
      const next = `${current}/${part}`;
      const node = this.at(next);
      const isLast = index === parts.length - 1;
      if (node?.kind === 'link' && !(isLast && keepLast)) {
        const rest = parts.slice(index + 1).join('/');
        const target = normalize(node.target, current === '' ? '/' : current);
        return this.#resolve(rest === '' ? target : `${target}/${rest}`, keepLast, depth + 1);
      }
      current = next;
    }
    return current === '' ? '/' : current;
  }

  /** What is there, following links, or null. */
  find(path: string, follow = true): FoundNode | null {
    return this.look(() => this.at(this.resolve(path, !follow)));
  }

  /** What is there, or ENOENT; directories on the way must be passable for the reader. */
  get(path: string, who: Who, follow = true): FoundNode {
    return this.look(() => {
      const real = this.resolve(path, !follow);
      this.pass(real, who);
      const node = this.at(real);
      if (node === null) throw new FileError('ENOENT');
      return node;
    });
  }

  /** Every directory on the way must be there and passable. */
  protected pass(path: string, who: Who): void {
    const parts = path.split('/').slice(1, -1);
    let current = '';
    for (const part of parts) {
      current = `${current}/${part}`;
      const node = this.at(current);
      if (node === null) throw new FileError('ENOENT');
      if (node.kind !== 'dir') throw new FileError('ENOTDIR');
      if (!this.allows(node, who, 1)) throw new FileError('EACCES');
    }
  }

  /** Does the mode allow this (4 read, 2 write, 1 execute)? */
  allows(node: FoundNode, who: Who, bit: 1 | 2 | 4): boolean {
    if (who.root) return true;
    const shift = node.owner === who.user ? 6 : node.group === who.user ? 3 : 0;
    return ((node.mode >> shift) & bit) !== 0;
  }

  /** Contents as a binary string. */
  read(path: string, who: Who): string {
    const node = this.get(path, who);
    if (node.kind === 'dir') throw new FileError('EISDIR');
    if (!this.allows(node, who, 4)) throw new FileError('EACCES');
    if (node.kind === 'file') return node.text;
    if (node.kind === 'live') return node.file.text;
    // The bytes of a big file are nowhere: what one reads of it is a short stand-in.
    return node.kind === 'virtual' ? `${node.bytes.id}\n` : '';
  }

  /** Size in bytes as stat tells it. */
  size(node: FoundNode): number {
    return sizeOfNode(node);
  }

  /** SHA-256 in lower-case hex. */
  sha256(path: string, who: Who): string {
    const node = this.get(path, who);
    if (node.kind === 'virtual') {
      const { id, size, totalSize, sha256 } = node.bytes;
      return size === totalSize ? sha256 : createHash('sha256').update(`${id} ${size}`).digest('hex');
    }
    return createHash('sha256')
      .update(Buffer.from(this.read(path, who), 'latin1'))
      .digest('hex');
  }

  /** Store a node, without questions. */
  protected put(path: string, node: StoredNode): void {
    const mounted = this.#mount(path);
    if (mounted !== null) mounted.files.put(mounted.path, node);
    else this.options.stored()[path] = node;
  }

  /** Forget a node, without questions. */
  protected drop(path: string): void {
    const mounted = this.#mount(path);
    if (mounted !== null) mounted.files.drop(mounted.path);
    else delete this.options.stored()[path];
  }

  /** Names in a directory, sorted. */
  list(path: string): string[] {
    return this.look(() => this.#list(path));
  }

  #list(path: string): string[] {
    const real = this.resolve(path);
    const mounted = this.#mount(real);
    if (mounted !== null) return mounted.files.list(mounted.path);
    const prefix = real === '/' ? '/' : `${real}/`;
    const names = new Set<string>();
    const sources: Iterable<string>[] = [Object.keys(this.options.stored()), Object.keys(this.options.mounts ?? {})];
    if (isLivePlace(real) || real === '/') sources.push(this.#live(real).keys());
    for (const keys of sources)
      for (const key of keys)
        if (key !== prefix && key.startsWith(prefix)) names.add(key.slice(prefix.length).split('/')[0] ?? '');
    return [...names].sort();
  }

  /** Paths that match a pattern with unquoted `*`, `?` or brackets; sorted. */
  glob(pattern: string): string[] {
    return this.look(() => this.#glob(pattern));
  }

  #glob(pattern: string): string[] {
    const parts = pattern.split('/').slice(1);
    let found = [''];
    for (const part of parts) {
      const expression = /[*?[]/.test(part) ? patternToRegExp(part) : null;
      found = found.flatMap((base) => {
        if (expression === null) return [`${base}/${part}`];
        const names = this.find(base === '' ? '/' : base)?.kind === 'dir' ? this.list(base === '' ? '/' : base) : [];
        return names
          .filter((name) => expression.test(name) && (part.startsWith('.') || !name.startsWith('.')))
          .map((name) => `${base}/${name}`);
      });
    }
    return found.filter((path) => this.find(path, false) !== null).sort();
  }

  /** Bytes of all stored files. */
  usedBytes(): number {
    return Object.values(this.options.stored()).reduce((sum, node) => sum + sizeOfNode(node), 0);
  }
}
