/**
 * The rshim devices a host sees and the text of their `misc` file.
 *
 * Source: Mellanox/rshim-user-space src/rshim_fuse.c and rshim_log.c (order, padding, level 2 log).
 */
import { armStage } from '../card-clock.ts';
import { opnString } from '../identity.ts';
import type { CardState, HostState, Rack } from '../state.ts';
import { cardFault, cardsOfHost, shownHardware } from '../state.ts';

/** rshim index -> card, for the cards whose rshim this host owns. */
export function rshimDevices(rack: Rack, host: HostState): CardState[] {
  if (!host.rshimServiceActive) return [];
  return cardsOfHost(rack, host.name).filter(
    (card) => card.rshim.owner === 'host' && !cardFault(rack, card, 'rshim-missing'),
  );
}

function line(key: string, value: string): string {
  return `${key.padEnd(16)}${value}\n`;
}

function upTimeSeconds(rack: Rack, card: CardState): number {
  return Math.max(0, Math.floor((rack.nowMs() - card.arm.bootStartedAtMs) / 1000));
}

function advanced(card: CardState): string {
  const mac = card.hardware.baseMac.slice(-2);
  return (
    line('BOOT_RESET_SKIP', '0 (1: skip)') +
    line('PEER_MAC', `00:1a:ca:ff:ff:${mac === '00' ? '01' : mac} (rw)`) +
    line('PXE_ID', '0x00000000 (rw)') +
    line('VLAN_ID', '0 0 (rw)') +
    line('CLEAR_ON_READ', '0 (0:no, 1:yes)')
  );
}

const dashes = '---------------------------------------\n';

/** What `cat /dev/rshimN/misc` prints now. */
export function miscText(rack: Rack, card: CardState): string {
  const hardware = shownHardware(rack, card);
  const { displayLevel, bootMode, dropMode, log } = card.rshim;
  const basic =
    line('DISPLAY_LEVEL', `${displayLevel} (0:basic, 1:advanced, 2:log)`) +
    line('BF_MODE', card.mode.current === 'nic' ? 'NIC mode' : 'DPU mode') +
    line('BOOT_MODE', `${bootMode} (0:rshim, 1:emmc, 2:emmc-boot-swap)`) +
    line('BOOT_TIMEOUT', '300 (seconds)') +
    line('USB_TIMEOUT', '40 (seconds)') +
    line('DROP_MODE', `${dropMode ? 1 : 0} (0:normal, 1:drop)`) +
    line('SW_RESET', '0 (1: reset)') +
    line('DEV_NAME', `pcie-${hardware.pcie.address}.2`) +
    line('DEV_INFO', 'BlueField-3(Rev 1)') +
    line('OPN_STR', opnString(hardware.partNumber)) +
    line('UP_TIME', `${upTimeSeconds(rack, card)}(s)`) +
    line('SECURE_NIC_MODE', '0 (0:no, 1:yes)') +
    line('FORCE_CMD', '0 (1: send Force command)');
  if (displayLevel === 0) return basic;
  if (displayLevel === 1) return basic + advanced(card);
  return `${basic}${advanced(card)}${dashes}             Log Messages\n${dashes}${log.map((entry) => `${entry}\n`).join('')}`;
}

/** Is there somebody at the other end of tmfifo? */
export function tmfifoHasPeer(rack: Rack, card: CardState): boolean {
  return armStage(rack, card) === 'OsIsRunning';
}
