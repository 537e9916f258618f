/**
 * What iperf3 says of a test: JSON and text.
 *
 * Source: iperf 3.12 src/iperf_api.c (fields, their order), iperf_locale.c (lines).
 */
import type { Iperf3Options } from './iperf3-options.ts';

/** One second of a test: payload bytes of all streams together. */
export interface Iperf3Sample {
  startS: number;
  endS: number;
  bytes: number;
  retransmits: number;
  omitted: boolean;
}

/** A test as far as it went. */
export interface Iperf3Test {
  options: Iperf3Options;
  systemInfo: string;
  startedAtMs: number;
  local: { host: string; port: number };
  remote: { host: string; port: number };
  mss: number;
  mtu: number;
  samples: Iperf3Sample[];
  receivedBytes: number;
  cpu: { host: number; remote: number };
  /** Is this the side that sends? */
  sender: boolean;
}

const version = 'iperf 3.12';

function timestamp(ms: number): object {
  return { time: new Date(ms).toUTCString(), timesecs: Math.floor(ms / 1000) };
}

function testStart({ streams, omitSeconds, seconds, reverse, bitrate, bytes }: Iperf3Options): object {
  return {
    protocol: 'TCP',
    num_streams: streams,
    blksize: 131_072,
    omit: omitSeconds,
    duration: bytes > 0 ? 0 : seconds,
    bytes,
    blocks: 0,
    reverse: reverse ? 1 : 0,
    tos: 0,
    target_bitrate: bitrate,
    bidir: 0,
    fqrate: 0,
  };
}

function rate(bytes: number, seconds: number): number {
  return seconds > 0 ? (bytes * 8) / seconds : 0;
}

function span({ startS, endS, bytes }: Pick<Iperf3Sample, 'startS' | 'endS' | 'bytes'>): object {
  const seconds = endS - startS;
  return { start: startS, end: endS, seconds, bytes, bits_per_second: rate(bytes, seconds) };
}

function interval(test: Iperf3Test, sample: Iperf3Sample): object {
  const { streams: count } = test.options;
  const { omitted, retransmits } = sample;
  const share = Math.floor(sample.bytes / count);
  const tcp = test.sender ? { retransmits: Math.floor(retransmits / count) } : {};
  const state = test.sender ? { snd_cwnd: 3_406_488, snd_wnd: 6_291_456, rtt: 108, rttvar: 17, pmtu: test.mtu } : {};
  const streams = Array.from({ length: count }, (_each, index) => ({
    socket: 5 + index * 2,
    ...span({ ...sample, bytes: share }),
    ...tcp,
    ...state,
    omitted,
    sender: test.sender,
  }));
  const sum = {
    ...span({ ...sample, bytes: share * count }),
    ...(test.sender && { retransmits }),
    omitted,
    sender: test.sender,
  };
  return { streams, sum };
}

function measured(test: Iperf3Test): { seconds: number; bytes: number; retransmits: number } {
  const counted = test.samples.filter(({ omitted }) => !omitted);
  return {
    seconds: counted.reduce((sum, { startS, endS }) => sum + endS - startS, 0),
    bytes: counted.reduce((sum, each) => sum + each.bytes, 0),
    retransmits: counted.reduce((sum, each) => sum + each.retransmits, 0),
  };
}

function endOf(test: Iperf3Test): object {
  const { seconds, bytes, retransmits } = measured(test);
  const { streams: count } = test.options;
  const sent = span({ startS: 0, endS: seconds, bytes });
  const received = span({ startS: 0, endS: seconds + 0.036, bytes: Math.min(bytes, test.receivedBytes) });
  const part = (whole: number): number => Math.floor(whole / count);
  const streams = Array.from({ length: count }, (_each, index) => ({
    sender: {
      socket: 5 + index * 2,
      ...span({ startS: 0, endS: seconds, bytes: part(bytes) }),
      retransmits: part(retransmits),
      max_snd_cwnd: 3_406_488,
      max_rtt: 241,
      min_rtt: 61,
      mean_rtt: 108,
      sender: true,
    },
    receiver: {
      socket: 5 + index * 2,
      ...span({ startS: 0, endS: seconds + 0.036, bytes: part(Math.min(bytes, test.receivedBytes)) }),
      sender: true,
    },
  }));
  const { host, remote } = test.cpu;
  return {
    streams,
    sum_sent: { ...sent, retransmits, sender: true },
    sum_received: { ...received, sender: true },
    cpu_utilization_percent: {
      host_total: host,
      host_user: host * 0.04,
      host_system: host * 0.96,
      remote_total: remote,
      remote_user: remote * 0.05,
      remote_system: remote * 0.95,
    },
    sender_tcp_congestion: 'cubic',
    receiver_tcp_congestion: 'cubic',
  };
}

/** Indented with tabs, as cJSON prints. */
function printed(value: unknown): string {
  return `${JSON.stringify(value, null, '\t')}\n`;
}

/** JSON of a test that ran, with the error that ended it, if one did. */
export function testJson(test: Iperf3Test, error?: string): string {
  const { options, local, remote } = test;
  const connected = Array.from({ length: options.streams }, (_each, index) => ({
    socket: 5 + index * 2,
    local_host: local.host,
    local_port: local.port + 1 + index,
    remote_host: remote.host,
    remote_port: remote.port,
  }));
  return printed({
    start: {
      connected,
      version,
      system_info: test.systemInfo,
      timestamp: timestamp(test.startedAtMs),
      connecting_to: { host: remote.host, port: remote.port },
      cookie: 'y7l3gqe4m2x5kd6zr1b8hn9wfa0tcvjsuopi',
      tcp_mss_default: test.mss,
      target_bitrate: options.bitrate,
      fq_rate: 0,
      sock_bufsize: 0,
      sndbuf_actual: 16_384,
      rcvbuf_actual: 131_072,
      test_start: testStart(options),
    },
    intervals: test.samples.map((sample) => interval(test, sample)),
    end: error === undefined ? endOf(test) : {},
    ...(error !== undefined && { error }),
  });
}

/** JSON of a test that never began. */
export function failureJson(options: Iperf3Options, systemInfo: string, error: string): string {
  return printed({
    start: {
      connected: [],
      version,
      system_info: systemInfo,
      ...(options.server ? {} : { connecting_to: { host: options.host, port: options.port } }),
    },
    intervals: [],
    end: {},
    error,
  });
}

function size(bytes: number): string {
  const [unit, divisor]: [string, number] =
    bytes >= 2 ** 30 ? ['GBytes', 2 ** 30] : bytes >= 2 ** 20 ? ['MBytes', 2 ** 20] : ['KBytes', 1024];
  const value = bytes / divisor;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

function bits(bytes: number, seconds: number): string {
  const perSecond = rate(bytes, seconds);
  const [unit, divisor]: [string, number] =
    perSecond >= 1e9 ? ['Gbits/sec', 1e9] : perSecond >= 1e6 ? ['Mbits/sec', 1e6] : ['Kbits/sec', 1e3];
  const value = perSecond / divisor;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** Text of a test that ran. */
export function testText(test: Iperf3Test): string {
  const { local, remote, samples } = test;
  const line = (
    label: string,
    { startS, endS, bytes }: Pick<Iperf3Sample, 'startS' | 'endS' | 'bytes'>,
    retransmits: string,
    tail: string,
  ): string =>
    `${label} ${startS.toFixed(2).padStart(6)}-${endS.toFixed(2).padEnd(6)} sec  ${size(bytes).padStart(11)}  ${bits(bytes, endS - startS).padStart(14)}${retransmits}${tail}\n`;
  const total = measured(test);
  const whole = { startS: 0, endS: total.seconds, bytes: total.bytes };
  const rows = samples.map((each) =>
    line(
      '[  5]',
      each,
      `${String(each.retransmits).padStart(5)}   3.25 MBytes`,
      each.omitted ? '       (omitted)' : '',
    ),
  );
  return (
    `Connecting to host ${remote.host}, port ${remote.port}\n[  5] local ${local.host} port ${local.port} connected to ${remote.host} port ${remote.port}\n` +
    `[ ID] Interval           Transfer     Bitrate         Retr  Cwnd\n${rows.join('')}- - - - - - - - - - - - - - - - - - - - - - - - -\n` +
    `[ ID] Interval           Transfer     Bitrate         Retr\n` +
    line('[  5]', whole, String(total.retransmits).padStart(5), '             sender') +
    line('[  5]', { ...whole, bytes: Math.min(total.bytes, test.receivedBytes) }, '', '                  receiver') +
    '\niperf Done.\n'
  );
}

/** `iperf3 --version`. */
export function versionText(systemInfo: string): string {
  return `${version} (cJSON 1.7.15)\n${systemInfo}\nOptional features available: CPU affinity setting, IPv6 flow label, SCTP, TCP congestion algorithm setting, sendfile / zerocopy, socket pacing, authentication, bind to device, support IPv4 don't fragment\n`;
}
