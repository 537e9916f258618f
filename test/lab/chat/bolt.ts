import { App, LogLevel } from '@slack/bolt';
import { type ChatOptions, type RunningChat, startChat } from '../../../src/lab/chat/server.ts';

/** A pretend Slack and an unmodified Bolt app connected to it. */
export interface Pair {
  chat: RunningChat;
  app: App;
  close(): Promise<void>;
}

const quiet = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

/** A Bolt app pointed at a pretend Slack; not started yet. */
export function createApp(chat: RunningChat): App {
  return new App({
    token: chat.botToken,
    appToken: chat.appToken,
    socketMode: true,
    logger: quiet,
    clientOptions: { slackApiUrl: chat.apiUrl, retryConfig: { retries: 0 } },
  });
}

/** Starts both; `listen` registers the listeners before the app connects. */
export async function startPair(listen: (app: App) => void, options: ChatOptions = {}): Promise<Pair> {
  const chat = await startChat({ seed: 1, ...options });
  const app = createApp(chat);
  listen(app);
  await app.start();
  return {
    chat,
    app,
    close: async () => {
      const stopped = app.stop();
      await chat.close();
      await stopped;
    },
  };
}

/** An answer of the Web API, undigested. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { ok: boolean; error?: string; ts?: string };
}

/** Calls a Web API method with a JSON body. */
export async function call(
  chat: RunningChat,
  method: string,
  args: object = {},
  token = chat.botToken,
): Promise<RawAnswer> {
  const response = await fetch(`${chat.apiUrl}${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(args),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as RawAnswer['body'] };
}

/** POSTs JSON to an address and gives the text of the answer. */
export async function postJson(url: string, body: object): Promise<{ status: number; text: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

export const lab = 'C0LABDPU01';
export const random = 'C0LABRAND1';

export function plain(text: string): { type: 'plain_text'; text: string } {
  return { type: 'plain_text', text };
}

export function button(actionId: string, text = actionId): object {
  return { type: 'button', action_id: actionId, value: `value of ${actionId}`, text: plain(text) };
}

/** A clock that stands still until it is moved. */
export function createClock(): { nowMs(): number; advance(ms: number): void } {
  let nowMs = 1_790_000_000_000;
  return {
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}
