import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stopChildren } from '../../../scripts/lib/children.mjs';
import type { ResultRecord } from '../../../src/domain/bench.ts';
import type { Failure } from '../../../src/domain/outcome.ts';
import type { Run } from '../../../src/domain/run.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';
import { credentials, rackInventory, uplinkMtuBytes } from './inventory.ts';
import { cards, type CardName } from './layout.ts';
import { Rack } from './rack.ts';

const runLimitMs = 120_000;

/** What came of a bench. */
export interface Benched {
  readonly id: number;
  readonly run: Run;
  /** Why it is not done. */
  readonly failure: Failure | undefined;
  readonly results: readonly ResultRecord[];
  /** Its journal in short lines, for the message of a test that failed. */
  readonly log: string;
}

/** dpubot as processes over a rack of real tools: Redis, bot, worker, and the pretend Slack of the lab. */
export class RackStack {
  readonly rack: Rack;
  readonly stack: Stack;

  private constructor(rack: Rack, stack: Stack) {
    this.rack = rack;
    this.stack = stack;
  }

  /** @param workers Ids of the workers to start. */
  static async start(workers: readonly string[] = ['worker']): Promise<RackStack> {
    const rack = await Rack.start();
    try {
      // The lab brings the chat; its pretend host is in no inventory and nobody asks it anything.
      const stack = await Stack.start({ hosts: 1, workers, inventory: (text) => rackInventory(text, rack) });
      await rack.authorize(readFileSync(stack.places.publicKeyFile, 'utf8').trim());
      const common = { REDIS_URL: stack.redisUrl, DPUBOT_INVENTORY: stack.lab.inventory, LOG_LEVEL: 'info' };
      await stack.processes.importSecret(credentials.psk, randomBytes(24).toString('base64url'), common);
      // What enrolling an Arm leaves behind.
      for (const card of Object.keys(cards) as CardName[])
        await stack.records.stores.pins.set('ssh-host-key', card, rack.hostKey(card), 0);
      return new RackStack(rack, stack);
    } catch (error) {
      await stopChildren();
      throw error;
    }
  }

  /** Types a line as ana, has ben approve it when it asks, and waits until it has ended. */
  async bench(line: string): Promise<Benched> {
    return this.ended(await this.order(line));
  }

  /** Types a line as ana, and has ben approve it when it asks. */
  async order(line: string): Promise<number> {
    const id = await this.stack.order('ana', line);
    await this.approveIfAsked(id);
    return id;
  }

  /** Has ben approve a run as soon as its plan is there, when it asks. */
  async approveIfAsked(id: number): Promise<void> {
    const { records } = this.stack;
    const begun = await eventually(
      `run ${id} to begin`,
      async () => {
        const { state } = await records.run(id);
        return state === 'planning' ? undefined : state;
      },
      60_000,
      async () => records.describe(id),
    );
    if (begun === 'awaiting-approval') await this.stack.approve(id);
  }

  async ended(id: number): Promise<Benched> {
    const { records } = this.stack;
    const run = await records.waitForRun(id, [], runLimitMs);
    const failure = Object.values(run.units).find((unit) => unit.failure)?.failure ?? run.failure;
    const results = await records.stores.results.ofRun(id);
    return { id, run, failure, results, log: await records.describe(id) };
  }

  /** Waits until all of a run is in the chat, and gives its thread as ana reads it. */
  async thread(id: number): Promise<string> {
    const { records, people } = this.stack;
    const messages = await people.messages('ana', await records.waitUntilPublished(id));
    return messages.map((message) => people.textOf(message)).join('\n');
  }

  /** Brings the cards to what the profile wants for good, so that all that a bench changes is its own. */
  async settle(): Promise<void> {
    for (const card of Object.keys(cards) as CardName[])
      await this.rack.sh(card, `for l in p0 p1 pf0hpf pf1hpf; do ip link set $l mtu ${uplinkMtuBytes}; done`);
  }

  /** Ends everything; the rack goes with the other children. */
  async stop(): Promise<void> {
    await this.stack.stop();
  }
}
