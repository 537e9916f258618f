import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Repeat } from '../../../src/domain/bench.ts';
import { layer1Gbps, layer2Gbps } from '../../../src/bench/rates.ts';
import { repeatOfTestpmd } from '../../../src/bench/repeat.ts';
import type { TestpmdLog, TestpmdSample } from '../../../src/bench/testpmd-log.ts';
import { parseTestpmdLog } from '../../../src/bench/testpmd-log.ts';
import { fixture } from '../../support/fixture.ts';

const read = (name: string): TestpmdLog => parseTestpmdLog(fixture(`testpmd/${name}.txt`));

function measured(result: ReturnType<typeof repeatOfTestpmd>): Repeat {
  if ('error' in result) throw new Error(result.error);
  return result;
}

/** A log with shows each second of so many thousand packets of 1000 bytes. */
function log(side: 'rx' | 'tx', kilopackets: readonly number[], more: Partial<TestpmdLog['total']> = {}): TestpmdLog {
  let packets = 0;
  const samples = kilopackets.map((kpps): TestpmdSample => {
    const pps = kpps * 1_000;
    packets += pps;
    const [rxPps, txPps] = side === 'rx' ? [pps, 0] : [0, pps];
    const [rxPackets, txPackets] = side === 'rx' ? [packets, 0] : [0, packets];
    return {
      rxPps,
      rxBps: rxPps * 8_000,
      txPps,
      txBps: txPps * 8_000,
      rxPackets,
      txPackets,
      ...(pps > 0 && { seconds: 1 }),
    };
  });
  const [rxPackets, txPackets] = side === 'rx' ? [packets, 0] : [0, packets];
  const total = { rxPackets, rxDropped: 0, rxMissed: 0, rxNombuf: 0, txPackets, txDropped: 0, ...more };
  return { ports: 1, samples, total };
}

const wish = { frameBytes: 1000, warmUpS: 0 };
const seconds = (count: number, kpps: number): number[] => Array.from({ length: count }, () => kpps);

describe('a repeat of testpmd', () => {
  it('is the far end’s rate between the warm-up and the end of the sender', () => {
    const repeat = measured(repeatOfTestpmd(read('send-1400'), read('receive-1400'), { frameBytes: 1400, warmUpS: 2 }));

    expect(repeat.samples.map(({ atS, receivedGbps }) => [atS.toFixed(1), receivedGbps])).toEqual([
      ['2.0', 2.673504728],
      ['4.0', 2.917754872],
    ]);
    expect(repeat.receivedGbps).toBeCloseTo(2.7956, 3);
    expect(repeat.receivedMpps).toBeCloseTo(0.2496, 4);
    expect(repeat.sentGbps).toBeCloseTo(2.6863, 3);
    expect(repeat.lossPercent).toBeCloseTo(0.1235, 3);
    expect(repeat.warnings).toEqual([]);
  });

  it('leaves out warm-up, the part before the traffic, and what came after the end', () => {
    const sent = log('tx', seconds(10, 100));
    const received = log('rx', [0, 0, 40, 50, 50, ...seconds(7, 100), 60, 0, 0]);

    const repeat = measured(repeatOfTestpmd(sent, received, { ...wish, warmUpS: 3 }));

    expect(repeat.samples.map(({ atS, receivedGbps }) => [atS, receivedGbps])).toEqual(
      [1, 2, 3, 4, 5, 6].map((atS) => [atS, 0.8]),
    );
    expect(repeat.receivedGbps).toBeCloseTo(0.8, 9);
  });

  it('counts seconds in which nothing arrived while it was sent', () => {
    const sent = log('tx', seconds(9, 100));
    const received = log('rx', [50, 100, 100, 100, 100, 0, 0, 0, 0]);

    expect(measured(repeatOfTestpmd(sent, received, wish)).receivedGbps).toBeCloseTo(0.4, 9);
  });

  it('ends with the asked time, though the sender goes on', () => {
    const repeat = measured(
      repeatOfTestpmd(log('tx', seconds(20, 100)), log('rx', seconds(20, 100)), { ...wish, durationS: 5 }),
    );

    expect(repeat.samples).toHaveLength(5);
  });

  it('says it when a part of the time is missing, and gives no figure when most of it is', () => {
    const sides = [log('tx', seconds(9, 100)), log('rx', seconds(9, 100))] as const;

    expect(measured(repeatOfTestpmd(...sides, { ...wish, durationS: 12 })).warnings).toEqual([
      expect.stringMatching(/of 12 s were measured/),
    ]);
    expect(repeatOfTestpmd(...sides, { ...wish, durationS: 30 })).toEqual({ error: expect.stringMatching(/of 30 s/) });
  });

  it.each([
    ['the sender found no device', read('no-link'), log('rx', [1, 1]), /^sender: .*no device/],
    ['the receiver had no hugepages', log('tx', [1, 1]), read('no-hugepages'), /^receiver: .*hugepages/],
    ['nothing was sent', log('tx', [0, 0, 0]), log('rx', [1, 1]), /sent no frame/],
    ['nothing arrived', log('tx', seconds(5, 100)), log('rx', [0, 0, 0]), /no frame has arrived: 500000 were sent/],
    [
      'only frames of others arrived',
      log('tx', seconds(5, 100)),
      log('rx', [0, 0.002, 0.001]),
      /no frame has arrived: 500000 were sent, the far end counted 3,/,
    ],
    [
      'frames of others arrived between the shows',
      log('tx', seconds(5, 100)),
      log('rx', [0, 0, 0], { rxPackets: 7 }),
      /no frame has arrived: 500000 were sent, the far end counted 7,/,
    ],
    ['it was too short', log('tx', [100]), log('rx', [100]), /no whole show/],
    ['other frames were sent', read('send-64'), log('rx', [100, 100]), /64 bytes where 1000 were asked for/],
  ])('is an error and never zero: %s', (_situation, sent, received, error) => {
    expect(repeatOfTestpmd(sent, received, wish)).toEqual({ error: expect.stringMatching(error) });
  });

  it.each([
    ['mbuf pool too small', { rxNombuf: 12 }, /^mbuf pool too small: .* 12 times \(RX-nombuf\)/],
    ['the receiver was too slow', { rxMissed: 7 }, /too slow for 7 frames \(RX-missed\)/],
    ['more came than was sent', { rxPackets: 600_000 }, /100000 frames more than were sent/],
  ])('warns: %s', (_situation, total, warning) => {
    const repeat = measured(repeatOfTestpmd(log('tx', seconds(5, 100)), log('rx', seconds(5, 100), total), wish));

    expect(repeat.warnings).toEqual([expect.stringMatching(warning)]);
    expect(repeat.lossPercent).toBe(0);
  });

  it('warns of frames of another size', () => {
    const sides = [log('tx', seconds(5, 100)), log('rx', seconds(5, 100))] as const;

    expect(measured(repeatOfTestpmd(...sides, { ...wish, frameBytes: 1400 })).warnings).toEqual([
      expect.stringMatching(/1000 bytes in the mean, 1400 were sent/),
    ]);
  });

  it('lies between the slowest and the fastest second of the far end', () => {
    const kpps = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(kpps, (rates) => {
        const repeat = measured(
          repeatOfTestpmd(
            log(
              'tx',
              rates.map(() => 1000),
            ),
            log('rx', rates),
            wish,
          ),
        );

        expect(repeat.receivedGbps).toBeGreaterThanOrEqual((Math.min(...rates) * 8) / 1_000 - 1e-9);
        expect(repeat.receivedGbps).toBeLessThanOrEqual((Math.max(...rates) * 8) / 1_000 + 1e-9);
      }),
    );
  });
});

describe('rates of frames', () => {
  it('are larger on the wire by preamble, FCS and gap: 400 Gb/s are 32.8 million frames of 1500 bytes', () => {
    expect(layer1Gbps(32_808_399, 1500)).toBeCloseTo(400, 4);
    expect(layer2Gbps(32_808_399, 1500)).toBeCloseTo(393.7, 1);
  });
});
