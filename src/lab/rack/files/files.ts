/**
 * The file system of one pretend machine, as programs change it: permissions, space, what a power loss takes.
 *
 * Source: error order of Linux (open(2), rename(2)).
 */
import { FileError } from './nodes.ts';
import type { ErrorName, FoundNode, Who } from './nodes.ts';
import { parentOf } from './paths.ts';
import { FileTree, isLivePlace, sizeOfNode } from './tree.ts';

/** Directories whose contents go with the power. */
const volatile = ['/run', '/dev/shm', '/tmp'];

/** A file system that is looked at and changed. */
export class Files extends FileTree {
  #writableParent(path: string, who: Who): void {
    this.pass(path, who);
    const parent = this.at(parentOf(path));
    if (parent === null) throw new FileError('ENOENT');
    if (parent.kind !== 'dir') throw new FileError('ENOTDIR');
    if (!this.allows(parent, who, 2)) throw new FileError('EACCES');
  }

  #needSpace(bytes: number): void {
    if (bytes > 0 && this.options.freeBytes() < bytes) throw new FileError('ENOSPC');
  }

  /** Create or change a file; `append` adds at the end. Directories do not appear by themselves. */
  write(
    path: string,
    text: string,
    who: Who,
    options: { append?: boolean; mode?: number; exclusive?: boolean } = {},
  ): void {
    const real = this.resolve(path);
    const node = this.at(real);
    if (node !== null) {
      if (options.exclusive === true) throw new FileError('EEXIST');
      this.pass(real, who);
      this.#overwrite(real, node, text, who, options.append === true);
      return;
    }
    if (isLivePlace(real)) throw new FileError('EACCES');
    this.#writableParent(real, who);
    this.#needSpace(Math.max(1, text.length));
    const mode = options.mode ?? 0o644;
    this.put(real, { kind: 'file', text, mode, ...this.#stamp(who) });
  }

  #stamp(who: Who): { owner: string; group: string; modifiedAtMs: number } {
    const owner = who.root ? 'root' : who.user;
    return { owner, group: owner, modifiedAtMs: this.options.nowMs() };
  }

  #overwrite(path: string, node: FoundNode, text: string, who: Who, append: boolean): void {
    if (node.kind === 'dir') throw new FileError('EISDIR');
    if (!this.allows(node, who, 2)) throw new FileError('EACCES');
    if (node.kind === 'live') {
      if (node.file.write === undefined) throw new FileError(node.file.executable === true ? 'EACCES' : 'EPERM');
      const problem: ErrorName | null = text === '' ? null : node.file.write(text);
      this.lookAgain();
      if (problem !== null) throw new FileError(problem);
      return;
    }
    const before = append && node.kind === 'file' ? node.text : '';
    this.#needSpace(before.length + text.length - sizeOfNode(node));
    const { mode, owner, group } = node;
    this.put(path, { kind: 'file', text: before + text, mode, owner, group, modifiedAtMs: this.options.nowMs() });
  }

  /** Put a big file of which only size and hash are known. */
  writeVirtual(path: string, bytes: { id: string; size: number; totalSize: number; sha256: string }, who: Who): void {
    const real = this.resolve(path);
    const node = this.at(real);
    this.#writableParent(real, who);
    if (node?.kind === 'dir') throw new FileError('EISDIR');
    this.#needSpace(bytes.size - (node === null ? 0 : sizeOfNode(node)));
    this.put(real, { kind: 'virtual', bytes, mode: node?.mode ?? 0o644, ...this.#stamp(who) });
  }

  makeDirectory(path: string, who: Who, mode = 0o755): void {
    const real = this.resolve(path);
    if (this.at(real) !== null) throw new FileError('EEXIST');
    this.#writableParent(real, who);
    this.#needSpace(1);
    this.put(real, { kind: 'dir', mode, ...this.#stamp(who) });
  }

  link(target: string, path: string, who: Who): void {
    const real = this.resolve(path, true);
    if (this.at(real) !== null) throw new FileError('EEXIST');
    this.#writableParent(real, who);
    this.put(real, { kind: 'link', target, mode: 0o777, ...this.#stamp(who) });
  }

  remove(path: string, who: Who): void {
    const real = this.resolve(path, true);
    const node = this.at(real);
    if (node === null) throw new FileError('ENOENT');
    if (node.kind === 'live' || isLivePlace(real)) throw new FileError('EPERM');
    this.#writableParent(real, who);
    if (node.kind === 'dir' && this.list(real).length > 0) throw new FileError('ENOTEMPTY');
    this.drop(real);
  }

  /** rename(2): replaces files, takes directories with what is in them. */
  rename(from: string, to: string, who: Who): void {
    const source = this.resolve(from, true);
    const target = this.resolve(to, true);
    const node = this.at(source);
    if (node === null) throw new FileError('ENOENT');
    if (node.kind === 'live') throw new FileError('EPERM');
    this.#writableParent(source, who);
    this.#writableParent(target, who);
    const present = this.at(target);
    if (present?.kind === 'dir' && node.kind !== 'dir') throw new FileError('EISDIR');
    if (present?.kind === 'dir' && this.list(target).length > 0) throw new FileError('ENOTEMPTY');
    if (source === target) return;
    const stored = this.options.stored();
    const inside = node.kind === 'dir' ? Object.keys(stored).filter((each) => each.startsWith(`${source}/`)) : [];
    this.put(target, node);
    for (const each of inside) {
      const child = stored[each];
      if (child !== undefined) this.put(target + each.slice(source.length), child);
      this.drop(each);
    }
    this.drop(source);
  }

  /** Change mode or owner of a stored file. */
  change(
    path: string,
    who: Who,
    changes: { mode?: number; owner?: string; group?: string; modifiedAtMs?: number },
  ): void {
    const real = this.resolve(path);
    const node = this.get(path, who);
    if (node.kind === 'live' || isLivePlace(real)) return;
    if (!who.root && (node.owner !== who.user || changes.owner !== undefined)) throw new FileError('EPERM');
    this.put(real, { ...node, ...changes });
  }

  /** What a power loss or reboot takes away. */
  forgetVolatile(): void {
    const stored = this.options.stored();
    for (const path of Object.keys(stored))
      if (volatile.some((place) => path.startsWith(`${place}/`))) delete stored[path];
  }
}
