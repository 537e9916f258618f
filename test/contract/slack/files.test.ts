import { expect, test } from 'vitest';
import type { ArtefactStore } from '../../../src/domain/artefacts.ts';
import type { OutboxStore } from '../../../src/domain/ports.ts';
import type { Fault } from '../../../src/lab/chat/faults.ts';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { createChatPort } from '../../../src/slack/chat-client.ts';
import { createFilePort } from '../../../src/slack/file-client.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { createMemoryArtefactStore } from '../../support/memory/looks.ts';
import { createMemoryOutboxStore } from '../../support/memory/outbox.ts';
import { CHART, CONSOLE, refOf, runWithFiles } from '../../unit/slack/file-story.ts';
import type { Published } from './publisher.ts';
import { publish, wallClock } from './publisher.ts';

type OnFinished = (end: () => Promise<void>) => void;
type Message = ReturnType<RunningChat['messages']>[number];

/** A pretend Slack, an ended run with one file, and what outlives a publisher. */
interface Scene extends Published {
  readonly slack: RunningChat;
  /** Key of the message that has the file. */
  readonly key: string;
  readonly store: OutboxStore;
  readonly artefacts: ArtefactStore;
}

async function scene(onTestFinished: OnFinished, file: typeof CONSOLE, ...faults: readonly Fault[]): Promise<Scene> {
  const slack = await startChat({ seed: 1 });
  onTestFinished(async () => slack.close());
  for (const fault of faults) slack.setFault(fault);
  const artefacts = createMemoryArtefactStore();
  const { run, entries } = runWithFiles(await artefacts.put(418, file));
  const channel = slack.channels[0]?.id ?? '';
  const key = postsOf(run, [], entries)[0]?.key ?? '';
  const store = createMemoryOutboxStore(wallClock);
  return { slack, key, run: { ...run, channel }, plans: [], entries, store, artefacts };
}

/** Publishes until card, file and end of the run are there; gives the messages about the file. */
async function published(onTestFinished: OnFinished, scene: Scene): Promise<Message[]> {
  onTestFinished(publish(scene.slack, scene));
  // expect.poll belongs to the test that runs now, and several do.
  await eventually('the thread', () => thread(scene.slack).length >= 3 || undefined, 15_000);
  return thread(scene.slack).filter((message) => message.text.includes('End of'));
}

/** Every message of the channel and its threads as Ana sees them. */
function thread(slack: RunningChat): Message[] {
  const channel = slack.channels[0]?.id ?? '';
  return slack
    .messages({ user: 'ana', channel })
    .flatMap((root) => [root, ...slack.messages({ user: 'ana', channel, threadTs: root.ts }).slice(1)]);
}

/** What a person gets who opens the first file that Slack has. */
async function download(slack: RunningChat, id: string | undefined, user = 'ana'): Promise<string> {
  const response = await fetch(`${slack.url}lab/chat/files/${id ?? 'none'}?user=${user}`);
  return response.ok ? response.text() : `HTTP ${response.status}`;
}

function words(message: Message | undefined): string {
  return plainText({ text: message?.text ?? '', blocks: (message?.blocks ?? []) as never });
}

const carriedOut = (slack: RunningChat, method: string): number => slack.stats().calls[method]?.ok ?? 0;

test.concurrent(
  'a text file is posted once, with a link, and the people of the channel can read it',
  async ({ onTestFinished }) => {
    const stage = await scene(onTestFinished, CONSOLE);

    const messages = await published(onTestFinished, stage);

    expect(messages).toHaveLength(1);
    expect(messages[0]?.files).toMatchObject([{ name: 'console.txt', mimetype: 'text/plain' }]);
    expect(await download(stage.slack, messages[0]?.files?.[0]?.id)).toBe('login: ');
    expect(words(messages[0])).toMatch(/Whole text \(https:\S+console\.txt\) \(7 bytes\)/);
  },
);

test.concurrent(
  'a picture is shown in place once, after Slack has looked through it, and the people of the channel can see it',
  async ({ onTestFinished }) => {
    const stage = await scene(onTestFinished, CHART);

    const messages = await published(onTestFinished, stage);

    const picture = messages[0]?.blocks?.find((block) => block.type === 'image') as
      { readonly alt_text: string; readonly slack_file: { readonly id: string } } | undefined;
    expect(messages).toHaveLength(1);
    expect(picture?.alt_text).toBe(CHART.altText);
    expect(await download(stage.slack, picture?.slack_file.id)).toBe('not really a picture');
    expect(stage.slack.stats().invalidBlocks).toBe(0);
  },
);

test.concurrent(
  'a publisher that dies after the upload leaves it to the next one, which uploads nothing again',
  async ({ onTestFinished }) => {
    const stage = await scene(onTestFinished, CONSOLE);
    const chat = createChatPort({ botToken: stage.slack.botToken, apiUrl: stage.slack.apiUrl });
    let reached = false;
    const stop = publish(stage.slack, stage, {
      chat: {
        ...chat,
        post: async (request) => {
          if (request.key !== stage.key) return chat.post(request);
          reached = true;
          throw new Error('died');
        },
      },
    });
    await eventually('the upload', () => reached || undefined, 10_000);
    await stop();

    const messages = await published(onTestFinished, stage);

    expect(messages).toHaveLength(1);
    expect(carriedOut(stage.slack, 'files.getUploadURLExternal')).toBe(1);
    expect(await download(stage.slack, messages[0]?.files?.[0]?.id)).toBe('login: ');
  },
);

test.concurrent(
  'a publisher that dies after the post, before it noted it, leaves one message',
  async ({ onTestFinished }) => {
    const stage = await scene(onTestFinished, CONSOLE);
    let reached = false;
    const store: OutboxStore = {
      ...stage.store,
      sent: async (runId, key, sent) => {
        if (key !== stage.key) return stage.store.sent(runId, key, sent);
        reached = true;
        throw new Error('died');
      },
    };
    const stop = publish(stage.slack, { ...stage, store });
    await eventually('the upload', () => reached || undefined, 10_000);
    await stop();

    const messages = await published(onTestFinished, stage);

    expect(messages).toHaveLength(1);
    expect(messages[0]?.files).toHaveLength(1);
  },
);

test.concurrent.each([
  ['the upload of the content', { fault: 'lost-reply', method: 'upload', times: 1 }],
  ['the reservation', { fault: 'lost-reply', method: 'files.getUploadURLExternal', times: 1 }],
  ['the completion', { fault: 'lost-reply', method: 'files.completeUploadExternal', times: 1 }],
  ['the question whether it is there', { fault: 'lost-reply', method: 'files.info', times: 1 }],
  ['the post', { fault: 'lost-reply', method: 'chat.postMessage', times: 2 }],
] as const)('a lost reply to %s ends with one message that has the file', async (_, fault) => {
  const ends: (() => Promise<void>)[] = [];
  const stage = await scene((end) => ends.push(end), CONSOLE, fault);

  const messages = await published((end) => ends.push(end), stage);

  expect(messages).toHaveLength(1);
  expect(await download(stage.slack, messages[0]?.files?.[0]?.id)).toBe('login: ');
  for (const end of ends.toReversed()) await end();
});

test.concurrent('a 429 to an upload delays the message, which has its file', async ({ onTestFinished }) => {
  const limit = { fault: 'rate-limit-now', method: 'files.getUploadURLExternal', retryAfterSec: 2, times: 1 } as const;
  const stage = await scene(onTestFinished, CONSOLE, limit);

  const messages = await published(onTestFinished, stage);

  expect(messages).toHaveLength(1);
  expect(messages[0]?.files).toHaveLength(1);
  expect(stage.slack.stats().rateLimited).toBe(1);
});

test.concurrent(
  'an app without the scope for files posts the message without it and says why',
  async ({ onTestFinished }) => {
    const refusal = { fault: 'api-error', method: 'files.getUploadURLExternal', error: 'missing_scope' } as const;
    const stage = await scene(onTestFinished, CONSOLE, refusal);

    const messages = await published(onTestFinished, stage);

    expect(messages).toHaveLength(1);
    expect(words(messages[0])).toContain('console.txt (7 bytes) is not here: the Slack app has no scope files:write');
  },
);

test.concurrent('a file that is no longer kept is said to be gone', async ({ onTestFinished }) => {
  const stage = await scene(onTestFinished, CONSOLE);
  const { run, entries } = runWithFiles(refOf(CONSOLE));

  const messages = await published(onTestFinished, { ...stage, run: { ...run, channel: stage.run.channel }, entries });

  expect(messages).toHaveLength(1);
  expect(words(messages[0])).toContain('console.txt (7 bytes) is not here: it is no longer kept');
});

test.concurrent(
  'an upload host that answers 503 and one that cannot be reached leave the outcome unknown, without the address',
  async ({ onTestFinished }) => {
    const { slack } = await scene(onTestFinished, CONSOLE, { fault: 'api-error', method: 'upload', times: 1 });
    const gone = await startChat();
    await gone.close();
    const files = createFilePort({ botToken: slack.botToken, apiUrl: slack.apiUrl });
    const reserved = await files.reserve({ name: 'console.txt', bytes: 7 });
    const uploadUrl = reserved.ok ? reserved.value.uploadUrl : '';
    const host = new URL(uploadUrl).host;

    expect(await files.upload({ uploadUrl, content: CONSOLE.content })).toEqual({
      ok: false,
      fault: { kind: 'unknown', reason: `${host} answered HTTP 503` },
    });
    expect(await files.upload({ uploadUrl: `${gone.url}upload/v1/secret`, content: CONSOLE.content })).toEqual({
      ok: false,
      fault: { kind: 'unknown', reason: `${new URL(gone.url).host}: ECONNREFUSED` },
    });
    expect(await files.upload({ uploadUrl: `${slack.url}upload/v1/other`, content: CONSOLE.content })).toEqual({
      ok: false,
      fault: { kind: 'refused', error: `${host} answered HTTP 400` },
    });
    expect(await files.info(reserved.ok ? reserved.value.fileId : '')).toEqual({ ok: true, value: undefined });
  },
);
