import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { repository, startChild, stopChildren, tail, waitForLine, type Child } from '../lib/children.mjs';
import { programArguments } from '../lib/compiled.mjs';
import { Problem } from '../lib/print.mjs';
import { sshKeyPair } from '../lib/ssh-keys.mjs';
import { startRedis } from '../lib/redis-server.mjs';
import { ChatClient } from './chat-client.ts';

/** How much faster the pretend devices live than real ones. */
export const timeFactor = 120;
const readyLimitMs = 60_000;
const importLimitMs = 30_000;
/** What bot and worker log once they take work. */
const readyLine = /"msg":"(?:bot |worker )?ready"/;
/** Name of the operator's key in the lab's inventory. */
const keyName = 'ssh-ops';

const LabReady = z.object({
  inventory: z.string(),
  control: z.string(),
  chat: z.object({ url: z.string(), apiUrl: z.string(), botToken: z.string(), appToken: z.string() }),
  credentials: z.record(z.string(), z.string()),
});

/** Everything the demo has started. */
export interface Stage {
  readonly chat: ChatClient;
  readonly pageUrl: string;
  /** HTTP address of the lab's switches. */
  readonly controlUrl: string;
  readonly redisUrl: string;
  readonly children: readonly Child[];
}

/** A private folder for one demo; removed by `removeFolder`. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-demo-'));
  mkdirSync(join(folder, 'logs'));
  return folder;
}

/** Ends all children and removes the folder with its keys. */
export async function clearStage(folder: string): Promise<void> {
  await stopChildren();
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Starts Redis, lab, bot and worker, and waits until all of them are ready. Each process gets exactly the settings it may
 * have: the bot no key, the worker no Slack token.
 */
export async function setStage(folder: string, redis: { url: string } | { program: string }): Promise<Stage> {
  const identity = await generateX25519Identity();
  const identityFile = join(folder, 'site.agekey');
  writeFileSync(identityFile, `${identity}\n`, { mode: 0o600 });
  const keys = sshKeyPair('dpubot-demo');
  const publicKeyFile = join(folder, 'operator.pub');
  writeFileSync(publicKeyFile, `${keys.public}\n`);

  const redisUrl = 'url' in redis ? redis.url : await startRedis(redis.program, join(folder, 'logs'));
  const recipient = await identityToRecipient(identity);
  const labArguments = ['--dir', folder, '--time-factor', String(timeFactor)];
  labArguments.push('--recipient', recipient, '--ssh-key', publicKeyFile);
  const lab = startNode(folder, 'lab', 'src/lab/main.ts', labArguments, {});
  const line = await waitForLine(lab, /^\{"ready":.*$/, readyLimitMs);
  const ready = LabReady.parse(JSON.parse(line[0]));

  const common = { REDIS_URL: redisUrl, DPUBOT_INVENTORY: ready.inventory, LOG_LEVEL: 'info' };
  const bot = startBot(folder, common, ready.chat);
  const worker = startWorker(folder, common, identityFile);
  await Promise.all([
    importSecret(keyName, keys.private, common),
    ...Object.entries(ready.credentials).map(async ([name, secret]) => importSecret(name, secret, common)),
    waitForLine(bot, readyLine, readyLimitMs),
    waitForLine(worker, readyLine, readyLimitMs),
  ]);
  return {
    chat: new ChatClient(ready.chat.url),
    pageUrl: ready.chat.url,
    controlUrl: ready.control,
    redisUrl,
    children: [lab, bot, worker],
  };
}

type Settings = Readonly<Record<string, string>>;

function startBot(folder: string, common: Settings, chat: z.infer<typeof LabReady>['chat']): Child {
  return startNode(folder, 'bot', 'src/cli.ts', ['bot'], {
    ...common,
    SLACK_BOT_TOKEN: chat.botToken,
    SLACK_APP_TOKEN: chat.appToken,
    SLACK_API_URL: chat.apiUrl,
  });
}

function startWorker(folder: string, common: Settings, identityFile: string): Child {
  const escrow = join(folder, 'escrow');
  mkdirSync(escrow, { mode: 0o700 });
  return startNode(folder, 'worker', 'src/cli.ts', ['worker'], {
    ...common,
    DPUBOT_AGE_IDENTITY: identityFile,
    DPUBOT_ESCROW: escrow,
    DPUBOT_SITE: 'lab',
    DPUBOT_WORKER_ID: 'demo-worker',
    DPUBOT_LAB_TIME_FACTOR: String(timeFactor),
  });
}

/** The ends of the logs of all processes, for a person who has to find out why the demo failed. */
export function logTails(folder: string): string {
  return ['redis', 'lab', 'bot', 'worker']
    .map((name) => [`--- ${name}.log`, ...lastLines(join(folder, 'logs', `${name}.log`))].join('\n'))
    .join('\n');
}

/** The line with which the lab says that it is ready is for the demo, not for people. */
function lastLines(file: string): string[] {
  if (!existsSync(file)) return ['(not started)'];
  return tail(file, 20)
    .split('\n')
    .filter((line) => !line.startsWith('{"ready":'));
}

function startNode(folder: string, name: string, file: string, args: readonly string[], settings: Settings): Child {
  return startChild(name, [process.execPath, ...programArguments(file), ...args], {
    log: join(folder, 'logs', `${name}.log`),
    env: { ...plainEnvironment(), ...settings },
  });
}

/** What any program may need from the outside; no setting of dpubot is inherited. */
function plainEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Files a secret with the real command line; it travels over standard input and never touches the disk. */
function importSecret(name: string, secret: string, settings: Settings): Promise<void> {
  const args = [...programArguments('src/cli.ts'), 'credentials', 'import', name, '-'];
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: repository, env: { ...plainEnvironment(), ...settings }, timeout: importLimitMs },
      (error, stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Problem(`The credential ${name} could not be imported:\n${stdout}${stderr}`));
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(secret);
  });
}
