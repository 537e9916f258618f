import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Iperf3Report } from '../../../src/bench/iperf3.ts';
import {
  iperf3ClientArgv,
  iperf3ServerArgv,
  lastServerGbps,
  parseIperf3,
  sumReports,
} from '../../../src/bench/iperf3.ts';
import { fixture } from '../../support/fixture.ts';

const text = (name: string): string => fixture(`iperf3/${name}.txt`);

function report(name: string): Iperf3Report {
  const parsed = parseIperf3(text(name));
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed;
}

describe('words of iperf3', () => {
  const wish = { address: '10.2.0.2', port: 5203, durationS: 30, warmUpS: 3, cpus: [4, 5] };

  it('of a server are for one test and print each second', () => {
    expect(iperf3ServerArgv(wish).join(' ')).toBe(
      'taskset -c 4,5 iperf3 -s -1 -B 10.2.0.2 -p 5203 -i 1 -f m --forceflush',
    );
  });

  it('of a client leave out the warm-up, limit the connection and print JSON', () => {
    expect(iperf3ClientArgv({ ...wish, localAddress: '10.1.0.2' }).join(' ')).toBe(
      'taskset -c 4,5 iperf3 -c 10.2.0.2 -B 10.1.0.2 -p 5203 -t 30 -O 3 -i 1 --connect-timeout 3000 -J',
    );
    expect(iperf3ClientArgv({ ...wish, warmUpS: 0, cpus: [] }).join(' ')).toBe(
      'iperf3 -c 10.2.0.2 -p 5203 -t 30 -i 1 --connect-timeout 3000 -J',
    );
  });
});

describe('a report of iperf3', () => {
  it('gives what the far end received, what was sent, retransmits, and the seconds after the warm-up', () => {
    const { version, seconds, receivedBitsPerSecond, sentBitsPerSecond, retransmits, intervals } = report('ok');

    expect(version).toBe('3.12');
    expect(seconds).toBeCloseTo(3, 2);
    expect(receivedBitsPerSecond).toBe(16_981_909_580.137787);
    expect(sentBitsPerSecond).toBe(16_982_173_605.095354);
    expect(retransmits).toBe(21_459);
    expect(intervals.map(({ endS }) => endS.toFixed(2))).toEqual(['1.00', '2.00', '3.00']);
  });

  it.each([
    ['streams4', 32.4977],
    ['udp', 0.09995],
    ['reverse', 16.9668],
    ['german', 6.4873],
  ])('is read with other options and in another locale: %s', (name, gbps) => {
    expect(report(name).receivedBitsPerSecond / 1e9).toBeCloseTo(gbps, 3);
  });

  it('of UDP has no retransmits and a loss', () => {
    expect(report('udp')).toMatchObject({ lostPercent: 0 });
    expect(report('udp')).not.toHaveProperty('retransmits');
  });

  it.each([
    ['refused', /no server listens there .*Connection refused/],
    ['unreachable', /does not answer .*timed out/],
    ['busy', /busy with another test/],
    ['killed', /stopped before its end/],
    ['server-died', /server ended before the test/],
    ['server-ok', /report of a server/],
    ['version', /no report/],
  ])('of a failure is an error, though iperf3 ends with 0: %s', (name, error) => {
    expect(parseIperf3(text(name))).toEqual({ error: expect.stringMatching(error) });
  });

  it.each([
    ['', /written nothing/],
    ["timeout: failed to run command 'iperf3': No such file or directory\n", /no report: timeout: failed/],
    ['{\n}\n', /lacks a usable `start`/],
    ['{\n  "start": {},\n}\n', /not valid JSON/],
    ['[]', /no report/],
  ])('that is none is an error: %j', (written, error) => {
    expect(parseIperf3(written)).toEqual({ error: expect.stringMatching(error) });
  });

  it('keeps what stands around it as warnings', () => {
    const around = `warning: this system does not support TCP_INFO\n${text('ok')}Terminated\n`;

    expect(parseIperf3(around)).toMatchObject({
      retransmits: 21_459,
      warnings: ['warning: this system does not support TCP_INFO', 'Terminated'],
    });
  });

  it('without the sum of the far end is an error', () => {
    const broken = text('ok').replace('"sum_received"', '"sum_lost"');

    expect(parseIperf3(broken)).toEqual({ error: expect.stringMatching(/`end\.sum_received`/) });
  });

  it('with commas in its numbers is an error', () => {
    const german = text('ok').replaceAll(/(\d)\.(\d)/g, '$1,$2');

    expect(parseIperf3(german)).toHaveProperty('error');
  });

  it('cut anywhere is an error, never a smaller figure', () => {
    const names = ['ok', 'streams4', 'udp', 'reverse'];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(), (name, from, length) => {
        const whole = text(name);
        const start = from % whole.length;
        const part = whole.slice(start, start + (length % whole.length));
        if (part.includes(whole.trim())) return;

        expect(parseIperf3(part)).toHaveProperty('error');
      }),
      { numRuns: 500 },
    );
  });

  it('of any text is an error', () => {
    fc.assert(
      fc.property(fc.string(), (written) => {
        expect(parseIperf3(written)).toHaveProperty('error');
      }),
    );
  });
});

describe('clients side by side', () => {
  const ok = report('ok');

  it('are added up, with the retransmits of all', () => {
    const seconds = [29.7677, 33.7637, 38.3628].map((gbps) => ({ receivedGbps: expect.closeTo(gbps, 3) }));

    expect(sumReports([ok, ok])).toMatchObject({
      receivedGbps: expect.closeTo(33.9638, 3),
      sentGbps: expect.closeTo(33.9643, 3),
      retransmits: 42_918,
      samples: seconds,
    });
  });

  it('are rejected when one of them measured more than 5 % longer', () => {
    expect(sumReports([ok, { ...ok, seconds: ok.seconds * 1.04 }])).not.toHaveProperty('error');
    expect(sumReports([ok, { ...ok, seconds: ok.seconds * 1.06 }])).toEqual({
      error: expect.stringMatching(/did not run side by side: one took 3\.0 s, another 3\.2 s/),
    });
  });

  it('have the seconds of their servers where these are whole', () => {
    expect(sumReports([ok], [text('server-text')])).toMatchObject({
      samples: [
        { atS: 1, receivedGbps: 14.589 },
        { atS: 2, receivedGbps: 11.505 },
        { atS: 3, receivedGbps: 15.154 },
      ],
    });
    expect(sumReports([ok], ['iperf3: error\n'])).toMatchObject({ samples: sumsOf(ok) });
  });

  it('of no client are no figure', () => {
    expect(sumReports([])).toHaveProperty('error');
  });
});

describe('a server that runs', () => {
  it('says its last second, not a part of a line, not the warm-up and not its sum', () => {
    const log = text('server-text');

    expect(lastServerGbps(log)).toBe(15.154);
    expect(lastServerGbps(log.slice(0, log.indexOf('11505') + 2))).toBe(14.589);
    expect(lastServerGbps(log.slice(0, log.indexOf('(omitted)') + 10))).toBeUndefined();
    expect(lastServerGbps('')).toBeUndefined();
  });
});

function sumsOf({ intervals }: Iperf3Report): readonly object[] {
  return intervals.map(({ endS, bitsPerSecond }) => ({ atS: endS, receivedGbps: bitsPerSecond / 1e9 }));
}
