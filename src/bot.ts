import { randomUUID } from 'node:crypto';
import { createDispatch } from '../commands/dispatch.ts';
import { createHome } from '../commands/home.ts';
import type { BotConfig } from './config.ts';
import { failureOf } from './errors.ts';
import { loadInventory, watchInventory } from './inventory-file.ts';
import { createLog } from './log.ts';
import { createJobQueue } from './queue/job-queue.ts';
import { serveMetrics } from './serve-metrics.ts';
import { closeOnSignal } from './shutdown.ts';
import { createSlackApp } from './slack/app.ts';
import { createApproversOf } from './slack/approvers.ts';
import { createChatPort } from './slack/chat-client.ts';
import { createDirectory } from './slack/directory.ts';
import { createFilePort } from './slack/file-client.ts';
import { runOutbox } from './slack/outbox.ts';
import { createInteractiveClient, identify } from './slack/web-client.ts';
import { checkRedis } from './store/check-redis.ts';
import { createStores } from './store/index.ts';
import { connect } from './store/redis.ts';
import { systemClock } from './transport/device-clock.ts';

const stopLimitMs = 10_000;

/** Runs the bot until it is told to stop. Holds Slack tokens, never a key or password of a device. */
export async function runBot(config: BotConfig): Promise<void> {
  const log = createLog({ name: 'bot', level: config.logLevel });
  let inventory = await loadInventory(config.inventoryPath);
  const space = await connect(config.redisUrl.reveal(), 'bot', { logger: log });
  await checkRedis(space);
  const stores = createStores(space, { clock: systemClock, logger: log });
  // BullMQ's producer and the publisher outlive a short fail-over; only answers to people must fail fast.
  const patient = await space.open('worker');
  const patientStores = createStores(patient, { clock: systemClock, logger: log });
  const queue = createJobQueue({ connection: space.client, logger: log });

  const access = { botToken: config.slack.botToken.reveal(), apiUrl: config.slack.apiUrl };
  const stopping = new AbortController();
  const identity = await identify(access, log, stopping.signal);
  const client = createInteractiveClient(access);
  const directory = createDirectory({ client, clock: systemClock, teamId: identity.teamId });
  const { teamId } = identity;
  const context = { ...stores, inventory: () => inventory, queue, directory, clock: systemClock, teamId };
  const onFailure = (error: unknown): void => {
    const { code, what } = failureOf(error);
    log.info({ code, what }, 'command answered with a failure');
  };
  const dispatch = createDispatch(context, onFailure);
  const draw = createHome(
    { ...context, posts: stores.outbox, workspaceUrl: identity.url, locked: async () => stores.locks.all() },
    onFailure,
  );
  const app = createSlackApp({
    ...access,
    ...entrance(config),
    identity,
    client,
    log,
    dedupe: stores.dedupe,
    dispatch,
    home: { draw, notifier: patientStores.notifier, clock: systemClock, signal: stopping.signal },
  });
  const outbox = runOutbox(
    {
      ...patientStores,
      chat: createChatPort(access),
      files: createFilePort(access),
      store: patientStores.outbox,
      direct: {
        approversOf: createApproversOf({ inventory: () => inventory, directory }),
        recipients: patientStores.recipients,
      },
      clock: systemClock,
      log,
      workspace: identity.teamId,
      owner: randomUUID(),
    },
    stopping.signal,
  ).catch((error: unknown) => log.error({ problem: String(error) }, 'the publisher ended'));
  const watch = watchInventory(
    config.inventoryPath,
    (changed) => {
      inventory = changed;
      log.info({ hosts: Object.keys(changed.hosts).length }, 'inventory reloaded');
    },
    (error) => log.warn({ problem: error.failure.why }, 'broken inventory ignored'),
    { known: inventory },
  );
  const health = (): string | undefined => (app.connected() ? undefined : 'no connection to Slack');
  const stopMetrics = config.metricsPort === undefined ? undefined : await serveMetrics(config.metricsPort, health);
  closeOnSignal(log, stopLimitMs, async () => {
    watch.stop();
    stopping.abort();
    await app.stop();
    await outbox;
    await queue.close();
    await stopMetrics?.();
    await patient.close();
    await space.close();
  });
  await app.start();
  log.info({ team: identity.teamId, entrance: config.slack.entrance.kind }, 'ready');
}

function entrance(config: BotConfig): { appToken: string } | { port: number; signingSecret: string } {
  const { entrance: how } = config.slack;
  if (how.kind === 'socket') return { appToken: how.appToken.reveal() };
  return { port: how.port, signingSecret: how.signingSecret.reveal() };
}
