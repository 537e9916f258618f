import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { Secret } from './domain/secret.ts';
import { errors } from './errors.ts';
import type { Part, VariableName } from './config-variables.ts';
import { variables } from './config-variables.ts';

/** Environment as text; an empty value counts as not set (container tools pass those). */
export type Environment = Readonly<Record<string, string | undefined>>;

const Level = z.enum(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  'use trace, debug, info, warn, error or fatal',
);
export type LogLevel = z.infer<typeof Level>;

const Port = z
  .string()
  .regex(/^\d+$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.number().min(1, 'must be at least 1').max(65535, 'must be at most 65535'));
const SecretText = z.string().transform((value) => new Secret(value));
const RedisUrl = z
  .string()
  .regex(/^(rediss?:\/\/\S+|\/\S+)$/, 'must begin with redis:// or rediss://, or be the path of a socket')
  .refine(
    isReadableAddress,
    'cannot be read: in user name and password write / as %2F, # as %23, ? as %3F, @ as %40, % as %25',
  );
const HttpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https address' });
const SiteList = z
  .string()
  .transform((text) => text.split(',').map((site) => site.trim()))
  .pipe(
    z
      .array(z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'must be names of sites, divided by commas'))
      .min(1),
  );

const Common = {
  REDIS_URL: RedisUrl.transform((value) => new Secret(value)),
  LOG_LEVEL: Level.default('info'),
};
const Process = { ...Common, DPUBOT_INVENTORY: z.string(), METRICS_PORT: Port.optional() };
const SlackToken = z.string().regex(/^xoxb-/, 'must be a bot token (xoxb-...)');
const BotEnvironment = z.object({
  ...Process,
  SLACK_BOT_TOKEN: SlackToken.transform((value) => new Secret(value)),
  SLACK_APP_TOKEN: z
    .string()
    .regex(/^xapp-/, 'must be an app-level token (xapp-...)')
    .transform((value) => new Secret(value))
    .optional(),
  SLACK_SIGNING_SECRET: SecretText.optional(),
  HTTP_PORT: Port.optional(),
  SLACK_API_URL: HttpUrl.default('https://slack.com/api/'),
});
const WorkerEnvironment = z.object({
  ...Process,
  DPUBOT_AGE_IDENTITY: z.string(),
  DPUBOT_ESCROW: z.string(),
  DPUBOT_SITE: SiteList,
  DPUBOT_WORKER_ID: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes, at most 63')
    .optional(),
  DPUBOT_LAB_TIME_FACTOR: z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(1, 'must be at least 1').max(1000, 'must be at most 1000'))
    .default(1),
});
const CliEnvironment = z.object({
  ...Common,
  REDIS_URL: Common.REDIS_URL.optional(),
  DPUBOT_INVENTORY: z.string().optional(),
  SLACK_BOT_TOKEN: BotEnvironment.shape.SLACK_BOT_TOKEN.optional(),
  SLACK_API_URL: BotEnvironment.shape.SLACK_API_URL,
  DPUBOT_AGE_IDENTITY: z.string().optional(),
  DPUBOT_ESCROW: z.string().optional(),
  DPUBOT_SITE: SiteList.optional(),
});

/** How Slack reaches the bot. */
export type SlackEntrance =
  | { readonly kind: 'socket'; readonly appToken: Secret }
  | { readonly kind: 'http'; readonly port: number; readonly signingSecret: Secret };

interface ProcessConfig {
  readonly redisUrl: Secret;
  readonly inventoryPath: string;
  readonly logLevel: LogLevel;
  readonly metricsPort?: number;
}

export interface BotConfig extends ProcessConfig {
  readonly slack: { readonly botToken: Secret; readonly apiUrl: string; readonly entrance: SlackEntrance };
}

export interface WorkerConfig extends ProcessConfig {
  /** `AGE-SECRET-KEY-...` lines; more than one while a key is being replaced. */
  readonly ageIdentities: readonly Secret[];
  readonly escrowDirectory: string;
  readonly sites: readonly string[];
  readonly workerId: string;
  /** 1 = real time; only simulated sites use it. */
  readonly labTimeFactor: number;
}

export interface CliConfig {
  readonly redisUrl?: Secret;
  readonly inventoryPath?: string;
  readonly logLevel: LogLevel;
  readonly slackBotToken?: Secret;
  readonly slackApiUrl: string;
  readonly ageIdentities: readonly Secret[];
  readonly escrowDirectory?: string;
  readonly sites: readonly string[];
}

/**
 * The environment of this process, with the settings of an env file beneath it: what is set outside wins. Without
 * `file`, `.env` of the working directory is read when it is there; a named file must exist. Errors: config-invalid.
 */
export function processEnvironment(file?: string): Environment {
  const path = file ?? '.env';
  if (file === undefined && !existsSync(path)) return process.env;
  try {
    return { ...parseEnv(readFileSync(path, 'utf8')), ...process.env };
  } catch {
    throw errors.configInvalid({ problems: [`the env file ${path} cannot be read`] });
  }
}

/** Settings of the bot. Errors: config-invalid with every problem; also when a worker's secret is within its reach. */
export function botConfig(environment: Environment): BotConfig {
  const checked = check('bot', BotEnvironment, environment);
  const { value, problems } = checked;
  if (value && !value.SLACK_APP_TOKEN) {
    const need = 'is missing: without SLACK_APP_TOKEN (Socket Mode) Slack calls the bot over HTTP';
    if (value.HTTP_PORT === undefined) problems.push(`HTTP_PORT ${need}`);
    if (!value.SLACK_SIGNING_SECRET) problems.push(`SLACK_SIGNING_SECRET ${need}`);
  }
  const entrance = value && slackEntrance(value);
  if (problems.length > 0 || !value || !entrance) throw errors.configInvalid({ problems });
  return {
    ...processPart(value),
    slack: { botToken: value.SLACK_BOT_TOKEN, apiUrl: value.SLACK_API_URL, entrance },
  };
}

/** Settings of a worker. Errors: config-invalid with every problem; also when a Slack token is within its reach. */
export function workerConfig(environment: Environment): WorkerConfig {
  const { value, problems } = check('worker', WorkerEnvironment, environment);
  const ageIdentities = ageIdentitiesFrom(set(environment).DPUBOT_AGE_IDENTITY, problems);
  if (problems.length > 0 || !value) throw errors.configInvalid({ problems });
  return {
    ...processPart(value),
    ageIdentities,
    escrowDirectory: value.DPUBOT_ESCROW,
    sites: value.DPUBOT_SITE,
    workerId: value.DPUBOT_WORKER_ID ?? hostname(),
    labTimeFactor: value.DPUBOT_LAB_TIME_FACTOR,
  };
}

/** Settings of the command line: everything optional, each subcommand asks for what it needs. */
export function cliConfig(environment: Environment): CliConfig {
  const { value, problems } = check('cli', CliEnvironment, environment);
  const ageIdentities = ageIdentitiesFrom(set(environment).DPUBOT_AGE_IDENTITY, problems);
  if (problems.length > 0 || !value) throw errors.configInvalid({ problems });
  return {
    logLevel: value.LOG_LEVEL,
    slackApiUrl: value.SLACK_API_URL,
    ageIdentities,
    sites: value.DPUBOT_SITE ?? [],
    ...(value.REDIS_URL && { redisUrl: value.REDIS_URL }),
    ...(value.DPUBOT_INVENTORY !== undefined && { inventoryPath: value.DPUBOT_INVENTORY }),
    ...(value.SLACK_BOT_TOKEN && { slackBotToken: value.SLACK_BOT_TOKEN }),
    ...(value.DPUBOT_ESCROW !== undefined && { escrowDirectory: value.DPUBOT_ESCROW }),
  };
}

/** Names that the schema of a process reads; a test holds them against `variables`. */
export function readNames(part: Part): string[] {
  return Object.keys({ bot: BotEnvironment, worker: WorkerEnvironment, cli: CliEnvironment }[part].shape);
}

interface Checked<T> {
  readonly value: T | undefined;
  readonly problems: string[];
}

function check<T>(part: Part, schema: z.ZodType<T>, environment: Environment): Checked<T> {
  const present = set(environment);
  const problems = Object.entries(variables)
    .filter(([name, variable]) => variable.never.includes(part) && present[name] !== undefined)
    .map(([name]) => `${name} is set, but a ${part} must not have it: keep the settings of bot and workers apart`);
  const result = schema.safeParse(present);
  if (result.success) return { value: result.data, problems };
  for (const issue of result.error.issues) problems.push(sentence(issue, present));
  return { value: undefined, problems: [...new Set(problems)] };
}

function sentence(issue: z.core.$ZodIssue, present: Environment): string {
  const name = String(issue.path[0]);
  const value = present[name];
  if (value === undefined) return `${name} is missing`;
  const variable = Object.hasOwn(variables, name) ? variables[name as VariableName] : undefined;
  // A secret's value is never repeated, also not when it is wrong: it may be right for something else.
  return variable?.secret === true ? `${name} ${issue.message}` : `${name} is ${value}, ${issue.message}`;
}

function set(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
}

function processPart(value: {
  readonly REDIS_URL: Secret;
  readonly DPUBOT_INVENTORY: string;
  readonly LOG_LEVEL: LogLevel;
  readonly METRICS_PORT?: number | undefined;
}): ProcessConfig {
  return {
    redisUrl: value.REDIS_URL,
    inventoryPath: value.DPUBOT_INVENTORY,
    logLevel: value.LOG_LEVEL,
    ...(value.METRICS_PORT !== undefined && { metricsPort: value.METRICS_PORT }),
  };
}

function slackEntrance(value: z.infer<typeof BotEnvironment>): SlackEntrance | undefined {
  if (value.SLACK_APP_TOKEN) return { kind: 'socket', appToken: value.SLACK_APP_TOKEN };
  if (value.HTTP_PORT === undefined || !value.SLACK_SIGNING_SECRET) return undefined;
  return { kind: 'http', port: value.HTTP_PORT, signingSecret: value.SLACK_SIGNING_SECRET };
}

/** False where the signs of a password would be taken for the end of the host. */
function isReadableAddress(address: string): boolean {
  if (!/^rediss?:/.test(address)) return true;
  try {
    const { username, password, search, hash } = new URL(address);
    decodeURIComponent(username + password);
    return !(search + hash).includes('@');
  } catch {
    return false;
  }
}

/** Identities given as the key itself or as a file of `age-keygen`; never shown in a problem. */
function ageIdentitiesFrom(setting: string | undefined, problems: string[]): Secret[] {
  if (setting === undefined) return [];
  const isKey = setting.trimStart().startsWith('AGE-SECRET-KEY-');
  const text = isKey ? setting : readIdentityFile(setting, problems);
  if (text === undefined) return [];
  const keys = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const good = keys.filter((key) => /^AGE-SECRET-KEY-1[A-Z0-9]{40,80}$/.test(key));
  if (good.length === 0 || good.length !== keys.length) {
    problems.push('DPUBOT_AGE_IDENTITY holds something that is no AGE-SECRET-KEY-1...');
    return [];
  }
  return good.map((key) => new Secret(key));
}

function readIdentityFile(path: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    problems.push('DPUBOT_AGE_IDENTITY names a file that cannot be read');
    return undefined;
  }
}
