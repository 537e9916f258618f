import { sshKeyPair } from '../../../scripts/lib/ssh-keys.mjs';
import type { HostSession } from '../../../src/domain/device-ports.ts';
import { type HostSlice, Inventory, sliceOf } from '../../../src/domain/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { parse } from 'yaml';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createArmAccess } from '../../../src/transport/ssh/arm-access.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { rackInventory } from './inventory.ts';
import { cards, type CardName, type HostName } from './layout.ts';
import type { Rack } from './rack.ts';

const labText = `
sites: { lab: { recipient: age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq } }
roles: { operators: { users: [U1] } }
policy: { approvals: { disruptive: { role: operators }, destructive: { role: operators } } }
`;

/** SSH into the machines of a rack as the worker does it, without a worker. */
export class Sessions {
  readonly #hosts: ReturnType<typeof createHostAccess>;
  readonly #arm: ReturnType<typeof createArmAccess>;
  readonly #inventory: Inventory;

  private constructor(rack: Rack, privateKey: string) {
    const redactor = createRedactor();
    const key = (): Promise<Secret> => Promise.resolve(new Secret(privateKey));
    this.#inventory = Inventory.parse(parse(rackInventory(labText, rack)));
    this.#hosts = createHostAccess({ key, redactor });
    const pins = { get: (_kind: string, card: string) => Promise.resolve(rack.hostKey(card as CardName)) };
    this.#arm = createArmAccess({ hosts: this.#hosts, key, pins, redactor });
  }

  /** With a key of its own, which the machines then know. */
  static async open(rack: Rack): Promise<Sessions> {
    const keys = sshKeyPair('rack-test');
    await rack.authorize(keys.public);
    return new Sessions(rack, keys.private);
  }

  async host(name: HostName): Promise<HostSession> {
    return this.#hosts.open(this.#slice(name));
  }

  async card(name: CardName): Promise<HostSession> {
    const slice = this.#slice(cards[name].host);
    const [dpu] = slice.entry.dpus;
    if (dpu === undefined) throw new Error(`no card ${name}`);
    const login = await this.#arm.login({ slice, dpu }, { timeoutMs: 20_000 });
    if (login.state !== 'in') throw new Error(`${name}: ${JSON.stringify(login)}`);
    return login.session;
  }

  async close(): Promise<void> {
    await this.#arm.close();
    await this.#hosts.close();
  }

  #slice(name: HostName): HostSlice {
    return sliceOf(this.#inventory, name);
  }
}
