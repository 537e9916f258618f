/** Options of dpdk-testpmd, for the EAL and, behind `--`, for itself. Source: DPDK 22.11 guides and app/test-pmd/parameters.c. */

interface EalOptions {
  lcores: number[] | null;
  /** PCI addresses with their device arguments cut off. */
  allowed: string[];
  /** Interfaces of net_af_packet devices. */
  interfaces: string[];
  hugepages: boolean;
  /** MiB that were asked for, by node; null: as it needs. */
  socketMib: number[] | null;
  memoryMib: number | null;
  filePrefix: string;
  usesPci: boolean;
  /** `-v` says the version and goes on; `-h` says how to use it and ends. */
  version: boolean;
  help: boolean;
}

/** A command line as testpmd takes it. */
export interface TestpmdOptions extends EalOptions {
  forward: 'io' | 'txonly' | 'rxonly' | 'mac' | 'macswap' | 'csum' | 'flowgen';
  multiFlow: boolean;
  packetBytes: number;
  peer: string | null;
  txIp: [string, string] | null;
  rxQueues: number;
  txQueues: number;
  cores: number | null;
  rxDescriptors: number;
  txDescriptors: number;
  burst: number;
  mbcache: number;
  mbufBytes: number;
  mbufs: number | null;
  maxPacketBytes: number | null;
  scatter: boolean;
  statsPeriod: number;
  interactive: boolean;
  /** Nanoseconds between bursts. */
  txTimes: number | null;
}

const ealFlags =
  'no-huge no-pci no-telemetry in-memory legacy-mem single-file-segments no-hpet no-shconf match-allocations create-uio-dev help'.split(
    ' ',
  );
const ealValues =
  'lcores main-lcore socket-mem socket-limit file-prefix huge-dir vdev log-level iova-mode proc-type allow block force-max-simd-bitwidth huge-unlink syslog telemetry base-virtaddr service-corelist trace'.split(
    ' ',
  );
const appFlags =
  'interactive auto-start tx-first numa no-numa txonly-multi-flow disable-rss rss-ip rss-udp enable-scatter enable-rx-cksum enable-lro disable-crc-strip no-flush-rx disable-link-check no-lsc-interrupt no-rmv-interrupt parse-only display-xstats rxq-share flow-isolate-all disable-device-start record-core-cycles record-burst-stats rss-level-inner disable-flow-flush'.split(
    ' ',
  );
const appValues =
  'stats-period nb-cores nb-ports coremask portmask portlist socket-num mbuf-size total-num-mbufs max-pkt-len eth-peers-configfile eth-peer tx-ip tx-udp port-topology forward-mode burst mbcache rxq txq rxd txd rxpt rxht rxwt rxfreet txpt txht txwt txfreet txrst rxpkts rxoffs txpkts txtimes txpkts tx-offloads rx-offloads mp-alloc port-numa-config ring-numa-config rx-mq-mode cmdline-file flowgen-flows flowgen-clones hairpinq hairpin-mode bitrate-stats latencystats max-lro-pkt-size no-mlockall mlockall'.split(
    ' ',
  );

interface Words {
  found: Map<string, string[]>;
  problem: string | null;
}

function words(args: string[], flags: string[], values: string[], letters: Record<string, string>): Words {
  const found = new Map<string, string[]>();
  const put = (name: string, value: string): void => void found.set(name, [...(found.get(name) ?? []), value]);
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const [, long, attached] = /^--([\w-]+)(?:=(.*))?$/.exec(arg) ?? [];
    const [, letter, rest = ''] = long === undefined ? (/^-(\w)(.*)$/.exec(arg) ?? []) : [];
    const name = long ?? (letter === undefined ? undefined : letters[letter]);
    if (name === undefined || !(flags.includes(name) || values.includes(name)))
      return {
        found,
        problem: long === undefined ? `invalid option -- '${letter ?? arg}'` : `unrecognized option '--${long}'`,
      };
    if (flags.includes(name)) put(name, '');
    else put(name, attached ?? (rest === '' ? (args[(at += 1)] ?? '') : rest));
  }
  return { found, problem: null };
}

/** `0,1`, `32-40`, `0@1,1@1`. */
function coresOf(text: string): number[] {
  return text.split(',').flatMap((each) => {
    const [, at = each] = each.split('@');
    const [first = 0, last = first] = at.replace(/[()]/g, '').split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_one, index) => first + index);
  });
}

const forwards = ['io', 'txonly', 'rxonly', 'mac', 'macswap', 'csum', 'flowgen'] as const;
const usualMbufBytes = 2176;

function textOf({ found }: Words, name: string): string | undefined {
  return found.get(name)?.at(-1);
}

/** What stands in front of `--`. */
function ealOptions(eal: Words): EalOptions {
  const cores = textOf(eal, 'lcores') ?? textOf(eal, 'cores');
  const memory = textOf(eal, 'memory');
  return {
    lcores: cores === undefined ? null : coresOf(cores),
    allowed: (eal.found.get('allow') ?? []).map((each) =>
      (each.split(',')[0] ?? '').replace(/^([\da-f]{2}:)/i, '0000:$1'),
    ),
    interfaces: (eal.found.get('vdev') ?? []).flatMap(
      (each) => /^net_af_packet\d*,.*iface=([^,]+)/.exec(each)?.[1] ?? [],
    ),
    hugepages: !eal.found.has('no-huge'),
    socketMib: textOf(eal, 'socket-mem')?.split(',').map(Number) ?? null,
    memoryMib: memory === undefined ? null : Number(memory),
    filePrefix: textOf(eal, 'file-prefix') ?? 'rte',
    usesPci: !eal.found.has('no-pci'),
    version: eal.found.has('version'),
    help: eal.found.has('help'),
  };
}

/** The lengths of --txpkts; what does not fit a buffer leaves the usual 64 bytes. */
function lengthOf(app: Words, mbufBytes: number): { packetBytes: number; warnings: string[] } {
  const wanted = (textOf(app, 'txpkts') ?? '64').split(',').map(Number);
  const tooLong = wanted.findIndex((each) => each > mbufBytes);
  if (tooLong === -1) return { packetBytes: wanted.reduce((sum, each) => sum + each, 0), warnings: [] };
  const warning = `length[${tooLong}]=${wanted[tooLong]} > mbuf_data_size=${mbufBytes} - give up`;
  return { packetBytes: 64, warnings: [warning] };
}

const ealLetters = {
  l: 'cores',
  c: 'mask',
  n: 'channels',
  r: 'channels',
  a: 'allow',
  b: 'block',
  m: 'memory',
  v: 'version',
  h: 'help',
};

/** Options, or what is wrong with them. */
export function testpmdOptions(args: string[]): { options: TestpmdOptions; warnings: string[] } | { problem: string } {
  const split = args.indexOf('--');
  const letterNames = ['cores', 'mask', 'channels', 'memory'];
  const ealArgs = split === -1 ? args : args.slice(0, split);
  const eal = words(ealArgs, [...ealFlags, 'version'], [...ealValues, ...letterNames], ealLetters);
  const appArgs = split === -1 ? [] : args.slice(split + 1);
  const app = words(appArgs, appFlags, appValues, { i: 'interactive', a: 'auto-start' });
  const problem = eal.problem ?? app.problem;
  if (problem !== null) return { problem };
  const number = (name: string, usual: number): number => Number(textOf(app, name) ?? usual);
  const some = (name: string): number | null => (app.found.has(name) ? number(name, 0) : null);
  const forward = forwards.find((each) => each === (textOf(app, 'forward-mode') ?? 'io'));
  if (forward === undefined) return { problem: `invalid fwd_mode ${textOf(app, 'forward-mode') ?? ''}` };
  const mbufBytes = number('mbuf-size', usualMbufBytes);
  const { packetBytes, warnings } = lengthOf(app, mbufBytes);
  const [source, target] = (textOf(app, 'tx-ip') ?? '').split(',');
  const txTimes = textOf(app, 'txtimes');
  return {
    warnings,
    options: {
      ...ealOptions(eal),
      forward,
      multiFlow: app.found.has('txonly-multi-flow'),
      packetBytes,
      peer: textOf(app, 'eth-peer')?.split(',')[1]?.toLowerCase() ?? null,
      txIp: source === undefined || target === undefined ? null : [source, target],
      rxQueues: number('rxq', 1),
      txQueues: number('txq', 1),
      cores: some('nb-cores'),
      rxDescriptors: number('rxd', 0),
      txDescriptors: number('txd', 0),
      burst: number('burst', 32),
      mbcache: number('mbcache', 250),
      mbufBytes,
      mbufs: some('total-num-mbufs'),
      maxPacketBytes: some('max-pkt-len'),
      scatter: app.found.has('enable-scatter'),
      statsPeriod: number('stats-period', 0),
      interactive: app.found.has('interactive'),
      txTimes: txTimes === undefined ? null : Number(txTimes.split(',')[0]),
    },
  };
}
