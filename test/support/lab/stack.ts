import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { stopChildren } from '../../../scripts/lib/children.mjs';
import { Secret } from '../../../src/domain/secret.ts';
import { runStateText } from '../../../src/report/words.ts';
import { createSecretStores, type SecretStores } from '../../../src/store/secret-stores.ts';
import { eventually } from './eventually.ts';
import { channel, People, type PersonName } from './people.ts';
import { Processes, writePrivate, type LabReady, type Places } from './processes.ts';
import { RackControl } from './rack-control.ts';
import { Records } from './records.ts';
import { takeRedis, type RedisDatabase } from './redis-database.ts';
import { sshKeyPair } from '../../../scripts/lib/ssh-keys.mjs';

/** Name of the operator's key in the lab's inventory. */
const keyName = 'ssh-ops';

export interface StackOptions {
  /** So many hosts `as7`, `as8`, `as9`... with one factory-fresh card each; 2 when left out. */
  readonly hosts?: number;
  /** Factory-fresh hosts, and everything is wanted of them: DOCA, image, Arm and what follows. */
  readonly whole?: boolean;
  /** Ids of the workers to start; `worker` when left out. */
  readonly workers?: readonly string[];
  readonly logLevel?: string;
  /** How much faster the pretend devices live than real ones; 120, as in the demo, when left out. */
  readonly timeFactor?: number;
  /** Changes the lab's inventory before bot and worker read it. */
  readonly inventory?: (text: string) => string;
}

/** What only the operator knows; the search for secrets starts from here. */
export interface StackSecrets {
  readonly ageIdentity: string;
  readonly privateKey: string;
  readonly botToken: string;
  readonly appToken: string;
}

interface StackParts {
  readonly places: Places;
  readonly processes: Processes;
  readonly lab: LabReady;
  readonly redis: RedisDatabase;
  readonly records: Records;
  readonly secrets: StackSecrets;
  /** Settings that bot and workers share. */
  readonly common: Readonly<Record<string, string>>;
}

/**
 * dpubot end to end, as processes: Redis, the lab (pretend rack and pretend Slack), one bot and one or more workers, each
 * with exactly the settings it may have. One stack for all tests of a file; tests take hosts of their own.
 */
export class Stack {
  readonly places: Places;
  readonly processes: Processes;
  readonly people: People;
  readonly rack: RackControl;
  readonly records: Records;
  readonly secretStores: SecretStores;
  readonly secrets: StackSecrets;
  readonly lab: LabReady;
  readonly redisUrl: string;
  readonly #redis: RedisDatabase;
  readonly #common: Readonly<Record<string, string>>;
  /** Lines that start a run are typed one after the other: a new run belongs to the line before it. */
  #ordering: Promise<unknown> = Promise.resolve();

  private constructor(parts: StackParts) {
    const { places, processes, lab, redis, records, secrets, common } = parts;
    this.places = places;
    this.processes = processes;
    this.lab = lab;
    this.redisUrl = redis.url;
    this.#redis = redis;
    this.#common = common;
    this.records = records;
    this.secrets = secrets;
    this.people = new People(lab.chat.url);
    this.rack = new RackControl(lab.control);
    this.secretStores = createSecretStores(records.space, {
      identities: [new Secret(secrets.ageIdentity)],
      escrowDirectory: places.escrow,
      clock: { nowMs: () => Date.now() },
    });
  }

  /**
   * Starts everything and waits until all of it takes work. Whatever was started is ended again when that fails. A machine
   * may be too busy for it once; the second time it is an error.
   */
  static async start(options: StackOptions = {}): Promise<Stack> {
    try {
      return await Stack.#startOnce(options);
    } catch (error) {
      process.stderr.write(`Starting the stack once more, after ${String(error)}: ${String((error as Error).cause)}\n`);
      return Stack.#startOnce(options);
    }
  }

  static async #startOnce(options: StackOptions): Promise<Stack> {
    const places = makePlaces();
    const processes = new Processes(places, options.timeFactor ?? 120);
    try {
      const stack = new Stack(await startParts(places, processes, options));
      await stack.people.follow();
      return stack;
    } catch (error) {
      const logs = processes.logTails();
      await stopChildren();
      rmSync(places.folder, { recursive: true, force: true });
      throw new Error(`the stack did not start\n${logs}`, { cause: error });
    }
  }

  /** Ends all processes and removes everything that belongs to the stack. */
  async stop(): Promise<void> {
    this.people.stop();
    await this.records.close();
    await stopChildren();
    await this.#redis.release();
    rmSync(this.places.folder, { recursive: true, force: true });
  }

  /** Types a line that starts a run, and returns the number of that run. */
  async order(user: PersonName, line: string): Promise<number> {
    const ordered = this.#ordering.then(async () => this.#order(user, line));
    this.#ordering = ordered.catch(() => undefined);
    return ordered;
  }

  async #order(user: PersonName, line: string): Promise<number> {
    const before = await this.records.newestRun();
    const heard = this.people.answers(user).length;
    const said = await this.people.say(user, line);
    if (said.kind !== 'slash' || said.status !== 'acked') throw new Error(`not taken: ${JSON.stringify(said)}`);
    return eventually(
      `a run for ${line}`,
      async () => {
        const newest = await this.records.newestRun();
        return newest > before ? newest : undefined;
      },
      5_000,
      () => this.people.answers(user).slice(heard).map((answer) => answer.text).join('\n'), // prettier-ignore
    );
  }

  /** Types a line as ana, has ben approve with the slash command as soon as the run waits for it, and waits until it is done. */
  async provision(target: string, limitMs = 40_000): Promise<number> {
    const id = await this.order('ana', `/dpu provision ${target}`);
    await this.approve(id);
    await this.records.waitForRun(id, ['done'], limitMs);
    return id;
  }

  /** Approves with the slash command, which does not wait for any message to be posted. */
  async approve(id: number, user: PersonName = 'ben'): Promise<void> {
    await this.records.waitForRun(id, ['awaiting-approval']);
    await this.people.say(user, `/dpu approve ${id}`, channel);
    await this.records.waitForEvent(id, '_run', (event) => event.type === 'approved' || event.type === 'wave-started');
  }

  /**
   * Waits until everything about an ended run is in the chat and its card is final. Returns what ana reads: the card, then
   * its thread, one text per message.
   */
  async finishedThread(id: number, limitMs = 60_000): Promise<readonly string[]> {
    const { state } = await this.records.run(id);
    const card = await this.records.waitUntilPublished(id, limitMs);
    return eventually(
      `the final card of run ${id}`,
      async () => {
        const texts = (await this.people.messages('ana', card)).map((message) => this.people.textOf(message));
        const isFinal = texts[0]?.split('\n').includes(runStateText(state, 'provision')) === true;
        return isFinal && !texts.some((text) => text.includes('[Approve]')) ? texts : undefined;
      },
      20_000,
      async () =>
        (await this.people.messages('ana', card)).map((message) => this.people.textOf(message)).join('\n--\n'),
    );
  }

  /** Starts one more worker with the settings of the others. */
  async addWorker(id: string): Promise<void> {
    await this.processes.startWorker(id, this.#common);
  }

  /** Where a card of the lab is, and its serial. */
  dpu(card: string): LabReady['hosts'][number]['dpus'][number] {
    const found = this.lab.hosts.flatMap((host) => host.dpus).find((dpu) => dpu.name === card);
    if (found === undefined) throw new Error(`the lab has no card ${card}`);
    return found;
  }

  /** The password that dpubot has filed as current for a card, with its other slots. */
  async filedPasswords(card: string): Promise<ReadonlyMap<string, string>> {
    const entries = await this.secretStores.credentials.bmc({ serial: this.dpu(card).serial });
    return new Map(entries.map((entry) => [entry.slot, entry.secret.reveal()]));
  }
}

/** ssh2 1.17 writes about one ed25519 key in 300 so that it cannot read it itself; then another one is made. */
function operatorKeys(): { readonly private: string; readonly public: string } {
  for (;;) {
    const keys = sshKeyPair('dpubot-e2e');
    if (!(ssh2.utils.parseKey(keys.private) instanceof Error)) return keys;
  }
}

function makePlaces(): Places {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-e2e-'));
  const places: Places = {
    folder,
    logs: join(folder, 'logs'),
    temporary: join(folder, 'tmp'),
    escrow: join(folder, 'escrow'),
    identityFile: join(folder, 'site.agekey'),
    publicKeyFile: join(folder, 'operator.pub'),
  };
  for (const path of [places.logs, places.temporary, places.escrow]) mkdirSync(path, { mode: 0o700 });
  return places;
}

async function startParts(places: Places, processes: Processes, options: StackOptions): Promise<StackParts> {
  const identity = await generateX25519Identity();
  writePrivate(places.identityFile, `${identity}\n`);
  const keys = operatorKeys();
  writePrivate(places.publicKeyFile, `${keys.public}\n`);
  const [redis, lab] = await Promise.all([
    takeRedis(places.logs),
    processes.startLab(await identityToRecipient(identity), options.hosts ?? 2, options.whole === true),
  ]);
  if (options.inventory) writeFileSync(lab.inventory, options.inventory(readFileSync(lab.inventory, 'utf8')));
  const common = { REDIS_URL: redis.url, DPUBOT_INVENTORY: lab.inventory, LOG_LEVEL: options.logLevel ?? 'info' };
  const [records] = await Promise.all([
    Records.open(redis.url),
    processes.importSecret(keyName, keys.private, common),
    ...(options.whole === true
      ? Object.entries(lab.credentials).map(async ([name, secret]) => processes.importSecret(name, secret, common))
      : []),
    processes.startBot('bot', common, lab.chat),
    ...(options.workers ?? ['worker']).map(async (id) => processes.startWorker(id, common)),
  ]);
  const { botToken, appToken } = lab.chat;
  const secrets = { ageIdentity: identity, privateKey: keys.private, botToken, appToken };
  return { places, processes, lab, redis, records, secrets, common };
}
