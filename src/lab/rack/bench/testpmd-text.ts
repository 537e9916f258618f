/**
 * What dpdk-testpmd prints.
 *
 * Source: DPDK 22.11 lib/eal (start), app/test-pmd/testpmd.c and config.c (statistics: rates are those since the last show,
 * without framing; the first show has none).
 */
import type { TestpmdOptions } from './testpmd-options.ts';

/** Version of the DPDK that DOCA brings. */
export const dpdkVersion = '22.11.2410.1.0';

/** The beginning of what `-h` prints. */
export const usageText =
  '\nUsage: dpdk-testpmd [options]\n\nEAL common options:\n  -c COREMASK         Hexadecimal bitmask of cores to run on\n' +
  '  -l CORELIST         List of cores to run on\n  -v                  Display version information on startup\n  -h, --help          This help\n\n';

/** Counters of a port as testpmd keeps them. */
export interface PortCounters {
  rxPackets: number;
  rxMissed: number;
  rxBytes: number;
  rxErrors: number;
  rxNombuf: number;
  txPackets: number;
  txBytes: number;
}

/** No packet yet. */
export function noCounters(): PortCounters {
  return { rxPackets: 0, rxMissed: 0, rxBytes: 0, rxErrors: 0, rxNombuf: 0, txPackets: 0, txBytes: 0 };
}

function whole(value: number): string {
  return String(Math.floor(value));
}

/** A device that was found. */
export interface ProbedPort {
  pci: string;
  mac: string;
  socket: number;
}

/** From the first line to the devices. */
export function ealText(cpus: number, nodes: number, options: TestpmdOptions, ports: ProbedPort[]): string {
  const probes = ports
    .filter(({ pci }) => pci !== '')
    .map(({ pci, socket }) => `EAL: Probe PCI driver: mlx5_pci (15b3:a2dc) device: ${pci} (socket ${socket})\n`);
  return (
    `EAL: Detected CPU lcores: ${cpus}\nEAL: Detected NUMA nodes: ${nodes}\nEAL: Detected shared linkage of DPDK\n` +
    `EAL: Multi-process socket /var/run/dpdk/${options.filePrefix}/mp_socket\nEAL: Selected IOVA mode 'VA'\n${probes.join('')}` +
    'TELEMETRY: No legacy callbacks, legacy socket not created\n'
  );
}

/** Pools of buffers, ports, and how packets are forwarded. */
export function startText(options: TestpmdOptions, ports: ProbedPort[], mbufs: number, lcores: number[]): string {
  const { forward, rxQueues, txQueues, mbufBytes, packetBytes } = options;
  const socket = ports[0]?.socket ?? 0;
  const queues = Math.max(rxQueues, txQueues);
  const cores = Math.min(Math.max(1, lcores.length), queues);
  const pools = `testpmd: create a new mbuf pool <mb_pool_${socket}>: n=${mbufs}, size=${mbufBytes}, socket=${socket}\ntestpmd: preferred mempool ops selected: ring_mp_mc\n`;
  const none = ports.length === 0;
  const warning = none
    ? ''
    : '\nWarning! port-topology=paired and odd forward ports number, the last port will pair with itself.\n\n';
  const configured = ports
    .map(
      ({ mac, socket: at }, index) => `Configuring Port ${index} (socket ${at})\nPort ${index}: ${mac.toUpperCase()}\n`,
    )
    .join('');
  const streams = none ? 0 : queues;
  const head = `${forward} packet forwarding - ports=${ports.length} - cores=${none ? 0 : cores} - streams=${streams} - NUMA support enabled, MP allocation mode: native\n`;
  const peer = options.peer ?? '02:00:00:00:00:00';
  const logical = none
    ? ''
    : Array.from({ length: cores }, (_each, index) => {
        const own = Array.from({ length: queues }, (_one, queue) => queue).filter((queue) => queue % cores === index);
        const rows = own.map(
          (queue) =>
            `  RX P=0/Q=${queue} (socket ${socket}) -> TX P=0/Q=${queue} (socket ${socket}) peer=${peer.toUpperCase()}\n`,
        );
        return `Logical Core ${lcores[index] ?? index} (socket ${socket}) forwards packets on ${own.length} streams:\n${rows.join('')}\n`;
      }).join('');
  const settings = none
    ? ''
    : `  ${forward} packet forwarding packets/burst=${options.burst}\n${forward === 'txonly' ? `  packet len=${packetBytes} - nb packet segments=1\n` : ''}` +
      `  nb forwarding cores=${cores} - nb forwarding ports=1\n  port 0: RX queue number: ${rxQueues} Tx queue number: ${txQueues}\n    Rx offloads=0x0 Tx offloads=0x10000\n` +
      `    RX queue: 0\n      RX desc=${options.rxDescriptors || 256} - RX free threshold=64\n    TX queue: 0\n      TX desc=${options.txDescriptors || 256} - TX free threshold=0\n`;
  return `Set ${forward} packet forwarding mode\n${pools}${none ? 'testpmd: No probed ethernet devices\n' : ''}${warning}${configured}Checking link statuses...\nDone\nNo commandline core given, start packet forwarding\n${head}${logical}${settings}`;
}

/** Statistics of a port, with rates over the time since the last show. */
export function statisticsText(port: number, now: PortCounters, before: PortCounters, seconds: number): string {
  const border = '########################';
  const rate = (pick: (counters: PortCounters) => number): string =>
    whole(seconds > 0 ? (pick(now) - pick(before)) / seconds : 0).padStart(12);
  const bits = (pick: (counters: PortCounters) => number): string =>
    whole(seconds > 0 ? ((pick(now) - pick(before)) * 8) / seconds : 0).padStart(12);
  return (
    `\n  ${border} NIC statistics for port ${String(port).padEnd(2)} ${border}\n` +
    `  RX-packets: ${whole(now.rxPackets).padEnd(10)} RX-missed: ${whole(now.rxMissed).padEnd(10)} RX-bytes:  ${whole(now.rxBytes)}\n` +
    `  RX-errors: ${whole(now.rxErrors)}\n  RX-nombuf:  ${whole(now.rxNombuf).padEnd(10)}\n` +
    `  TX-packets: ${whole(now.txPackets).padEnd(10)} TX-errors: ${'0'.padEnd(10)} TX-bytes:  ${whole(now.txBytes)}\n` +
    '\n  Throughput (since last show)\n' +
    `  Rx-pps: ${rate((each) => each.rxPackets)}          Rx-bps: ${bits((each) => each.rxBytes)}\n` +
    `  Tx-pps: ${rate((each) => each.txPackets)}          Tx-bps: ${bits((each) => each.txBytes)}\n` +
    `  ${border}############################${border}\n`
  );
}

/** A show of all ports as `--stats-period` makes it: the screen is cleared first. */
export function periodText(shows: string[]): string {
  return `\u001b[2J\u001b[1;1H\nPort statistics ====================================${shows.join('')}`;
}

function forwardRows({ rxPackets, rxMissed, rxErrors, rxNombuf, txPackets }: PortCounters): string {
  const row = (name: string, packets: number, dropped: number): string =>
    `  ${name}-packets: ${whole(packets).padEnd(14)} ${name}-dropped: ${whole(dropped).padEnd(14)}${name}-total: ${whole(Math.floor(packets) + Math.floor(dropped))}\n`;
  const trouble =
    rxErrors + rxNombuf >= 1 ? `  RX-error: ${whole(rxErrors)}\n  RX-nombufs: ${whole(rxNombuf).padEnd(14)}\n` : '';
  return `${row('RX', rxPackets, rxMissed)}${trouble}${row('TX', txPackets, 0)}`;
}

/** The end after a signal. */
export function endText(counters: PortCounters[]): string {
  const border = '----------------------';
  const all = '+++++++++++++++';
  const ports = counters.map(
    (each, port) =>
      `\n  ${border} Forward statistics for port ${String(port).padEnd(2)} ${border}\n${forwardRows(each)}  ${border}--------------------------------${border}\n`,
  );
  const sum = counters.reduce((total, each) => {
    for (const key of Object.keys(total) as (keyof PortCounters)[]) total[key] += each[key];
    return total;
  }, noCounters());
  const closing = counters.map(
    (_each, port) =>
      `\nStopping port ${port}...\nStopping ports...\nDone\n\nShutting down port ${port}...\nClosing ports...\nDone\n`,
  );
  return (
    `Telling cores to stop...\nWaiting for lcores to finish...\n${ports.join('')}` +
    `\n  ${all} Accumulated forward statistics for all ports${all}\n${forwardRows(sum)}  ${all}++++++++++++++++++++++++++++++++++++++++++++++${all}\n` +
    `\nDone.\n${closing.join('')}\nBye...\n`
  );
}
