import type { CredentialKey, CredentialStore } from '../../../src/domain/device-ports.ts';
import { createRack } from '../../../src/lab/rack/model.ts';
import type { RackSnapshot } from '../../../src/lab/rack/state.ts';
import type { World } from '../engine-world.ts';
import { createMemoryStores } from '../memory/index.ts';
import { createFakeClock } from '../rack-devices.ts';
import { wholeCredentials } from '../whole-rack.ts';

/** A world at rest, from which others go on: the rack, and what dpubot knows of the cards of one host. */
export interface Saved {
  readonly rack: RackSnapshot;
  readonly stores: World['stores'];
  readonly inventory: World['inventory'];
  readonly host: string;
}

/** No folder of an earlier run on the host has the number of the run of a fork. */
const forkRunNumber = 500;

/** Keeps a world as it is. It must not be used any more. */
export function save({ rack, stores, inventory }: World, host: string): Saved {
  return { rack: rack.snapshot(), stores, inventory, host };
}

/** A world of its own that starts where the saved one stands. Nothing in it comes back to that one. */
export async function fork({ rack: snapshot, stores: known, inventory, host }: Saved): Promise<World> {
  const clock = createFakeClock(snapshot.savedAtMs);
  const stores = createMemoryStores({ clock, firstRunNumber: forkRunNumber, named: wholeCredentials });
  const rack = createRack({ nowMs: () => clock.nowMs(), restore: snapshot });
  for (const { name, serial } of rack.host(host).dpus) {
    await copyCredentials(known.credentials, stores.credentials, { serial });
    await copyCredentials(known.credentials, stores.credentials, { armSerial: serial });
    for (const kind of ['bmc-certificate', 'ssh-host-key'] as const) {
      const pin = await known.pins.get(kind, name);
      if (pin !== undefined) await stores.pins.set(kind, name, pin, forkRunNumber);
    }
    const record = await known.records.get(serial);
    if (record !== undefined) await stores.records.put(serial, record);
  }
  return { clock, rack, stores, inventory, points: [], during: [], parked: [], lives: 0 };
}

/** From the oldest to the newest: each promotion makes the one before it the previous one. */
async function copyCredentials(from: CredentialStore, to: CredentialStore, key: CredentialKey): Promise<void> {
  const entries = await from.bmc(key);
  for (const slot of ['previous', 'current', 'pending'] as const) {
    const entry = entries.find((one) => one.slot === slot);
    if (entry === undefined) continue;
    await to.savePending(key, entry.secret, 'the recipient of the site');
    if (slot !== 'pending') await to.promote(key);
  }
}
