import type { BenchPoint, Direction } from '../domain/bench.ts';

/** "as7-dpu0 to as8-dpu0". */
export function directionText([a, b]: readonly [string, string], direction: Direction): string {
  return direction === 'a-to-b' ? `${a} to ${b}` : `${b} to ${a}`;
}

/** "frames of 1500 bytes, MTU 9000, 4 streams, 8 SAs": all that was chosen, without the direction. */
export function settingText({ frameBytes, mtuBytes, streams, sas, kind }: BenchPoint): string {
  const parts = [
    ...(frameBytes === undefined ? [] : [`frames of ${frameBytes} bytes`]),
    `MTU ${mtuBytes}`,
    `${streams} ${streams === 1 ? 'stream' : 'streams'}`,
    ...(kind === 'ipsec' ? [`${sas} ${sas === 1 ? 'SA' : 'SAs'}`] : []),
  ];
  return parts.join(', ');
}

/** With the direction as an arrow, for tables. */
export function pointText(point: BenchPoint): string {
  return `${point.direction === 'a-to-b' ? 'a to b' : 'b to a'}, ${settingText(point)}`;
}
