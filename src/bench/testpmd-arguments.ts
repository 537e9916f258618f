import type { Tools } from '../domain/profile.ts';

/** Packets of a tunnel that routes need addresses that its selectors know. */
export interface TestpmdFlow {
  readonly sourceIp: string;
  readonly destinationIp: string;
  /** Tells flows of the same addresses apart. */
  readonly sourcePort?: number;
}

/** What one testpmd is to do. */
export interface TestpmdWish {
  readonly settings: Tools['testpmd'];
  /** `0000:e1:00.0`, for device `pci`. */
  readonly pciFunction: string;
  /** Name of the network link of that function, for device `af-packet`. */
  readonly link: string;
  /** Near the card, in order. */
  readonly cpus: readonly number[];
  /** Ethernet frame without FCS. */
  readonly frameBytes: number;
  /** IP MTU of the link: testpmd would set it back to 1500 otherwise. */
  readonly mtuBytes: number;
  readonly streams: number;
  /** MAC address that frames are sent to. */
  readonly peerMac: string;
  /** Only where the cards route. */
  readonly flow?: TestpmdFlow;
  /** DPDK on that host, as `parseDpdkVersion` gives it. */
  readonly version?: string;
  /** File on the host with commands that run before the start, see `pacingCommands`. */
  readonly commandsFile?: string;
}

/** What of a host's memory and queues one testpmd takes. */
interface Sizes {
  readonly queues: number;
  readonly cores: number;
  readonly bufferBytes: number;
  readonly buffers: number;
  readonly descriptors: number;
}

const headerBytes = 14;
const fcsBytes = 4;
/** RTE_PKTMBUF_HEADROOM, kept free in each buffer. */
const headroomBytes = 128;
/** Of a buffer beside its data, rounded up: struct rte_mbuf and what the pool adds. */
const bufferOverheadBytes = 256;
const usualBufferBytes = 2_176;
const bufferCache = 512;
const burstFrames = 64;
const mostDescriptors = 8_192;
const leastDescriptors = 512;
/** First DPDK of which it is known that several flows differ by port and not by address. Seen: 22.11.11 varies the address. */
const flowsByPort = [24, 11] as const;

/**
 * Words of a testpmd that sends or receives and prints its counters each second. `timeout -s INT` ends it, then it prints
 * totals. Order matters: `--txpkts` is checked against the buffer size that stands before it, and a frame that does not
 * fit is replaced by one of 64 bytes. `--in-memory`, `--no-shconf`: a killed one leaves no huge pages and no files behind,
 * and several run beside each other.
 *
 * Source: testpmd user guide, "Running the Application"; DPDK guides "mlx5" and "af_packet"; an NVIDIA performance report
 * for the values of mlx5. Tried with 22.11.11.
 */
export function testpmdArgv(role: 'send' | 'receive', wish: TestpmdWish): string[] {
  const { settings, frameBytes, flow, commandsFile } = wish;
  const sizes = sizesOf(wish);
  return [
    'dpdk-testpmd',
    '-v',
    ...lcores(role, wish.cpus, sizes.cores),
    ...(settings.hugepages ? ['--in-memory'] : ['--no-huge', '--no-shconf']),
    '-m',
    String(settings.memoryMiB),
    '--no-telemetry',
    ...device(wish, sizes),
    '--',
    `--forward-mode=${role === 'send' ? 'txonly' : 'rxonly'}`,
    `--nb-cores=${sizes.cores}`,
    `--rxq=${sizes.queues}`,
    `--txq=${sizes.queues}`,
    ...(settings.device === 'pci' ? portOptions(wish, sizes) : []),
    `--mbuf-size=${sizes.bufferBytes}`,
    `--total-num-mbufs=${sizes.buffers}`,
    ...(role === 'send'
      ? [
          `--txpkts=${frameBytes}`,
          `--eth-peer=0,${wish.peerMac}`,
          ...(flow === undefined ? [] : flowOptions(flow)),
          ...(wish.streams > 1 && mayVary(wish) ? ['--txonly-multi-flow'] : []),
        ]
      : []),
    ...(commandsFile === undefined ? [] : [`--cmdline-file=${commandsFile}`]),
    '--stats-period',
    '1',
  ];
}

/** One sender a flow, side by side: they share CPUs and memory. Without flows one sender does all. */
export function testpmdSenders(wish: TestpmdWish, flows: readonly TestpmdFlow[]): readonly string[][] {
  if (flows.length === 0) return [testpmdArgv('send', wish)];
  const { settings, cpus } = wish;
  const memoryMiB = Math.max(128, Math.floor(settings.memoryMiB / flows.length));
  const share = Math.max(1, Math.floor(cpus.length / flows.length));
  return flows.map((flow, index) => {
    const first = (index * share) % Math.max(1, cpus.length);
    return testpmdArgv('send', {
      ...wish,
      flow,
      streams: Math.ceil(wish.streams / flows.length),
      cpus: cpus.slice(first, first + share),
      settings: { ...settings, memoryMiB },
    });
  });
}

/**
 * Commands for a file on the host (`commandsFile`) with which a sender keeps a rate; undefined where the device cannot.
 *
 * No option sets a rate, and `--cmdline-file` works without `--interactive`. `set port 0 queue N rate` is for
 * drivers that limit queues; mlx5 sends each burst at its time instead. `set txtimes` comes before the start
 * of the port: it registers the field that the driver looks for. It counts ticks of the device's clock, which are
 * nanoseconds where REAL_TIME_CLOCK_ENABLE is set: so the rate that was really sent decides, see zero-loss.ts.
 *
 * Source: testpmd user guide, "set txtimes"; DPDK guide "mlx5", "Tx scheduling". The file was tried with 22.11.11; send
 * scheduling itself was not seen on a card.
 */
export function pacingCommands(wish: TestpmdWish, framesPerSecond: number): string | undefined {
  if (wish.settings.device !== 'pci') return undefined;
  const ticks = Math.max(1, Math.round((burstFrames * sizesOf(wish).queues * 1e9) / framesPerSecond));
  const commands = [`set txtimes ${ticks},0`, 'port config 0 tx_offload send_on_timestamp on'];
  return ['port stop 0', ...commands, 'port start 0', ''].join('\n');
}

/** Addresses of a flow have to stay what the selectors of a tunnel know. */
function mayVary({ flow, version }: TestpmdWish): boolean {
  if (flow === undefined) return true;
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > flowsByPort[0] || (major === flowsByPort[0] && minor >= flowsByPort[1]);
}

function flowOptions({ sourceIp, destinationIp, sourcePort }: TestpmdFlow): string[] {
  const ports = sourcePort === undefined ? [] : [`--tx-udp=${sourcePort},${sourcePort}`];
  return [`--tx-ip=${sourceIp},${destinationIp}`, ...ports];
}

/**
 * The first lcore prints, the others forward. Senders take CPUs from the end of the list, receivers from its begin: where
 * both run on one machine they do not fight.
 */
function lcores(role: 'send' | 'receive', cpus: readonly number[], cores: number): string[] {
  const [first] = cpus;
  if (first === undefined) return ['-l', `0-${cores}`];
  const order = role === 'send' ? cpus.toReversed() : cpus;
  const workers = order.length > cores ? order.slice(1, cores + 1) : order;
  const all = [
    order[0] ?? first,
    ...Array.from({ length: cores }, (_, index) => workers[index % workers.length] ?? first),
  ];
  return ['--lcores', all.map((cpu, lcore) => `${lcore}@${cpu}`).join(',')];
}

function device({ settings, pciFunction, link, mtuBytes }: TestpmdWish, sizes: Sizes): string[] {
  if (settings.device === 'af-packet') {
    const packetBytes = sizes.bufferBytes - headroomBytes;
    const frames = packetBytes > 2_048 ? `,framesz=${packetBytes},blocksz=${Math.max(4_096, packetBytes)}` : '';
    const queues = sizes.queues > 1 ? `,qpairs=${sizes.queues}` : '';
    return ['--no-pci', `--vdev=net_af_packet0,iface=${link}${queues}${frames}`];
  }
  // Strides of 2048 bytes: a longer frame does not go into one.
  const strides = mtuBytes <= 1_500 ? ',mprq_en=1,rxqs_min_mprq=1,mprq_log_stride_num=9' : '';
  return ['--iova-mode=va', '-a', `${pciFunction}${strides},txq_inline_mpw=128,rxq_pkt_pad_en=1`];
}

function portOptions(wish: TestpmdWish, { descriptors }: Sizes): string[] {
  return [
    `--burst=${burstFrames}`,
    `--mbcache=${bufferCache}`,
    `--rxd=${descriptors}`,
    `--txd=${descriptors}`,
    `--max-pkt-len=${longestBytes(wish)}`,
  ];
}

/** With FCS, as DPDK counts it. */
function longestBytes({ frameBytes, mtuBytes }: TestpmdWish): number {
  return Math.max(mtuBytes + headerBytes, frameBytes) + fcsBytes;
}

function sizesOf(wish: TestpmdWish): Sizes {
  const { settings, streams, cpus } = wish;
  const queues = Math.max(1, Math.min(settings.queues, streams));
  const cores = Math.max(1, Math.min(settings.cores, queues, cpus.length === 0 ? settings.cores : cpus.length));
  if (settings.device === 'af-packet') {
    // A ring of packets holds headers of its own; its entries are powers of two.
    const packetBytes = 2 ** Math.ceil(Math.log2(Math.max(wish.frameBytes + headroomBytes, 2_048)));
    return {
      queues,
      cores,
      bufferBytes: packetBytes + headroomBytes,
      buffers: settings.mbufs ?? 2_048 * queues,
      descriptors: leastDescriptors,
    };
  }
  const bufferBytes = Math.max(usualBufferBytes, Math.ceil((longestBytes(wish) + headroomBytes) / 64) * 64);
  const buffersFor = (descriptors: number): number => queues * descriptors * 2 + (cores + 1) * bufferCache + 4_096;
  const fits = (descriptors: number): boolean =>
    buffersFor(descriptors) * (bufferBytes + bufferOverheadBytes) <= settings.memoryMiB * 1024 * 1024 * 0.9;
  let descriptors = mostDescriptors;
  while (descriptors > leastDescriptors && !fits(descriptors)) descriptors /= 2;
  return { queues, cores, bufferBytes, buffers: settings.mbufs ?? buffersFor(descriptors), descriptors };
}
