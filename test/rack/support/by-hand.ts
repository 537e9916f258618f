import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { z } from 'zod';
import { withLock } from '../../../scripts/lib/lock.mjs';
import type { Direction, ResultRecord } from '../../../src/domain/bench.ts';
import { eventually } from '../../support/lab/eventually.ts';
import type { MachineName } from './layout.ts';
import type { Rack } from './rack.ts';

const Report = z.object({
  error: z.string().optional(),
  end: z.object({ sum_received: z.object({ bits_per_second: z.number() }).optional() }),
});

/** One iperf3 as a person would run it, its first second left out. Gb/s that arrived. */
export async function iperfByHand(
  rack: Rack,
  way: { readonly from: MachineName; readonly to: MachineName; readonly address: string; readonly seconds: number },
): Promise<number> {
  const port = '5999';
  await rack.ok(way.to, ['iperf3', '-s', '-1', '-D', '-p', port]);
  await eventually(
    'the server of iperf3',
    async () => ((await rack.ok(way.to, ['ss', '-Htln'])).includes(`:${port} `) ? true : undefined),
    5_000,
  );
  const argv = ['iperf3', '-c', way.address, '-p', port, '-t', String(way.seconds), '-O', '1', '-J'];
  const text = await rack.ok(way.from, [...argv, '--connect-timeout', '3000']);
  const report = Report.parse(JSON.parse(text));
  const bits = report.end.sum_received?.bits_per_second;
  if (bits === undefined) throw new Error(`iperf3 by hand: ${report.error ?? text.slice(0, 400)}`);
  return bits / 1e9;
}

/**
 * Does something while no other test measures or lets DPDK spin: of two CPUs it takes all it gets, and a figure that is
 * compared with another one must not suffer from that.
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  return withLock('rack-measures', work, 'Waiting until no other test of the rack measures ...');
}

/** Of one direction of a bench. */
export function medianOf(records: readonly ResultRecord[], direction: Direction): number {
  const found = records.find((record) => record.point.direction === direction);
  if (found === undefined) throw new Error(`no result ${direction} among ${JSON.stringify(records)}`);
  return found.medianGbps;
}

/** Within three percent of each other. */
export function expectSame(oneGbps: number, otherGbps: number): void {
  expect(Math.abs(oneGbps / otherGbps - 1), `${oneGbps} and ${otherGbps} Gb/s`).toBeLessThan(0.03);
}

/**
 * Limits what each host sends, so that figures repeat. Not on the cards: Open vSwitch takes every queueing discipline away
 * from a link that it gets as a port.
 */
export async function capHosts(rack: Rack, rate: string): Promise<void> {
  for (const host of ['host-a', 'host-b'] as const) {
    const shape = ['tbf', 'rate', rate, 'burst', '64kb', 'latency', '100ms'];
    await rack.ok(host, ['tc', 'qdisc', 'replace', 'dev', 'ens1f0np0', 'root', ...shape]);
  }
}

/** What passes a link while it is watched. */
export class Capture {
  readonly #rack: Rack;
  readonly #machine: MachineName;
  readonly #file: string;
  readonly #ended: Promise<unknown>;
  readonly #stop: () => Promise<void>;

  private constructor(
    rack: Rack,
    machine: MachineName,
    file: string,
    ended: Promise<unknown>,
    stop: () => Promise<void>,
  ) {
    this.#rack = rack;
    this.#machine = machine;
    this.#file = file;
    this.#ended = ended;
    this.#stop = stop;
  }

  /** Watches the first bytes of each packet on a link, up to so many packets. */
  static async start(rack: Rack, machine: MachineName, link: string, packets = 200_000): Promise<Capture> {
    const file = `/tmp/${link}.pcap`;
    const [program = '', ...args] = rack.argv(machine, [
      'tcpdump',
      '-i',
      link,
      '-s',
      '64',
      '-c',
      String(packets),
      '-U',
      '-w',
      file,
    ]);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (data) => String(data).includes('listening on') && resolve()),
    );
    const stop = async (): Promise<void> => {
      await rack.run(machine, ['pkill', '-INT', '-f', `tcpdump -i ${link}`]);
    };
    return new Capture(rack, machine, file, ended, stop);
  }

  async end(): Promise<void> {
    await this.#stop();
    await this.#ended;
  }

  /** Packets that a filter of tcpdump lets through, as lines. */
  async lines(filter: string): Promise<readonly string[]> {
    const text = await this.#rack.sh(
      this.#machine,
      `tcpdump -nn -r ${this.#file} '${filter}' 2>/dev/null | head -n 100000`,
    );
    return text.split('\n').filter((line) => line !== '');
  }
}
