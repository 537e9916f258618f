import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { parseAddressedLinks } from '../../../src/facts/link-addresses.ts';
import { parseListeningPorts } from '../../../src/facts/listening-ports.ts';
import { parseCpuList } from '../../../src/facts/local-cpus.ts';
import { parseRoutes } from '../../../src/facts/routes.ts';
import { readJobFolders } from '../../../src/facts/job-folders.ts';
import { codeOf } from '../../support/arm-world.ts';
import { benchSession } from '../../support/bench-session.ts';
import { createBenchWorld } from '../../support/bench-world.ts';
import { fixture } from '../../support/fixture.ts';

const code = async (work: () => unknown): Promise<string> => codeOf(async () => Promise.resolve(work()));

describe('links with their addresses', () => {
  it('are read with MAC, MTU and IPv4 addresses', () => {
    const [loopback, ...others] = parseAddressedLinks('as7', fixture('ip/addr-two-links.txt'));

    expect(loopback).toEqual({
      name: 'lo',
      mac: '00:00:00:00:00:00',
      mtuBytes: 65536,
      isUp: true,
      addresses: ['127.0.0.1/8'],
    });
    expect(others.map(({ name, isUp, addresses }) => [name, isUp, addresses])).toEqual([['ifb0', false, []]]);
  });

  it('that cannot be read are an error', async () => {
    expect(await code(() => parseAddressedLinks('as7', '[{"ifname":"eno1"}]'))).toBe('output-unreadable');
    expect(await code(() => parseAddressedLinks('as7', ''))).toBe('output-unreadable');
  });
});

describe('listening ports', () => {
  it('are read of any address', () => {
    expect([...parseListeningPorts('as7', fixture('ss/listening.txt'))]).toEqual([2024, 5202, 5201]);
  });

  it('of a line that is no socket are an error', async () => {
    expect(await code(() => parseListeningPorts('as7', 'ESTAB 0 0 1.2.3.4:22 1.2.3.5:22\n'))).toBe('output-unreadable');
  });
});

describe('a list of CPUs', () => {
  it('is read with single ones and ranges', () => {
    expect(parseCpuList('as7', '0-3,8,32-33\n')).toEqual([0, 1, 2, 3, 8, 32, 33]);
  });

  it('comes back as it was written', () => {
    const range = fc.tuple(fc.nat(500), fc.nat(20)).map(([from, more]) => [from, from + more] as const);
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 8 }), (ranges) => {
        const text = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
        const cpus = new Set(parseCpuList('as7', `${text}\n`));
        for (const [from, to] of ranges) for (let cpu = from; cpu <= to; cpu += 1) expect(cpus.has(cpu)).toBe(true);
        expect(cpus.size).toBeLessThanOrEqual(ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0));
      }),
    );
  });

  it.each(['', 'all', '3-1', '1,,2'])('"%s" is an error', async (text) => {
    expect(await code(() => parseCpuList('as7', text))).toBe('output-unreadable');
  });
});

describe('routes', () => {
  it('are read with their gateway and link', () => {
    expect(parseRoutes('as7', fixture('ip/route-main.txt'))).toEqual([
      { to: 'default', via: '192.0.2.1', link: 'eth0' },
      { to: '10.99.0.0/24', via: undefined, link: 'capa' },
      { to: '10.99.1.0/24', via: '10.99.0.2', link: 'capa' },
    ]);
  });

  it('are none where nothing is printed', () => {
    expect(parseRoutes('as7', '\n')).toEqual([]);
  });
});

describe('job folders', () => {
  it('are those of the run alone, though another run begins with the same digits', async () => {
    const [host] = createBenchWorld().hosts;
    host.others.push('run4-measure-p1-1-send-1', 'run418-measure-p1-1-send-1', 'run4180-measure-p1-1-send-1');
    const session = benchSession(createBenchWorld(), host);

    const folders = await readJobFolders(session, 'run418-measure-', new AbortController().signal);

    expect(folders).toEqual(['/var/lib/dpubot/jobs/run418-measure-p1-1-send-1']);
  });
});
