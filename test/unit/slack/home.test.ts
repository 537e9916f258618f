import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { HomeOptions } from '../../../src/slack/home.ts';
import { registerHome } from '../../../src/slack/home.ts';
import { START_MS } from '../report/samples.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Handler = (args: unknown) => Promise<void>;

/** The listeners that Home puts into the entrance, and what the chat was asked to show. */
function register() {
  const listeners = new Map<string, Handler>();
  const published: unknown[] = [];
  const app = {
    event: (name: string, listener: Handler) => listeners.set(name, listener),
    action: ({ action_id }: { readonly action_id: string }, listener: Handler) => listeners.set(action_id, listener),
  };
  const client = {
    views: {
      publish: async (view: unknown) => {
        published.push(view);
        return { ok: true, view: { hash: `h${published.length}` } };
      },
    },
  };
  const options: HomeOptions = {
    draw: async () => ({ blocks: [{ type: 'divider' }] }),
    notifier: { subscribe: async () => async () => {} },
    clock: { nowMs: () => START_MS },
    signal: new AbortController().signal,
  };
  registerHome(app as never, { ...options, client: client as never, log: quiet });
  return { listeners, published };
}

describe('opening the app', () => {
  test('draws Home with the hash of the view that the person sees', async () => {
    const { listeners, published } = register();

    await listeners.get('app_home_opened')?.({ event: { user: 'U1', tab: 'home', view: { hash: 'h0' } } });

    expect(published).toEqual([{ user_id: 'U1', view: { type: 'home', blocks: [{ type: 'divider' }] }, hash: 'h0' }]);
  });

  test('at its messages draws nothing', async () => {
    const { listeners, published } = register();

    await listeners.get('app_home_opened')?.({ event: { user: 'U1', tab: 'messages' } });

    expect(published).toEqual([]);
  });

  test('is told to the bot, and has a Home tab, by the manifest of the examples', () => {
    const text = readFileSync(new URL('../../../examples/slack-manifest.yaml', import.meta.url), 'utf8');

    const manifest: unknown = parse(text);

    expect(manifest).toMatchObject({
      features: { app_home: { home_tab_enabled: true } },
      settings: { event_subscriptions: { bot_events: expect.arrayContaining(['app_home_opened']) } },
    });
  });
});
