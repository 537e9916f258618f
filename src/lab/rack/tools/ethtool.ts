/**
 * `ethtool` for looking: settings, `-i`, `-k`, `-l`, `-g`, `-S`.
 *
 * Source: ethtool 5.16 netlink/settings.c (order and labels, `no (No cable)` out of the extended state that mlx5 reports);
 * published output of mlx5 ports.
 */
import type { Command, CommandContext, Machine } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { shownHardware } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { advanceWire } from '../wire/advance.ts';
import { countersOf, ipsecCountersOf } from '../wire/wire.ts';
import { loadedDriver } from './modules.ts';
import { netdevs } from './netdevs.ts';
import type { Netdev } from './netdevs.ts';

/** Counters of a device. Source: mlx5 counters document; IPsec offload counters of mlx5. */
function statistics({ rack, machine }: CommandContext, device: Netdev): string {
  advanceWire(rack);
  const { rxPackets, rxBytes, txPackets, txBytes } = countersOf(rack.wire, machine.name, device.name);
  const rows: [string, number][] = [
    ['rx_packets', rxPackets],
    ['rx_bytes', rxBytes],
    ['tx_packets', txPackets],
    ['tx_bytes', txBytes],
  ];
  if (device.driver === 'mlx5_core') {
    const isUplink = /^p\d$/.test(device.name);
    const ipsec = ipsecCountersOf(rack.wire, machine.name, device.name);
    rows.push(
      ['rx_vport_unicast_packets', rxPackets],
      ['rx_vport_unicast_bytes', rxBytes],
      ['tx_vport_unicast_packets', txPackets],
      ['tx_vport_unicast_bytes', txBytes],
      ['rx_out_of_buffer', 0],
      ['rx_packets_phy', isUplink || machine.kind === 'host' ? rxPackets : 0],
      ['tx_packets_phy', isUplink || machine.kind === 'host' ? txPackets : 0],
      ['rx_discards_phy', 0],
      ['rx_crc_errors_phy', 0],
      ['rx_symbol_err_phy', 0],
      ['link_down_events_phy', 0],
      ['ipsec_rx_pkts', ipsec.rxPackets],
      ['ipsec_rx_bytes', ipsec.rxBytes],
      ['ipsec_rx_drop_pkts', 0],
      ['ipsec_rx_drop_bytes', 0],
      ['ipsec_tx_pkts', ipsec.txPackets],
      ['ipsec_tx_bytes', ipsec.txBytes],
      ['ipsec_tx_drop_pkts', 0],
      ['ipsec_tx_drop_bytes', 0],
    );
  }
  return `NIC statistics:\n${rows.map(([name, value]) => `     ${name}: ${Math.floor(value)}\n`).join('')}`;
}

/** Features of a device; a card without crypto engines has none for ESP. */
function featuresOf(rack: Rack, card: CardState | undefined): string {
  const esp = card !== undefined && shownHardware(rack, card).crypto ? 'on' : 'off [fixed]';
  return `hw-tc-offload: on\nesp-hw-offload: ${esp}\nesp-tx-csum-hw-offload: ${esp}\ntx-esp-segmentation: ${esp}\n`;
}

/** Queues and rings. Source: udev rules of mlnx-tools (four queues for the uplinks of an Arm). */
function sizes(option: string, machine: Machine, name: string): string {
  if (option === '-l') {
    const now = machine.kind === 'host' ? 63 : name.startsWith('p0') || name.startsWith('p1') ? 4 : 2;
    const rows = (combined: number): string => `RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\tn/a\nCombined:\t${combined}\n`;
    return `Channel parameters for ${name}:\nPre-set maximums:\n${rows(63)}Current hardware settings:\n${rows(now)}\n`;
  }
  const rows = (size: number): string => `RX:\t\t${size}\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t${size}\n`;
  return `Ring parameters for ${name}:\nPre-set maximums:\n${rows(8192)}Current hardware settings:\n${rows(1024)}\n`;
}

const speeds = [
  [400, '400000baseCR4/Full'],
  [200, '200000baseCR4/Full'],
  [100, '100000baseCR4/Full'],
  [50, '50000baseCR2/Full'],
  [25, '25000baseCR/Full'],
  [10, '10000baseCR/Full'],
] as const;

/** A list as ethtool writes it: one word a line, under the first one. */
function list(label: string, words: readonly string[]): string {
  const shown = words.length === 0 ? ['Not reported'] : words;
  return shown.map((word, index) => `\t${index === 0 ? label : ' '.repeat(label.length)}${word}\n`).join('');
}

/** Everything about the link of a port of a card; `-m` and `-S` tell the rest. */
function cardSettings({ carrier, speedMbps }: Netdev, root: boolean): string {
  const modes = speeds.filter(([gbps]) => gbps * 1000 <= speedMbps).map(([, word]) => word);
  const fec = carrier ? 'RS' : 'None';
  return (
    '\tSupported ports: [ Backplane ]\n' +
    list('Supported link modes:   ', modes) +
    '\tSupported pause frame use: Symmetric\n\tSupports auto-negotiation: Yes\n\tSupported FEC modes: None\t RS\n' +
    list('Advertised link modes:  ', modes) +
    `\tAdvertised pause frame use: Symmetric\n\tAdvertised auto-negotiation: Yes\n\tAdvertised FEC modes: ${fec}\n` +
    list('Link partner advertised link modes:  ', []) +
    '\tLink partner advertised pause frame use: No\n' +
    `\tLink partner advertised auto-negotiation: ${carrier ? 'Yes' : 'No'}\n` +
    '\tLink partner advertised FEC modes: Not reported\n' +
    `\tSpeed: ${carrier ? `${speedMbps}Mb/s` : 'Unknown!'}\n` +
    `\tDuplex: ${carrier ? 'Full' : 'Unknown! (255)'}\n\tAuto-negotiation: on\n` +
    `\tPort: ${carrier ? 'Direct Attach Copper' : 'Other'}\n\tPHYAD: 0\n\tTransceiver: internal\n` +
    (root ? '\tSupports Wake-on: d\n\tWake-on: d\n' : '') +
    '\tCurrent message level: 0x00000004 (4)\n\t                       link\n' +
    `\tLink detected: ${carrier ? 'yes' : 'no (No cable)'}\n`
  );
}

function settings(device: Netdev, root: boolean): string {
  const head = `Settings for ${device.name}:\n`;
  if (device.driver === 'mlx5_core' && device.pci !== null) return head + cardSettings(device, root);
  const { carrier, speedMbps } = device;
  return `${head}\tSpeed: ${carrier ? `${speedMbps}Mb/s` : 'Unknown!'}\n\tDuplex: ${carrier ? 'Full' : 'Unknown! (255)'}\n\tAuto-negotiation: on\n\tLink detected: ${carrier ? 'yes' : 'no'}\n`;
}

/** The command. */
export const ethtool: Command = (context, args) => {
  const { rack, machine, root } = context;
  const words = args.filter((arg) => !arg.startsWith('-'));
  // What changes something has values behind the name.
  const name = (args.some((arg) => /^-[KLGAC]$/.test(arg)) ? words[0] : words.at(-1)) ?? '';
  const device = netdevs(rack, machine).find((each) => each.name === name);
  if (device === undefined)
    return failed(
      args.includes('-i') ? 71 : 75,
      `Cannot get ${args.includes('-i') ? 'driver information' : 'device settings'}: No such device\n`,
    );
  const [card] = machine.cards.filter(
    (each) => machine.kind === 'arm' || device.pci?.startsWith(each.hardware.pcie.address),
  );
  if (args.includes('-S')) return ok(statistics(context, device));
  if (args.includes('-k')) return ok(`Features for ${name}:\n${featuresOf(rack, card)}`);
  if (args.includes('-l') || args.includes('-g')) return ok(sizes(args.includes('-l') ? '-l' : '-g', machine, name));
  if (args.some((arg) => ['-K', '-L', '-G', '-A', '-C'].includes(arg)))
    return root ? ok() : failed(1, 'netlink error: Operation not permitted\n');
  if (args.includes('-i')) {
    const firmware = card === undefined ? '' : `${card.nicFirmware.running} (${card.hardware.psid})`;
    return ok(
      `driver: ${device.driver}\nversion: ${loadedDriver(machine) ?? '5.15.0'}\nfirmware-version: ${firmware}\nexpansion-rom-version: \nbus-info: ${device.pci ?? ''}\nsupports-statistics: yes\n`,
    );
  }
  return ok(settings(device, root));
};
