import type { ChatEvent, VisibleMessage } from './types.ts';

export interface FeedEntry {
  /** `<boot>-<number>`: an id of an earlier process is recognised and answered with a resync. */
  id: string;
  /** People who may see it; undefined = everyone. */
  audience: string[] | undefined;
  event: ChatEvent;
}

export interface WaitOptions {
  /** Only events this person sees. */
  user?: string;
  /** Look at events after this id; without it, at everything still remembered. */
  afterId?: string;
  timeoutMs?: number;
}

const keptEntries = 5_000;

/** An ordered, numbered log of what happened, with live followers. It feeds the page's event stream and waiting tests. */
export class Feed {
  readonly #boot: string;
  readonly #entries: FeedEntry[] = [];
  readonly #followers = new Set<(entry: FeedEntry) => void>();
  #count = 0;

  constructor(boot: string) {
    this.#boot = boot;
  }

  get lastId(): string {
    return `${this.#boot}-${this.#count}`;
  }

  publish(event: ChatEvent, audience?: string[]): void {
    this.#count += 1;
    const entry: FeedEntry = { id: this.lastId, audience, event: structuredClone(event) };
    this.#entries.push(entry);
    if (this.#entries.length > keptEntries) {
      this.#entries.shift();
    }
    for (const follower of this.#followers) {
      follower(entry);
    }
  }

  /** Calls the follower for every later event; returns the function that stops it. */
  follow(follower: (entry: FeedEntry) => void): () => void {
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  /** Entries after an id, or undefined when the id is of another process or already forgotten. */
  since(id: string): FeedEntry[] | undefined {
    const match = /^(.+)-(\d+)$/.exec(id);
    const number = Number(match?.[2]);
    const oldest = this.#count - this.#entries.length;
    if (match?.[1] !== this.#boot || number > this.#count || number < oldest) {
      return undefined;
    }
    return this.#entries.slice(number - oldest);
  }

  /** Resolves with the first new or changed message that matches, shared or ephemeral. */
  async waitForMessage(matches: (message: VisibleMessage) => boolean, options?: WaitOptions): Promise<VisibleMessage> {
    const event = await this.waitFor((one) => {
      const message = messageIn(one);
      return message !== undefined && matches(message);
    }, options);
    return messageIn(event) as VisibleMessage;
  }

  /** Resolves with the first event that matches, among the remembered ones and those to come. */
  waitFor(matches: (event: ChatEvent) => boolean, options: WaitOptions = {}): Promise<ChatEvent> {
    const { user, afterId, timeoutMs = 5_000 } = options;
    const fits = (entry: FeedEntry): boolean => (user === undefined || sees(entry, user)) && matches(entry.event);
    const past = (afterId === undefined ? this.#entries : (this.since(afterId) ?? [])).find(fits);
    if (past !== undefined) {
      return Promise.resolve(past.event);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`no matching chat event within ${timeoutMs} ms`));
      }, timeoutMs);
      const stop = this.follow((entry) => {
        if (fits(entry)) {
          clearTimeout(timer);
          stop();
          resolve(entry.event);
        }
      });
    });
  }
}

/** The message of an event that is about a new or changed one. */
export function messageIn(event: ChatEvent): VisibleMessage | undefined {
  return 'message' in event ? event.message : undefined;
}

/** Whether a person sees an entry. */
export function sees(entry: FeedEntry, userId: string): boolean {
  return entry.audience === undefined || entry.audience.includes(userId);
}
