import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { variables } from '../../src/config-variables.ts';
import { readSource } from './sources.ts';

const Service = z.object({
  image: z.string().optional(),
  build: z.unknown().optional(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  user: z.string().optional(),
});
const Compose = z.object({
  services: z.object({ redis: Service, bot: Service, worker: Service }),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

// Merge keys (`<<`) are YAML 1.1, and what `docker compose` reads.
const compose = Compose.parse(parse(readSource('docker-compose.yml').text, { merge: true }));
const { redis, bot, worker } = compose.services;

describe('docker-compose.yml', () => {
  it('runs a Redis that keeps every write and evicts nothing', () => {
    const command = redis.command.join(' ');

    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--appendfsync always');
    expect(command).toContain('--maxmemory-policy noeviction');
    expect(command).toContain('--aclfile');
  });

  it('publishes no port of Redis', () => {
    expect(redis.ports).toEqual([]);
  });

  it.each([
    ['bot', bot],
    ['worker', worker],
  ])('gives the %s a read-only inventory, no capability and a read-only file system', (_name, service) => {
    expect(service.volumes.filter((volume) => volume.includes('inventory'))).toEqual([
      expect.stringMatching(/:\/etc\/dpubot\/inventory\.yaml:ro$/),
    ]);
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.command[0]).toMatch(/^(bot|worker)$/);
  });

  it('keeps Slack tokens from the worker and keys to devices from the bot', () => {
    expect(bot.secrets.filter((name) => /age|worker/.test(name))).toEqual([]);
    expect(worker.secrets.filter((name) => /slack|bot/.test(name))).toEqual([]);
  });

  it('sets only variables that the process may have', () => {
    for (const [part, service] of Object.entries({ bot, worker }) as ['bot' | 'worker', typeof bot][])
      for (const name of Object.keys(service.environment)) {
        const variable = Object.entries(variables).find(([known]) => known === name)?.[1];
        expect(variable, `${part} has the unknown ${name}`).toBeDefined();
        expect(variable?.parts, `${part} has ${name}`).toContain(part);
      }
  });

  it('holds no secret in clear: those come from files', () => {
    const secretNames = Object.entries(variables)
      .filter(([, variable]) => variable.secret)
      .map(([name]) => name);

    for (const service of [bot, worker])
      for (const [name, value] of Object.entries(service.environment))
        if (secretNames.includes(name)) expect(value, name).toMatch(/^\/run\/secrets\//);
    expect(Object.values(compose.secrets).every(({ file }) => file.startsWith('./secrets/'))).toBe(true);
  });
});

describe('Dockerfile', () => {
  const text = readSource('Dockerfile').text;

  it('builds from the lock file and runs as an ordinary user without the lab', () => {
    expect(text).toMatch(/npm ci/);
    expect(text).toMatch(/npm ci --omit=dev/);
    expect(text).toMatch(/^USER (?!root|0)\S+/m);
    expect(text).not.toMatch(/COPY .*src\/lab/);
  });
});
