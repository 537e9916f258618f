import { z } from 'zod';
import type { CardRecord } from '../domain/device-ports.ts';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { BootLoaders } from '../facts/arm-boot-loaders.ts';
import { readInstalledBootLoaders, readRunningBootLoaders } from '../facts/arm-boot-loaders.ts';
import type { ArmImage } from '../facts/card-image.ts';
import { readArmImage } from '../facts/card-image.ts';
import type { Drivers } from '../facts/drivers.ts';
import { readDrivers } from '../facts/drivers.ts';
import type { NicFirmware } from '../facts/nic-firmware.ts';
import { readNicFirmware } from '../facts/nic-firmware.ts';
import { bmcReader } from './bmc-session.ts';
import { armSession, serialOf } from './arm-session.ts';
import { pciAddressesOf } from './power-cards.ts';

const WantedImage = z.object({
  version: z.string(),
  sha256: z.string(),
  driver: z.string().optional(),
  nicFirmware: z.string().optional(),
});
type WantedImage = z.infer<typeof WantedImage>;

interface Params {
  /** The image of the profile. */
  readonly image?: WantedImage | undefined;
  readonly driver?: string | undefined;
}

interface Observed {
  readonly secureBootOff: boolean;
  readonly arm: ArmImage;
  readonly drivers: Drivers;
  readonly firmware: NicFirmware;
  readonly installed: BootLoaders;
  readonly running: BootLoaders;
  readonly record: CardRecord | undefined;
  readonly runId: number;
}

/**
 * Hold everything that runs on the card against the profile, once more at the end, by other ways than the steps before.
 *
 * Why      Each step has verified its own change; a later reset or a firmware that stays staged may have undone or hidden it.
 * Reads    /etc/mlnx-release, dpubot's marker, mlx5_core, mokutil, bfver (Arm); flint (host); DPU_ATF, DPU_UEFI, DPU_BSP (BMC).
 * Changes  nothing.
 * Errors   versions-differ; firmware or boot loaders that wait for a reset are said, and no error.
 * Source   bfver and bfvcheck of Mellanox/bfscripts; NVIDIA BlueField BMC docs (inventory); mstflint.
 */
export const checkVersions = defineStep<Params, Observed>({
  name: 'check-versions',
  title: 'Check the versions',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({ image: WantedImage.optional(), driver: z.string().min(1).optional() }),
  timeoutMs: 300_000,
  needs: ['arm-ssh', 'bmc-session', 'rshim'],
  provides: [],
  aim: () => 'image, driver, firmware and Secure Boot as the profile names them',
  wanted: (params) => params,
  observe,
  diff: (observed, params, dpu) => judge(observed, params, dpu.name),
});

async function observe(context: ObserveContext): Promise<Observed> {
  const { host, card, dpu, signal } = context;
  const arm = await armSession(context);
  const address = (await pciAddressesOf(host, [card], signal)).get(dpu.name) ?? '';
  return {
    secureBootOff: context.profile.secureBoot === 'off',
    arm: await readArmImage(arm, signal),
    drivers: await readDrivers(arm, signal),
    firmware: await readNicFirmware(host, dpu.name, address, signal),
    installed: await readInstalledBootLoaders(arm, signal),
    running: await readRunningBootLoaders(await bmcReader(context), signal),
    record: await context.records.get(serialOf(context)),
    runId: context.runId,
  };
}

function judge(observed: Observed, params: Params, target: string): Diff {
  const differences = differencesOf(observed, params);
  if (differences.length > 0)
    return { kind: 'refused', failure: errors.versionsDiffer({ target, differences, run: observed.runId }).failure };
  const { arm, drivers, firmware, installed, record } = observed;
  const isUnhashed = arm.marker === undefined && record?.image?.checked === 'release';
  const reason = [
    `image ${arm.release ?? 'not named'}${isUnhashed ? ' (its SHA-256 was never checked)' : ''}`,
    `driver ${drivers.loaded}`,
    `NIC firmware ${firmware.running}`,
    `UEFI ${installed.uefi}`,
    `SecureBoot ${drivers.secureBoot}`,
  ].join(', ');
  const waiting = waitingOf(observed);
  const isPending = firmware.running !== firmware.staged;
  const warning = waiting.length === 0 ? {} : { warning: `${target}: ${waiting.join('; ')}` };
  return { kind: 'satisfied', reason, ...warning, ...(isPending ? { pending: true as const } : {}) };
}

/** What is not as wanted and will not become so by a reset. */
function differencesOf(observed: Observed, params: Params): readonly string[] {
  const { arm, drivers, firmware, record } = observed;
  const { image: wanted, driver } = params;
  const known = arm.marker ?? record?.image;
  const differs = (what: string, is: string, shall: string | undefined): readonly string[] =>
    shall === undefined || is === shall ? [] : [`${what} is ${is}, wanted is ${shall}`];
  return [
    ...differs('the image on it', arm.release ?? 'not named', wanted?.version),
    ...differs('the SHA-256 of the image that it was to get', known?.sha256 ?? 'not known', wanted?.sha256),
    ...differs('the loaded mlx5 driver', drivers.loaded, driver ?? wanted?.driver),
    // What is staged becomes active with the next cold boot of the host.
    ...differs('the NIC firmware in its flash memory', firmware.staged, wanted?.nicFirmware),
    ...(observed.secureBootOff && drivers.secureBoot === 'enabled' ? ['Secure Boot is on in the running boot'] : []),
  ];
}

/** What is there and not yet active. */
function waitingOf({ firmware, installed, running }: Observed): readonly string[] {
  const loaders = (['atf', 'uefi'] as const).filter(
    (name) => running[name] !== '' && running[name] !== installed[name],
  );
  return [
    ...(firmware.running === firmware.staged
      ? []
      : [`NIC firmware ${firmware.running} runs, ${firmware.staged} waits for a cold power cycle of the host`]),
    ...loaders.map((name) => `${name.toUpperCase()} ${running[name]} runs, ${installed[name]} waits for an Arm reset`),
  ];
}
