import type { CliConfig } from '../config.ts';
import type { Inventory } from '../domain/inventory.ts';
import { failureOf } from '../errors.ts';
import type { RedisSpace } from '../store/redis.ts';
import { checkSettings, checkStore } from './doctor-basics.ts';
import { checkSlack } from './doctor-slack.ts';
import { checkWorkerSide } from './doctor-worker.ts';
import type { Finding } from './findings.ts';
import { fail, findingLines, ok, warn } from './findings.ts';
import type { CliIo } from './io.ts';
import { exitCodes } from './io.ts';
import { inventoryOf, withRedis } from './setup.ts';

/**
 * `doctor`: looks at everything bot and workers need, as far as the settings given to it reach, and changes nothing but
 * a probe file in the escrow directory. Exit 1 when something is wrong.
 */
export async function doctor(io: CliIo, config: CliConfig): Promise<number> {
  let failed = false;
  const show = (findings: readonly Finding[]): void => {
    for (const finding of findings) {
      failed ||= finding.level === 'FAIL';
      for (const line of findingLines(finding)) io.out(line);
    }
  };
  show(checkSettings(config));
  const inventory = await readInventory(config, show);
  show(await checkSlack(config));
  await throughRedis(config, show, async (space) => {
    show(await checkStore(space));
    if (inventory) show(await checkWorkerSide(config, space, inventory));
  });
  show([ok('fonts', 'not needed yet: nothing draws charts')]);
  return failed ? exitCodes.bad : exitCodes.good;
}

async function readInventory(
  config: CliConfig,
  show: (findings: readonly Finding[]) => void,
): Promise<Inventory | undefined> {
  try {
    const inventory = await inventoryOf(config);
    const hosts = Object.values(inventory.hosts);
    const cards = hosts.reduce((sum, host) => sum + host.dpus.length, 0);
    show([ok('inventory', `${hosts.length} hosts, ${cards} DPUs, sites ${Object.keys(inventory.sites).join(', ')}`)]);
    return inventory;
  } catch (error) {
    const { why, next } = failureOf(error);
    show([fail('inventory', why, next)]);
    return undefined;
  }
}

async function throughRedis(
  config: CliConfig,
  show: (findings: readonly Finding[]) => void,
  work: (space: RedisSpace) => Promise<void>,
): Promise<void> {
  if (!config.redisUrl) {
    show([fail('redis', 'REDIS_URL is not set', 'Set it; without Redis nothing can be looked at further.')]);
    return;
  }
  try {
    await withRedis(config, work);
  } catch (error) {
    const failure = failureOf(error);
    show([
      failure.code === 'store-unavailable'
        ? fail('redis', failure.why, 'Check REDIS_URL, the password in it, and that the server runs.')
        : fail('redis', `${failure.what} ${failure.why}`, failure.next),
    ]);
    show([warn('hosts', 'not looked at', 'Correct Redis first: the keys to the hosts are there.')]);
  }
}
