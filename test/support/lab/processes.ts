import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { repository, startChild, tail, waitForLine, type Child } from '../../../scripts/lib/children.mjs';
import { programArguments } from '../../../scripts/lib/compiled.mjs';

const readyLimitMs = 30_000;
const importLimitMs = 30_000;
const readyLine = /"msg":"ready"/;

const LabReady = z.object({
  inventory: z.string(),
  control: z.string(),
  chat: z.object({ url: z.string(), apiUrl: z.string(), botToken: z.string(), appToken: z.string() }),
  credentials: z.record(z.string(), z.string()),
  hosts: z.array(
    z.object({
      name: z.string(),
      dpus: z.array(
        z.object({
          name: z.string(),
          serial: z.string(),
          bmc: z.object({ address: z.string(), port: z.number() }),
          arm: z.object({ port: z.number() }),
        }),
      ),
    }),
  ),
});
export type LabReady = z.infer<typeof LabReady>;

type Settings = Readonly<Record<string, string>>;

/** Where things of one stack are. */
export interface Places {
  readonly folder: string;
  readonly logs: string;
  /** TMPDIR of all processes. */
  readonly temporary: string;
  readonly escrow: string;
  readonly identityFile: string;
  readonly publicKeyFile: string;
}

interface Known {
  child: Child;
  readonly start: () => Child;
}

/** The children of one stack, by name: `lab`, `bot`, and each worker under its worker id. */
export class Processes {
  readonly #places: Places;
  readonly #timeFactor: number;
  readonly #known = new Map<string, Known>();
  #started = 0;

  /** @param timeFactor How much faster the pretend devices live than real ones. */
  constructor(places: Places, timeFactor: number) {
    this.#places = places;
    this.#timeFactor = timeFactor;
  }

  /** Starts the lab and waits until everything in it listens. */
  async startLab(recipient: string, hosts: number, whole: boolean): Promise<LabReady> {
    const { folder, publicKeyFile } = this.#places;
    const args = ['--dir', join(folder, 'lab'), '--time-factor', String(this.#timeFactor), '--hosts', String(hosts)];
    if (whole) args.push('--whole');
    mkdirSync(join(folder, 'lab'));
    const lab = this.#start(
      'lab',
      [...programArguments('src/lab/main.ts'), ...args, '--recipient', recipient, '--ssh-key', publicKeyFile],
      {},
    );
    const line = await waitForLine(lab, /^\{"ready":.*$/, readyLimitMs);
    return LabReady.parse(JSON.parse(line[0]));
  }

  /** Starts a bot with its Slack tokens and no key of any device. */
  async startBot(name: string, common: Settings, chat: LabReady['chat']): Promise<void> {
    const tokens = { SLACK_BOT_TOKEN: chat.botToken, SLACK_APP_TOKEN: chat.appToken, SLACK_API_URL: chat.apiUrl };
    const bot = this.#start(name, [...programArguments('src/cli.ts'), 'bot'], { ...common, ...tokens });
    await waitForLine(bot, readyLine, readyLimitMs);
  }

  /** Starts a worker with the age identity and no Slack token. */
  async startWorker(id: string, common: Settings): Promise<void> {
    const { identityFile, escrow } = this.#places;
    const worker = this.#start(id, [...programArguments('src/cli.ts'), 'worker'], {
      ...common,
      DPUBOT_AGE_IDENTITY: identityFile,
      DPUBOT_ESCROW: escrow,
      DPUBOT_SITE: 'lab',
      DPUBOT_WORKER_ID: id,
      DPUBOT_LAB_TIME_FACTOR: String(this.#timeFactor),
    });
    await waitForLine(worker, readyLine, readyLimitMs);
  }

  /** SIGKILL, at once, to the process and its guard; resolves when both have ended. */
  async kill(name: string): Promise<void> {
    const { child } = this.#get(name);
    process.kill(-child.pid, 'SIGKILL');
    await child.exited;
  }

  /** Stops the clock of a process until `thaw`: what it is in the middle of stays as it is. */
  freeze(name: string): void {
    process.kill(-this.#get(name).child.pid, 'SIGSTOP');
  }

  thaw(name: string): void {
    process.kill(-this.#get(name).child.pid, 'SIGCONT');
  }

  /** Starts a killed process again as it was, and waits until it takes work. */
  async restart(name: string): Promise<void> {
    const known = this.#get(name);
    if (known.child.running()) throw new Error(`${name} still runs`);
    known.child = known.start();
    await waitForLine(known.child, readyLine, readyLimitMs);
  }

  /** Ids of a process, its guard, and whatever else is in their group. */
  groupOf(name: string): readonly number[] {
    const leader = this.#get(name).child.pid;
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && groupLeader(entry) === leader)
      .map(Number);
  }

  /** The end of each log, for the message of a test that failed. */
  logTails(lines = 15): string {
    return [...this.#known].map(([name, { child }]) => `--- ${name}\n${tail(child.log, lines)}`).join('\n');
  }

  /** Files a secret with the real command line; it travels over standard input. */
  async importSecret(name: string, secret: string, common: Settings): Promise<void> {
    const args = [...programArguments('src/cli.ts'), 'credentials', 'import', name, '-'];
    const options = { cwd: repository, env: { ...this.#environment(), ...common }, timeout: importLimitMs };
    await new Promise<void>((resolve, reject) => {
      const child = execFile(process.execPath, args, options, (error, stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Error(`the credential could not be imported: ${stdout}${stderr}`));
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(secret);
    });
  }

  #start(name: string, args: readonly string[], settings: Settings): Child {
    const start = (): Child => {
      this.#started += 1;
      return startChild(name, [process.execPath, ...args], {
        log: join(this.#places.logs, `${name}-${this.#started}.log`),
        env: { ...this.#environment(), ...settings },
        graceMs: 3_000,
      });
    };
    const child = start();
    this.#known.set(name, { child, start });
    return child;
  }

  #get(name: string): Known {
    const known = this.#known.get(name);
    if (known === undefined) throw new Error(`no process ${name}; there are ${[...this.#known.keys()].join(', ')}`);
    return known;
  }

  /** What any program may need from outside; nothing of dpubot is inherited. */
  #environment(): Record<string, string> {
    const { PATH = '', HOME = '' } = process.env;
    return { PATH, HOME, TMPDIR: this.#places.temporary };
  }
}

function groupLeader(pid: string): number | undefined {
  try {
    // The name in brackets may hold anything; after it come state, parent, group.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return Number(fields?.[2]);
  } catch {
    return undefined;
  }
}

/** Writes a file that only its owner reads. */
export function writePrivate(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
