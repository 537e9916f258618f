import { fixture } from './fixture.ts';

/** What the measuring tools write, as the fake hosts of the bench tests need it: in the words of the captured logs. */

/** One second of a port: packets and bytes of both directions. */
export interface PortSecond {
  readonly rxPps: number;
  readonly txPps: number;
  readonly frameBytes: number;
}

const start = [
  'EAL: Detected CPU lcores: 64',
  "EAL: RTE Version: 'DPDK 22.11.11'",
  'EAL: Probe PCI driver: mlx5_pci (15b3:a2dc) device: 0000:e1:00.0 (socket 0)',
  'Interactive-mode not selected',
  'Configuring Port 0 (socket 0)',
  'Port 0: A0:88:C2:00:00:01',
  'Checking link statuses...',
  'Done',
  'No commandline core given, start packet forwarding',
  '',
].join('\n');

/** Log of testpmd with --stats-period 1. `ended`: with the totals that it prints when it is told to end. */
export function testpmdLog(seconds: readonly PortSecond[], ended: boolean): string {
  let [rx, tx] = [0, 0];
  const tables = seconds.map((second, index) => {
    rx += second.rxPps;
    tx += second.txPps;
    // The first rates after the start are none.
    const shown = index === 0 ? { ...second, rxPps: 0, txPps: 0 } : second;
    return table({ rx, tx, frameBytes: second.frameBytes }, shown);
  });
  return `${start}${tables.join('')}${ended ? totals(rx, tx) : ''}`;
}

function table(sum: { rx: number; tx: number; frameBytes: number }, second: PortSecond): string {
  const bits = (pps: number): number => pps * second.frameBytes * 8;
  const pad = (value: number, width: number): string => String(value).padEnd(width);
  return [
    '\u001b[2J\u001b[1;1H',
    'Port statistics ====================================',
    '  ######################## NIC statistics for port 0  ########################',
    `  RX-packets: ${pad(sum.rx, 10)} RX-missed: ${pad(0, 10)} RX-bytes:  ${pad(sum.rx * sum.frameBytes, 10)}`,
    '  RX-errors: 0',
    '  RX-nombuf:  0         ',
    `  TX-packets: ${pad(sum.tx, 10)} TX-errors: ${pad(0, 10)} TX-bytes:  ${pad(sum.tx * sum.frameBytes, 10)}`,
    '',
    '  Throughput (since last show)',
    `  Rx-pps: ${String(second.rxPps).padStart(12)}          Rx-bps: ${String(bits(second.rxPps)).padStart(12)}`,
    `  Tx-pps: ${String(second.txPps).padStart(12)}          Tx-bps: ${String(bits(second.txPps)).padStart(12)}`,
    '  ############################################################################',
    '',
  ].join('\n');
}

function totals(rx: number, tx: number): string {
  const lines = (width: number): string[] => [
    `  RX-packets: ${String(rx).padEnd(width)} RX-dropped: ${String(0).padEnd(13)} RX-total: ${rx}`,
    `  TX-packets: ${String(tx).padEnd(width)} TX-dropped: ${String(0).padEnd(13)} TX-total: ${tx}`,
  ];
  return [
    '',
    'Telling cores to stop...',
    'Waiting for lcores to finish...',
    '',
    '  ---------------------- Forward statistics for port 0  ----------------------',
    ...lines(14),
    '  ----------------------------------------------------------------------------',
    '',
    '  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++',
    ...lines(14),
    '  ++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++',
    '',
    'Done.',
    '',
    'Stopping port 0...',
    'Stopping ports...',
    'Done',
    '',
    'Shutting down port 0...',
    'Closing ports...',
    'Port 0 is closed',
    'Done',
    '',
    'Bye...',
    '',
  ].join('\n');
}

/** What testpmd says where DPDK does not start. */
export const noHugepages = fixture('testpmd/no-hugepages.txt');

/** Report of an iperf3 client (-J) that ended well. */
export function iperf3Json(seconds: { readonly omitS: number; readonly durationS: number }, gbps: number): string {
  const bits = gbps * 1e9;
  const of = (from: number, to: number): object => ({
    start: from,
    end: to,
    seconds: to - from,
    bytes: (bits * (to - from)) / 8,
    bits_per_second: bits,
  });
  const intervals = Array.from({ length: seconds.omitS + seconds.durationS }, (_one, index) => {
    const omitted = index < seconds.omitS;
    // Time begins anew after what is omitted.
    const at = omitted ? index : index - seconds.omitS;
    const socket = { ...of(at, at + 1), retransmits: 0, omitted, sender: true };
    return { streams: [{ socket: 5, ...socket, snd_cwnd: 3_000_000, rtt: 60, rttvar: 5, pmtu: 9000 }], sum: socket };
  });
  const sum = of(0, seconds.durationS);
  return `${JSON.stringify(
    {
      start: {
        connected: [
          { socket: 5, local_host: '192.168.50.1', local_port: 40000, remote_host: '192.168.50.2', remote_port: 5201 },
        ],
        version: 'iperf 3.12',
        system_info: 'Linux as7 5.15.0-113-generic',
        timestamp: { time: 'Mon, 23 Nov 2026 07:00:00 GMT', timesecs: 1795417200 },
        connecting_to: { host: '192.168.50.2', port: 5201 },
        tcp_mss_default: 8948,
        test_start: {
          protocol: 'TCP',
          num_streams: 1,
          blksize: 131072,
          omit: seconds.omitS,
          duration: seconds.durationS,
          bytes: 0,
          blocks: 0,
          reverse: 0,
          tos: 0,
        },
      },
      intervals,
      end: {
        streams: [
          {
            sender: { socket: 5, ...sum, retransmits: 0, sender: true },
            receiver: { socket: 5, ...sum, sender: true },
          },
        ],
        sum_sent: { ...sum, retransmits: 0, sender: true },
        sum_received: { ...sum, sender: true },
        cpu_utilization_percent: {
          host_total: 50,
          host_user: 1,
          host_system: 49,
          remote_total: 60,
          remote_user: 2,
          remote_system: 58,
        },
        sender_tcp_congestion: 'cubic',
        receiver_tcp_congestion: 'cubic',
      },
    },
    null,
    '\t',
  )}\n`;
}

/** The same of one that got no connection: with exit 0. */
export const iperf3Refused = fixture('iperf3/refused.txt');
