/**
 * `dpdk-testpmd` with --forward-mode=txonly or rxonly and --stats-period, until a signal comes.
 *
 * Source: DPDK 22.11 (a missing device is no error, huge pages and buffers that are missing are); DPDK performance reports
 * for mlx5 (packets of one core and queue); mlx5 is bifurcated: the kernel's device stays.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { hostCpus, nodeOfCpu } from '../tools/cpus.ts';
import { hugeMib, takeHugepages, usedMib } from '../tools/hugepages.ts';
import { advanceWire, beginFlow, endFlow } from '../wire/advance.ts';
import { wayTo } from '../wire/ip-path.ts';
import { lookAt } from '../wire/look.ts';
import type { Look } from '../wire/look.ts';
import { pathsFromHost } from '../wire/path.ts';
import type { Path } from '../wire/path.ts';
import type { Flow, Place, Receiver } from '../wire/wire.ts';
import { testpmdOptions } from './testpmd-options.ts';
import type { TestpmdOptions } from './testpmd-options.ts';
import {
  dpdkVersion,
  ealText,
  endText,
  noCounters,
  periodText,
  startText,
  statisticsText,
  usageText,
} from './testpmd-text.ts';
import type { PortCounters, ProbedPort } from './testpmd-text.ts';

/** One core with its queue, sending and receiving. */
const coreTx = { pps: 8_200_000, gbps: 105 };
const coreRx = { pps: 7_000_000, gbps: 112 };
/** Through a socket of the kernel instead of the hardware. */
const socketPps = 310_000;
const remoteShare = 0.68;
const ethernetBytes = 14;
const headroomBytes = 128;
const startMs = 700;

/** A port with what is behind it. */
interface Port extends ProbedPort {
  place: Place;
  viaSocket: boolean;
  counters: PortCounters;
}

function eal(frame: Frame, cause: string, before = ''): number {
  complain(frame, `${before}EAL: Error - exiting with code: 1\n  Cause: ${cause}\n`);
  return 1;
}

/** Functions of cards by PCI address or by interface. */
function probe(frame: Frame, options: TestpmdOptions): Port[] {
  const { rack, machine } = frame;
  const look = lookAt(rack);
  const found: Port[] = [];
  for (const card of machine.cards) {
    for (const port of card.hardware.ports.keys()) {
      const place = { card, port };
      const device = look.hostDevice(place);
      if (device === undefined || device.pci === null) continue;
      const viaSocket = options.interfaces.includes(device.name);
      const named = options.usesPci && (options.allowed.length === 0 || options.allowed.includes(device.pci));
      if (!named && !viaSocket) continue;
      const pci = viaSocket ? '' : device.pci;
      found.push({
        place,
        viaSocket,
        counters: noCounters(),
        pci,
        mac: device.mac,
        socket: card.hardware.pcie.numaNode,
      });
    }
  }
  return found;
}

function lcoresOf({ lcores }: TestpmdOptions): number[] {
  return lcores ?? Array.from({ length: hostCpus }, (_each, index) => index);
}

/** MiB of buffers on the node of a port. */
function bufferMib(options: TestpmdOptions, workers: number): { count: number; mib: number } {
  const count = options.mbufs ?? (4_608 + workers * options.mbcache) * 32;
  return { count, mib: Math.ceil((count * (options.mbufBytes + 192)) / 2 ** 20) };
}

/** What of memory is wanted, node by node; the text of a failure when there is too little. */
function memory(
  frame: Frame,
  options: TestpmdOptions,
  socket: number,
  buffersMib: number,
): { mib: number } | { cause: string; before: string } {
  const { rack, machine } = frame;
  const { host } = machine;
  if (host === null || !options.hugepages) return { mib: 0 };
  if (!frame.root || hugeMib(host, 0) + hugeMib(host, 1) === 0)
    return {
      cause: 'Cannot init EAL: Permission denied',
      before: 'EAL: FATAL: Cannot get hugepage information.\nEAL: Cannot get hugepage information.\n',
    };
  const free = hugeMib(host, socket) - usedMib(rack, host, socket);
  const asked = options.socketMib?.[socket] ?? options.memoryMib ?? 0;
  if (asked > free)
    return {
      cause: 'Cannot init EAL: Cannot allocate memory',
      before: `EAL: Not enough memory available on socket ${socket}! Requested: ${asked}MB, available: ${free}MB\nEAL: FATAL: Cannot init memory\nEAL: Cannot init memory\n`,
    };
  const limit = asked > 0 ? asked : free;
  return buffersMib > limit
    ? { cause: `Creation of mbuf pool for socket ${socket} failed: Cannot allocate memory`, before: '' }
    : { mib: Math.max(asked, buffersMib) };
}

function ability(core: typeof coreTx, cores: number, bytes: number, remote: boolean): number {
  return Math.min(core.pps, (core.gbps * 1e9) / 8 / bytes) * cores * (remote ? remoteShare : 1);
}

/** Where the frames of a sender go: to the function with their address, or to everybody when nobody has it. */
function pathOf(look: Look, port: Port, { peer, txIp }: TestpmdOptions): Path | null {
  const paths = pathsFromHost(look, port.place);
  const hosts = paths.filter(({ end }) => end?.kind === 'host' && end.card !== port.place.card);
  const direct = hosts.find(({ end }) => end?.kind === 'host' && look.hostDevice(end)?.mac === peer);
  if (direct !== undefined) return direct;
  const arm = paths.find(({ end }) => end?.kind === 'arm' && look.armDevice(end.card, end.device)?.mac === peer);
  if (arm === undefined) return hosts[0] ?? paths.find(({ lost }) => lost) ?? null;
  const machine = look.rack.machines.get(port.place.card.host);
  if (txIp === null || machine === undefined) return null;
  return wayTo(look, machine, txIp[1], { from: txIp[0] })?.path ?? null;
}

/** Whoever receives at the end of a path now. */
function receiverAt(frame: Frame, path: Path | null): Receiver | undefined {
  const end = path?.end;
  if (end?.kind !== 'host') return undefined;
  return [...frame.rack.wire.receivers].find(({ place }) => place.card === end.card && place.port === end.port);
}

function sendFrom(frame: Frame, port: Port, options: TestpmdOptions, workers: number, remote: boolean): Flow {
  const { rack } = frame;
  const bytes = options.packetBytes;
  const cores = Math.min(workers, options.txQueues);
  const own = port.viaSocket ? socketPps : ability(coreTx, cores, bytes, remote);
  const paced = options.txTimes === null ? Infinity : (options.burst * cores * 1e9) / options.txTimes;
  let path: Path | null = null;
  const spread = options.multiFlow ? 256 : 1;
  const flow = beginFlow(rack, {
    kind: 'frames',
    packetBytes: bytes - ethernetBytes,
    mostSentPps: Math.min(own, paced),
    mostReceivedPps: () => receiverAt(frame, path)?.mostPps(bytes, spread) ?? Infinity,
    spread,
    remote: { sender: remote, receiver: receiverAt(frame, pathOf(lookAt(rack), port, options))?.remote === true },
    addresses: { fromMac: port.mac, toMac: options.peer ?? '02:00:00:00:00:00' },
    path: (look) => (path = pathOf(look, port, options)),
    leaves: () => lookAt(rack).hostDevice(port.place)?.carrier === true,
    onSent: (packets) => {
      port.counters.txPackets += packets;
      port.counters.txBytes += packets * bytes;
    },
    onReceived: (packets, missed, unbuffered) => receiverAt(frame, path)?.take(packets, bytes, missed, unbuffered),
  });
  return flow;
}

function receiveAt(frame: Frame, port: Port, options: TestpmdOptions, workers: number, remote: boolean): Receiver {
  const cores = Math.min(workers, options.rxQueues);
  const { counters } = port;
  const buffers = options.scatter
    ? 10_000
    : Math.max(options.mbufBytes - headroomBytes, (options.maxPacketBytes ?? 0) - 4);
  const receiver: Receiver = {
    place: port.place,
    mostPps: (bytes, flows) => (port.viaSocket ? socketPps : ability(coreRx, Math.min(cores, flows), bytes, remote)),
    remote,
    take: (packets, bytes, missed, unbuffered) => {
      counters.rxMissed += missed;
      counters.rxNombuf += unbuffered;
      if (bytes > buffers) {
        counters.rxErrors += packets;
        return;
      }
      counters.rxPackets += packets;
      counters.rxBytes += packets * bytes;
    },
  };
  frame.rack.wire.receivers.add(receiver);
  return receiver;
}

function* forward(frame: Frame, ports: Port[], options: TestpmdOptions): Steps<void> {
  const { rack, process } = frame;
  let before = ports.map(({ counters }) => ({ ...counters }));
  let shownMs: number | null = null;
  while (process.arrived.length === 0) {
    if (options.statsPeriod === 0) {
      yield { ready: () => process.arrived.length > 0 };
      continue;
    }
    advanceWire(rack);
    const seconds = shownMs === null ? 0 : (rack.nowMs() - shownMs) / 1000;
    const last = before;
    const shows = ports.map(({ counters }, port) =>
      statisticsText(port, counters, last[port] ?? noCounters(), seconds),
    );
    out(frame, periodText(shows));
    before = ports.map(({ counters }) => ({ ...counters }));
    shownMs = rack.nowMs();
    yield { untilMs: shownMs + options.statsPeriod * 1000, ready: () => process.arrived.length > 0 };
  }
  advanceWire(rack);
}

/** Numbers of signals as testpmd tells them. */
const signalNumbers: Record<string, number> = { INT: 2, TERM: 15 };

/** The program. */
export const testpmd: Program = function* program(frame, args) {
  const { rack, machine, process } = frame;
  const read = testpmdOptions(args);
  if ('problem' in read) {
    complain(frame, `dpdk-testpmd: ${read.problem}\n`);
    return eal(frame, 'Command line is incomplete or incorrect');
  }
  const { options, warnings } = read;
  if (options.version) complain(frame, `EAL: RTE Version: 'DPDK ${dpdkVersion}'\n`);
  if (options.help) {
    out(frame, usageText);
    return 0;
  }
  const lcores = lcoresOf(options);
  const wrong = lcores.find((each) => !Number.isInteger(each) || each >= hostCpus);
  if (wrong !== undefined)
    return eal(
      frame,
      'Invalid EAL arguments',
      `EAL: lcore ${wrong} >= RTE_MAX_LCORE (128)\nEAL: invalid core list syntax\n`,
    );
  const most = Math.max(1, lcores.length - 1);
  if (options.cores !== null && (options.cores < 1 || options.cores > most || lcores.length < 2))
    return eal(frame, `nb-cores should be > 0 and <= ${lcores.length - 1}`);
  const workers = options.cores ?? 1;
  const ports = probe(frame, options);
  const socket = ports[0]?.socket ?? nodeOfCpu(lcores[0] ?? 0);
  const buffers = bufferMib(options, most);
  const taken = memory(frame, options, socket, options.hugepages ? buffers.mib : 0);
  if ('cause' in taken) return eal(frame, taken.cause, taken.before);
  const used = lcores.slice(1, 1 + workers);
  const remote = used.some((cpu) => nodeOfCpu(cpu) !== socket);
  process.trapped.add('INT').add('TERM');
  const flows: Flow[] = [];
  const receivers: Receiver[] = [];
  if (machine.host !== null) takeHugepages(rack, machine.host, socket, taken.mib);
  try {
    complain(frame, ealText(hostCpus, 2, options, ports));
    for (const each of warnings) complain(frame, `${each}\n`);
    yield { untilMs: rack.nowMs() + startMs };
    out(frame, startText(options, ports, buffers.count, used));
    for (const port of ports) {
      // A port that only sends receives nothing either.
      if (options.forward === 'txonly') flows.push(sendFrom(frame, port, options, workers, remote));
      else receivers.push(receiveAt(frame, port, options, workers, remote));
    }
    yield* forward(frame, ports, options);
    const signal = process.arrived.shift() ?? 'INT';
    out(frame, `\nSignal ${signalNumbers[signal] ?? 2} received, preparing to exit...\n`);
    for (const flow of flows.splice(0)) endFlow(rack, flow);
    out(frame, endText(ports.map(({ counters }) => counters)));
    return 0;
  } finally {
    for (const flow of flows) endFlow(rack, flow);
    for (const receiver of receivers) rack.wire.receivers.delete(receiver);
    if (machine.host !== null) takeHugepages(rack, machine.host, socket, -taken.mib);
  }
};
