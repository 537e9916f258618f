import type { Notifier } from '../domain/ports.ts';
import type { RedisSpace, StoreLogger } from './redis.ts';

/**
 * Tells other processes that a run changed, over Redis publish/subscribe. Lossy by design; a subscription comes back by
 * itself after an outage, and readers look by themselves as well.
 */
export function createNotifier(space: RedisSpace, logger: StoreLogger): Notifier {
  const channel = space.key('changed');
  return {
    async changed(runId) {
      await space.call(`tell that run ${runId} changed`, async (redis) => redis.publish(channel, String(runId)));
    },
    async subscribe(onChange) {
      // A connection that listens can do nothing else.
      const listener = await space.open('queue');
      listener.client.on('message', (_channel: string, message: string) => {
        const runId = Number(message);
        if (!Number.isSafeInteger(runId)) return;
        try {
          onChange(runId);
        } catch (error) {
          logger.warn({ problem: String(error) }, 'a listener for changed runs failed');
        }
      });
      await listener.call('listen for changed runs', async (redis) => redis.subscribe(channel));
      return async () => {
        // What is on its way already must not reach somebody who has left.
        listener.client.removeAllListeners('message');
        await listener.close();
      };
    },
  };
}
