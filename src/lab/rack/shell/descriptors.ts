/** Open files of pretend processes: pipes, files, devices, text, nothing. */
import type { Files } from '../files/files.ts';
import type { Who } from '../files/nodes.ts';
import { FileError } from '../files/nodes.ts';
import { Killed } from './signals.ts';
import type { Descriptor, Frame, Steps } from './types.ts';

/** A pipe, or any stream of bytes that somebody else feeds. */
export class Pipe implements Descriptor {
  #buffer = '';
  #ended = false;
  #abandoned = false;
  tty = false;

  read(): string | null | undefined {
    if (this.#buffer === '') return this.#ended ? null : undefined;
    const text = this.#buffer;
    this.#buffer = '';
    return text;
  }

  unread(text: string): void {
    this.#buffer = text + this.#buffer;
  }

  write(text: string): 'EPIPE' | null {
    if (this.#abandoned) return 'EPIPE';
    this.#buffer += text;
    return null;
  }

  /** No more will be written. */
  end(): void {
    this.#ended = true;
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Is there something to read, or nothing more to come? */
  readable(): boolean {
    return this.#buffer !== '' || this.#ended;
  }
}

/** Where output goes that a function takes. */
export function sink(take: (text: string) => void, tty = false): Descriptor {
  return {
    read: () => null,
    unread: () => undefined,
    write: (text) => {
      take(text);
      return null;
    },
    tty,
  };
}

/** Input of a fixed text. */
export function source(text: string): Descriptor {
  let rest = text;
  return {
    read: () => {
      const now = rest;
      rest = '';
      return now === '' ? null : now;
    },
    unread: (back) => {
      rest = back + rest;
    },
    write: () => 'EACCES',
    tty: false,
  };
}

export const nothing: Descriptor = sink(() => undefined);

/** Devices that are streams rather than files: the rshim console. */
export type OpenStream = (path: string) => Descriptor | null;

/** Open a file as a redirection does. Throws a FileError. */
export function openFile(
  files: Files,
  path: string,
  who: Who & { umask?: number },
  operator: '<' | '>' | '>>' | '<>',
  openStream: OpenStream,
): Descriptor {
  if (path === '/dev/null') return nothing;
  const node = operator === '<' ? files.get(path, who) : files.find(path);
  if (node?.kind === 'dir') throw new FileError('EISDIR');
  if (node?.kind === 'live') {
    if (!who.root && node.file.rootOnly === true) throw new FileError('EACCES');
    const stream = openStream(files.resolve(path));
    if (stream !== null) return stream;
  }
  if (operator === '<') return source(files.read(path, who));
  if (operator === '<>') {
    const reader = source(node === null ? '' : files.read(path, who));
    return { ...reader, write: writer(files, path, who) };
  }
  if (node?.kind === 'live') {
    if (node.file.write === undefined || !files.allows(node, who, 2)) throw new FileError('EACCES');
  } else files.write(path, '', who, { append: operator === '>>', mode: 0o666 & ~(who.umask ?? 0o022) });
  return { read: () => null, unread: () => undefined, write: writer(files, path, who), tty: false };
}

function writer(files: Files, path: string, who: Who): Descriptor['write'] {
  return (text) => {
    try {
      files.write(path, text, who, { append: true });
      return null;
    } catch (error) {
      if (error instanceof FileError) return error.code;
      throw error;
    }
  };
}

/** Write to an open file; ends the program with SIGPIPE when nobody reads. Gives false after another error. */
function put(frame: Frame, fd: number, text: string): boolean {
  if (text === '') return true;
  const problem = frame.descriptors.get(fd)?.write(text) ?? null;
  if (problem === 'EPIPE') throw new Killed('PIPE');
  return problem === null;
}

/** Standard output. */
export function out(frame: Frame, text: string): boolean {
  return put(frame, 1, text);
}

/** Standard error. */
export function complain(frame: Frame, text: string): void {
  put(frame, 2, text);
}

/** Next bytes of an open file, waiting for them; null at the end. */
export function* readSome(frame: Frame, fd = 0): Steps<string | null> {
  const descriptor = frame.descriptors.get(fd);
  if (descriptor === undefined) return null;
  for (;;) {
    const text = descriptor.read();
    if (text !== undefined) return text;
    let ahead: string | null | undefined;
    yield {
      ready: () => {
        ahead = descriptor.read();
        if (typeof ahead === 'string') descriptor.unread(ahead);
        return ahead !== undefined;
      },
    };
    if (ahead === null) return null;
  }
}

/** All of an open file. */
export function* readAll(frame: Frame, fd = 0): Steps<string> {
  let text = '';
  for (;;) {
    const more = yield* readSome(frame, fd);
    if (more === null) return text;
    text += more;
  }
}

/** One line without its newline; null at the end. `complete` tells whether the newline was there. */
export function* readLine(frame: Frame, fd = 0): Steps<{ line: string; complete: boolean } | null> {
  let line = '';
  for (;;) {
    const more = yield* readSome(frame, fd);
    if (more === null) return line === '' ? null : { line, complete: false };
    const end = more.indexOf('\n');
    if (end === -1) {
      line += more;
      continue;
    }
    frame.descriptors.get(fd)?.unread(more.slice(end + 1));
    return { line: line + more.slice(0, end), complete: true };
  }
}
