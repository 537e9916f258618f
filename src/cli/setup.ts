import type { CliConfig } from '../config.ts';
import type { Clock } from '../domain/device-ports.ts';
import type { Inventory } from '../domain/inventory.ts';
import { errors } from '../errors.ts';
import { loadInventory } from '../inventory-file.ts';
import type { RedisSpace } from '../store/redis.ts';
import { connect } from '../store/redis.ts';

export const systemClock: Clock = { nowMs: () => Date.now() };

/** The inventory of the settings. Errors: config-invalid without DPUBOT_INVENTORY, inventory-invalid. */
export async function inventoryOf(config: CliConfig): Promise<Inventory> {
  if (config.inventoryPath === undefined) throw errors.configInvalid({ problems: ['DPUBOT_INVENTORY is missing'] });
  return await loadInventory(config.inventoryPath);
}

/** Redis of the settings; another hash tag only where several installations share a server (tests do). */
type RedisAccess = Pick<CliConfig, 'redisUrl'> & { readonly redisTag?: string };

/** Runs with a connection that is closed afterwards. Errors: config-invalid without REDIS_URL, store-unavailable. */
export async function withRedis<T>(config: RedisAccess, work: (space: RedisSpace) => Promise<T>): Promise<T> {
  if (!config.redisUrl) throw errors.configInvalid({ problems: ['REDIS_URL is missing'] });
  // The command's own error says what is wrong; connection warnings beside it would only repeat it.
  const space = await connect(config.redisUrl.reveal(), 'worker', {
    logger: { warn: () => {} },
    startTimeoutMs: 5000,
    ...(config.redisTag !== undefined && { tag: config.redisTag }),
  });
  try {
    return await work(space);
  } finally {
    await space.close();
  }
}
