import { parseArgs } from 'node:util';
import type { BotConfig, WorkerConfig } from '../config.ts';
import { botConfig, cliConfig, processEnvironment, workerConfig } from '../config.ts';
import { nearest } from '../domain/targets.ts';
import { failureOf } from '../errors.ts';
import { printAudit } from './audit.ts';
import { importCardPassword, importCredential, listCredentials } from './credentials.ts';
import { doctor } from './doctor.ts';
import { checkInventory, printSchema } from './inventory.ts';
import type { CliIo } from './io.ts';
import { UsageError, exitCodes } from './io.ts';

/** How the command line is written; shown for `--help` and after a wrong line. */
const usage = `Usage:
  dpubot bot                                    run the bot (Slack and Redis)
  dpubot worker                                 run a worker (Redis, hosts and cards of its site)
  dpubot doctor                                 check settings, Redis, Slack, inventory, hosts
  dpubot inventory check FILE                   check an inventory; show targets and rights
  dpubot inventory schema                       print its JSON Schema for editors
  dpubot credentials import NAME [FILE|-]       store a secret, encrypted to the sites that use it [--site NAME]
  dpubot credentials import-bmc SERIAL [FILE|-] store the password a DPU BMC has now [--site NAME]
  dpubot credentials import-arm SERIAL [FILE|-] store the password the user of its Arm has now [--site NAME]
  dpubot credentials list                       names and dates, never secrets
  dpubot audit [--limit N] [--json]             who did what, newest first
Settings come from the environment and from .env; --env-file FILE names another file.
A secret is read from a file or standard input, never from the command line.`;

interface Line {
  readonly words: readonly string[];
  readonly sites: readonly string[];
  readonly limit: number;
  readonly json: boolean;
  readonly io: CliIo & Processes;
}

/** The two processes, started by the composition root. */
export interface Processes {
  runBot(settings: BotConfig): Promise<void>;
  runWorker(settings: WorkerConfig): Promise<void>;
}

type Subcommand = (line: Line) => Promise<number>;

const config = (line: Line) => cliConfig(line.io.environment);

/** By their words; the number of words that may follow is `words.length` of the line. */
const subcommands: Readonly<Record<string, { readonly follow: readonly [number, number]; readonly run: Subcommand }>> =
  {
    bot: {
      follow: [0, 0],
      run: async ({ io }) => {
        await io.runBot(botConfig(io.environment));
        return exitCodes.good;
      },
    },
    worker: {
      follow: [0, 0],
      run: async ({ io }) => {
        await io.runWorker(workerConfig(io.environment));
        return exitCodes.good;
      },
    },
    doctor: { follow: [0, 0], run: async (line) => doctor(line.io, config(line)) },
    'inventory check': { follow: [1, 1], run: async ({ io, words }) => checkInventory(io, words[0] ?? '') },
    'inventory schema': { follow: [0, 0], run: async ({ io }) => printSchema(io) },
    'credentials import': {
      follow: [1, 2],
      run: async (line) => importCredential(line.io, config(line), wishOf(line)),
    },
    'credentials import-bmc': {
      follow: [1, 2],
      run: async (line) => importCardPassword(line.io, config(line), wishOf(line), 'BMC'),
    },
    'credentials import-arm': {
      follow: [1, 2],
      run: async (line) => importCardPassword(line.io, config(line), wishOf(line), 'Arm'),
    },
    'credentials list': { follow: [0, 0], run: async (line) => listCredentials(line.io, config(line)) },
    audit: { follow: [0, 0], run: async (line) => printAudit(line.io, config(line), line) },
  };

/** Runs one command line. Never rejects: failures become text on stderr and the exit code 1, wrong words 2. */
export async function runCli(argv: readonly string[], io: Omit<CliIo, 'environment'> & Processes): Promise<number> {
  try {
    const { values, positionals } = readOptions(argv);
    if (values.help === true || positionals.length === 0) {
      io.out(usage);
      return values.help === true ? exitCodes.good : exitCodes.usage;
    }
    const { subcommand, words } = find(positionals);
    const limit = Number(values.limit ?? '50');
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit is 1 to 10000');
    const environment = processEnvironment(values['env-file']);
    const line = { words, sites: values.site ?? [], limit, json: values.json === true, io: { ...io, environment } };
    return await subcommand.run(line);
  } catch (error) {
    return explain(error, io);
  }
}

function readOptions(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      'env-file': { type: 'string' },
      site: { type: 'string', multiple: true },
      limit: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
}

function find(positionals: readonly string[]) {
  for (const count of [2, 1]) {
    const name = positionals.slice(0, count).join(' ');
    const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
    if (!subcommand) continue;
    const words = positionals.slice(count);
    const [least, most] = subcommand.follow;
    if (words.length < least) throw new UsageError(`${name}: something is missing`);
    if (words.length > most) throw new UsageError(`${name}: "${words[most]}" is one word too many`);
    return { subcommand, words };
  }
  const meant = nearest(positionals.slice(0, 2).join(' '), Object.keys(subcommands));
  throw new UsageError(
    `there is no command "${positionals.slice(0, 2).join(' ')}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
  );
}

function wishOf({ words, sites }: Line) {
  const [name = '', file = '-'] = words;
  return { name, file, sites };
}

function explain(error: unknown, io: Pick<CliIo, 'err'>): number {
  if (error instanceof UsageError || isArgumentError(error)) {
    io.err(error.message);
    io.err(usage);
    return exitCodes.usage;
  }
  const failure = failureOf(error);
  io.err(`${failure.what} ${failure.why}`);
  io.err(failure.next);
  return exitCodes.bad;
}

function isArgumentError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
