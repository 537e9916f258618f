import type { Dedupe, Invocation } from '../../../src/domain/ports.ts';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import type { Reply } from '../../../src/report/message.ts';
import type { SlackApp } from '../../../src/slack/app.ts';
import { createSlackApp } from '../../../src/slack/app.ts';
import type { HomeOptions } from '../../../src/slack/home.ts';
import type { Log } from '../../../src/slack/log.ts';
import { createInteractiveClient, identify } from '../../../src/slack/web-client.ts';

export const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface Call {
  readonly userId: string;
  readonly invocation: Invocation;
}

/** The bot's entrance connected to a pretend Slack; `answer` plays the commands. */
export interface Connected {
  readonly chat: RunningChat;
  readonly app: SlackApp;
  readonly calls: Call[];
  close(): Promise<void>;
}

export async function connect(
  answer: (call: Call) => Promise<Reply>,
  options: { readonly dedupe?: Dedupe; readonly home?: HomeOptions } = {},
): Promise<Connected> {
  const chat = await startChat({ seed: 1 });
  const calls: Call[] = [];
  const access = { botToken: chat.botToken, apiUrl: chat.apiUrl };
  const app = createSlackApp({
    ...access,
    appToken: chat.appToken,
    identity: await identify(access, quiet, AbortSignal.timeout(5000)),
    client: createInteractiveClient(access),
    log: quiet,
    dedupe: options.dedupe ?? firstTimes(),
    dispatch: async (userId, invocation) => {
      calls.push({ userId, invocation });
      return answer({ userId, invocation });
    },
    ...(options.home && { home: options.home }),
  });
  await app.start();
  const close = async (): Promise<void> => {
    await app.stop();
    await chat.close();
  };
  return { chat, app, calls, close };
}

/** Recognises ids given before. */
export function firstTimes(): Dedupe {
  const seen = new Set<string>();
  return {
    firstTime: async (id) => {
      const first = !seen.has(id);
      seen.add(id);
      return first;
    },
    forget: async (id) => void seen.delete(id),
  };
}
