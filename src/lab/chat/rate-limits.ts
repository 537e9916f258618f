import type { Clock } from './types.ts';

/** Requests a minute of each tier (docs.slack.dev/apis/web-api/rate-limits). */
const tierPerMinute = { t1: 1, t2: 20, t3: 50, t4: 100 } as const;

type Tier = keyof typeof tierPerMinute;

/**
 * Tier of each method, from the "Facts" box of its docs.slack.dev/reference/methods page. conversations.history and
 * .replies keep tier 3 for internal apps; other apps outside the Marketplace got 1/min in 2025.
 */
const methodTiers: Record<string, Tier> = {
  'apps.connections.open': 't3',
  'chat.delete': 't3',
  'chat.postEphemeral': 't4',
  'chat.update': 't3',
  'conversations.history': 't3',
  'conversations.info': 't3',
  'conversations.list': 't2',
  'conversations.members': 't4',
  'conversations.open': 't3',
  'conversations.replies': 't3',
  'files.completeUploadExternal': 't4',
  'files.getUploadURLExternal': 't4',
  'files.info': 't4',
  'reactions.add': 't3',
  'usergroups.list': 't2',
  'usergroups.users.list': 't2',
  'users.info': 't4',
  'users.list': 't2',
  'views.open': 't4',
  'views.publish': 't4',
  'views.push': 't4',
  'views.update': 't4',
};

/** chat.postMessage: about one a second and channel with short bursts, and a ceiling for the workspace [docs]. */
const postPerChannel = { burst: 5, perSecond: 1 };
const postPerWorkspace = { burst: 300, perSecond: 5 };

/** auth.test and chat.getPermalink have special, generous limits [docs: "hundreds of requests per minute"]. */
const generous = { burst: 600, perSecond: 10 };

interface Rate {
  burst: number;
  perSecond: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets per method (and channel), for the one app and workspace of the lab. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one request; answers 0, or the whole seconds to wait (the `Retry-After` header). */
  take(method: string, channel: string | undefined): number {
    if (method === 'chat.postMessage') {
      const wait = this.#takeFrom(`${method} ${channel ?? ''}`, postPerChannel);
      return wait > 0 ? wait : this.#takeFrom(method, postPerWorkspace);
    }
    const tier = methodTiers[method];
    if (tier === undefined) {
      return this.#takeFrom(method, generous);
    }
    const perMinute = tierPerMinute[tier];
    return this.#takeFrom(method, { burst: perMinute, perSecond: perMinute / 60 });
  }

  #takeFrom(key: string, rate: Rate): number {
    const nowMs = this.#clock.nowMs();
    const bucket = this.#buckets.get(key) ?? { tokens: rate.burst, atMs: nowMs };
    this.#buckets.set(key, bucket);
    bucket.tokens = Math.min(rate.burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * rate.perSecond);
    bucket.atMs = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - bucket.tokens) / rate.perSecond));
  }
}
