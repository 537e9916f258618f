import type { OutboxStore } from '../domain/ports.ts';
import type { Log, Wait } from './log.ts';
import { reasonOf } from './log.ts';

export interface LeaseOptions {
  readonly store: Pick<OutboxStore, 'holdPublisher' | 'releasePublisher'>;
  /** Team id: one publisher per workspace. */
  readonly workspace: string;
  /** Different for every process that ever ran. */
  readonly owner: string;
  readonly ttlMs: number;
  readonly wait: Wait;
  readonly log: Log;
}

/** Thrown (as abort reason) in everything a publisher does once it is not the publisher any more. */
export class PublisherLost extends Error {
  constructor() {
    super('another process publishes now');
    this.name = 'PublisherLost';
  }
}

/**
 * Runs `work` while this process is the one publisher, again and again, until `signal` is aborted. The lease is renewed
 * three times per term; when a renewal fails or is late the signal given to `work` is aborted before the term is over.
 */
export async function runAsPublisher(
  options: LeaseOptions,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { store, workspace, owner, ttlMs, log } = options;
  while (!signal.aborted) {
    if (await acquire(options)) {
      log.info({ owner }, 'publisher lease taken');
      const term = new AbortController();
      const whole = AbortSignal.any([signal, term.signal]);
      const renewing = renew(options, term, whole);
      await work(whole).catch((error: unknown) => {
        if (!whole.aborted) log.error({ reason: reasonOf(error) }, 'publisher stopped, starting again');
      });
      term.abort(new PublisherLost());
      await renewing;
    }
    if (!signal.aborted) await pause(options, ttlMs / 3, signal);
  }
  await store.releasePublisher(workspace, owner).catch((error: unknown) => {
    log.warn({ reason: reasonOf(error) }, 'publisher lease not released, it runs out by itself');
  });
}

async function renew(options: LeaseOptions, term: AbortController, whole: AbortSignal): Promise<void> {
  while (!whole.aborted) {
    await pause(options, options.ttlMs / 3, whole);
    if (whole.aborted) return;
    if (!(await acquire(options))) {
      options.log.warn({ owner: options.owner }, 'publisher lease lost');
      term.abort(new PublisherLost());
    }
  }
}

/** A store that does not answer in time counts as a lost lease: somebody else may have it by then. */
async function acquire({ store, workspace, owner, ttlMs, wait, log }: LeaseOptions): Promise<boolean> {
  const late = new AbortController();
  const timeout = wait(ttlMs / 3, late.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([store.holdPublisher(workspace, owner, ttlMs), timeout]);
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'publisher lease cannot be read');
    return false;
  } finally {
    late.abort();
  }
}

async function pause({ wait }: LeaseOptions, ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, signal).catch(() => undefined);
}
