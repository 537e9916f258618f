import type { ArtefactRef, ArtefactStore } from '../domain/artefacts.ts';
import type { Clock } from '../domain/device-ports.ts';
import type { OutboxPost, OutboxStore } from '../domain/ports.ts';
import type { ChatFault, ChatResult } from './chat-client.ts';
import type { FilePort, StoredFile } from './file-client.ts';
import type { Attached } from './file-message.ts';
import type { Log, Wait } from './log.ts';
import { NotPublished } from './not-published.ts';
import type { RateBudget } from './rate-budget.ts';

export interface FileUploadsDeps {
  readonly files: FilePort;
  readonly artefacts: Pick<ArtefactStore, 'get'>;
  readonly store: Pick<OutboxStore, 'noteFile'>;
  readonly budget: RateBudget;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Log;
}

export interface UploadRequest {
  readonly runId: number;
  readonly file: ArtefactRef;
  /** The post as it stands in the store: it knows about an earlier attempt. */
  readonly post: Pick<OutboxPost, 'key' | 'fileId'>;
  readonly priority: number;
}

/** So long a file is tried again before its message goes without it: what follows in the thread waits meanwhile. */
export const FILE_GIVE_UP_MS = 60_000;
/** After a host of uploads has been given up, the next files are tried only once for so long. */
const HOST_GIVEN_UP_MS = 10 * 60_000;
/** Waits between looks at a file that Slack still looks through; half a minute in all. */
const READY_WAITS_MS = [300, 700, 1000, 2000, 3000, 5000, 8000, 10_000] as const;

type Call = keyof FilePort;

/** One request for a file went wrong. */
class UploadFailed extends Error {
  readonly call: Call;
  readonly fault: ChatFault;

  constructor(call: Call, fault: ChatFault) {
    super(`${call} of a file failed`);
    this.name = 'UploadFailed';
    this.call = call;
    this.fault = fault;
  }
}

/**
 * Brings the file of a message to Slack before the message is posted. The id is noted in the store before the first byte is
 * sent, so after a crash `files.info` tells whether the upload was completed; if not, it is begun anew, and the remains
 * are a reservation that nobody sees. Only the post shows a file, so a file uploaded twice is never shown twice.
 */
export class FileUploads {
  readonly #deps: FileUploadsDeps;
  /** Since when the file of a post has been failing. */
  readonly #failingSinceMs = new Map<string, number>();
  #hostGivenUpUntilMs = 0;

  constructor(deps: FileUploadsDeps) {
    this.#deps = deps;
  }

  /**
   * Throws `NotPublished` when it should be tried again later. What Slack refuses for good, or does not take for a minute,
   * is left out, with the reason: a run must not wait for a file for ever.
   */
  async attach(request: UploadRequest, signal: AbortSignal): Promise<Attached> {
    const { runId, post } = request;
    try {
      const attached = await this.#attach(request, signal);
      this.#failingSinceMs.delete(post.key);
      return attached;
    } catch (error) {
      if (!(error instanceof UploadFailed)) throw error;
      const reason = this.#reasonToGiveUp(post.key, error);
      if (reason === undefined) throw new NotPublished(error.fault);
      this.#deps.log.warn({ run: runId, key: post.key, file: request.file.name, reason }, 'posted without its file');
      return { kind: 'left-out', reason };
    }
  }

  async #attach(request: UploadRequest, signal: AbortSignal): Promise<Attached> {
    const { runId, file, post } = request;
    const known = post.fileId === undefined ? undefined : await this.#info(post.fileId, request, signal);
    if (known !== undefined) return { kind: 'stored', file: await this.#ready(known, request, signal) };
    const content = await this.#deps.artefacts.get(runId, file.id);
    if (content === undefined) return { kind: 'left-out', reason: 'it is no longer kept' };
    // Slack refuses to reserve zero bytes.
    if (content.byteLength === 0) return { kind: 'left-out', reason: 'it is empty' };
    const stored = await this.#upload(request, content, signal);
    this.#hostGivenUpUntilMs = 0;
    return { kind: 'stored', file: await this.#ready(stored, request, signal) };
  }

  async #upload(request: UploadRequest, content: Uint8Array, signal: AbortSignal): Promise<StoredFile> {
    const { runId, file, post } = request;
    const { files, store } = this.#deps;
    await this.#turn(request, signal);
    const { fileId, uploadUrl } = this.#value(
      'reserve',
      await files.reserve({ name: file.name, bytes: content.byteLength }),
    );
    await store.noteFile(runId, post.key, fileId);
    signal.throwIfAborted();
    this.#value('upload', await files.upload({ uploadUrl, content }));
    await this.#turn(request, signal);
    const completed = await files.complete({ fileId, title: file.name });
    if (!completed.ok && completed.fault.kind !== 'unknown') throw new UploadFailed('complete', completed.fault);
    const stored = await this.#info(fileId, request, signal);
    if (stored !== undefined) return stored;
    throw new UploadFailed('complete', completed.ok ? { kind: 'unknown', reason: 'it is not there' } : completed.fault);
  }

  /** Waits until Slack has looked through the file; after half a minute it is taken as it is. */
  async #ready(stored: StoredFile, request: UploadRequest, signal: AbortSignal): Promise<StoredFile> {
    let newest = stored;
    for (const waitMs of READY_WAITS_MS) {
      if (newest.ready) return newest;
      await this.#deps.wait(waitMs, signal);
      newest = (await this.#info(stored.fileId, request, signal)) ?? newest;
    }
    return newest;
  }

  async #info(fileId: string, request: UploadRequest, signal: AbortSignal): Promise<StoredFile | undefined> {
    await this.#turn(request, signal);
    return this.#value('info', await this.#deps.files.info(fileId));
  }

  async #turn({ priority }: UploadRequest, signal: AbortSignal): Promise<void> {
    await this.#deps.budget.take(priority, signal);
    signal.throwIfAborted();
  }

  #value<T>(call: Call, result: ChatResult<T>): T {
    if (result.ok) return result.value;
    throw new UploadFailed(call, result.fault);
  }

  /** Why the message is to go without the file; undefined when it is to be tried again. */
  #reasonToGiveUp(key: string, { call, fault }: UploadFailed): string | undefined {
    if (fault.kind === 'rate-limited') {
      this.#deps.budget.pause(fault.retryAfterMs);
      return undefined;
    }
    if (fault.kind === 'refused' && !AGAIN.has(fault.error)) return refusal(call, fault.error);
    const nowMs = this.#deps.clock.nowMs();
    const sinceMs = this.#failingSinceMs.get(key) ?? nowMs;
    this.#failingSinceMs.set(key, sinceMs);
    const knownHost = call === 'upload' && nowMs < this.#hostGivenUpUntilMs;
    if (!knownHost && nowMs - sinceMs < FILE_GIVE_UP_MS) return undefined;
    if (call === 'upload') this.#hostGivenUpUntilMs = nowMs + HOST_GIVEN_UP_MS;
    return `Slack did not take it (${fault.kind === 'refused' ? fault.error : fault.reason})`;
  }
}

/** Refusals that end with a fresh upload: what was sent did not arrive. */
const AGAIN = new Set(['file_not_found']);

function refusal(call: Call, error: string): string {
  if (error !== 'missing_scope') return `Slack refused it (${error})`;
  const scope = call === 'info' ? 'files:read' : 'files:write';
  return `the Slack app has no scope ${scope}; whoever manages the app adds it and installs the app again`;
}
