/** `ethtool` for looking: settings and `-i`. Source: ethtool 5.16 formats. */
import type { Command } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { loadedDriver } from './modules.ts';
import { netdevs } from './netdevs.ts';

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

/** The command. */
export const ethtool: Command = ({ rack, machine }, args) => {
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
  return ok(
    `Settings for ${name}:\n\tSpeed: ${device.carrier ? `${device.speedMbps}Mb/s` : 'Unknown!'}\n\tDuplex: Full\n\tAuto-negotiation: on\n\tLink detected: ${device.carrier ? 'yes' : 'no'}\n`,
  );
};
