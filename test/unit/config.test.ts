import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { botConfig, cliConfig, processEnvironment, readNames, workerConfig } from '../../src/config.ts';
import type { Part } from '../../src/config-variables.ts';
import { envExample, variables } from '../../src/config-variables.ts';
import { OpsError } from '../../src/errors.ts';

const identity = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
const bot = {
  REDIS_URL: 'redis://bot:hunter2@127.0.0.1:6379',
  DPUBOT_INVENTORY: 'inventory.yaml',
  SLACK_BOT_TOKEN: 'xoxb-1',
  SLACK_APP_TOKEN: 'xapp-1',
};
const worker = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  DPUBOT_INVENTORY: 'inventory.yaml',
  DPUBOT_AGE_IDENTITY: identity,
  DPUBOT_ESCROW: '/escrow',
  DPUBOT_SITE: 'lab',
};
const made: string[] = [];

function temporary(name: string, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'dpubot-config-'));
  made.push(directory);
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

function problems(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof OpsError && error.code === 'config-invalid') return error.failure.why;
    throw error;
  }
  return 'was accepted';
}

describe('botConfig', () => {
  test('an app token means Socket Mode, with Slack and info as defaults', () => {
    const config = botConfig(bot);

    expect(config.slack.entrance.kind).toBe('socket');
    expect(config.slack.botToken.reveal()).toBe('xoxb-1');
    expect(config.slack.apiUrl).toBe('https://slack.com/api/');
    expect(config).toMatchObject({ inventoryPath: 'inventory.yaml', logLevel: 'info' });
    expect(config.metricsPort).toBeUndefined();
  });

  test('without an app token port and signing secret make the HTTP entrance', () => {
    const config = botConfig({ ...bot, SLACK_APP_TOKEN: '', HTTP_PORT: '3000', SLACK_SIGNING_SECRET: 's' });

    expect(config.slack.entrance).toMatchObject({ kind: 'http', port: 3000 });
  });

  test('without an app token a missing port and secret are named together', () => {
    const text = problems(() => botConfig({ ...bot, SLACK_APP_TOKEN: undefined }));

    expect(text).toContain('HTTP_PORT is missing');
    expect(text).toContain('SLACK_SIGNING_SECRET is missing');
  });

  test('lists every problem at once, an empty value counting as missing', () => {
    const text = problems(() => botConfig({ ...bot, REDIS_URL: '', METRICS_PORT: '99999', LOG_LEVEL: 'loud' }));

    expect(text).toBe(
      'REDIS_URL is missing; LOG_LEVEL is loud, use trace, debug, info, warn, error or fatal; METRICS_PORT is 99999, must be at most 65535',
    );
  });

  test('refuses to start with a key to devices within reach', () => {
    expect(problems(() => botConfig({ ...bot, DPUBOT_AGE_IDENTITY: identity }))).toBe(
      'DPUBOT_AGE_IDENTITY is set, but a bot must not have it: keep the settings of bot and workers apart',
    );
  });

  test.each([
    ['SLACK_BOT_TOKEN', 'xapp-verysecret'],
    ['SLACK_APP_TOKEN', 'xoxb-verysecret'],
    ['REDIS_URL', 'http://user:verysecret@host'],
    ['DPUBOT_AGE_IDENTITY', 'AGE-SECRET-KEY-verysecret'],
  ])('a wrong %s is named without its value', (name, value) => {
    const text = problems(() => botConfig({ ...bot, [name]: value }));

    expect(text).toContain(name);
    expect(text).not.toContain('verysecret');
  });

  test.each([
    ['a slash', 'redis://dpubot:very/secret@127.0.0.1:6379'],
    ['a hash', 'redis://dpubot:12#secret@127.0.0.1:6379'],
    ['a question mark', 'redis://dpubot:12?secret@127.0.0.1:6379'],
    ['half an escape', 'redis://dpubot:secret%zz@127.0.0.1:6379'],
  ])('a Redis password with %s as it is says how to write it, without showing it', (_what, value) => {
    const text = problems(() => botConfig({ ...bot, REDIS_URL: value }));

    expect(text).toContain('REDIS_URL cannot be read');
    expect(text).toContain('/ as %2F');
    expect(text).not.toContain('secret');
  });

  test.each(['redis://dpubot:a%2Fb%23c@127.0.0.1:6379/2', 'rediss://redis.example:6380', '/run/redis.sock'])(
    'takes the Redis address %s',
    (address) => {
      expect(botConfig({ ...bot, REDIS_URL: address }).redisUrl.reveal()).toBe(address);
    },
  );

  test('printing or serialising the settings shows no secret', () => {
    const config = botConfig(bot);

    for (const text of [inspect(config, { depth: 9 }), JSON.stringify(config)]) {
      expect(text).not.toContain('xoxb-1');
      expect(text).not.toContain('xapp-1');
      expect(text).not.toContain('hunter2');
    }
  });
});

describe('workerConfig', () => {
  test('takes the identity itself, the host name as id, and real time', () => {
    const config = workerConfig(worker);

    expect(config.ageIdentities.map((key) => key.reveal())).toEqual([identity]);
    expect(config).toMatchObject({
      sites: ['lab'],
      workerId: hostname(),
      labTimeFactor: 1,
      escrowDirectory: '/escrow',
    });
  });

  test('reads identities from a file of age-keygen, comments left out', () => {
    const path = temporary('site.agekey', `# created: today\n# public key: age1x\n${identity}\n`);

    expect(workerConfig({ ...worker, DPUBOT_AGE_IDENTITY: path }).ageIdentities).toHaveLength(1);
  });

  test.each([
    ['a missing file', '/nowhere/key', 'names a file that cannot be read'],
    ['a broken key', 'AGE-SECRET-KEY-1short', 'holds something that is no AGE-SECRET-KEY-1'],
  ])('refuses %s as identity', (_what, value, expected) => {
    expect(problems(() => workerConfig({ ...worker, DPUBOT_AGE_IDENTITY: value }))).toContain(expected);
  });

  test('serves several sites', () => {
    expect(workerConfig({ ...worker, DPUBOT_SITE: 'lab, hall2' }).sites).toEqual(['lab', 'hall2']);
  });

  test.each([
    ['DPUBOT_SITE', 'lab,,hall2', 'must be names of sites, divided by commas'],
    ['DPUBOT_LAB_TIME_FACTOR', '0.5', 'must be at least 1'],
    ['DPUBOT_LAB_TIME_FACTOR', 'fast', 'must be a number'],
    ['DPUBOT_WORKER_ID', 'a b', 'must be letters'],
    ['METRICS_PORT', '80a', 'must be a whole number'],
  ])('refuses %s=%s', (name, value, expected) => {
    expect(problems(() => workerConfig({ ...worker, [name]: value }))).toContain(expected);
  });

  test('refuses to start with Slack tokens within reach, each named', () => {
    const text = problems(() => workerConfig({ ...worker, SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 's' }));

    expect(text).toContain('SLACK_BOT_TOKEN is set, but a worker must not have it');
    expect(text).toContain('SLACK_SIGNING_SECRET is set, but a worker must not have it');
  });

  test('names everything that is missing', () => {
    const text = problems(() => workerConfig({}));

    for (const name of ['REDIS_URL', 'DPUBOT_INVENTORY', 'DPUBOT_AGE_IDENTITY', 'DPUBOT_ESCROW', 'DPUBOT_SITE'])
      expect(text).toContain(`${name} is missing`);
  });
});

describe('cliConfig', () => {
  test('needs nothing, and takes what is there', () => {
    expect(cliConfig({})).toEqual({
      logLevel: 'info',
      slackApiUrl: 'https://slack.com/api/',
      ageIdentities: [],
      sites: [],
    });
    expect(cliConfig({ ...worker, ...bot })).toMatchObject({ inventoryPath: 'inventory.yaml', sites: ['lab'] });
  });
});

describe('processEnvironment', () => {
  test('what is set outside wins over the env file', () => {
    const path = temporary('bot.env', 'PATH=/from/file\nDPUBOT_FROM_FILE=yes\n');

    expect(processEnvironment(path)).toMatchObject({ DPUBOT_FROM_FILE: 'yes', PATH: process.env.PATH });
  });

  test('a named env file that is not there is an error', () => {
    expect(problems(() => processEnvironment('/nowhere/.env'))).toContain('/nowhere/.env cannot be read');
  });
});

describe('.env.example', () => {
  test('names exactly the settings that the schemas read', () => {
    const parts: Part[] = ['bot', 'worker', 'cli'];
    for (const part of parts) {
      const listed = Object.entries(variables).filter(([, variable]) => variable.parts.includes(part));
      expect(readNames(part).sort()).toEqual(listed.map(([name]) => name).sort());
    }
    const named = [...envExample().matchAll(/^# ([A-Z_]+)=/gm)].map((match) => match[1]);
    expect(named).toEqual(Object.keys(variables));
  });

  test('is the file in the repository', () => {
    expect(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')).toBe(envExample());
  });

  test('every example value that is not a placeholder for a secret is accepted', () => {
    const example = Object.fromEntries(Object.entries(variables).map(([name, { example }]) => [name, example]));
    const { DPUBOT_AGE_IDENTITY: _age, ...forBot } = example;

    expect(botConfig(forBot).slack.entrance.kind).toBe('socket');
    const { SLACK_BOT_TOKEN: _bot, SLACK_APP_TOKEN: _app, SLACK_SIGNING_SECRET: _secret, ...forWorker } = example;
    expect(workerConfig({ ...forWorker, DPUBOT_AGE_IDENTITY: identity }).sites).toEqual(['lab']);
  });
});
