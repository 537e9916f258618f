import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { Secret } from '../../src/domain/secret.ts';
import { Inventory } from '../../src/domain/inventory.ts';
import { labInventory } from '../../src/lab/inventory.ts';
import { hostBmcPassword, rack1 } from '../../src/lab/rack/layouts.ts';
import type { RackLayout } from '../../src/lab/rack/layout.ts';
import type { RackModel } from '../../src/lab/rack/model.ts';
import { createRack } from '../../src/lab/rack/model.ts';
import { ipsecSharedKey, tailscaleAuthKey, writeImages } from '../../src/lab/wanted.ts';
import type { World } from './engine-world.ts';
import { createWorld } from './engine-world.ts';

/** The images that a worker would send, in a folder that goes with the test: a thread of vitest has no end to wait for. */
function images(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-images-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeImages(folder);
  return folder;
}

/** The lab's inventory for a rack, everything wanted; only these hosts, or all. Inside of a test only: it has files. */
export function wholeInventory(layout: RackLayout, hosts?: readonly string[]): Inventory {
  const endpoint = { address: '127.0.0.1', port: 4000 };
  const text = labInventory({
    recipient: `age1${'q'.repeat(58)}`,
    hosts: layout.hosts
      .filter((host) => hosts === undefined || hosts.includes(host.name))
      .map((host) => ({
        name: host.name,
        rack: layout.name,
        ssh: { ...endpoint, user: 'ops', hostKeys: [`SHA256:${'A'.repeat(43)}`] },
        bmc: host.bmc ? { ...endpoint, user: 'root', certSha256: 'ab'.repeat(32) } : null,
        cards: host.cards.map((card) => ({ name: card.name, serial: card.serial, bmc: endpoint, arm: endpoint })),
      })),
    links: [],
    groups: { operators: 'S1', approvers: 'S2', admins: 'S3' },
    credentials: { ssh: 'ssh-ops', hostBmc: 'host-bmc', tailscale: 'tailscale', ipsecPsk: 'ipsec-psk' },
    whole: { imageFolder: images() },
  });
  const inventory = Inventory.parse(parse(text));
  inventory.roles['approvers'] = { users: ['U0ANA', 'U0BEN'], userGroups: [] };
  return inventory;
}

/** What the operator has imported. */
export const wholeCredentials: ReadonlyMap<string, Secret> = new Map([
  ['ssh-ops', new Secret('the private key of the operator')],
  ['host-bmc', new Secret(hostBmcPassword)],
  ['tailscale', new Secret(tailscaleAuthKey)],
  ['ipsec-psk', new Secret(ipsecSharedKey)],
]);

/** A world on a rack model with the whole inventory; default: one factory-fresh host. */
export function wholeWorld(
  layout: RackLayout = rack1({ factoryFresh: true }),
  hosts: readonly string[] = ['as7'],
  change: (inventory: Inventory) => Inventory = (inventory) => inventory,
): World {
  const rack = (nowMs: () => number): RackModel => createRack({ layout, nowMs, seed: 1 });
  return createWorld(change(wholeInventory(layout, hosts)), rack, wholeCredentials);
}
