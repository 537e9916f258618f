/**
 * The SFTP subsystem of a pretend machine over its virtual file system.
 *
 * Source: draft-ietf-secsh-filexfer-02 (version 3) as OpenSSH's sftp-server speaks it.
 */
import ssh2 from 'ssh2';
import type { Attributes, SFTPWrapper } from 'ssh2';
import type { Files } from '../files/files.ts';
import type { FoundNode, Who } from '../files/nodes.ts';
import { FileError } from '../files/nodes.ts';
import type { ErrorName } from '../files/nodes.ts';
import { normalize } from '../files/paths.ts';

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;

interface Handle {
  path: string;
  /** Names still to be listed, for a directory. */
  names: string[] | null;
  append: boolean;
}

function codeOf(name: ErrorName): number {
  if (name === 'ENOENT') return STATUS_CODE.NO_SUCH_FILE;
  return name === 'EACCES' || name === 'EPERM' ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
}

function attributesOf(files: Files, node: FoundNode): Attributes {
  const type = node.kind === 'dir' ? 0o040000 : node.kind === 'link' ? 0o120000 : 0o100000;
  const id = node.owner === 'root' ? 0 : 1000;
  const seconds = Math.floor(node.modifiedAtMs / 1000);
  return { mode: type | node.mode, uid: id, gid: id, size: files.size(node), atime: seconds, mtime: seconds };
}

class SftpSession {
  readonly #stream: SFTPWrapper;
  readonly #files: Files;
  readonly #who: Who;
  readonly #handles = new Map<number, Handle>();
  #next = 1;
  readonly #tick: () => void;

  constructor(stream: SFTPWrapper, files: Files, who: Who, tick: () => void) {
    this.#stream = stream;
    this.#files = files;
    this.#who = who;
    this.#tick = tick;
  }

  #path(path: string): string {
    return normalize(path, this.#who.root ? '/root' : `/home/${this.#who.user}`);
  }

  /** Run one request; a failed file operation becomes its status. */
  #answer(id: number, run: () => void): void {
    this.#tick();
    try {
      run();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#stream.status(id, codeOf(error.code), error.message);
    }
  }

  #done(id: number, run: () => void): void {
    this.#answer(id, () => {
      run();
      this.#stream.status(id, STATUS_CODE.OK);
    });
  }

  #open(handle: Handle): Buffer {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(this.#next);
    this.#handles.set(this.#next, handle);
    this.#next += 1;
    return buffer;
  }

  #handle(buffer: Buffer): Handle {
    const handle = buffer.length === 4 ? this.#handles.get(buffer.readUInt32BE()) : undefined;
    if (handle === undefined) throw new FileError('EINVAL');
    return handle;
  }

  #openFile(id: number, name: string, flags: number, attributes: Attributes): void {
    this.#answer(id, () => {
      const path = this.#path(name);
      const writes = (flags & OPEN_MODE.WRITE) !== 0;
      const node = this.#files.find(path);
      if (node?.kind === 'dir') throw new FileError('EISDIR');
      if (writes) {
        const fresh = node === null || (flags & OPEN_MODE.TRUNC) !== 0;
        if (node === null && (flags & OPEN_MODE.CREAT) === 0) throw new FileError('ENOENT');
        const exclusive = (flags & OPEN_MODE.EXCL) !== 0;
        const mode = attributes.mode === undefined ? 0o644 : attributes.mode & 0o777;
        this.#files.write(path, '', this.#who, { append: !fresh, mode, exclusive });
      } else this.#files.read(path, this.#who);
      this.#stream.handle(id, this.#open({ path, names: null, append: (flags & OPEN_MODE.APPEND) !== 0 }));
    });
  }

  #write(id: number, handle: Buffer, offset: number, data: Buffer): void {
    this.#done(id, () => {
      const { path, append } = this.#handle(handle);
      const text = data.toString('latin1');
      const node = this.#files.get(path, this.#who);
      const size = this.#files.size(node);
      if (append || offset === size) this.#files.write(path, text, this.#who, { append: true });
      else {
        const before = this.#files.read(path, this.#who).padEnd(offset, '\0');
        this.#files.write(path, before.slice(0, offset) + text + before.slice(offset + text.length), this.#who);
      }
    });
  }

  #read(id: number, handle: Buffer, offset: number, length: number): void {
    this.#answer(id, () => {
      const part = this.#files.read(this.#handle(handle).path, this.#who).slice(offset, offset + length);
      if (part === '') this.#stream.status(id, STATUS_CODE.EOF);
      else this.#stream.data(id, Buffer.from(part, 'latin1'));
    });
  }

  #set(path: string, attributes: Attributes): void {
    const { mode, size } = attributes;
    if (size !== undefined) {
      const text = this.#files.read(path, this.#who);
      this.#files.write(path, text.slice(0, size).padEnd(size, '\0'), this.#who);
    }
    if (mode !== undefined) this.#files.change(path, this.#who, { mode: mode & 0o7777 });
  }

  #list(id: number, handle: Buffer): void {
    this.#answer(id, () => {
      const open = this.#handle(handle);
      const names = open.names?.splice(0) ?? [];
      if (names.length === 0) {
        this.#stream.status(id, STATUS_CODE.EOF);
        return;
      }
      const entries = names.flatMap((filename) => {
        const node = this.#files.find(`${open.path}/${filename}`, false);
        return node === null ? [] : [{ filename, longname: filename, attrs: attributesOf(this.#files, node) }];
      });
      this.#stream.name(id, entries);
    });
  }

  serve(): void {
    const stream = this.#stream;
    const stat = (id: number, path: string, follow: boolean): void =>
      this.#answer(id, () =>
        stream.attrs(id, attributesOf(this.#files, this.#files.get(this.#path(path), this.#who, follow))),
      );
    stream.on('OPEN', (id, name, flags, attributes) => this.#openFile(id, name, flags, attributes));
    stream.on('WRITE', (id, handle, offset, data) => this.#write(id, handle, offset, data));
    stream.on('READ', (id, handle, offset, length) => this.#read(id, handle, offset, length));
    stream.on('CLOSE', (id, handle) =>
      this.#done(id, () => void this.#handles.delete(handle.length === 4 ? handle.readUInt32BE() : 0)),
    );
    stream.on('STAT', (id, path) => stat(id, path, true));
    stream.on('LSTAT', (id, path) => stat(id, path, false));
    stream.on('FSTAT', (id, handle) =>
      this.#answer(id, () =>
        stream.attrs(id, attributesOf(this.#files, this.#files.get(this.#handle(handle).path, this.#who))),
      ),
    );
    stream.on('SETSTAT', (id, path, attributes) => this.#done(id, () => this.#set(this.#path(path), attributes)));
    stream.on('FSETSTAT', (id, handle, attributes) =>
      this.#done(id, () => this.#set(this.#handle(handle).path, attributes)),
    );
    stream.on('REMOVE', (id, path) => this.#done(id, () => this.#files.remove(this.#path(path), this.#who)));
    stream.on('RMDIR', (id, path) => this.#done(id, () => this.#files.remove(this.#path(path), this.#who)));
    stream.on('MKDIR', (id, path, attributes) =>
      this.#done(id, () =>
        this.#files.makeDirectory(
          this.#path(path),
          this.#who,
          attributes.mode === undefined ? 0o755 : attributes.mode & 0o777,
        ),
      ),
    );
    stream.on('RENAME', (id, from, to) =>
      this.#done(id, () => {
        // Version 3 does not replace files; OpenSSH's posix-rename extension does, which clients use when there is one.
        if (this.#files.find(this.#path(to)) !== null) throw new FileError('EEXIST');
        this.#files.rename(this.#path(from), this.#path(to), this.#who);
      }),
    );
    stream.on('OPENDIR', (id, name) =>
      this.#answer(id, () => {
        const path = this.#path(name);
        if (this.#files.get(path, this.#who).kind !== 'dir') throw new FileError('ENOTDIR');
        stream.handle(id, this.#open({ path, names: this.#files.list(path), append: false }));
      }),
    );
    stream.on('READDIR', (id, handle) => this.#list(id, handle));
    stream.on('REALPATH', (id, path) =>
      this.#answer(id, () =>
        stream.name(id, [
          {
            filename: this.#files.resolve(this.#path(path)),
            longname: '',
            attrs: attributesOf(this.#files, {
              kind: 'dir',
              mode: 0o755,
              owner: 'root',
              group: 'root',
              modifiedAtMs: 0,
            }),
          },
        ]),
      ),
    );
    stream.on('EXTENDED', (id, name, data) => this.#extended(id, name, data));
    stream.on('end', () => stream.end());
  }

  #extended(id: number, name: string, data: Buffer): void {
    if (name !== 'posix-rename@openssh.com') {
      this.#stream.status(id, STATUS_CODE.OP_UNSUPPORTED);
      return;
    }
    const first = data.readUInt32BE(0);
    const from = data.toString('utf8', 4, 4 + first);
    const to = data.toString('utf8', 8 + first, 8 + first + data.readUInt32BE(4 + first));
    this.#done(id, () => this.#files.rename(this.#path(from), this.#path(to), this.#who));
  }
}

/** Serve SFTP on an accepted stream. */
export function serveSftp(stream: SFTPWrapper, files: Files, who: Who, tick: () => void): void {
  new SftpSession(stream, files, who, tick).serve();
}
