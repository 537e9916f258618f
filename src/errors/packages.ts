import { again, make, type WithState } from './ops-error.ts';

function leftByFullDisk({ file, state }: { file?: string } & WithState): string {
  if (file !== undefined) return 'The file is as it was: only a complete one takes its place.';
  return state === 'changed'
    ? 'Packages may be installed in part; they are finished when it runs again.'
    : 'Nothing was changed.';
}

/** DOCA and other packages of a host, their repositories, the driver, Tailscale. */
export const packageErrors = {
  osUnsupported: (a: { host: string; seen: string; doca: string; supported: readonly string[] }) =>
    make('os-unsupported', 'permanent', {
      what: `DOCA ${a.doca} is not installed on ${a.host}: it runs ${a.seen}.`,
      why: `The profile supports ${a.supported.join('; ')}.`,
      next: `Boot a supported system on ${a.host}, or name a DOCA version and repository for this one in the profile (\`doca.supports\`). Nothing was changed.`,
    }),
  foreignOfed: (a: { host: string; packages: readonly string[] }) =>
    make('foreign-ofed', 'permanent', {
      what: `${a.host} has an MLNX_OFED that did not come with DOCA.`,
      why: `Installed: ${a.packages.slice(0, 6).join(', ')}${a.packages.length > 6 ? ` and ${a.packages.length - 6} more` : ''}. Both at once leave modules of two versions behind.`,
      next: `Remove it (\`sudo /usr/sbin/ofed_uninstall.sh --force\`), restart ${a.host}, and run the command again. Nothing was changed.`,
    }),
  /** `file` = it was met by a small file of dpubot, not by packages. */
  hostDiskFull: (a: { host: string; why: string; next: string; file?: string; run?: number } & WithState) =>
    make('host-disk-full', 'permanent', {
      what: `The disk of ${a.host} has too little room for ${a.file ?? 'packages'}.`,
      why: a.why,
      next: `${a.next} ${a.run === undefined ? '' : `${again(a.run)} `}${leftByFullDisk(a)}`,
      state: a.state ?? 'unchanged',
    }),
  dpkgLocked: (a: { host: string; holder: string; limit?: string; run: number } & WithState) =>
    make('dpkg-locked', 'transient', {
      what: `Packages of ${a.host} are locked by another program${a.limit === undefined ? '' : ` for more than ${a.limit}`}.`,
      why: `The lock is held by ${a.holder}.`,
      next: `Let it finish, or end it where it was started (often unattended-upgrades). ${again(a.run)} This step did not install anything while it waited.`,
      state: a.state ?? 'unchanged',
    }),
  repoKeyMismatch: (a: { host: string; source: string; pinned: string; why: string } & WithState) =>
    make('repo-key-mismatch', 'permanent', {
      what: `The package repository ${a.source} is not signed by the key ${a.pinned} of the profile.`,
      why: a.why,
      next: `Compare the key with what the publisher says: they change it at times (NVIDIA did in January 2026). Then correct \`keyUrl\` and \`keyFingerprint\` in the profile. Nothing was installed from it on ${a.host}.`,
      state: a.state ?? 'unchanged',
    }),
  downloadFailed: (a: { host: string; from: string; why: string; run: number } & WithState) =>
    make('download-failed', 'transient', {
      what: `${a.host} could not fetch ${a.from}.`,
      why: a.why,
      next: `Check the way of ${a.host} to the internet, its DNS, and proxy or mirror in the profile. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
    }),
  packageInstallFailed: (
    a: { host: string; what: string; why: string; next?: string; evidence?: string; run: number } & WithState,
  ) =>
    make('package-install-failed', 'permanent', {
      what: `${a.what} failed on ${a.host}.`,
      why: a.why,
      next: `${a.next ?? `Remove the cause that the log names, on ${a.host}.`} ${again(a.run)} Packages may be installed in part; the driver that was loaded still is.`,
      state: a.state ?? 'changed',
      evidence: a.evidence,
    }),
  driverNotLoaded: (
    a: { host: string; wanted: string; loaded: string; why: string; next: string; run: number } & {
      evidence?: string;
    },
  ) =>
    make('driver-not-loaded', 'permanent', {
      what: `The packages are installed on ${a.host}, but its loaded mlx5_core is ${a.loaded} instead of ${a.wanted}.`,
      why: a.why,
      next: `${a.next} ${again(a.run)}`,
      state: 'changed',
      evidence: a.evidence,
    }),
  rshimNotRunning: (a: { host: string; why: string; run: number; evidence?: string }) =>
    make('rshim-not-running', 'permanent', {
      what: `The rshim service of ${a.host} does not run.`,
      why: a.why,
      next: `Look at \`systemctl status rshim\` and \`journalctl -u rshim\` on ${a.host}. ${again(a.run)} DOCA is installed; without rshim its cards cannot be flashed.`,
      state: 'changed',
      evidence: a.evidence,
    }),
  tailscaleLoginFailed: (a: { target: string; credential: string; why: string; run: number }) =>
    make('tailscale-login-failed', 'permanent', {
      what: `${a.target} could not join the tailnet.`,
      why: a.why,
      next: `Check that the auth key "${a.credential}" is neither expired nor used up, and that ${a.target} reaches controlplane.tailscale.com; import a new key with \`dpubot credentials import ${a.credential} FILE\`. ${again(a.run)} Tailscale is installed there and not connected.`,
      state: 'changed',
    }),
  tailscaleNotApproved: (a: { target: string; run: number }) =>
    make('tailscale-not-approved', 'needs-human', {
      what: `${a.target} has logged in to the tailnet and waits for an approval.`,
      why: 'The tailnet lets devices in only after an administrator has approved them, and the auth key is not pre-approved.',
      next: `Approve ${a.target} in the Machines page of the Tailscale admin console. ${again(a.run)}`,
      state: 'changed',
    }),
} as const;
