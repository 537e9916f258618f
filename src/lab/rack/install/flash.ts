/**
 * What happens to a card from the first byte of a boot stream to the first boot of the new system.
 *
 * Source: boot and installer log lines published with bfb-install (rshim-user-space) and bfb-build's installer scripts.
 */
import { tryLogin } from '../accounts.ts';
import { advanceCard, resetBmc, schedule, startInstallBoot } from '../card-clock.ts';
import { freshDataPath } from '../data-path.ts';
import { printOnConsole } from '../rshim/console.ts';
import { cardFault, shownHardware, useCardFault } from '../state.ts';
import type { CardState, InstallState, Rack } from '../state.ts';
import { runCloudInit } from './cloud-init.ts';
import { runInstallerHooks } from './hooks.ts';
import { imageFiles } from './image-files.ts';
import type { LabImage } from './images.ts';
import { initialPackages } from '../packages/state.ts';

const bootLines = [
  ' INFO[PSC]: PSC BL1 START',
  ' INFO[BL2]: start',
  ' INFO[BL2]: boot mode (rshim)',
  ' INFO[BL2]: VDDQ: 1120 mV',
  ' INFO[BL2]: DDR POST passed',
  ' INFO[BL2]: UEFI loaded',
  ' INFO[BL31]: start',
  ' INFO[BL31]: lifecycle GA Secured',
  ' INFO[BL31]: VDD: 850 mV',
  ' INFO[BL31]: runtime',
  ' INFO[BL31]: MB ping success',
  ' INFO[UEFI]: eMMC init',
  ' INFO[UEFI]: eMMC probed',
  ' INFO[UEFI]: UPVS valid',
  ' INFO[UEFI]: PMI: updates started',
  ' INFO[UEFI]: PMI: total updates: 1',
  ' INFO[UEFI]: PMI: updates completed, status 0',
  ' INFO[UEFI]: PCIe enum start',
  ' INFO[UEFI]: PCIe enum end',
];

/** The stream begins: the Arm stops what it does and waits for it. */
export function beginPush(rack: Rack, card: CardState): void {
  advanceCard(rack, card);
  startInstallBoot(rack, card, 'BootRom');
  card.rshim.log = [' INFO[PSC]: PSC BL1 START'];
}

/** The whole stream has arrived. `image` is null when it is no complete image for this card. */
export function endPush(rack: Rack, card: CardState, image: LabImage | null, config: string): void {
  advanceCard(rack, card);
  card.rshim.log = [];
  const install: InstallState = { image: image?.name ?? '', config, failed: null };
  card.install = install;
  if (image === null || image.platform !== 'bf3') {
    startInstallBoot(rack, card, 'BL2');
    card.rshim.log.push(
      ' INFO[PSC]: PSC BL1 START',
      ' INFO[BL2]: start',
      ' ERR[BL2]: image integrity check failed (INTEGRITY_FAIL)',
    );
    return;
  }
  startInstallBoot(rack, card, 'OsStarting');
  const { installMs } = rack.state.delays;
  const at = (share: number): number => rack.nowMs() + Math.round(installMs * share);
  bootLines.forEach((text, index) => schedule(card, { atMs: at(0.004 * index), kind: 'arm-log', text }));
  const uefi = card.secureBoot.currentBoot ? '' : ' (disabled)';
  const later: [number, string][] = [
    [0.08, ` INFO[UEFI]: UEFI Secure Boot${uefi}`],
    [0.082, ' INFO[UEFI]: PK configured'],
    [0.084, ' INFO[UEFI]: Redfish enabled'],
    [0.09, ' INFO[UEFI]: exit Boot Service'],
  ];
  for (const [share, text] of later) schedule(card, { atMs: at(share), kind: 'arm-log', text });
  if (card.secureBoot.currentBoot && !image.signed) {
    schedule(card, { atMs: at(0.1), kind: 'arm-refused' });
    return;
  }
  if (config !== '') schedule(card, { atMs: at(0.11), kind: 'arm-log', text: ' INFO[MISC]: Found bf.cfg' });
  schedule(card, { atMs: at(0.12), kind: 'arm-install', step: 'os' });
  schedule(card, { atMs: at(0.7), kind: 'arm-install', step: 'system' });
  schedule(card, { atMs: at(0.72), kind: 'arm-install', step: 'nic' });
  schedule(card, { atMs: at(0.9), kind: 'arm-install', step: 'bmc' });
  schedule(card, { atMs: at(1), kind: 'arm-install', step: 'end' });
}

function say(rack: Rack, card: CardState, text: string, level: 'INFO' | 'WARN' | 'ERR' = 'INFO'): void {
  card.rshim.log.push(` ${level}[MISC]: ${text}`);
  printOnConsole(rack, card, `[${new Date(rack.nowMs()).toISOString().slice(11, 19)}] BFB-Installer: ${text}\r\n`);
}

function setting(install: InstallState, name: string): string | null {
  return install.settings?.[name] ?? null;
}

/** The installer gives up: `reboot -f` into whatever there is. */
function giveUp(rack: Rack, card: CardState, install: InstallState): void {
  install.failed = 'installer';
  say(rack, card, 'Installation failed', 'ERR');
  card.events = card.events.filter((event) => !event.kind.startsWith('arm-'));
  schedule(card, { atMs: rack.nowMs() + 3000, kind: 'arm-start' });
}

function beginSystem(rack: Rack, card: CardState, install: InstallState): void {
  const { image } = install;
  say(rack, card, 'Ubuntu installation started');
  if (useCardFault(rack, card, 'installer-no-target')) {
    say(rack, card, 'Failed to access target device', 'ERR');
    giveUp(rack, card, install);
    return;
  }
  say(rack, card, 'Installing OS image');
  card.armOs.broken = true;
  if (useCardFault(rack, card, 'installer-critical')) {
    card.rshim.log.push(' ERR[MISC]: CRITICAL ERROR: tar: unexpected end of file');
    giveUp(rack, card, install);
  }
  install.image = image;
}

function writeSystem(rack: Rack, card: CardState, install: InstallState, image: LabImage): void {
  const before = card.armOs;
  card.armOs = {
    image: image.name,
    hostname: 'localhost',
    password: 'ubuntu',
    passwordHash: null,
    passwordExpired: true,
    authorizedKeys: [],
    signedImage: image.signed,
    kernel: image.kernel,
    driver: image.driver,
    broken: false,
    hostKeyGeneration: before.hostKeyGeneration + 1,
    files: imageFiles(image.name, []),
    packages: initialPackages({}),
    mtus: {},
    tailscale: null,
    timesyncActive: true,
    dataPath: freshDataPath(card.hardware.ports.length, shownHardware(rack, card).controller),
  };
  install.settings = runInstallerHooks(rack, card, install.config);
  const own = rack.machines.get(card.name);
  if (own !== undefined) runCloudInit(own.files);
  const hash = setting(install, 'ubuntu_PASSWORD');
  if (hash !== null) {
    say(rack, card, 'Changing the default password for user ubuntu');
    card.armOs.passwordHash = hash;
    card.armOs.passwordExpired = false;
  }
  const named = card.armOs.files['/etc/hostname'];
  if (named?.kind === 'file' && named.text.trim() !== '') card.armOs.hostname = named.text.trim();
  say(rack, card, 'Ubuntu installation completed');
  printOnConsole(rack, card, 'BFB-Installer: Installing DPU OS passed, total 78% complete\r\n');
}

function updateNic(rack: Rack, card: CardState, install: InstallState, image: LabImage): void {
  if (setting(install, 'WITH_NIC_FW_UPDATE') === 'no') return;
  if (card.nicFirmware.running === image.nicFirmware && card.nicFirmware.staged === null) {
    say(rack, card, 'Installed NIC Firmware is the same as provided. Skipping NIC Firmware update.');
    return;
  }
  say(rack, card, 'Updating NIC firmware...');
  card.nicFirmware.staged = image.nicFirmware === card.nicFirmware.running ? null : image.nicFirmware;
  say(rack, card, 'NIC firmware update done');
  if (setting(install, 'NIC_FW_RESET') !== 'no' && setting(install, 'NIC_FW_RESET') !== null) {
    say(rack, card, 'Running NIC Firmware reset');
    card.nicFirmware = { running: card.nicFirmware.staged ?? card.nicFirmware.running, staged: null };
  }
}

function updateBmc(rack: Rack, card: CardState, install: InstallState, image: LabImage): void {
  const user = setting(install, 'BMC_USER');
  const password = setting(install, 'BMC_PASSWORD');
  if (user === null || password === null) {
    say(rack, card, 'BMC_USER and/or BMC_PASSWORD are not defined. Skipping BMC components upgrade.');
    return;
  }
  if (cardFault(rack, card, 'vlan4040-down')) {
    say(rack, card, 'Failed to create VLAN.', 'ERR');
    say(rack, card, 'Skipping BMC components upgrade.', 'WARN');
    return;
  }
  if (
    cardFault(rack, card, 'bmc-token-failure') ||
    !['ok', 'change-required'].includes(tryLogin(rack, card, user, password))
  ) {
    say(rack, card, 'Failed to get BMC token. Check BMC user/password', 'ERR');
    say(rack, card, 'Skipping BMC components upgrade.', 'WARN');
    return;
  }
  if (setting(install, 'UPDATE_BMC_FW') === 'no' || card.bmc.firmware === image.bmcFirmware) return;
  say(rack, card, `BMC firmware was updated to: ${image.bmcFirmware}. BMC restart is required`);
  card.bmc.firmwareStaged = image.bmcFirmware;
  if (setting(install, 'BMC_REBOOT') !== 'yes') return;
  say(rack, card, 'Rebooting BMC...');
  resetBmc(rack, card);
}

function finish(rack: Rack, card: CardState): void {
  say(rack, card, 'Installation finished');
  printOnConsole(rack, card, 'BFB-Installer: total 100% complete\r\n');
  say(rack, card, 'Rebooting...');
  card.install = null;
  if (useCardFault(rack, card, 'secureboot-back-after-flash')) {
    card.secureBoot = { ...card.secureBoot, enable: true, currentBoot: true, pending: null };
  }
  if (useCardFault(rack, card, 'uefi-shell-after-flash')) card.arm.nextBootShell = true;
  schedule(card, { atMs: rack.nowMs() + 3000, kind: 'arm-start' });
}

/** One step of the installer, at its moment. */
export function installStep(rack: Rack, card: CardState, step: 'os' | 'system' | 'nic' | 'bmc' | 'end'): void {
  const { install } = card;
  const image = install === null ? null : rack.imageOf(install.image);
  if (install === null || image === null) return;
  if (step === 'os') beginSystem(rack, card, install);
  else if (step === 'system') writeSystem(rack, card, install, image);
  else if (step === 'nic') updateNic(rack, card, install, image);
  else if (step === 'bmc') updateBmc(rack, card, install, image);
  else finish(rack, card);
}
