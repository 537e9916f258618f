import { randomUUID } from 'node:crypto';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect } from '../../../src/store/redis.ts';
import type { TestRedis } from '../../support/redis.ts';

export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Connects as a user of Redis with the given rules. `remove` deletes the user. */
export async function connectAs(
  redis: TestRedis,
  rules: (tag: string) => readonly string[],
): Promise<{ readonly space: RedisSpace; readonly url: string; remove(): Promise<void> }> {
  const user = `dpubot-test-${randomUUID()}`;
  const tag = redis.newTag();
  await redis.client.call('ACL', 'SETUSER', user, 'on', '>pw', ...rules(tag));
  const url = redis.url.startsWith('/')
    ? `${redis.url}?username=${user}&password=pw`
    : redis.url.replace(/:\/\/([^@/]*@)?/, `://${user}:pw@`);
  const space = await connect(url, 'worker', { logger: silent, tag });
  return {
    space,
    url,
    remove: async () => {
      await space.close();
      await redis.client.call('ACL', 'DELUSER', user);
    },
  };
}
