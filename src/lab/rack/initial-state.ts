/**
 * The state a rack starts in: powered and idle for a while, each card as its layout says.
 */
import { freshDataPath } from './data-path.ts';
import type { CardLayout, DpuMode, HostLayout, RackLayout } from './layout.ts';
import { baseFiles, imageFiles, ubuntuRelease } from './install/image-files.ts';
import { imageNamed } from './install/images.ts';
import { freshTuning } from './network-state.ts';
import { initialPackages } from './packages/state.ts';
import { randomUuid } from './random.ts';
import { defaultUefiPassword } from './uefi.ts';
import type { CardState, HostState, RackSnapshot } from './state.ts';

function initialNvconfig(mode: DpuMode): Record<string, string> {
  return {
    INTERNAL_CPU_MODEL: 'EMBEDDED_CPU(1)',
    INTERNAL_CPU_PAGE_SUPPLIER: 'ECPF(0)',
    INTERNAL_CPU_ESWITCH_MANAGER: 'ECPF(0)',
    INTERNAL_CPU_IB_VPORT0: 'ECPF(0)',
    INTERNAL_CPU_OFFLOAD_ENGINE: mode === 'nic' ? 'DISABLED(1)' : 'ENABLED(0)',
    INTERNAL_CPU_RSHIM: 'ENABLED(0)',
    NUM_OF_VFS: '16',
    NUM_OF_PF: '2',
    SRIOV_EN: 'True(1)',
    PER_PF_NUM_SF: 'False(0)',
    LAG_RESOURCE_ALLOCATION: 'DEVICE_DEFAULT(0)',
    HIDE_PORT2_PF: 'False(0)',
    CQE_COMPRESSION: 'BALANCED(0)',
    LINK_TYPE_P1: 'ETH(2)',
    LINK_TYPE_P2: 'ETH(2)',
    EXP_ROM_UEFI_ARM_ENABLE: 'False(0)',
  };
}

const upSinceMs = 5_237_000;

function initialBmc(layout: CardLayout, nowMs: number): CardState['bmc'] {
  return {
    firmware: layout.bmc.firmware,
    firmwareStaged: null,
    rootPassword: layout.bmc.rootPassword,
    passwordUnusable: false,
    failedLogins: 0,
    lockedUntilMs: 0,
    downUntilMs: 0,
    webUpAtMs: 0,
    startedAtMs: nowMs - upSinceMs,
    staticNameServers: [],
    dhcpUseDns: true,
    sessionTimeoutSeconds: 1800,
    updateServiceDirty: false,
    factoryResetWanted: false,
    certificateGeneration: 0,
    sel: [],
    nextSelId: 1,
    nextTaskId: 0,
    tasks: [],
    sessions: [],
    accounts: [],
  };
}

function initialCard(host: string, hasRshim: boolean, layout: CardLayout, bootId: string, nowMs: number): CardState {
  const nvconfig = initialNvconfig(layout.mode);
  const nic = layout.mode === 'nic';
  const image = imageNamed(layout.arm.image);
  return {
    name: layout.name,
    host,
    hardware: structuredClone(layout),
    nicFirmware: { running: layout.nicFirmware, staged: null },
    nvconfig: { current: { ...nvconfig }, next: { ...nvconfig } },
    mode: { current: layout.mode, queued: null },
    arm: {
      power: 'on',
      lastStage: nic ? 'UEFI' : 'OsIsRunning',
      uefiShell: false,
      nextBootShell: false,
      bootCount: 1,
      bootId,
      bootStartedAtMs: nowMs - upSinceMs,
      reportedBefore: 'LowPowerStandby',
      reportedBeforeAtMs: nowMs - upSinceMs,
    },
    secureBoot: {
      enable: layout.secureBoot.enabled,
      currentBoot: layout.secureBoot.enabled,
      keysEnrolled: layout.secureBoot.keysEnrolled,
      fieldsPresent: layout.secureBoot.fieldsPresent,
      pending: null,
      holdsOneBoot: false,
    },
    uefi: { password: defaultUefiPassword, wish: null, capsule: false },
    bmc: initialBmc(layout, nowMs),
    rshim: {
      owner: layout.rshimOwner === 'host' && !hasRshim ? 'none' : layout.rshimOwner,
      hostEnabled: layout.rshimOwner === 'host',
      bmcEnabled: layout.rshimOwner === 'bmc',
      bootMode: 1,
      displayLevel: 0,
      dropMode: false,
      clearOnRead: false,
      log: nic ? [] : [' INFO[MISC]: Linux up', ' INFO[MISC]: DPU is ready'],
    },
    bios: { attributes: {}, pending: {} },
    bootSettings: {},
    armOs: {
      image: layout.arm.image,
      hostname: layout.arm.hostname,
      password: layout.arm.password,
      passwordExpired: layout.arm.passwordExpired,
      authorizedKeys: [...layout.arm.authorizedKeys],
      signedImage: layout.arm.signedImage,
      passwordHash: null,
      kernel: image.kernel,
      driver: image.driver,
      broken: false,
      hostKeyGeneration: 0,
      files: armFiles(layout),
      packages: initialPackages({}),
      mtus: {},
      tailscale: null,
      timesyncActive: true,
      dataPath: freshDataPath(layout.ports.length, layout.controller),
    },
    install: null,
    pushes: { begun: 0, running: 0, most: 0 },
    events: [],
  };
}

function armFiles(layout: CardLayout): CardState['armOs']['files'] {
  const files = imageFiles(layout.arm.image, layout.arm.authorizedKeys);
  if (layout.arm.marker !== undefined) {
    files['/etc/dpubot-image.json'] = {
      kind: 'file',
      text: layout.arm.marker,
      mode: 0o644,
      owner: 'root',
      group: 'root',
      modifiedAtMs: 0,
    };
  }
  return files;
}

function hostFiles(layout: Omit<HostLayout, 'cards'>): HostState['files'] {
  const { kernel, name, user } = layout;
  const files = baseFiles(user, kernel, {
    '/etc/os-release': ubuntuRelease,
    '/etc/hostname': `${name}\n`,
    '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${name}\n`,
    '/etc/apt/sources.list': 'deb http://archive.ubuntu.com/ubuntu jammy main restricted universe\n',
  });
  if (layout.driver === undefined) delete files['/etc/init.d/openibd'];
  if (layout.headers === false) return files;
  const own = { owner: 'root', group: 'root', modifiedAtMs: 0 };
  files[`/usr/src/linux-headers-${kernel}`] = { kind: 'dir', mode: 0o755, ...own };
  files[`/usr/src/linux-headers-${kernel}/Makefile`] = {
    kind: 'file',
    text: '# SPDX-License-Identifier: GPL-2.0\n',
    mode: 0o644,
    ...own,
  };
  files[`/lib/modules/${kernel}/build`] = {
    kind: 'link',
    target: `/usr/src/linux-headers-${kernel}`,
    mode: 0o777,
    ...own,
  };
  return files;
}

/** The state of a rack that has been powered and idle for a while. */
export function initialState(layout: RackLayout, seed: number, nowMs: number): RackSnapshot {
  const state: RackSnapshot = {
    version: 4,
    layoutName: layout.name,
    management: { ...layout.management },
    delays: { ...layout.delays },
    random: seed >>> 0,
    savedAtMs: nowMs,
    hosts: [],
    cards: [],
    faults: [],
  };
  for (const { cards, ...hardware } of layout.hosts) {
    state.hosts.push({
      name: hardware.name,
      hardware: structuredClone(hardware),
      bootId: randomUuid(state),
      bootCount: 1,
      bootedAtMs: nowMs - upSinceMs - 60_000,
      downUntilMs: 0,
      linkLostUntilMs: 0,
      rshimServiceActive: hardware.packages['rshim'] !== undefined,
      mstStarted: false,
      power: 'on',
      packages: initialPackages(hardware.packages),
      files: hostFiles(hardware),
      driver: { installed: hardware.driver ?? null, loaded: hardware.driver ?? null },
      network: { namespaces: [], links: {} },
      tuning: freshTuning(),
      tailscale: null,
      timesyncActive: true,
      disabledUnits: [],
      bmc:
        hardware.bmc === undefined
          ? null
          : {
              user: hardware.bmc.user,
              password: hardware.bmc.password,
              failedLogins: 0,
              lockedUntilMs: 0,
              sessions: [],
              nextJob: 1,
            },
      log: [],
    });
    for (const card of cards)
      state.cards.push(
        initialCard(hardware.name, hardware.packages['rshim'] !== undefined, card, randomUuid(state), nowMs),
      );
  }
  return state;
}
