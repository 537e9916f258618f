/**
 * The rshim devices a host sees and the text of their `misc` file.
 *
 * Source: Mellanox/rshim-user-space src/rshim_fuse.c and rshim_log.c (order, padding, level 2 log).
 */
import { opnString } from '../identity.ts';
import { advanceCard, armStage, resetArm } from '../card-clock.ts';
import { FileError } from '../files/nodes.ts';
import type { ErrorName, LiveFile, LiveFiles } from '../files/nodes.ts';
import { forceOwnership, rshimOrder, setDropMode } from '../rshim/service.ts';
import type { CardState, HostState, Rack } from '../state.ts';
import { cardFault, shownHardware } from '../state.ts';

/** rshim index -> card, for the cards whose rshim this host owns. */
export function rshimDevices(rack: Rack, host: HostState): CardState[] {
  if (!host.rshimServiceActive) return [];
  return rshimOrder(rack, host).filter(
    (card) => (card.rshim.owner === 'host' || card.rshim.dropMode) && !cardFault(rack, card, 'rshim-missing'),
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
    line('CLEAR_ON_READ', `${card.rshim.clearOnRead ? 1 : 0} (0:no, 1:yes)`)
  );
}

const dashes = '---------------------------------------\n';

function miscText(rack: Rack, card: CardState): string {
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
  const carried = !card.rshim.dropMode && !cardFault(rack, card, 'rshim-stuck');
  return carried && armStage(rack, card) === 'OsIsRunning';
}

/** What `cat /dev/rshimN/misc` prints now; with CLEAR_ON_READ the log is gone afterwards. */
function readMisc(rack: Rack, card: CardState): string {
  advanceCard(rack, card);
  const text = miscText(rack, card);
  if (card.rshim.clearOnRead && card.rshim.displayLevel === 2) card.rshim.log = [];
  return text;
}

/** Keys that may be written, with what they take. */
const writable: Record<string, RegExp> = {
  DISPLAY_LEVEL: /^[012]$/,
  BOOT_TIMEOUT: /^\d+$/,
  USB_TIMEOUT: /^\d+$/,
  DROP_MODE: /^[01]$/,
  CLEAR_ON_READ: /^[01]$/,
  BOOT_MODE: /^[012]$/,
  SW_RESET: /^[01]$/,
  BOOT_RESET_SKIP: /^[01]$/,
  PEER_MAC: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i,
  PXE_ID: /^(0x)?[0-9a-f]+$/i,
  VLAN_ID: /^\d+( \d+)?$/,
  OPN_STR: /^\w+$/,
  DEBUG_CODE: /^(0x)?[0-9a-f]+$/i,
  FORCE_CMD: /^[01]$/,
  DEV_NAME: /^\S+$/,
};

/** `echo "KEY VALUE" > misc`. */
function writeMisc(rack: Rack, host: HostState, card: CardState, text: string): ErrorName | null {
  for (const entry of text.split('\n').filter((each) => each.trim() !== '')) {
    const [key = '', ...rest] = entry.trim().split(/\s+/);
    const value = rest.join(' ');
    if (writable[key]?.test(value) !== true) return 'EINVAL';
    const { rshim } = card;
    const level = Number(value);
    if (key === 'DISPLAY_LEVEL' && (level === 0 || level === 1 || level === 2)) rshim.displayLevel = level;
    if (key === 'CLEAR_ON_READ') rshim.clearOnRead = value === '1';
    if (key === 'DROP_MODE') setDropMode(card, value === '1');
    if (key === 'BOOT_MODE' && (level === 0 || level === 1 || level === 2)) rshim.bootMode = level;
    if (key === 'SW_RESET' && value === '1') resetArm(rack, card);
    if (key === 'FORCE_CMD' && value === '1' && !forceOwnership(rack, host, card)) return 'EINVAL';
  }
  return null;
}

/** A device of a service that hangs: nobody can open it. */
const stuckFile: LiveFile = {
  get text(): string {
    throw new FileError('EBUSY');
  },
  rootOnly: true,
  device: true,
  write: () => 'EBUSY',
};

/** `/dev/rshimN/*` of a host. */
export function rshimFiles(rack: Rack, host: HostState, files: LiveFiles): void {
  rshimDevices(rack, host).forEach((card, index) => {
    const folder = `/dev/rshim${index}`;
    if (cardFault(rack, card, 'rshim-stuck')) {
      for (const name of ['boot', 'console', 'misc', 'rshim']) files.set(`${folder}/${name}`, stuckFile);
      return;
    }
    files.set(`${folder}/misc`, {
      get text() {
        return readMisc(rack, card);
      },
      rootOnly: true,
      device: true,
      write: (text) => writeMisc(rack, host, card, text),
    });
    // A boot stream that is no image of bfb-install leads nowhere.
    const busy = (): ErrorName =>
      card.rshim.dropMode ? 'EINVAL' : rack.locks.has(`${card.name} boot`) ? 'EBUSY' : 'ETIMEDOUT';
    files.set(`${folder}/boot`, { text: '', rootOnly: true, device: true, write: busy });
    files.set(`${folder}/console`, { text: '', rootOnly: true, device: true, write: () => null });
    files.set(`${folder}/rshim`, { text: '', rootOnly: true, device: true });
  });
}

/** The card whose console a path is, or null. */
export function consoleCard(rack: Rack, host: HostState, path: string): CardState | null {
  const index = /^\/dev\/rshim(\d+)\/console$/.exec(path)?.[1];
  return index === undefined ? null : (rshimDevices(rack, host)[Number(index)] ?? null);
}
