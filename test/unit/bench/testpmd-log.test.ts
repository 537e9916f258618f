import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isForwarding,
  joinSenders,
  lastReceivedGbps,
  parseDpdkVersion,
  parseTestpmdLog,
} from '../../../src/bench/testpmd-log.ts';
import { fixture } from '../../support/fixture.ts';

const read = (name: string): ReturnType<typeof parseTestpmdLog> => parseTestpmdLog(fixture(`testpmd/${name}.txt`));

describe('a log of testpmd', () => {
  it('gives rates since the last show, without the first show, and the time that follows from the counters', () => {
    const { samples, ports, frameBytes } = read('send-1400');

    expect({ ports, frameBytes }).toEqual({ ports: 1, frameBytes: 1400 });
    expect(samples.map(({ txPps, txBps, txPackets }) => ({ txPps, txBps, txPackets }))).toEqual([
      { txPps: 250_375, txBps: 2_804_207_840, txPackets: 502_464 },
      { txPps: 239_852, txBps: 2_686_349_560, txPackets: 982_272 },
    ]);
    expect(samples.map(({ seconds }) => seconds?.toFixed(2))).toEqual(['2.00', '2.00']);
  });

  it('gives the totals that stand at its end', () => {
    expect(read('receive-1400').total).toEqual({
      rxPackets: 1_510_133,
      rxDropped: 0,
      rxMissed: 0,
      rxNombuf: 0,
      txPackets: 0,
      txDropped: 0,
    });
  });

  it('has no time for a show in which nothing was counted', () => {
    expect(read('receive-64').samples.map(({ seconds }) => seconds === undefined)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('adds up its ports', () => {
    const { ports, samples, total } = read('receive-two-ports');

    expect(ports).toBe(2);
    expect(samples.at(-1)?.rxPps).toBe(37_379_462 + 37_379_513);
    expect(total?.rxPackets).toBe(445_097_600);
  });

  it('tells that packet buffers were missing', () => {
    expect(read('receive-no-buffers').total?.rxNombuf).toBe(2);
  });

  it.each([
    ['no-link', /no device.*net_af_packet0: ioctl failed \(SIOCGIFINDEX\):No such device/],
    ['no-pci-device', /no device/],
    ['no-hugepages', /no hugepages/],
    ['no-memory', /not enough memory for its packet buffers.*mbuf pool/],
    ['unknown-option', /does not know an option.*'--nosuch'$/],
    ['frames-given-up', /frames do not fit.*9000 > mbuf_data_size=2176/],
    ['pacing-refused', /device refuses the settings.*Tx offloads 0x200000/],
  ])('names the cause though testpmd may have ended with 0: %s', (name, cause) => {
    expect(read(name).problem).toMatch(cause);
  });

  it.each([
    ['timeout: failed to run command ‘dpdk-testpmd’: No such file or directory\n', /not installed/],
    ["timeout: failed to run command 'dpdk-testpmd': No such file or directory\n", /not installed/],
    ['sudo: dpdk-testpmd: command not found\n', /not installed/],
    ['', /written nothing/],
    ['Speicherzugriffsfehler\n', /breaks off.*Its last line: Speicherzugriffsfehler/],
    ['EAL: Error - exiting with code: 1\n  Cause: Invalid port\n', /did not start: Invalid port/],
  ])('of a program that never began has a problem: %j', (text, cause) => {
    const { problem, samples, total } = parseTestpmdLog(text);

    expect({ samples, total }).toEqual({ samples: [], total: undefined });
    expect(problem).toMatch(cause);
  });

  it('that was killed has a problem and no totals', () => {
    const text = fixture('testpmd/receive-1400.txt');
    const { total, problem } = parseTestpmdLog(text.slice(0, text.indexOf('Telling cores')));

    expect(total).toBeUndefined();
    expect(problem).toMatch(/breaks off before its totals/);
  });

  it('never gives a figure that is not in it, wherever it is cut', () => {
    const names = ['receive-1400', 'send-64', 'receive-two-ports', 'receive-no-buffers'];
    const whole = new Map(names.map((name) => [name, figuresOf(fixture(`testpmd/${name}.txt`))]));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(), (name, from, length) => {
        const text = fixture(`testpmd/${name}.txt`);
        const start = from % text.length;
        const part = text.slice(start, start + (length % (text.length - start)) + 1);

        const { samples, total } = parseTestpmdLog(part);

        const known = whole.get(name) ?? new Set();
        for (const sample of samples) expect(known).toContain(rateKey(sample));
        if (total !== undefined) expect(known).toContain(JSON.stringify([total.rxPackets, total.txPackets]));
      }),
      { numRuns: 500 },
    );
  });

  it('cut at its end is a problem, or the same figures', () => {
    const text = fixture('testpmd/receive-1400.txt');
    const whole = parseTestpmdLog(text);
    fc.assert(
      fc.property(fc.nat({ max: text.length }), (length) => {
        const log = parseTestpmdLog(text.slice(0, length));

        if (log.problem === undefined) expect(log).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('of anything else is a problem and no figure', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { problem, samples, total } = parseTestpmdLog(text);

        expect(problem).toBeDefined();
        expect({ samples, total }).toEqual({ samples: [], total: undefined });
      }),
    );
  });
});

describe('a log that still grows', () => {
  it('says what is received by its last whole show, and nothing before the second one', () => {
    const text = fixture('testpmd/receive-1400.txt');
    const middle = text.indexOf('Rx-bps:   2802775672');

    expect(lastReceivedGbps(text)).toBe(2.917754872);
    expect(lastReceivedGbps(text.slice(0, middle + 'Rx-bps:   2802'.length))).not.toBe(0.000002802);
    expect(lastReceivedGbps(text.slice(0, text.indexOf('Rx-pps')))).toBeUndefined();
  });

  it('forwards from its first show on', () => {
    const text = fixture('testpmd/receive-1400.txt');

    expect(isForwarding(text)).toBe(true);
    expect(isForwarding(text.slice(0, text.indexOf('NIC statistics')))).toBe(false);
    expect(isForwarding(fixture('testpmd/no-link.txt'))).toBe(false);
  });
});

describe('versions of DPDK', () => {
  it.each([
    [fixture('testpmd/version.txt'), '22.11.11'],
    ["EAL: RTE Version: 'MLNX_DPDK 22.11.2310.5.1'\n", '22.11.2310.5.1'],
    ["EAL: RTE Version: 'DPDK 25.07.0-rc1'\n", '25.07.0-rc1'],
    ['EAL: Detected CPU lcores: 2\n', undefined],
  ])('are read from what -v prints', (text, version) => {
    expect(parseDpdkVersion(text)).toBe(version);
  });
});

describe('several senders', () => {
  it('are added up, and not measured with when one of them failed', () => {
    const one = read('send-1400');

    const both = joinSenders([one, one]);
    expect(both.total?.txPackets).toBe(2 * 1_512_000);
    expect(both.samples[0]?.txPps).toBe(2 * 250_375);
    expect(both.samples[0]?.seconds?.toFixed(2)).toBe('2.00');
    expect(joinSenders([one, read('no-link')]).problem).toMatch(/no device/);
    expect(joinSenders([]).problem).toMatch(/no log/);
  });
});

function rateKey(sample: { rxPps: number; rxBps: number; txPps: number; txBps: number }): string {
  return JSON.stringify([sample.rxPps, sample.rxBps, sample.txPps, sample.txBps]);
}

/** All shows, also the first one: a log that lacks its begin has another first show. */
function figuresOf(text: string): ReadonlySet<string> {
  const { samples, total } = parseTestpmdLog(text);
  return new Set([...samples.map(rateKey), JSON.stringify([total?.rxPackets, total?.txPackets])]);
}
