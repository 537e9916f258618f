/**
 * Ports: what the engine needs from the outside, as types only. Implemented by transport, store and queue, and by
 * in-memory doubles in tests; both pass the same contract suites. The ports to devices and secrets are in device-ports.ts.
 */
import type { Actor, JournalEntry, JournalEvent, Progress } from './journal.ts';
import type { UnitPlan } from './plan.ts';
import type { Run, RunState } from './run.ts';

// ---------------------------------------------------------------------------------------------- runs

export interface Journal {
  /** Appends and returns the stored entry. Rejects entries over the limit (a bug), never cuts silently. */
  append(runId: number, unit: string, event: JournalEvent): Promise<JournalEntry>;
  /** Entries of one stream in order; `afterId` excluded. */
  read(runId: number, unit: string, afterId?: string): Promise<readonly JournalEntry[]>;
}

export interface ProgressStore {
  set(runId: number, unit: string, progress: Progress): Promise<void>;
  get(runId: number, unit: string): Promise<Progress | undefined>;
}

/** An event and the stream it belongs to: a unit, or `_run`. */
export interface StreamEvent {
  readonly unit: string;
  readonly event: JournalEvent;
}

export type NewRun = Omit<Run, 'id' | 'version'>;

export interface RunStore {
  /** Takes the next number of the one counter and stores the run with its first journal entries, in one atomic call. */
  create(run: NewRun, events?: (run: Run) => readonly StreamEvent[]): Promise<Run>;
  get(id: number): Promise<Run | undefined>;
  /**
   * Compare-and-set loop: `change` sees the newest record and returns the new one, or undefined to leave it. `events`
   * names what to append to the journal: record and entries are written in one atomic call, so neither is ever there
   * without the other. Both functions may run more than once and must be pure.
   */
  update(
    id: number,
    change: (run: Run) => Run | undefined,
    events?: (before: Run, after: Run) => readonly StreamEvent[],
  ): Promise<{ readonly run: Run; readonly changed: boolean }>;
  /** Runs that have not ended (ids, ascending). */
  open(): Promise<readonly number[]>;
  /** Newest runs first; `before`: only those with a lower number, to read on where a page ended. */
  recent(
    limit: number,
    filter?: { readonly states?: readonly RunState[]; readonly before?: number },
  ): Promise<readonly Run[]>;
  /** Plans are kept by hash: the approved one stays readable after a newer one was made. */
  savePlan(plan: UnitPlan): Promise<void>;
  plan(runId: number, unit: string, hash: string): Promise<UnitPlan | undefined>;
}

export interface LeaseOwner {
  readonly workerId: string;
  /** Rises each time a worker of this id starts; a newer one takes over the leases of an older one at once. */
  readonly incarnation: number;
  readonly runId: number;
}

export interface Lease {
  readonly units: readonly string[];
  readonly owner: LeaseOwner;
  /** Fencing number, rising per unit over all leases ever. */
  readonly fence: number;
}

export type LeaseResult =
  | { readonly ok: true; readonly lease: Lease }
  | { readonly ok: false; readonly unit: string; readonly heldBy: LeaseOwner };

/** Which worker writes to a unit. Short and renewed; all units of one call are taken or none. */
export interface LeaseStore {
  acquire(units: readonly string[], owner: LeaseOwner, ttlMs: number): Promise<LeaseResult>;
  /** False when the lease is no longer ours: stop before the next remote write. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  release(lease: Lease): Promise<void>;
  holder(unit: string): Promise<LeaseOwner | undefined>;
}

export interface Hold {
  readonly unit: string;
  readonly runId: number;
  readonly sinceMs: number;
  readonly by: string;
}

/** Which run owns a unit's state: set at the first intent, no expiry. */
export interface HoldStore {
  /** Takes or keeps the hold for the run on all units, or says who has it. */
  take(
    units: readonly string[],
    runId: number,
    by: string,
    nowMs: number,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly hold: Hold }>;
  get(unit: string): Promise<Hold | undefined>;
  all(): Promise<readonly Hold[]>;
  /** Clears it only when it is that run's (any run when undefined). Returns whether something was cleared. */
  clear(unit: string, runId?: number): Promise<boolean>;
}

/** A person's word that nobody changes a host through dpubot: reads, looks and plans go on. No expiry. */
export interface Lock {
  readonly host: string;
  readonly by: Actor;
  readonly reason: string;
  readonly sinceMs: number;
}

export interface LockStore {
  /**
   * Locks all these hosts or none, in one atomic call. Hosts that the same person has locked already stay so since then, with
   * the new reason; a host that somebody else has locked is the answer.
   */
  set(
    hosts: readonly string[],
    lock: Omit<Lock, 'host'>,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly lock: Lock }>;
  get(host: string): Promise<Lock | undefined>;
  /** By host name. */
  all(): Promise<readonly Lock[]>;
  /** Takes the lock off and returns it: of two people who do so at once, one gets it. */
  clear(host: string): Promise<Lock | undefined>;
}

export interface Halt {
  readonly by: string;
  readonly reason: string;
  readonly sinceMs: number;
}

export interface HaltStore {
  get(): Promise<Halt | undefined>;
  set(halt: Halt): Promise<void>;
  clear(): Promise<boolean>;
}

/** Append-only list of what people asked and the bot did; resolved targets and plan hash, never the secret. */
export interface AuditRecord {
  readonly atMs: number;
  readonly actor: Actor | { readonly worker: string };
  readonly action: string;
  readonly runId?: number;
  readonly targets?: readonly string[];
  readonly planHash?: string;
  readonly detail?: string;
}

export interface AuditStore {
  append(record: AuditRecord): Promise<void>;
  list(limit: number): Promise<readonly AuditRecord[]>;
}

// ---------------------------------------------------------------------------------------------- queue

/** The only way work gets to workers. Ids make every add idempotent; nothing is ever repeated by the queue itself. */
export interface JobQueue {
  addPlan(job: {
    readonly runId: number;
    readonly unit: string;
    readonly site: string;
    readonly generation: number;
  }): Promise<void>;
  addUnit(job: {
    readonly runId: number;
    readonly unit: string;
    readonly site: string;
    readonly generation: number;
    readonly delayMs?: number;
  }): Promise<void>;
  /** Asks any worker to look at the run and do what is due. */
  addAdvance(job: { readonly runId: number; readonly delayMs?: number }): Promise<void>;
}

/** "Something about this run changed": lets the bot redraw without polling hard. Lossy; readers also look by themselves. */
export interface Notifier {
  changed(runId: number): Promise<void>;
  subscribe(onChange: (runId: number) => void): Promise<() => Promise<void>>;
}

// ---------------------------------------------------------------------------------------------- chat

/** A post of the outbox as it stands. `sending` = its outcome is unknown until somebody has looked it up. */
export interface OutboxPost {
  readonly key: string;
  readonly state: 'sending' | 'sent';
  readonly channel: string;
  /** Message timestamp of the chat; set once sent. */
  readonly ts?: string;
  /** Hash of what is shown, so that a redraw that changes nothing is not sent. */
  readonly digest?: string;
  /** The chat's id of the file that belongs to it, noted before the first byte is uploaded. */
  readonly fileId?: string;
  /** How often sending was begun. */
  readonly attempts: number;
  /** When sending was last begun, or when it was seen as sent. */
  readonly atMs: number;
}

/** What the publisher remembers between two posts; any bot may be the publisher, one at a time per workspace. */
export interface OutboxStore {
  /** Takes the publisher lease for `token`, or renews it when `token` has it. False when another one has it. */
  holdPublisher(workspace: string, token: string, ttlMs: number): Promise<boolean>;
  releasePublisher(workspace: string, token: string): Promise<void>;
  /**
   * Notes that the post is about to be sent. `claimed: true` = first time, send it. Otherwise the post as it stands: a
   * `sending` one has to be looked up in the chat before it is sent again.
   */
  claim(runId: number, key: string, channel: string): Promise<{ readonly claimed: boolean; readonly post: OutboxPost }>;
  /** The look-up found nothing: counts one more attempt; the caller sends. Undefined when it was never claimed. */
  again(runId: number, key: string): Promise<OutboxPost | undefined>;
  /** The chat's id of the post's file; a later one replaces it. The post must have been claimed. */
  noteFile(runId: number, key: string, fileId: string): Promise<void>;
  /** Sent, or redrawn: message timestamp and digest of what is shown now. */
  sent(
    runId: number,
    key: string,
    post: { readonly channel: string; readonly ts: string; readonly digest?: string },
  ): Promise<void>;
  all(runId: number): Promise<readonly OutboxPost[]>;
}

/**
 * Who is told of something in person. The first choice for a key stands: people who come later are not told, and what
 * the others were told is kept up to date.
 */
export interface RecipientStore {
  get(runId: number, key: string): Promise<readonly string[] | undefined>;
  /** Keeps these people unless somebody has been chosen before; gives who is. */
  choose(runId: number, key: string, people: readonly string[]): Promise<readonly string[]>;
}

/** Chats deliver a request more than once; only the first delivery counts. */
export interface Dedupe {
  /** True for the first call with this id within `ttlMs`. */
  firstTime(id: string, ttlMs: number): Promise<boolean>;
  /** The next call with this id is the first again: what it asked for was refused and may be asked for anew. */
  forget(id: string): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- workers

/** Counts the starts of a worker id, so that a restarted worker re-adopts its own leases at once. */
export interface IncarnationStore {
  next(workerId: string): Promise<number>;
}

// ---------------------------------------------------------------------------------------------- people

/** What the chat's source of truth says about a person, read at the moment it matters. */
export interface Person {
  readonly userId: string;
  readonly teamId: string;
  readonly displayName: string;
  /** False for deactivated users. */
  readonly active: boolean;
  /** Guests and people of other workspaces never operate. */
  readonly guest: boolean;
  readonly external: boolean;
  readonly userGroups: readonly string[];
  /** IANA zone, for dates in answers. */
  readonly timeZone: string;
}

export interface Directory {
  /** `fresh` bypasses every cache: used for approvals and forced unlocks. */
  person(userId: string, options: { readonly fresh: boolean }): Promise<Person>;
  /** May the bot post in this channel? */
  canPost(channel: string): Promise<boolean>;
}

/** Who is in a user group: the way back from a role to its people. */
export interface GroupMembers {
  /** Members of these groups (ids or handles), each once; from a cache of a few minutes. Unknown groups are empty. */
  members(groups: readonly string[]): Promise<readonly string[]>;
}

/** A command as it came in, whichever entrance it used: all meet the same validator. */
export interface Invocation {
  /** What follows `/dpu`, as typed: `provision rack1 --plan`. */
  readonly text: string;
  readonly channel: string;
  /** Its name without `#`, where the entrance tells it; an inventory may list channels by name. */
  readonly channelName?: string;
  /** `button`: on a card, which shows what came of it. `home`: a button on Home, which needs an answer. */
  readonly source: 'slash' | 'button' | 'modal' | 'mention' | 'home';
  /** True where a form can be opened: Slack gave a trigger for it. */
  readonly canOpenForm?: boolean;
}
