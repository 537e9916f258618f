import { z } from 'zod';

/** The lab shares two cores with all that a test run has started. */
const requestLimitMs = 20_000;

const Card = z.object({
  name: z.string(),
  arm: z.object({ bootCount: z.number(), bootId: z.string() }),
  secureBoot: z.object({ enable: z.boolean(), currentBoot: z.boolean() }),
  bmc: z.object({ rootPassword: z.string(), failedLogins: z.number() }),
  rshim: z.object({ owner: z.string(), bmcEnabled: z.boolean() }),
  armOs: z.object({ image: z.string(), hostname: z.string(), driver: z.string() }),
  nicFirmware: z.object({ running: z.string(), staged: z.string().nullable() }),
  pushes: z.object({ begun: z.number(), running: z.number(), most: z.number() }),
});
export type CardSnapshot = z.infer<typeof Card>;
const Snapshot = z.object({
  savedAtMs: z.number(),
  hosts: z.array(z.object({ name: z.string(), downUntilMs: z.number() })),
  cards: z.array(Card),
});

/** The lab's switches: state of the rack, and faults. */
export class RackControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** What a write would change, and nothing else: equal before and after anything that only looked. */
  async comparable(): Promise<unknown> {
    return this.#request('GET', '/rack/comparable');
  }

  /** The whole state, passwords of the pretend devices included. */
  async snapshot(): Promise<unknown> {
    return this.#request('GET', '/rack/state');
  }

  /** Command lines that came over SSH to hosts and Arms, the newest last. */
  async lines(): Promise<readonly string[]> {
    return z.array(z.string()).parse(await this.#request('GET', '/rack/lines'));
  }

  async card(name: string): Promise<CardSnapshot> {
    const found = Snapshot.parse(await this.snapshot()).cards.find((card) => card.name === name);
    if (found === undefined) throw new Error(`the rack has no card ${name}`);
    return found;
  }

  /** Has a host that was restarted come up again? */
  async isHostUp(name: string): Promise<boolean> {
    const { hosts, savedAtMs } = Snapshot.parse(await this.snapshot());
    return hosts.some((host) => host.name === name && host.downUntilMs <= savedAtMs);
  }

  /** Switches a fault on, for one card or host. */
  async fault(name: string, target: string, uses?: number): Promise<void> {
    await this.#request('POST', '/faults', { name, target, ...(uses !== undefined && { uses }) });
  }

  /** Switches a fault off, for one card or host, or wherever it is on. */
  async clearFault(name: string, target?: string): Promise<void> {
    await this.#request('DELETE', `/faults/${name}${target === undefined ? '' : `?target=${target}`}`);
  }

  /** Restarts a host at once, as a person at its console could. */
  async reboot(host: string): Promise<void> {
    await this.#request('POST', `/hosts/${host}/reboot`);
  }

  /** Pulls the network cable of a host: it stays out until the fault `link-lost` is cleared there. */
  async unplug(host: string): Promise<void> {
    await this.#request('POST', `/hosts/${host}/unplug`);
  }

  /** Takes the power of a host and its slots away and gives it back, as a person at the rack does. */
  async powerCycle(host: string): Promise<void> {
    await this.#request('POST', `/hosts/${host}/power-cycle`);
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(requestLimitMs),
      // A kept connection may be closed by the server in the instant it is used again: each request has its own.
      headers: { connection: 'close', 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
