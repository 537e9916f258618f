/**
 * NVIDIA's own scripts on the Arm: versions (bfver, bfvcheck), capsules (bfrec), Secure Boot (mokutil).
 *
 * Source: Mellanox/bfscripts bfver, bfvcheck, bfrec (newer texts from published runs); mokutil; the quest's appendix
 * (EnrollKeysCap brings the UEFI password back to its default at the next boot).
 */
import { imageNamed } from '../install/images.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Command, Program } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { look } from './file-tools.ts';

/** Where the images keep their capsules. */
const capsuleFolder = '/lib/firmware/mellanox/boot/capsule';
/** How long the eMMC takes to write its cache. */
const flushMs = 3_000;

const box = `
    ***********************************************************************
    ***                                                                 ***
    ***    Reboot the system to process the platform firmware updates   ***
    ***                                                                 ***
    ***********************************************************************

`;

/** `mokutil --sb-state`; hosts of this lab have Secure Boot off. */
export const mokutil: Command = ({ machine }, args) => {
  if (args.join(' ') !== '--sb-state') return failed(255, 'Usage:\n  mokutil OPTIONS [ARGS...]\n');
  return ok(`SecureBoot ${machine.card?.secureBoot.currentBoot === true ? 'enabled' : 'disabled'}\n`);
};

/** `bfver`. */
export const bfver: Command = ({ root, machine }, args) => {
  if (args.length > 0) return failed(1, 'Usage: bfver [--help] [--device /dev/mmcblkX]\n');
  if (!root) return failed(1, 'bfver: must be run as root\n');
  const name = machine.card?.armOs.image ?? '';
  const image = imageNamed(name);
  return ok(
    '--/dev/mmcblk0boot1\n' +
      `BlueField ATF version: ${image.atf}\n` +
      `BlueField UEFI version: ${image.uefi}\n` +
      `BlueField BSP version: ${image.bsp}\n` +
      `OS Release Version: ${name}\n`,
  );
};

/** `bfvcheck`: versions of the image against those that run. */
export const bfvcheck: Command = ({ root, machine }) => {
  const { card } = machine;
  if (!root || card === null) return failed(1, 'bfver: must be run as root\n', 'Beginning version check...\n');
  const image = imageNamed(card.armOs.image);
  const { running, staged } = card.nicFirmware;
  const good = running === image.nicFirmware;
  const mismatch = '\u001b[0;31mWARNING: FW VERSION DOES NOT MATCH RECOMMENDED!\u001b[0m\n\n';
  const waiting =
    staged === null
      ? ''
      : `WARNING: The firmware has been updated to ${staged}, but the chassis\nmust be power cycled for changes to take effect.\n\n`;
  const versions = (firmware: string): string => `ATF: ${image.atf}\nUEFI: ${image.uefi}\nFW: ${firmware}\n`;
  const text =
    `Beginning version check...\n\n-RECOMMENDED VERSIONS-\n${versions(image.nicFirmware)}` +
    `\n-INSTALLED VERSIONS-\n${versions(running)}\n${good ? '' : mismatch}${waiting}Version check complete.\n`;
  return good ? ok(`${text}No issues found.\n`) : failed(1, '', text);
};

/** `bfrec --capsule [FILE]`: the next boot processes the capsule. */
export const bfrec: Program = function* program(frame, args) {
  const { card } = frame.machine;
  const [option = '', file, ...more] = args;
  const say = (text: string, status: number): number => {
    out(frame, `${text}\n`);
    return status;
  };
  if (card === null || !frame.root) {
    complain(frame, 'mount: /sys/firmware/efi/efivars: must be superuser to use mount.\n');
    return 1;
  }
  if (option === '--bootctl' && card.secureBoot.keysEnrolled)
    return say('ERROR: need to use capsule when UEFI secure boot PK key is enrolled', 1);
  if (option !== '--capsule') return say('Usage: bfrec    [--help]\n                    [--bootctl [FILE]]', 1);
  if (more.length > 0) return say("too many arguments with option '--capsule'", 1);
  const path = file ?? `${capsuleFolder}/MmcBootCap`;
  if (look(frame, path) === null) return say(`cannot find file ${path}`, 1);
  yield { untilMs: frame.rack.nowMs() + flushMs };
  if (path.endsWith('/EnrollKeysCap')) card.uefi.capsule = true;
  out(frame, box);
  return 0;
};
