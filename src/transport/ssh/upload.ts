import { setMaxListeners } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SFTPWrapper } from 'ssh2';
import type { CallOptions, Upload } from '../../domain/device-ports.ts';
import { limitText } from '../../domain/limit-text.ts';
import { errors, type OpsError } from '../../errors.ts';
import { type Call, reasonOf, withCall } from '../call.ts';
import type { Hop } from './client.ts';
import { NotSent, openChannelFor, type Opening } from './open-channel.ts';
import type { Connection, Pool } from './pool.ts';
import { chunksUnderWay, sendChunks } from './upload-chunks.ts';

/** What an upload needs of a session. */
export interface UploadDeps {
  readonly host: string;
  readonly route: readonly Hop[];
  readonly pool: Pool;
  readonly channelOpenTimeoutMs: number;
  /** Without an acknowledged request for so long it has failed; default 60 s. */
  readonly uploadIdleMs?: number | undefined;
}

export type UploadOptions = CallOptions & { readonly onProgress?: (sentBytes: number) => void };

const defaultIdleMs = 60_000;
const progressEveryMs = 250;
const closeWaitMs = 2_000;

/**
 * Sends a local file over SFTP of the pooled connection, from `fromByte` on. ssh2's own fastPut can neither resume nor be
 * watched, and leaves holes when it breaks off: here bytes are sent in order, a bounded number of them under way.
 * The remote file gets mode 0600 when it is made; what stands behind `fromByte` is cut off.
 */
export async function uploadFile(deps: UploadDeps, file: Upload, options: UploadOptions): Promise<void> {
  const { host } = deps;
  const label = `upload of ${basename(file.localPath)}`;
  const local = await openLocal(file);
  try {
    const onTimeout = (): OpsError => errors.sshTimeout({ host, command: label, timeoutMs: options.timeoutMs });
    await withCall(options, onTimeout, async (call) => {
      for (let attempt = 1; ; attempt += 1) {
        const connection = await deps.pool.get(deps.route, call.signal);
        try {
          return await overConnection(connection, deps, { file, label, local, onProgress: options.onProgress }, call);
        } catch (error) {
          if (!(error instanceof NotSent)) throw error;
          if (attempt === 2) throw errors.sshLost({ host, command: label, cause: error });
        }
      }
    });
  } finally {
    await local.close();
  }
}

interface Job {
  readonly file: Upload;
  readonly label: string;
  readonly local: FileHandle;
  readonly onProgress: UploadOptions['onProgress'];
}

/** Opens the file and compares its size before anything is sent. Throws `image-file-unreadable`. */
async function openLocal(file: Upload): Promise<FileHandle> {
  const { localPath, bytes, fromByte } = file;
  if (!Number.isSafeInteger(fromByte) || fromByte < 0 || fromByte > bytes)
    throw new RangeError('an upload begins inside of its file');
  let local: FileHandle | undefined;
  try {
    local = await open(localPath, 'r');
    const stats = await local.stat();
    if (!stats.isFile()) throw new Error('it is no regular file');
    if (stats.size !== bytes) throw new Error(`it has ${stats.size} bytes instead of ${bytes}`);
    return local;
  } catch (error) {
    await local?.close();
    const problem = error instanceof Error ? error.message : String(error);
    throw errors.imageFileUnreadable({ file: localPath, problem, cause: error });
  }
}

async function overConnection(connection: Connection, deps: UploadDeps, job: Job, call: Call): Promise<void> {
  const release = await connection.sessions.acquire(call.signal);
  let sftp: SFTPWrapper;
  try {
    sftp = await openSftp(connection, deps, job, call.signal);
  } catch (error) {
    release();
    throw error;
  }
  try {
    await transfer(connection, sftp, deps, job, call);
  } finally {
    endSession(connection, sftp, release);
  }
}

/** The server counts a session until it has closed it: the place is given back then, or after a while without an answer. */
function endSession(connection: Connection, sftp: SFTPWrapper, release: () => void): void {
  const timer = setTimeout(() => closed(), closeWaitMs);
  const off = connection.onClose(() => closed());
  const closed = (): void => {
    clearTimeout(timer);
    off();
    release();
  };
  sftp.once('close', closed);
  sftp.end();
}

async function openSftp(
  connection: Connection,
  { host, channelOpenTimeoutMs: timeoutMs }: UploadDeps,
  { label, file }: Job,
  signal: AbortSignal,
): Promise<SFTPWrapper> {
  const opening: Opening<SFTPWrapper> = {
    host,
    label,
    timeoutMs,
    ask: (client, answer) => client.sftp(answer),
    // A late error without a listener would end the process; every request is told by its own callback.
    listen: (sftp) => void sftp.on('error', () => undefined),
    drop: (sftp) => sftp.end(),
    failed: (error) => noSftp(host, file, error),
  };
  return openChannelFor(connection, opening, signal);
}

/** The server has no SFTP subsystem, or it died while starting. */
function noSftp(host: string, file: Upload, error: Error): OpsError {
  return errors.uploadFailed({
    host,
    file: basename(file.localPath),
    arrivedBytes: file.fromByte,
    totalBytes: file.bytes,
    why: `its SSH server gave no SFTP session: ${error.message}`,
    cause: error,
  });
}

/** Carries out the upload and turns whatever ends it early into `upload-failed`, or into the reason of the caller. */
async function transfer(
  connection: Connection,
  sftp: SFTPWrapper,
  deps: UploadDeps,
  job: Job,
  call: Call,
): Promise<void> {
  const { file, local } = job;
  const idleMs = deps.uploadIdleMs ?? defaultIdleMs;
  const end = new AbortController();
  const stop = (why: string): void => end.abort(new Error(why));
  const offClose = connection.onClose(() => stop('the connection was lost'));
  sftp.once('close', () => stop('the server ended the SFTP session'));
  let idle: NodeJS.Timeout | undefined;
  let arrivedBytes = file.fromByte;
  let toldAtMs = -Infinity;
  const alive = (): void => {
    clearTimeout(idle);
    idle = setTimeout(() => stop(`nothing was acknowledged for ${limitText(idleMs)}`), idleMs);
  };
  const onArrived = (bytes: number): void => {
    arrivedBytes = bytes;
    alive();
    const nowMs = performance.now();
    if (nowMs - toldAtMs < progressEveryMs && bytes < file.bytes) return;
    toldAtMs = nowMs;
    job.onProgress?.(bytes);
  };
  try {
    alive();
    const signal = AbortSignal.any([call.signal, end.signal]);
    // Each request under way listens.
    setMaxListeners(chunksUnderWay + 1, signal);
    await sendChunks({ sftp, local, file, signal, onArrived, onAnswer: alive });
  } catch (error) {
    if (call.signal.aborted) throw reasonOf(call.signal);
    throw errors.uploadFailed({
      host: deps.host,
      file: basename(file.localPath),
      arrivedBytes,
      totalBytes: file.bytes,
      why: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  } finally {
    clearTimeout(idle);
    offClose();
  }
}
