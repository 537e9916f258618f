import type { Doca } from '../domain/profile.ts';
import { Doca as DocaSchema } from '../domain/profile.ts';
import type { ApplyContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { isAtLeast, readBuiltDriver, readDocaState, readLoadedDriver } from '../facts/doca.ts';
import { hasKernelHeaders } from '../facts/host-platform.ts';
import { readRshims, readRshimService } from '../facts/rshim.ts';
import { hasSocat } from '../facts/tmfifo.ts';
import { errors } from '../errors.ts';
import { addRepository } from './apt-prepare.ts';
import { installPackages } from './apt-repository.ts';
import type { PackageRepository } from './apt-words.ts';
import { sourceListOf } from './apt-words.ts';
import { loadDriver, startRshim } from './doca-driver.ts';
import type { DocaSeen, DocaWork } from './doca-judge.ts';
import { docaWork, judgeDoca } from './doca-judge.ts';
import { updateStep } from './update-attempts.ts';
import { givenNow } from './update-rshim.ts';

/**
 * Install DOCA on the host: repository with a pinned key, packages, the network driver, rshim.
 *
 * Why      Flashing, modes and firmware of a card go through rshim and MFT of the host; its driver has to fit the image.
 * Reads    os-release, uname, loaded mlx5_core, dpkg (list, audit), kernel headers, free space, rshim service, our list.
 * Changes  /etc/apt/keyrings/dpubot-doca.gpg, /etc/apt/sources.list.d/dpubot-doca.list, packages; reloads the network
 *          driver when another one is loaded (all links of NVIDIA cards drop for about a minute); starts rshim.
 * Errors   os-unsupported, foreign-ofed, host-disk-full, dpkg-locked, repo-key-mismatch, download-failed,
 *          package-install-failed, driver-not-loaded, rshim-not-running, verify-mismatch.
 * Source   seed blog step 1; NVIDIA DOCA installation guide; apt-get(8), dpkg(1), sources.list(5).
 */
export const installDoca = defineStep<Doca, DocaSeen>({
  name: 'install-doca',
  title: 'Install DOCA on the host',
  scope: 'host',
  risk: 'disruptive',
  params: DocaSchema,
  timeoutMs: 45 * 60_000,
  needs: ['host-ssh'],
  provides: ['rshim'],
  aim: (doca) => `DOCA ${doca.version} with driver ${doca.driver}; the network driver of the host is reloaded`,
  wanted: ({ version, driver, packages, repository, keyFingerprint }) => ({
    version,
    driver,
    packages,
    repository,
    keyFingerprint,
  }),
  observe: async (context) => ({
    ...(await readDocaState(context.host, sourceListOf('doca'), context.signal)),
    // A run whose worker died in an update through the BMC is walked from its beginning.
    isRshimAway: context.slice.entry.dpus.some(
      ({ name }) => givenNow({ actions: context.actionsIn?.(updateStep, name) ?? [] }) !== undefined,
    ),
  }),
  diff: (observed, doca) => judgeDoca(observed, doca),
  apply: async (context, _changes, doca, observed) => {
    const work = docaWork(observed, doca);
    const { kernel } = observed.platform;
    if (work === 'install') await install(context, doca, kernel);
    if (work !== 'rshim') await loadDriver(context, await wantedDriver(context, doca, work), kernel);
    await startRshim(context);
    return { kind: 'done' };
  },
  verify: async ({ host, signal }, doca) => {
    const loaded = await readLoadedDriver(host, signal);
    const rshim = await readRshimService(host, signal);
    const devices = rshim === 'running' ? await readRshims(host, signal) : [];
    const names = devices.map((device) => `/dev/${device.name}`).join(', ');
    return [
      { check: 'loaded mlx5_core', pass: isAtLeast(loaded, doca.driver), expected: doca.driver, actual: loaded },
      { check: 'rshim service', pass: rshim === 'running', expected: 'running', actual: rshim },
      {
        check: 'rshim devices',
        // A card whose BMC owns rshim shows none until it is asked for: install-bfb does that.
        pass: true,
        expected: 'one for each card',
        actual: names === '' ? 'none yet: the BMC of the card may own rshim, flashing takes it over' : names,
      },
    ];
  },
});

/** Repository and packages. The driver in the kernel is still the one that was there. */
async function install(context: ApplyContext, doca: Doca, kernel: string): Promise<void> {
  const { host, signal, runId } = context;
  const repository: PackageRepository = {
    label: 'doca',
    url: doca.repository,
    layout: './',
    keyUrl: doca.keyUrl,
    keyFingerprint: doca.keyFingerprint,
    proxy: doca.proxy,
  };
  const headers = `linux-headers-${kernel}`;
  const needed = [
    ...((await hasKernelHeaders(host, kernel, signal)) ? [] : [headers]),
    // Ubuntu's server has none of its own, and the way to the Arm of a card leads through it.
    ...((await hasSocat(host, signal)) ? [] : ['socat']),
  ];
  await addRepository(context, host, repository, needed);
  if (!(await hasKernelHeaders(host, kernel, signal)))
    throw errors.packageInstallFailed({
      host: host.name,
      what: `Installing ${headers}`,
      why: `/lib/modules/${kernel}/build leads nowhere afterwards, so modules cannot be built.`,
      next: `Boot a kernel whose headers can be installed on ${host.name}.`,
      run: runId,
    });
  const { packages } = doca;
  await installPackages(context, host, repository, { name: 'install-packages', packages, limitMs: 35 * 60_000 });
}

/** What the kernel is to run: the profile's, or what a newer DOCA brought, which stays. */
async function wantedDriver({ host, signal }: ApplyContext, doca: Doca, work: DocaWork): Promise<string> {
  if (work === 'install') return doca.driver;
  const built = await readBuiltDriver(host, signal);
  return isAtLeast(built, doca.driver) ? built : doca.driver;
}
