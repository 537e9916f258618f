import { byteText } from '../domain/byte-text.ts';
import type { Doca } from '../domain/profile.ts';
import type { Diff } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { DocaState } from '../facts/doca.ts';
import { compareReleases, docaVersions, isAtLeast, ofedPackages } from '../facts/doca.ts';
import { supportTexts, unsupported } from './doca-support.ts';

export interface DocaSeen extends DocaState {
  /** This run has stopped the rshim of the host, so that the BMC of a card can write an image. */
  readonly isRshimAway?: boolean;
}

/** Room for doca-all: what is downloaded and what is unpacked, with some to spare. An estimate; apt has the last word. */
const neededBytes = 6 * 1024 ** 3;

/**
 * What has to be done about DOCA on a host. `install`: packages and driver; `reload`: the driver of a newer DOCA, which is
 * installed and not loaded; `rshim`: its service alone.
 */
export type DocaWork = 'nothing' | 'install' | 'reload' | 'rshim';

export function docaWork(state: DocaSeen, doca: Doca): DocaWork {
  if (newerThan(state, doca) === undefined && !isInstalled(state, doca)) return 'install';
  if (!isAtLeast(state.loaded, doca.driver)) return 'reload';
  return state.rshim === 'running' || state.isRshimAway === true ? 'nothing' : 'rshim';
}

/** Holds what is there against the profile. Pure. */
export function judgeDoca(state: DocaSeen, doca: Doca): Diff {
  const outside = unsupported(state, doca);
  const newer = newerThan(state, doca);
  const foreign = foreignOfed(state);
  const work = docaWork(state, doca);
  if (foreign !== undefined) return refused(errors.foreignOfed({ host: state.host, packages: foreign }));
  if (work === 'nothing') return satisfied(state, doca, newer, outside);
  if (work !== 'install') return repair(state, doca, work, newer);
  if (outside !== undefined)
    return refused(
      errors.osUnsupported({ host: state.host, seen: outside, doca: doca.version, supported: supportTexts(doca) }),
    );
  if (state.freeBytes < neededBytes)
    return refused(
      errors.hostDiskFull({
        host: state.host,
        why: `${byteText(state.freeBytes)} are free where packages go (/, /usr, /var); DOCA takes about ${byteText(neededBytes)}.`,
        next: `Free space on ${state.host}.`,
      }),
    );
  return change(state, doca);
}

function satisfied(state: DocaSeen, doca: Doca, newer: string | undefined, outside: string | undefined): Diff {
  const rshim = state.isRshimAway === true ? 'rshim rests while a BMC writes an image' : 'rshim runs';
  const reason = `mlx5_core ${state.loaded} is loaded, ${doca.packages.join(', ')} installed, ${rshim}`;
  if (newer !== undefined)
    return {
      kind: 'satisfied',
      reason: `${newer} is newer than DOCA ${doca.version} of the profile and stays`,
      warning: `${state.host} has ${newer}, newer than the profile wants (DOCA ${doca.version}, driver ${doca.driver}); dpubot does not downgrade`,
    };
  if (outside === undefined) return { kind: 'satisfied', reason };
  const warning = `${state.host} runs ${outside}, which the profile does not name as supported by DOCA ${doca.version}`;
  return { kind: 'satisfied', reason, warning };
}

/** Packages stay as they are. */
function repair(state: DocaState, doca: Doca, work: DocaWork, newer: string | undefined): Diff {
  const { host, loaded } = state;
  const what =
    work === 'reload'
      ? {
          from: driverText(loaded),
          to: 'the driver that is installed',
          text: `load the driver of ${newer ?? `DOCA ${doca.version}`} on ${host}: all links of its NVIDIA cards drop for about a minute`,
        }
      : { from: `rshim ${state.rshim}`, to: 'rshim runs', text: `start the rshim service of ${host}` };
  return {
    kind: 'change',
    changes: [{ target: host, ...what }],
    ...(newer !== undefined && { warning: `${host} has ${newer}, newer than the profile wants; it stays` }),
  };
}

function driverText(loaded: string): string {
  return loaded === 'none' ? "the kernel's own driver" : `driver ${loaded}`;
}

function change(state: DocaState, doca: Doca): Diff {
  const from = driverText(state.loaded);
  const { interrupted } = state.packages;
  const extra = [
    ...(interrupted === undefined ? [] : [`finish dpkg first (${interrupted})`]),
    ...(state.hasHeaders ? [] : [`headers for kernel ${state.platform.kernel} first`]),
  ];
  const reload =
    state.loaded === doca.driver
      ? 'its driver is loaded already'
      : `the network driver is reloaded (${from} -> ${doca.driver}): all links of NVIDIA cards in ${state.host} drop for about a minute`;
  const text = `install DOCA ${doca.version} on ${state.host}${extra.length === 0 ? '' : ` (${extra.join('; ')})`}; ${reload}`;
  return {
    kind: 'change',
    changes: [{ target: state.host, from, to: `DOCA ${doca.version}, driver ${doca.driver}`, text }],
  };
}

/** Wanted packages complete and in the wanted version, wanted driver loaded. */
function isInstalled(state: DocaState, doca: Doca): boolean {
  const { installed } = state.packages;
  return (
    state.loaded === doca.driver &&
    doca.packages.every((name) => installed.get(name)?.complete === true) &&
    docaVersions(state.packages).every((version) => compareReleases(version, doca.version) !== -1)
  );
}

/** What on the host is newer than the profile wants, as text. */
function newerThan(state: DocaState, doca: Doca): string | undefined {
  if (compareReleases(state.loaded, doca.driver) === 1) return `driver ${state.loaded}`;
  const version = docaVersions(state.packages).find((one) => compareReleases(one, doca.version) === 1);
  return version === undefined ? undefined : `DOCA ${version}`;
}

/** Driver packages that came without DOCA; those of an installation that dpubot began and that was cut off are no foreigners. */
function foreignOfed(state: DocaState): readonly string[] | undefined {
  const packages = ofedPackages(state.packages);
  const withDoca = [...state.packages.installed.keys()].some((name) => name.startsWith('doca-'));
  return packages.length === 0 || withDoca || state.isOurs ? undefined : packages;
}

function refused(error: { readonly failure: ReturnType<typeof errors.foreignOfed>['failure'] }): Diff {
  return { kind: 'refused', failure: error.failure };
}
