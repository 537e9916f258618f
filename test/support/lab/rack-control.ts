import { z } from 'zod';

const requestLimitMs = 5_000;

const Card = z.object({
  name: z.string(),
  arm: z.object({ bootCount: z.number(), bootId: z.string() }),
  secureBoot: z.object({ enable: z.boolean(), currentBoot: z.boolean() }),
  bmc: z.object({ rootPassword: z.string(), failedLogins: z.number() }),
});
export type CardSnapshot = z.infer<typeof Card>;
const Snapshot = z.object({ cards: z.array(Card) });

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

  async card(name: string): Promise<CardSnapshot> {
    const found = Snapshot.parse(await this.snapshot()).cards.find((card) => card.name === name);
    if (found === undefined) throw new Error(`the rack has no card ${name}`);
    return found;
  }

  /** Switches a fault on, for one card or host. */
  async fault(name: string, target: string, uses?: number): Promise<void> {
    await this.#request('POST', '/faults', { name, target, ...(uses !== undefined && { uses }) });
  }

  /** Switches a fault off, wherever it is on. */
  async clearFault(name: string): Promise<void> {
    await this.#request('DELETE', `/faults/${name}`);
  }

  async #request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(requestLimitMs),
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
