/** A package repository of the profile. `label` names dpubot's files for it. */
export interface PackageRepository {
  readonly label: 'doca' | 'tailscale';
  readonly url: string;
  /** What stands behind the address in the list: `./` for a flat repository, else suite and component. */
  readonly layout: string;
  readonly keyUrl: string;
  readonly keyFingerprint: string;
  readonly proxy?: string | undefined;
}

/** Where apt finds the pinned key. */
export function keyringOf({ label }: PackageRepository): string {
  return `/etc/apt/keyrings/dpubot-${label}.gpg`;
}

/** Where the repository is named. */
export function sourceListOf(label: PackageRepository['label']): string {
  return `/etc/apt/sources.list.d/dpubot-${label}.list`;
}

/**
 * LC_ALL: the causes of a failure are read from what apt prints. NEEDRESTART_MODE `l`: services that use a library which was
 * replaced are listed, and not restarted: they belong to somebody else. Source: needrestart(1).
 */
export const aptEnvironment = ['env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=l'];
const lockWait = ['-o', 'DPkg::Lock::Timeout=120'];

/** Words of `apt-get` that goes through the proxy of the profile. */
export function aptGet(proxy: string | undefined): readonly string[] {
  const through =
    proxy === undefined ? [] : ['http', 'https'].flatMap((name) => ['-o', `Acquire::${name}::Proxy=${proxy}`]);
  return [...aptEnvironment, 'apt-get', '-q', ...lockWait, ...through];
}

/** Words that install packages, keeping settings that were changed by hand. `--fix-broken` ends what was cut off. */
export function installWords(packages: readonly string[], proxy: string | undefined): readonly string[] {
  const keep = ['-o', 'Dpkg::Options::=--force-confold', '-o', 'Dpkg::Options::=--force-confdef'];
  return [...aptGet(proxy), ...keep, '--yes', '--fix-broken', 'install', '--', ...packages];
}

/**
 * Words that read the lists of one repository alone, so that another one that fails is no obstacle; its lists stay. With
 * Error-Mode a server that cannot be reached is a failure: otherwise apt-get ends with 0 and uses old lists (apt 2.6.1).
 */
export function updateWords(repository: PackageRepository): readonly string[] {
  const options = [
    `Dir::Etc::sourcelist=${sourceListOf(repository.label)}`,
    'Dir::Etc::sourceparts=-',
    'APT::Get::List-Cleanup=0',
    'APT::Update::Error-Mode=any',
  ];
  const only = options.flatMap((option) => ['-o', option]);
  return [...aptGet(repository.proxy), ...only, 'update'];
}
