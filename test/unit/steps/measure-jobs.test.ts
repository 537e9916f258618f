import { describe, expect, it } from 'vitest';
import { errors } from '../../../src/errors.ts';
import { lookAt, peek, readLog } from '../../../src/steps/measure-jobs.ts';
import { codeOf } from '../../support/arm-world.ts';
import { benchSession } from '../../support/bench-session.ts';
import { createBenchWorld } from '../../support/bench-world.ts';
import type { HostSession } from '../../../src/domain/device-ports.ts';

const { signal } = new AbortController();
const folder = '/var/lib/dpubot/jobs/run418-measure-p1-1-send-1';

function sideOn(change: Partial<HostSession>) {
  const world = createBenchWorld();
  return { host: { ...benchSession(world, world.hosts[0]), ...change }, folder, argv: [] };
}

/** A log of so many MiB, a MiB at a time. */
function logOf(mebibytes: number): Partial<HostSession> {
  const line = `${'x'.repeat(1023)}\n`;
  const size = mebibytes * 1024 * 1024;
  return {
    readDetachedLog: async (_folder, fromByte, { maxBytes = 0 }) => {
      const bytes = Math.min(maxBytes, size - fromByte);
      return Promise.resolve({ text: line.repeat(bytes / 1024), nextByte: fromByte + bytes });
    },
  };
}

describe('the log of a tool', () => {
  it('is read to its end, over many pieces', async () => {
    expect(await readLog(sideOn(logOf(5)), signal)).toHaveLength(5 * 1024 * 1024);
  });

  it('that is too long gives no figure at all', async () => {
    expect(await codeOf(async () => readLog(sideOn(logOf(40)), signal))).toBe('bench-log-too-long');
  });
});

describe('a host that does not answer for a while', () => {
  const lost = async (): Promise<never> => Promise.reject(errors.sshLost({ host: 'as7', command: 'look' }));

  it('says nothing about the measurement on it', async () => {
    expect(await lookAt(sideOn({ observeDetached: lost }), signal)).toBeUndefined();
    expect(await peek(sideOn({ readDetachedLog: lost }), 0, signal)).toBe('');
  });

  it('is told from one that refuses', async () => {
    const refused = async (): Promise<never> =>
      Promise.reject(errors.sudoRefused({ host: 'as7', user: 'ops', output: 'sudo: a password is required' }));

    expect(await codeOf(async () => lookAt(sideOn({ observeDetached: refused }), signal))).toBe('sudo-refused');
  });
});
