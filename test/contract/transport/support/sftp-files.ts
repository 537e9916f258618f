import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import ssh2 from 'ssh2';
import type { SFTPWrapper } from 'ssh2';

/** What an SFTP server does with its n-th byte: takes it, answers with a failure, says nothing more, or is cut off. */
export type WriteFault = (totalBytes: number) => 'take' | 'fail' | 'silent' | 'cut';

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;

/** Serves files of this machine over SFTP, as far as an upload needs them. `written` counts the bytes of this session. */
export function serveFiles(
  sftp: SFTPWrapper,
  options: {
    readonly fault?: WriteFault;
    readonly cut?: () => void;
    /** Where a path of the client lies on this machine. */
    readonly path?: (asked: string) => string;
  } = {},
): void {
  const files = new Map<number, number>();
  let written = 0;
  let silent = false;
  const status = (request: number, code: number): void => {
    if (!silent) sftp.status(request, code);
  };
  const fileOf = (handle: Buffer): number => files.get(handle.readUInt32BE(0)) ?? -1;

  sftp.on('OPEN', (request, path, flags, attributes) => {
    try {
      const text = (flags & OPEN_MODE.TRUNC) !== 0 ? 'w' : 'r+';
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(files.size);
      files.set(files.size, openSync(options.path?.(path) ?? path, text, attributes.mode));
      sftp.handle(request, handle);
    } catch {
      status(request, STATUS_CODE.NO_SUCH_FILE);
    }
  });
  sftp.on('WRITE', (request, handle, offset, data) => {
    written += data.length;
    const fault = options.fault?.(written) ?? 'take';
    if (silent) return;
    silent = fault === 'silent' || fault === 'cut';
    if (fault === 'cut') options.cut?.();
    if (silent) return;
    if (fault === 'fail') return status(request, STATUS_CODE.FAILURE);
    writeSync(fileOf(handle), data, 0, data.length, offset);
    status(request, STATUS_CODE.OK);
  });
  sftp.on('FSTAT', (request, handle) => {
    const { size, mode, uid, gid } = fstatSync(fileOf(handle));
    sftp.attrs(request, { size, mode, uid, gid, atime: 0, mtime: 0 });
  });
  sftp.on('FSETSTAT', (request, handle, { size }) => {
    ftruncateSync(fileOf(handle), size);
    status(request, STATUS_CODE.OK);
  });
  sftp.on('CLOSE', (request, handle) => {
    closeSync(fileOf(handle));
    status(request, STATUS_CODE.OK);
  });
}
