import type { ChatEvent, LabChannel, LabGroup, LabUser } from '../../src/lab/chat/types.ts';
import type { Choices } from '../../src/lab/chat/state.ts';
import type { SubmitResult, viewsOf } from '../../src/lab/chat/person-views.ts';
import type { PressResult, SayResult } from '../../src/lab/chat/person.ts';
import { Problem } from '../lib/print.mjs';

const requestLimitMs = 15_000;

export interface ChatInfo {
  readonly users: readonly LabUser[];
  readonly channels: readonly LabChannel[];
  readonly groups: readonly LabGroup[];
}

/** What people do in the pretend Slack, over the same HTTP interface as its web page. */
export class ChatClient {
  readonly #base: string;

  /** @param pageUrl Address of the page, with its closing slash. */
  constructor(pageUrl: string) {
    this.#base = `${pageUrl}lab/chat`;
  }

  async info(): Promise<ChatInfo> {
    return (await this.#request('GET', '/info')) as ChatInfo;
  }

  async say(user: string, channel: string, text: string): Promise<SayResult> {
    return (await this.#request('POST', '/say', { user, channel, text })) as SayResult;
  }

  async press(user: string, channel: string, ts: string, actionId: string): Promise<PressResult> {
    return (await this.#request('POST', '/press', { user, channel, ts, actionId })) as PressResult;
  }

  /** Sends off the form that opens in front of the person; fields that are not named stay as they are. */
  async submitForm(user: string, values: Choices = {}): Promise<SubmitResult> {
    for (const untilMs = Date.now() + requestLimitMs; ;) {
      const { modals } = (await this.#request('GET', `/views?user=${encodeURIComponent(user)}`)) as ReturnType<
        typeof viewsOf
      >;
      const viewId = modals.at(-1)?.id;
      if (viewId !== undefined)
        return (await this.#request('POST', '/views/submit', { user, viewId, values })) as SubmitResult;
      if (Date.now() > untilMs) throw new Problem(`No form opened in front of ${user}.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** A file of the thread or of a picture, as a person sees it. */
  async file(user: string, id: string): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
    const response = await fetch(`${this.#base}/files/${encodeURIComponent(id)}?user=${encodeURIComponent(user)}`, {
      signal: AbortSignal.timeout(requestLimitMs),
    });
    if (!response.ok) throw new Problem(`The file ${id} could not be read from the pretend Slack.`);
    const named = /filename\*=UTF-8''(\S+)$/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    return { name: decodeURIComponent(named ?? id), bytes: new Uint8Array(await response.arrayBuffer()) };
  }

  /**
   * Calls `onEvent` for everything that the person sees from now on, until the signal aborts. Resolves once following
   * has begun; `onEnd` is called when the stream breaks.
   */
  async follow(
    user: string,
    handlers: { readonly onEvent: (event: ChatEvent) => void; readonly onEnd: (error: unknown) => void },
    signal: AbortSignal,
  ): Promise<void> {
    const response = await fetch(`${this.#base}/events?user=${encodeURIComponent(user)}`, { signal });
    if (!response.ok || response.body === null) throw new Problem('The pretend Slack does not show its events.');
    readEvents(response.body, handlers.onEvent).then(
      () => handlers.onEnd(new Error('the stream of events ended')),
      (error: unknown) => handlers.onEnd(error),
    );
  }

  async #request(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      signal: AbortSignal.timeout(requestLimitMs),
      // A kept connection may be closed by the server in the instant it is used again: each request has its own.
      headers: { connection: 'close', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const value: unknown = await response.json();
    if (response.ok) return value;
    const text = typeof value === 'object' && value !== null && 'message' in value ? String(value.message) : '';
    throw new Problem(`The pretend Slack refused ${path} (${response.status}): ${text}`);
  }
}

/** Server-sent events: blocks divided by an empty line, the data of each is one JSON object. */
async function readEvents(body: ReadableStream<Uint8Array>, onEvent: (event: ChatEvent) => void): Promise<void> {
  const decoder = new TextDecoder();
  let buffered = '';
  for await (const chunk of body) {
    buffered += decoder.decode(chunk, { stream: true });
    const parts = buffered.split('\n\n');
    buffered = parts.pop() ?? '';
    for (const part of parts) {
      const data = part
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice('data: '.length))
        .join('\n');
      if (data !== '') onEvent(JSON.parse(data) as ChatEvent);
    }
  }
}
