import { createFakeClock } from './rack-devices.ts';

/** What goes wrong, and how often yet. */
export interface BenchFaults {
  /** The process of a sender is gone some seconds after its start. */
  senderDies: number;
  /** DPDK does not start on the receiving side. */
  receiverNeverStarts: number;
  /** The log of a receiver ends in the middle of a table, as on a full disk. */
  logTruncated: number;
  /** The second iperf3 client of a start gets no connection. */
  clientRefused: number;
}

/** A program that was started in a job folder. */
export interface Job {
  readonly argv: readonly string[];
  readonly startedMs: number;
  /** Seconds after which it ends by itself, and how. */
  readonly endsAfterS: number;
  readonly fault: keyof BenchFaults | undefined;
  stoppedMs?: number;
}

export interface FakeLink {
  readonly mac: string;
  mtu: number;
  up: boolean;
  addresses: string[];
}

/** One host of the pair. */
export interface FakeHost {
  readonly name: string;
  readonly serial: string;
  readonly links: Map<string, FakeLink>;
  readonly jobs: Map<string, Job>;
  readonly files: Map<string, string>;
  /** Job folders of other runs and other people. */
  readonly others: string[];
  routes: { dst: string; gateway: string; dev: string }[];
}

export interface BenchWorld {
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly hosts: readonly [FakeHost, FakeHost];
  /** Of the cards, in the same order. */
  readonly arms: readonly [FakeHost, FakeHost];
  readonly faults: BenchFaults;
  /** Gb/s that the next starts of a sender reach, oldest first; the last one stays. */
  readonly rates: number[];
  /** No more gets through. */
  capacityGbps: number;
  /** Everything that was changed on a host, in order. */
  readonly log: string[];
  /** Senders that were started while those of another repeat still ran: both figures would be wrong. */
  readonly clashes: string[];
  /** Called before and after each remote write; throws to end the world there. */
  tick: (point: string) => void;
}

/** Where job folders are. */
export const jobsAt = '/var/lib/dpubot/jobs/';
const serials = ['MT2334XZ0ABC', 'MT2334XZ0ABD'] as const;
const names = ['as7', 'as8'] as const;

export function createBenchWorld(
  change: Partial<Pick<BenchWorld, 'rates' | 'clock' | 'capacityGbps'>> = {},
): BenchWorld {
  const arm = (index: 0 | 1): FakeHost => ({
    ...host(index),
    name: `${names[index]}-dpu0`,
    links: new Map(
      ['p0', 'pf0hpf'].map((name) => [name, { mac: `a0:88:c2:0${index}:00:10`, mtu: 9216, up: true, addresses: [] }]),
    ),
    others: [],
  });
  const host = (index: 0 | 1): FakeHost => ({
    name: names[index],
    serial: serials[index],
    links: new Map([
      ['eno1', { mac: `b0:7b:25:00:00:0${index}`, mtu: 1500, up: true, addresses: [`10.0.0.${index + 7}/24`] }],
      ['ens3f0np0', { mac: `a0:88:c2:00:00:0${index + 1}`, mtu: 9000, up: true, addresses: [] }],
    ]),
    jobs: new Map(),
    files: new Map(),
    others: ['run417-measure-p1-1-send-1', 'run41-install-doca-apt-as7-1'],
    routes: [],
  });
  return {
    clock: createFakeClock(),
    hosts: [host(0), host(1)],
    arms: [arm(0), arm(1)],
    faults: { senderDies: 0, receiverNeverStarts: 0, logTruncated: 0, clientRefused: 0 },
    rates: [390],
    capacityGbps: Number.POSITIVE_INFINITY,
    log: [],
    clashes: [],
    tick: () => undefined,
    ...change,
  };
}

/** Job folders with a program or a file in them. */
export function foldersOf({ jobs, files }: FakeHost): readonly string[] {
  const folders = [...files.keys()].map((path) => path.slice(0, path.lastIndexOf('/')));
  return [...new Set([...jobs.keys(), ...folders])];
}
