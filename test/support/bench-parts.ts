import { pointText } from '../../src/bench/point-text.ts';
import { summarise } from '../../src/bench/summary.ts';
import { judgeAgainst } from '../../src/bench/verdict.ts';
import type { Condition, Proof } from '../../src/domain/bench.ts';
import { iperf3Tool } from '../../src/steps/measure-tool-iperf3.ts';
import { testpmdTool } from '../../src/steps/measure-tool-testpmd.ts';
import type { MeasureParts } from '../../src/steps/measure-wiring.ts';

export const fakeConditions: readonly Condition[] = [
  { end: 'a', name: 'nic-firmware', label: 'NIC firmware', value: '32.43.2566' },
  { end: 'b', name: 'nic-firmware', label: 'NIC firmware', value: '32.43.2566' },
  { end: 'a', name: 'image', label: 'Image', value: 'bf-bundle-2.9.2' },
  { end: 'b', name: 'image', label: 'Image', value: 'bf-bundle-2.9.2' },
  { end: 'a', name: 'governor', label: 'CPU governor', value: 'powersave', warning: 'cores do not reach their clock' },
];

/** Parts around the real tools and arithmetic; `log` says what was asked of the others, in order. */
export function fakeParts(log: string[] = [], change: Partial<MeasureParts> = {}): MeasureParts {
  const proof: Proof = { verdict: 'offloaded', checks: [{ label: 'flows', pass: true, saw: 'all offloaded' }] };
  return {
    kinds: ['raw', 'ipsec'],
    tools: { testpmd: testpmdTool, iperf3: iperf3Tool },
    readConditions: async () => Promise.resolve(fakeConditions),
    beginProof: async (_context, point) => {
      log.push(`proof begins: ${pointText(point)}`);
      return Promise.resolve('start');
    },
    watchProof: async (_context, start, point) => {
      log.push(`proof watches: ${pointText(point)}`);
      return Promise.resolve(start);
    },
    endProof: async (_context, _start, point, bytes) => {
      log.push(`proof ends: ${pointText(point)}, ${Math.round(bytes / 1e9)} GB`);
      return Promise.resolve(proof);
    },
    setMtu: async (_context, mtuBytes) => {
      log.push(`set: MTU ${mtuBytes}`);
      return Promise.resolve();
    },
    undoMtu: async () => {
      log.push('MTU taken back');
      return Promise.resolve();
    },
    summarise: (repeats, point, lineRateGbps) => summarise(repeats, point, lineRateGbps),
    judge: judgeAgainst,
    pictures: async () => [{ name: 'samples', png: Uint8Array.of(137, 80, 78, 71), altText: 'rate over time' }],
    say: ({ series }) => ({
      title: 'Raw throughput',
      line: series.map(({ summary, verdict }) => `${summary.medianGbps.toFixed(1)} Gb/s, ${verdict.text}`).join('; '),
      table: { columns: ['a'], rows: [] },
    }),
    ...change,
  };
}
