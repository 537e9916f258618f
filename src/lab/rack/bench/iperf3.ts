/**
 * `iperf3`: servers that wait, clients that send, one process and one core each.
 *
 * Source: iperf 3.12: texts, exit codes (`-J` says errors in its JSON and exits with 0), one test at a time for a server; a
 * process is single-threaded before 3.16.
 */
import { findFault } from '../faults.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Machine, Program, Steps } from '../shell/types.ts';
import { givenCpus, nodeOfCpu } from '../tools/cpus.ts';
import { advanceWire, beginFlow, endFlow } from '../wire/advance.ts';
import { bothWays, isOwnAddress, machineAt } from '../wire/ip-path.ts';
import type { BothWays } from '../wire/ip-path.ts';
import { lookAt } from '../wire/look.ts';
import type { Look } from '../wire/look.ts';
import { crossingOffloaded } from '../wire/limits.ts';
import type { Connection, Flow, Listener } from '../wire/wire.ts';
import { iperf3Options } from './iperf3-options.ts';
import type { Iperf3Options } from './iperf3-options.ts';
import { failureJson, testJson, testText, versionText } from './iperf3-report.ts';
import type { Iperf3Test } from './iperf3-report.ts';

/** Gb/s of one process with packets of 1500 and of 9000 bytes. */
const processGbps = { small: 17, large: 38 };
/** What is left of it on another NUMA node, or where nobody chose. */
const nodeShare = { local: 1, remote: 0.68, anywhere: 0.93 };
/** IP and TCP headers with time stamps. */
const headerBytes = 52;
/** How long the kernel tries to connect. */
const connectMs = 130_000;
const neighbourMs = 3_060;
const busyText = 'the server is busy running a test. try again later';

function systemInfo({ machine }: Frame): string {
  const kernel = machine.host?.hardware.kernel ?? machine.card?.armOs.kernel ?? '';
  const version =
    machine.card === null ? '#134-Ubuntu SMP Fri Sep 27 20:20:17 UTC 2024 x86_64' : '#56-Ubuntu SMP aarch64';
  return `Linux ${machine.hostName()} ${kernel} ${version}`;
}

/** Ends a client or server that failed: `-J` puts the text into its JSON and says nothing else. */
function fail(frame: Frame, options: Iperf3Options, text: string): number {
  if (options.json) {
    out(frame, failureJson(options, systemInfo(frame), text));
    return 0;
  }
  complain(frame, `iperf3: error - ${text}\n`);
  return 1;
}

/** On which node a process runs, seen from a card. */
function nearness(frame: Frame, node: number): keyof typeof nodeShare {
  const cpus = givenCpus(frame);
  if (cpus === null || frame.machine.host === null) return 'anywhere';
  return cpus.every((cpu) => nodeOfCpu(cpu) === node) ? 'local' : 'remote';
}

function isFree(frame: Frame, { port, bind }: Iperf3Options): boolean {
  return ![...frame.rack.wire.listeners].some(
    (each) =>
      each.machine === frame.machine &&
      each.port === port &&
      (each.address === null || bind === null || each.address === bind),
  );
}

function* serve(frame: Frame, options: Iperf3Options): Steps<number> {
  const { rack, machine } = frame;
  if (!isFree(frame, options)) {
    const text = 'unable to start listener for connections: Address already in use';
    if (options.json) out(frame, failureJson(options, systemInfo(frame), text));
    else complain(frame, `iperf3: error - ${text}\niperf3: exiting\n`);
    return 1;
  }
  const held: { client: Connection | null } = { client: null };
  const listener: Listener = {
    machine,
    address: options.bind,
    port: options.port,
    accept: () => {
      const busy = findFault(rack.state.faults, 'iperf3-busy', [machine.name]) !== undefined;
      if (busy || held.client !== null) return null;
      held.client = { received: 0, ended: null };
      return held.client;
    },
  };
  rack.wire.listeners.add(listener);
  const line = '-----------------------------------------------------------\n';
  try {
    for (let test = 1; ; test += 1) {
      if (!options.json) out(frame, `${line}Server listening on ${options.port} (test #${test})\n${line}`);
      yield { ready: () => held.client !== null && held.client.ended !== null };
      if (held.client?.ended === 'broken') complain(frame, 'iperf3: the client has terminated\n');
      held.client = null;
      if (options.oneOff) return 0;
    }
  } finally {
    rack.wire.listeners.delete(listener);
    if (held.client?.ended === null) held.client.ended = 'broken';
  }
}

/** A connection to a server, or why there is none. */
function* connect(
  frame: Frame,
  options: Iperf3Options,
): Steps<{ connection: Connection; ways: BothWays; far: Machine } | string> {
  const { rack, machine } = frame;
  const limitMs = options.connectTimeoutMs ?? connectMs;
  const look = lookAt(rack);
  const wish = { from: options.bind ?? undefined };
  if (options.bind !== null && !isOwnAddress(look, machine, options.bind))
    return 'unable to connect to server: Cannot assign requested address';
  const ways = bothWays(look, machine, options.host, wish);
  if (ways === null) return 'unable to connect to server: Network is unreachable';
  const { there, back } = ways;
  const end = there?.end ?? null;
  if (there === null || end === null) {
    yield { untilMs: rack.nowMs() + Math.min(neighbourMs, limitMs) };
    return `unable to connect to server: ${limitMs < neighbourMs ? 'Connection timed out' : 'No route to host'}`;
  }
  const far = machineAt(look, end);
  if (there.lost || back === null || back.lost || far === undefined) {
    yield { untilMs: rack.nowMs() + limitMs };
    return 'unable to connect to server: Connection timed out';
  }
  yield { untilMs: rack.nowMs() + 5 };
  const listener = [...rack.wire.listeners].find(
    (each) =>
      each.machine === far && each.port === options.port && (each.address === null || each.address === options.host),
  );
  if (listener === undefined) return 'unable to connect to server: Connection refused';
  const connection = listener.accept(ways.from);
  return connection === null ? busyText : { connection, ways, far };
}

function startFlow(frame: Frame, options: Iperf3Options, ways: BothWays, connection: Connection, mtu: number): Flow {
  const { rack, machine } = frame;
  const numaNode = machine.cards[0]?.hardware.pcie.numaNode ?? 0;
  const near = nearness(frame, numaNode);
  const { small, large } = processGbps;
  const gbps = (small + ((mtu - 1500) / 7500) * (large - small)) * nodeShare[near] * (options.streams > 1 ? 0.97 : 1);
  const wanted = options.bitrate > 0 ? Math.min(gbps, (options.bitrate * options.streams) / 1e9) : gbps;
  const path = (look: Look): BothWays['there'] => {
    const now = bothWays(look, machine, options.host, { from: ways.from });
    return now === null || now.back === null || now.back.lost ? null : options.reverse ? now.back : now.there;
  };
  return beginFlow(rack, {
    kind: 'tcp',
    packetBytes: mtu,
    mostSentPps: (wanted * 1e9) / 8 / mtu,
    mostReceivedPps: () => Infinity,
    spread: options.streams,
    remote: { sender: near === 'remote', receiver: false },
    addresses: { fromMac: ways.hop.device.mac, toMac: '' },
    path,
    leaves: () => true,
    onSent: () => undefined,
    onReceived: (packets) => (connection.received += packets * (mtu - headerBytes)),
  });
}

/** Packets that TCP sends again: few, but many where software drops them. */
function retransmits(flow: Flow, frame: Frame, second: number): number {
  const rates = frame.rack.wire.flows.get(flow);
  const path = rates?.path ?? null;
  const slow = path?.crossings.some((crossing) => !crossingOffloaded(path, crossing)) === true;
  return slow ? 180 + ((flow.order * 37 + second * 53) % 240) : (flow.order + second) % 5 === 0 ? 2 : 0;
}

function* measure(frame: Frame, test: Iperf3Test, connection: Connection, flow: Flow): Steps<string | null> {
  const { rack } = frame;
  const { options } = test;
  const seconds = options.omitSeconds + (options.bytes > 0 ? 86_400 : options.seconds);
  const startMs = rack.nowMs();
  let before = 0;
  for (let second = 0; second < seconds; second += 1) {
    const lengthS = Math.min(1, seconds - second);
    yield { untilMs: startMs + (second + lengthS) * 1000, ready: () => connection.ended === 'broken' };
    if (connection.ended === 'broken') return 'control socket has closed unexpectedly';
    advanceWire(rack);
    const omitted = second < options.omitSeconds;
    const startS = omitted ? second : second - options.omitSeconds;
    const bytes = Math.floor(connection.received - before);
    before = connection.received;
    test.samples.push({
      startS,
      endS: startS + lengthS,
      bytes,
      retransmits: retransmits(flow, frame, second),
      omitted,
    });
    if (!omitted) test.receivedBytes += bytes;
    if (options.bytes > 0 && test.receivedBytes >= options.bytes) break;
  }
  return null;
}

function* send(frame: Frame, options: Iperf3Options): Steps<number> {
  const { rack } = frame;
  const connected = yield* connect(frame, options);
  if (typeof connected === 'string') return fail(frame, options, connected);
  const { connection, ways, far } = connected;
  const farMtu =
    lookAt(rack)
      .devicesOf(far)
      .find(({ addresses }) => addresses.some(({ local }) => local === options.host))?.mtu ?? 1500;
  const mtu = Math.min(ways.hop.device.mtu, farMtu);
  const flow = startFlow(frame, options, ways, connection, mtu);
  const test: Iperf3Test = {
    options,
    systemInfo: systemInfo(frame),
    startedAtMs: rack.nowMs(),
    local: { host: ways.from, port: 40_000 + ((frame.process.pid * 7) % 20_000) },
    remote: { host: options.host, port: options.port },
    mss: mtu - headerBytes,
    mtu,
    samples: [],
    receivedBytes: 0,
    cpu: { host: 0, remote: 0 },
    sender: !options.reverse,
  };
  try {
    const problem = yield* measure(frame, test, connection, flow);
    if (problem !== null) {
      connection.ended = 'broken';
      if (options.json) out(frame, testJson(test, problem));
      else complain(frame, `iperf3: error - ${problem}\n`);
      return options.json ? 0 : 1;
    }
    const gbps = (test.receivedBytes * 8) / 1e9 / Math.max(1, options.seconds);
    const busy = Math.min(99.9, (gbps / processGbps.large) * 100);
    test.cpu = { host: busy, remote: Math.min(99.9, busy * 1.04) };
    connection.ended = 'done';
    out(frame, options.json ? testJson(test) : testText(test));
    return 0;
  } finally {
    endFlow(rack, flow);
    connection.ended ??= 'broken';
  }
}

/** The program. */
export const iperf3: Program = function* program(frame, args) {
  const options = iperf3Options(args);
  if (typeof options === 'string') {
    complain(
      frame,
      `iperf3: ${options}\nUsage: iperf3 [-s|-c host] [options]\n       iperf3 [-h|--help] [-v|--version]\n`,
    );
    return 1;
  }
  if (options.version) {
    out(frame, versionText(systemInfo(frame)));
    return 0;
  }
  if (!options.server && options.host === '') {
    complain(frame, 'iperf3: parameter error - must either be a client (-c) or server (-s)\n');
    return 1;
  }
  if (!options.server) return yield* send(frame, options);
  if (!options.daemon) return yield* serve(frame, options);
  const daemon = frame.rack.scheduler.start(
    {
      machine: frame.machine,
      argv: ['iperf3', ...args],
      user: frame.user,
      parent: frame.process,
      detached: true,
      descriptors: () => [],
    },
    (process) => serve({ ...frame, process, descriptors: new Map() }, options),
  );
  if (options.pidFile !== null) frame.machine.files.write(options.pidFile, `${daemon.pid}\n`, frame);
  // Whoever starts a daemon and a client right after it finds the port open.
  yield { ready: () => !isFree(frame, options) || daemon.exitCode !== null };
  return 0;
};
