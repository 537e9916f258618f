/**
 * `ethtool` for looking: settings, `-i`, `-k`, `-S`.
 *
 * Source: ethtool 5.16 netlink/settings.c (order and labels, `no (No cable)` out of the extended state that mlx5 reports);
 * published output of mlx5 ports.
 */
import type { Command } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { loadedDriver } from './modules.ts';
import { netdevs } from './netdevs.ts';
import type { Netdev } from './netdevs.ts';

/** Counters of a port on which nothing has run. Source: mlx5 counters document; IPsec offload counters of mlx5. */
const counters = [
  'rx_packets',
  'rx_bytes',
  'tx_packets',
  'tx_bytes',
  'rx_discards_phy',
  'rx_crc_errors_phy',
  'rx_symbol_err_phy',
  'link_down_events_phy',
  'rx_out_of_buffer',
  'ipsec_rx_pkts',
  'ipsec_rx_bytes',
  'ipsec_rx_drop_pkts',
  'ipsec_tx_pkts',
  'ipsec_tx_bytes',
  'ipsec_tx_drop_pkts',
];
const features = 'hw-tc-offload: on\nesp-hw-offload: on\nesp-tx-csum-hw-offload: on\ntx-esp-segmentation: on\n';

function statistics(hasOffload: boolean): string {
  const shown = counters.filter((name) => hasOffload || !/ipsec|_phy/.test(name));
  return `NIC statistics:\n${shown.map((name) => `     ${name}: 0\n`).join('')}`;
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
export const ethtool: Command = ({ rack, machine, root }, args) => {
  const name = args.filter((arg) => !arg.startsWith('-')).at(-1) ?? '';
  const device = netdevs(rack, machine).find((each) => each.name === name);
  if (device === undefined)
    return failed(
      args.includes('-i') ? 71 : 75,
      `Cannot get ${args.includes('-i') ? 'driver information' : 'device settings'}: No such device\n`,
    );
  if (args.includes('-S')) return ok(statistics(device.driver === 'mlx5_core'));
  if (args.includes('-k')) return ok(`Features for ${name}:\n${features}`);
  if (args.includes('-i')) {
    const [card] = machine.cards.filter(
      (each) => machine.kind === 'arm' || device.pci?.startsWith(each.hardware.pcie.address),
    );
    const firmware = card === undefined ? '' : `${card.nicFirmware.running} (${card.hardware.psid})`;
    return ok(
      `driver: ${device.driver}\nversion: ${loadedDriver(machine) ?? '5.15.0'}\nfirmware-version: ${firmware}\nexpansion-rom-version: \nbus-info: ${device.pci ?? ''}\nsupports-statistics: yes\n`,
    );
  }
  return ok(settings(device, root));
};
