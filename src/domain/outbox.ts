/**
 * What the chat's publisher remembers, as types only. One publisher per workspace holds the lease; every message it posts
 * has a key that also travels in the message's metadata, so that a post whose outcome is unknown can be looked up.
 */

/** What is known of one message. `digest` is of the content last shown, so an unchanged message is never edited. */
export interface PostRecord {
  /** Stable key: `run418/card`, `run418/<unit>/<entry id>`. */
  readonly key: string;
  /** `sending`: the request may or may not have reached the chat; `sent`: it is there, at `ts`. */
  readonly state: 'sending' | 'sent';
  readonly channel: string;
  /** Set once sent: the id of the message in its channel. */
  readonly ts?: string;
  /** Root of the thread it was posted to; missing on a root message. */
  readonly threadTs?: string;
  readonly digest: string;
  /** How many times a post request was made. */
  readonly attempts: number;
  /** When the record was last written, UTC ms. */
  readonly atMs: number;
}

/** State of the publisher. Every write is refused (false) when `owner` no longer holds the lease. */
export interface OutboxStore {
  /** Takes the lease, or renews it when `owner` has it already. False: somebody else has it. */
  acquirePublisher(owner: string, ttlMs: number): Promise<boolean>;
  /** Gives the lease back; does nothing when it is not ours. */
  releasePublisher(owner: string): Promise<void>;
  /** All records of a run by key. */
  posts(runId: number): Promise<ReadonlyMap<string, PostRecord>>;
  /** Writes the record of one message (state `sending` before the request, `sent` after it). */
  save(owner: string, runId: number, record: PostRecord): Promise<boolean>;
  /** Forgets a message that is known not to exist (a lost post that was never made, a message deleted by a person). */
  forget(owner: string, runId: number, key: string): Promise<boolean>;
  /** Remembers that everything of this version of the run was published; a later version opens it again. */
  settle(owner: string, runId: number, runVersion: number): Promise<boolean>;
  /** The version last settled, undefined when never. */
  settledVersion(runId: number): Promise<number | undefined>;
}
