import type { Clock } from '../../../src/domain/device-ports.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import type { ChatFault, ChatPort, ChatResult } from '../../../src/slack/chat-client.ts';

export interface Posted {
  readonly key: string;
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | undefined;
  readonly atMs: number;
  message: ChatMessage;
  edits: number;
  /** Before this time nobody can see it: a request still under way. */
  readonly visibleFromMs: number;
}

/** How the next request of a kind goes wrong. `did` = it was carried out all the same. */
export interface Mishap {
  readonly fault: ChatFault;
  readonly did?: boolean;
  /** With `did`: the message appears only after so many ms. */
  readonly lateMs?: number;
}

const AWAY: Mishap = { fault: { kind: 'unsent', reason: 'ECONNREFUSED' } };

type CallKind = 'post' | 'update' | 'find' | 'open' | 'permalink';

/** A chat for tests: keeps messages, and goes wrong as told. */
export class FakeChat implements ChatPort {
  readonly messages: Posted[] = [];
  readonly calls: { readonly kind: CallKind; readonly atMs: number; readonly key: string }[] = [];
  readonly mishaps: Record<CallKind, Mishap[]> = { post: [], update: [], find: [], open: [], permalink: [] };
  /** True while the chat cannot be reached at all. */
  away: () => boolean = () => false;
  readonly #clock: Clock;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Messages with this key; more than one is a doubled post. */
  withKey(key: string): Posted[] {
    return this.messages.filter((message) => message.key === key);
  }

  remove(key: string): void {
    const index = this.messages.findIndex((message) => message.key === key);
    this.messages.splice(index, 1);
  }

  async post(request: Parameters<ChatPort['post']>[0]): Promise<ChatResult<string>> {
    const atMs = this.#note('post', request.key);
    const mishap = this.away() ? AWAY : this.mishaps.post.shift();
    if (mishap !== undefined && mishap.did !== true) return { ok: false, fault: mishap.fault };
    this.#count += 1;
    const ts = `${Math.floor(atMs / 1000)}.${String(this.#count).padStart(6, '0')}`;
    const { key, channel, threadTs, message } = request;
    const visibleFromMs = atMs + (mishap?.lateMs ?? 0);
    this.messages.push({ key, channel, ts, threadTs, message, atMs, edits: 0, visibleFromMs });
    return mishap === undefined ? { ok: true, value: ts } : { ok: false, fault: mishap.fault };
  }

  async update(request: Parameters<ChatPort['update']>[0]): Promise<ChatResult<undefined>> {
    const known = this.messages.find((message) => message.ts === request.ts);
    this.#note('update', known?.key ?? request.ts);
    const mishap = this.away() ? AWAY : this.mishaps.update.shift();
    if (mishap !== undefined && mishap.did !== true) return { ok: false, fault: mishap.fault };
    if (known === undefined) return { ok: false, fault: { kind: 'refused', error: 'message_not_found' } };
    known.message = request.message;
    known.edits += 1;
    return mishap === undefined ? { ok: true, value: undefined } : { ok: false, fault: mishap.fault };
  }

  async find(request: Parameters<ChatPort['find']>[0]): Promise<ChatResult<string | undefined>> {
    const atMs = this.#note('find', request.key);
    const mishap = this.away() ? AWAY : this.mishaps.find.shift();
    if (mishap !== undefined) return { ok: false, fault: mishap.fault };
    const { channel, key, threadTs, sinceMs } = request;
    const found = this.messages.find(
      (message) =>
        message.key === key &&
        message.channel === channel &&
        message.threadTs === threadTs &&
        message.atMs >= sinceMs &&
        message.visibleFromMs <= atMs,
    );
    return { ok: true, value: found?.ts };
  }

  async open(userId: string): Promise<ChatResult<string>> {
    this.#note('open', userId);
    const mishap = this.away() ? AWAY : this.mishaps.open.shift();
    return mishap === undefined ? { ok: true, value: `D${userId.slice(1)}` } : { ok: false, fault: mishap.fault };
  }

  async permalink(place: Parameters<ChatPort['permalink']>[0]): Promise<ChatResult<string>> {
    this.#note('permalink', place.ts);
    const mishap = this.away() ? AWAY : this.mishaps.permalink.shift();
    if (mishap !== undefined) return { ok: false, fault: mishap.fault };
    return { ok: true, value: `https://lab.slack.test/archives/${place.channel}/p${place.ts.replace('.', '')}` };
  }

  #note(kind: CallKind, key: string): number {
    const atMs = this.#clock.nowMs();
    this.calls.push({ kind, atMs, key });
    return atMs;
  }
}
