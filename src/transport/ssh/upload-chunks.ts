import type { FileHandle } from 'node:fs/promises';
import type { SFTPWrapper } from 'ssh2';
import type { Upload } from '../../domain/device-ports.ts';
import { orAbort } from '../call.ts';

/** One transfer over an open SFTP session. */
export interface Transfer {
  readonly sftp: SFTPWrapper;
  readonly local: FileHandle;
  readonly file: Upload;
  readonly signal: AbortSignal;
  /** Called with the number of bytes of the file that have arrived without a gap. */
  readonly onArrived: (bytes: number) => void;
  /** Called for every other answer of the server. */
  readonly onAnswer: () => void;
}

/**
 * Every SFTP server takes packets of 34000 bytes (draft-ietf-secsh-filexfer-02 section 3). Of these ssh2 leaves 31952 for
 * data; it splits what is larger and sends the rest only after the answer, out of order.
 */
const chunkBytes = 28 * 1024;
/** 1.75 MiB under way: enough for 85 MB/s at a round trip of 20 ms, and the most that is held in memory. */
export const chunksUnderWay = 64;
const fileMode = 0o600;

/** Opens the remote file, sends what is missing in order, and closes it. Throws what the server says, or the signal's reason. */
export async function sendChunks(transfer: Transfer): Promise<void> {
  const { sftp, file, signal } = transfer;
  const ask = async <T>(start: (done: (error?: Error | null, value?: T) => void) => void): Promise<T | undefined> => {
    const value = await answerOf(start, signal);
    transfer.onAnswer();
    return value;
  };
  const handle = await ask<Buffer>((done) =>
    file.fromByte === 0
      ? sftp.open(file.remotePath, 'w', { mode: fileMode }, done)
      : sftp.open(file.remotePath, 'r+', done),
  );
  if (handle === undefined) throw new Error('the server gave no file handle');
  if (file.fromByte > 0) {
    const there = await ask<{ readonly size: number }>((done) => sftp.fstat(handle, done));
    const size = there?.size ?? 0;
    if (size < file.fromByte) throw new Error(`only ${size} bytes of the earlier try are there`);
    if (size > file.fromByte) await ask((done) => sftp.fsetstat(handle, { size: file.fromByte }, done));
  }
  await sendAll(transfer, handle);
  const stats = await ask<{ readonly size: number }>((done) => sftp.fstat(handle, done));
  if (stats?.size !== file.bytes) throw new Error(`the server shows ${stats?.size ?? 'no'} bytes after the last one`);
  // A file system may say only now that it has no room.
  await ask((done) => sftp.close(handle, done));
}

/** In order, so that what has arrived is always the beginning of the file: its size is where the next try goes on. */
async function sendAll(transfer: Transfer, handle: Buffer): Promise<void> {
  const { sftp, local, file, signal, onArrived } = transfer;
  const underWay = new Map<number, Promise<void>>();
  const failures: unknown[] = [];
  let at = file.fromByte;

  function send(offset: number, chunk: Buffer): void {
    const written = answerOf<number>((done) => sftp.write(handle, chunk, 0, chunk.length, offset, done), signal);
    const settled = written.then(
      () => {
        underWay.delete(offset);
        // A map keeps its order: the first one left is the lowest.
        const [lowest = at] = underWay.keys();
        if (failures.length === 0) onArrived(lowest);
      },
      (error: unknown) => {
        failures.push(error);
      },
    );
    underWay.set(offset, settled);
  }

  while (at < file.bytes && failures.length === 0) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, file.bytes - at));
    const { bytesRead } = await local.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) throw new Error('the local file became shorter while it was sent');
    const offset = at;
    at += bytesRead;
    send(offset, chunk.subarray(0, bytesRead));
    if (underWay.size >= chunksUnderWay) await [...underWay.values()][0];
  }
  await Promise.all(underWay.values());
  if (failures.length === 0) return;
  // A server that refused one write may have taken the next ones: what stands behind the gap is cut off again.
  const [lowest = at] = underWay.keys();
  if (!signal.aborted) await answerOf((done) => sftp.fsetstat(handle, { size: lowest }, done), signal);
  throw failures[0];
}

/** The answer to one request. ssh2 gives write errors as `Failure` without saying which; the number tells more. */
function answerOf<T>(
  start: (done: (error?: Error | null, value?: T) => void) => void,
  signal: AbortSignal,
): Promise<T | undefined> {
  const answer = new Promise<T | undefined>((resolve, reject) => {
    start((error, value) => (error ? reject(serverError(error)) : resolve(value)));
  });
  return orAbort(answer, signal);
}

/** SFTP version 3 has one code for a full disk and most other troubles: SSH_FX_FAILURE. */
function serverError(error: Error & { code?: unknown }): Error {
  const meaning = error.code === 4 ? ' (a full disk is reported like this)' : '';
  return new Error(`the SFTP server answered: ${error.message}${meaning}`, { cause: error });
}
