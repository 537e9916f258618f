/** `ethtool` for looking: settings and `-i`. Source: ethtool 5.16 formats. */
import type { Command } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { loadedDriver } from './modules.ts';
import { netdevs } from './netdevs.ts';

/** The command. */
export const ethtool: Command = ({ rack, machine }, args) => {
  const name = args.filter((arg) => !arg.startsWith('-')).at(-1) ?? '';
  const device = netdevs(rack, machine).find((each) => each.name === name);
  if (device === undefined)
    return failed(
      args.includes('-i') ? 71 : 75,
      `Cannot get ${args.includes('-i') ? 'driver information' : 'device settings'}: No such device\n`,
    );
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
