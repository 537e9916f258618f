import type { App, BlockAction } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/device-ports.ts';
import type { Notifier } from '../domain/ports.ts';
import type { HomeMessage } from '../report/home-model.ts';
import type { Answer } from '../report/message.ts';
import { attempt } from './chat-client.ts';
import type { HomeView } from './home-publisher.ts';
import { HomePublisher } from './home-publisher.ts';
import type { Log } from './log.ts';

/** What Home needs of the bot. */
export interface HomeOptions {
  /** Draws the Home of a person; never rejects. */
  readonly draw: (
    userId: string,
    options: { readonly fresh: boolean; readonly notice?: Answer },
  ) => Promise<HomeMessage>;
  readonly notifier: Pick<Notifier, 'subscribe'>;
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How the rest of the entrance reaches Home. */
export interface Home {
  /**
   * Draws the Home of who pressed a button there anew, with the answer at its top. A press that was delivered twice has
   * none the second time: the first stays. Never rejects.
   */
  pressed(userId: string, notice: Answer): Promise<void>;
}

/** App Home: drawn when it is opened, after a press on it, and while runs change for those who opened it lately. */
export function registerHome(
  app: Pick<App, 'event' | 'action'>,
  options: HomeOptions & { readonly client: Pick<WebClient, 'views'>; readonly log: Log },
): Home {
  const { client, log, draw, notifier, clock, signal } = options;
  const publisher = new HomePublisher({
    draw,
    publish: async (view) => attempt(async () => publishView(client, view)),
    clock,
    wait: async (ms, stop) => sleep(ms, undefined, { signal: stop }),
    log,
    signal,
  });
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home') await publisher.opened(event.user, hashOf(event.view));
  });
  app.action<BlockAction>({ type: 'block_actions', action_id: 'home:refresh' }, async ({ ack, body }) => {
    await ack();
    await publisher.opened(body.user.id, body.view?.hash);
  });
  void publisher.follow(notifier);
  return { pressed: async (userId, notice) => publisher.pressed(userId, notice) };
}

/** Of the view that a person sees; the types of the library do not name it in the event. */
function hashOf(view: object | undefined): string | undefined {
  return view !== undefined && 'hash' in view && typeof view.hash === 'string' ? view.hash : undefined;
}

/** Gives the hash of what is shown now. */
async function publishView(client: Pick<WebClient, 'views'>, view: HomeView): Promise<string | undefined> {
  const { userId, message, hash } = view;
  const reply = await client.views.publish({
    user_id: userId,
    view: { type: 'home', blocks: [...message.blocks] },
    ...(hash === undefined ? {} : { hash }),
  });
  return reply.view?.hash;
}
