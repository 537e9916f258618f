import { canonicalHash } from '../domain/canonical.ts';
import type { Clock } from '../domain/device-ports.ts';
import type { Notifier } from '../domain/ports.ts';
import { withoutPictures } from '../report/home.ts';
import type { HomeMessage } from '../report/home-model.ts';
import type { Answer } from '../report/message.ts';
import type { ChatFault, ChatResult } from './chat-client.ts';
import type { Log, Wait } from './log.ts';
import { reasonOf } from './log.ts';
import { RateBudget } from './rate-budget.ts';

/** One call of views.publish. `hash`: of what is there; another one means that somebody else was quicker. */
export interface HomeView {
  readonly userId: string;
  readonly message: HomeMessage;
  readonly hash: string | undefined;
}

export interface HomePublisherDeps {
  readonly draw: (
    userId: string,
    options: { readonly fresh: boolean; readonly notice?: Answer },
  ) => Promise<HomeMessage>;
  /** Gives the hash of the view that is there now. */
  readonly publish: (view: HomeView) => Promise<ChatResult<string | undefined>>;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Log;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** So long after somebody opened it, their Home follows what runs do. */
export const WATCH_MS = 15 * 60_000;
/** Least time between two drawings of one Home that nobody asked for. */
export const REDRAW_MS = 10_000;
/** So long the answer to a press stays at the top, unless the next press comes first. */
export const NOTICE_MS = 2 * 60_000;
const MAX_VIEWERS = 200;
/** views.publish is a tier 4 method (100 a minute); what is left over is for other bots of the workspace. */
const PER_MINUTE = 60;
const MAX_TRIES = 4;
const TRY_AGAIN_MS = 2000;
/** Who waits for an answer goes before those who only look. */
const PRIORITY = { asked: 0, redraw: 1 } as const;

interface Viewer {
  readonly userId: string;
  seenAtMs: number;
  drawnAtMs: number;
  hash: string | undefined;
  digest: string | undefined;
  notice: { readonly answer: Answer; readonly untilMs: number } | undefined;
  dirty: boolean;
  /** One drawing at a time, in the order in which they were asked for: an older one never overwrites a newer. */
  turn: Promise<void>;
}

/** Publishes Homes. Who looked lately is kept in memory only: after a restart a Home follows again once it is opened. */
export class HomePublisher {
  readonly #deps: HomePublisherDeps;
  readonly #budget: RateBudget;
  readonly #viewers = new Map<string, Viewer>();
  #wake = new AbortController();

  constructor(deps: HomePublisherDeps) {
    this.#deps = deps;
    const { clock, wait, signal } = deps;
    this.#budget = new RateBudget({ burst: 10, perMinute: PER_MINUTE, clock, wait });
    signal.addEventListener('abort', () => this.#wake.abort(), { once: true });
  }

  /** Somebody opened their Home, or pressed Refresh. `hash`: of what they see. Never rejects. */
  async opened(userId: string, hash: string | undefined): Promise<void> {
    const viewer = this.#viewer(userId);
    viewer.hash = hash ?? viewer.hash;
    viewer.notice = undefined;
    await this.#drawn(viewer, true);
  }

  /** A press on Home was answered; without an answer the one before stays. Never rejects. */
  async pressed(userId: string, answer: Answer): Promise<void> {
    const viewer = this.#viewer(userId);
    if (answer !== undefined) viewer.notice = { answer, untilMs: this.#deps.clock.nowMs() + NOTICE_MS };
    await this.#drawn(viewer, true);
  }

  /** Draws Homes anew while runs change, until the signal ends it. Never rejects. */
  async follow(notifier: Pick<Notifier, 'subscribe'>): Promise<void> {
    const { signal, log } = this.#deps;
    const unsubscribe = await this.#subscribe(notifier);
    while (!signal.aborted) {
      const dueInMs = await this.#redrawDue();
      if (!this.#wake.signal.aborted) await this.#deps.wait(dueInMs, this.#wake.signal).catch(() => undefined);
      if (!signal.aborted) this.#wake = new AbortController();
    }
    await unsubscribe?.().catch((error: unknown) => {
      log.debug({ reason: reasonOf(error) }, 'subscription not ended cleanly');
    });
  }

  /** Tries until it is told about changes, or ended: meanwhile Homes are drawn when they are opened. */
  async #subscribe(notifier: Pick<Notifier, 'subscribe'>): Promise<(() => Promise<void>) | undefined> {
    const { signal, log, wait } = this.#deps;
    while (!signal.aborted) {
      try {
        return await notifier.subscribe(() => this.#changed());
      } catch (error) {
        log.warn({ reason: reasonOf(error) }, 'Home is not told about changes, trying again');
        await wait(REDRAW_MS, signal).catch(() => undefined);
      }
    }
    return undefined;
  }

  #changed(): void {
    for (const viewer of this.#viewers.values()) viewer.dirty = true;
    this.#wake.abort();
  }

  #viewer(userId: string): Viewer {
    const nowMs = this.#deps.clock.nowMs();
    const known = this.#viewers.get(userId);
    const viewer = known ?? {
      userId,
      seenAtMs: nowMs,
      drawnAtMs: 0,
      hash: undefined,
      digest: undefined,
      notice: undefined,
      dirty: false,
      turn: Promise.resolve(),
    };
    viewer.seenAtMs = nowMs;
    // In the order of the last look, so that the first is the one to be forgotten.
    this.#viewers.delete(userId);
    this.#viewers.set(userId, viewer);
    const first = this.#viewers.size > MAX_VIEWERS ? this.#viewers.keys().next().value : undefined;
    if (first !== undefined) this.#viewers.delete(first);
    return viewer;
  }

  /** Draws what is due, one after the other; gives the ms until the next is. */
  async #redrawDue(): Promise<number> {
    const { clock, signal } = this.#deps;
    for (const viewer of this.#viewers.values()) {
      if (signal.aborted) return 0;
      if (clock.nowMs() - viewer.seenAtMs > WATCH_MS) this.#viewers.delete(viewer.userId);
      else if (viewer.dirty && clock.nowMs() - viewer.drawnAtMs >= REDRAW_MS) await this.#drawn(viewer, false);
    }
    const due = [...this.#viewers.values()]
      .filter(({ dirty }) => dirty)
      .map(({ drawnAtMs }) => drawnAtMs + REDRAW_MS - clock.nowMs());
    return Math.max(1, Math.min(WATCH_MS, ...due));
  }

  async #drawn(viewer: Viewer, asked: boolean): Promise<void> {
    const turn = viewer.turn.then(async () => this.#draw(viewer, asked));
    viewer.turn = turn.catch((error: unknown) => {
      if (this.#deps.signal.aborted) return;
      this.#deps.log.warn({ user: viewer.userId, reason: reasonOf(error) }, 'Home not drawn');
    });
    await viewer.turn;
  }

  async #draw(viewer: Viewer, asked: boolean): Promise<void> {
    const { clock, log, signal, wait } = this.#deps;
    let pictures = true;
    for (let tries = 1; tries <= MAX_TRIES && !signal.aborted; tries += 1) {
      await this.#budget.take(asked ? PRIORITY.asked : PRIORITY.redraw, signal);
      // What changes from here on is for the next drawing.
      viewer.dirty = false;
      viewer.drawnAtMs = clock.nowMs();
      const drawn = await this.#message(viewer, asked);
      const message = pictures ? drawn : withoutPictures(drawn);
      const digest = canonicalHash(message);
      if (!asked && digest === viewer.digest) return;
      const result = await this.#deps.publish({ userId: viewer.userId, message, hash: viewer.hash });
      if (result.ok) {
        Object.assign(viewer, { hash: result.value, digest });
        return;
      }
      const { fault } = result;
      log.info({ user: viewer.userId, fault, tries }, 'Home was not taken');
      // Whatever is there now, what is drawn next is newer.
      viewer.hash = undefined;
      if (fault.kind === 'rate-limited') this.#budget.pause(fault.retryAfterMs);
      else if (isAboutBlocks(fault)) {
        if (!pictures || !hasPicture(message)) break;
        pictures = false;
      } else if (fault.kind !== 'refused') await wait(TRY_AGAIN_MS, signal);
    }
    log.warn({ user: viewer.userId }, 'Home not drawn');
  }

  async #message(viewer: Viewer, asked: boolean): Promise<HomeMessage> {
    const { draw, clock } = this.#deps;
    const { notice } = viewer;
    const isCurrent = notice !== undefined && clock.nowMs() < notice.untilMs;
    return draw(viewer.userId, { fresh: asked, ...(isCurrent ? { notice: notice.answer } : {}) });
  }
}

/** A refusal that the next try would meet as well, unless it sends something else. */
function isAboutBlocks(fault: ChatFault): boolean {
  return fault.kind === 'refused' && fault.error !== 'hash_conflict';
}

function hasPicture({ blocks }: HomeMessage): boolean {
  return blocks.some(({ type }) => type === 'image');
}
