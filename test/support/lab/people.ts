import { z } from 'zod';
import { ChatClient, type ChatInfo } from '../../../scripts/demo/chat-client.ts';
import { messageLines, type Names } from '../../../scripts/demo/block-text.ts';
import type { Fault } from '../../../src/lab/chat/faults.ts';
import type { Choices } from '../../../src/lab/chat/state.ts';
import type { SubmitResult } from '../../../src/lab/chat/person-views.ts';
import type { PressResult, SayResult } from '../../../src/lab/chat/person.ts';
import type { ChatStats } from '../../../src/lab/chat/stats.ts';
import type { ChatEvent, VisibleMessage } from '../../../src/lab/chat/types.ts';
import { eventually } from './eventually.ts';

const requestLimitMs = 15_000;
const answerLimitMs = 10_000;
export const channel = 'dpu-lab';
const persons = ['ana', 'ben', 'cara', 'dana'] as const;
export type PersonName = (typeof persons)[number];

/** What was said to one person only. */
export interface Answer {
  readonly text: string;
  /** Of the message, as it went over the wire. */
  readonly raw: VisibleMessage;
}

/** The people of the pretend Slack: ana (operator, approver), ben (the same), cara (guest), dana (admin). */
export class People {
  readonly #url: string;
  readonly #chat: ChatClient;
  readonly #ended = new AbortController();
  readonly #private = new Map<PersonName, VisibleMessage[]>(persons.map((name) => [name, []]));
  readonly #messages = new Map<string, VisibleMessage>();
  readonly #everything: string[] = [];
  #names: Names = { users: new Map(), channels: new Map() };

  /** @param pageUrl Address of the pretend Slack's page. */
  constructor(pageUrl: string) {
    this.#url = `${pageUrl}lab/chat`;
    this.#chat = new ChatClient(pageUrl);
  }

  /** Begins to read along as every person. */
  async follow(): Promise<void> {
    const { users, channels } = await this.#chat.info();
    this.#names = {
      users: new Map(users.map((user) => [user.id, user.name])),
      channels: new Map(channels.map((one) => [one.id, one.name])),
    };
    const onEnd = (): void => undefined;
    for (const person of persons)
      await this.#chat.follow(person, { onEvent: (event) => this.#see(person, event), onEnd }, this.#ended.signal);
  }

  stop(): void {
    this.#ended.abort();
  }

  /** Types a line. Resolves when Slack would have shown that it was taken, or that it failed. */
  async say(user: PersonName, text: string, where: string = channel): Promise<SayResult> {
    return this.#chat.say(user, where, text);
  }

  /** Types a line and waits for the answer that only this person sees. */
  async ask(user: PersonName, text: string, where: string = channel): Promise<Answer> {
    const before = this.answers(user).length;
    await this.say(user, text, where);
    return this.nextAnswer(user, before);
  }

  /** The answer after the first `before` ones. */
  async nextAnswer(user: PersonName, before: number): Promise<Answer> {
    return eventually(`an answer to ${user}`, () => this.answers(user)[before], answerLimitMs);
  }

  /** Everything that was said to this person only, oldest first. */
  answers(user: PersonName): readonly Answer[] {
    return (this.#private.get(user) ?? []).map((raw) => ({ text: this.textOf(raw), raw }));
  }

  /** Presses a button of a run as soon as a message in the channel shows it. */
  async press(user: PersonName, runId: number, label: string): Promise<PressResult> {
    const action = `run:${label.toLowerCase()}`;
    const ts = await eventually(
      `a button ${label} of run ${runId}`,
      () => [...this.#messages.values()].find((one) => hasButton(one, action, runId))?.ts,
      answerLimitMs,
    );
    return this.pressAt(user, ts, action);
  }

  /** Sends off the form that opens in front of the person. */
  async submitForm(user: PersonName, values: Choices = {}): Promise<SubmitResult> {
    return this.#chat.submitForm(user, values);
  }

  async pressAt(user: PersonName, ts: string, action: string): Promise<PressResult> {
    return this.#chat.press(user, channel, ts, action);
  }

  /** What dpubot wrote to a person alone, oldest first; it must have written before. */
  async inPerson(user: PersonName): Promise<readonly VisibleMessage[]> {
    return this.messages(user, undefined, await this.#directChannel(user));
  }

  /** Presses a button of a run in the direct message to a person, as soon as it is there. */
  async pressInPerson(user: PersonName, runId: number, label: string): Promise<PressResult> {
    const action = `run:${label.toLowerCase()}`;
    const where = await this.#directChannel(user);
    const ts = await eventually(
      `a button ${label} of run ${runId} in the direct messages of ${user}`,
      async () => (await this.inPerson(user).catch(() => [])).find((one) => hasButton(one, action, runId))?.ts,
      answerLimitMs,
    );
    return this.#chat.press(user, where, ts, action);
  }

  async #directChannel(user: PersonName): Promise<string> {
    const id = (await this.#chat.info()).users.find(({ name }) => name === user)?.id ?? '';
    return `D${id.slice(1)}`;
  }

  /** A channel or a thread as a person reads it, oldest first. */
  async messages(user: PersonName, threadTs?: string, where: string = channel): Promise<readonly VisibleMessage[]> {
    const query = new URLSearchParams({
      user,
      channel: where,
      limit: '5000',
      ...(threadTs === undefined ? {} : { threadTs }),
    });
    const answer = (await this.#get(`/messages?${query.toString()}`)) as { readonly messages: VisibleMessage[] };
    return answer.messages;
  }

  /**
   * The key that dpubot gave each message of a channel or thread, which only an app sees: `undefined` for messages of
   * others. Uses up one call of the bot's rate limit.
   */
  async postKeys(access: { readonly apiUrl: string; readonly botToken: string }, threadTs?: string): Promise<string[]> {
    const method = threadTs === undefined ? 'conversations.history' : 'conversations.replies';
    const place = channelId(await this.#chat.info());
    const form = { channel: place, limit: '999', include_all_metadata: 'true', ...(threadTs && { ts: threadTs }) };
    const response = await fetch(`${access.apiUrl}${method}`, {
      method: 'POST',
      signal: AbortSignal.timeout(requestLimitMs),
      headers: { authorization: `Bearer ${access.botToken}` },
      body: new URLSearchParams(form),
    });
    const { messages } = Keyed.parse(await response.json());
    return messages.flatMap(({ metadata }) => (metadata === undefined ? [] : [metadata.event_payload.key]));
  }

  /** A message of the channel or of a thread as ana sees it now. */
  shown(ts: string): VisibleMessage | undefined {
    return this.#messages.get(ts);
  }

  /** What a person reads of a message: text of its blocks with names, buttons as `[Approve]`. */
  textOf(message: Parameters<typeof messageLines>[0]): string {
    return messageLines(message, this.#names).join('\n');
  }

  /** Every event that anybody was shown, as JSON: for the search for secrets. */
  get everything(): readonly string[] {
    return this.#everything;
  }

  async stats(): Promise<ChatStats> {
    return (await this.#get('/stats')) as ChatStats;
  }

  /** Switches a fault of the pretend Slack on. */
  async fault(fault: Fault): Promise<void> {
    await this.#request('POST', '/faults', fault);
  }

  async clearFault(name: Fault['fault']): Promise<void> {
    await this.#request('DELETE', `/faults/${name}`);
  }

  #see(person: PersonName, event: ChatEvent): void {
    this.#everything.push(JSON.stringify(event));
    if (event.type === 'ephemeral/new') this.#private.get(person)?.push(event.message);
    // What she is told alone is no message of the channel.
    if (person !== 'ana' || !('channel' in event) || event.channel.startsWith('D')) return;
    if (event.type === 'message/new' || event.type === 'message/changed')
      this.#messages.set(event.message.ts, event.message);
    if (event.type === 'message/deleted') this.#messages.delete(event.ts);
  }

  async #get(path: string): Promise<unknown> {
    return this.#request('GET', path);
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(requestLimitMs),
      // A kept connection may be closed by the server in the instant it is used again: each request has its own.
      headers: { connection: 'close', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

const Keyed = z.object({
  ok: z.literal(true),
  messages: z.array(z.object({ metadata: z.object({ event_payload: z.object({ key: z.string() }) }).optional() })),
});

function channelId({ channels }: ChatInfo): string {
  const found = channels.find((one) => one.name === channel);
  if (found === undefined) throw new Error(`the pretend Slack has no channel ${channel}`);
  return found.id;
}

function hasButton(message: VisibleMessage, action: string, runId: number): boolean {
  return (message.blocks ?? []).some(
    (block) =>
      'elements' in block &&
      Array.isArray(block.elements) &&
      block.elements.some(
        (element: unknown) =>
          typeof element === 'object' &&
          element !== null &&
          'action_id' in element &&
          element.action_id === action &&
          'value' in element &&
          String(element.value).startsWith(`${runId}:`),
      ),
  );
}
