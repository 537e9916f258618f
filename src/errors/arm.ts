import { limitText } from '../domain/limit-text.ts';
import { again, make } from './ops-error.ts';

/** The login on the Arm of a card, its console, driver and settings. */
export const armErrors = {
  armUnpinned: (a: { target: string }) =>
    make('arm-unpinned', 'permanent', {
      what: `No SSH host key of the Arm of ${a.target} is known.`,
      why: 'It is learnt over the tmfifo link of the card by the step "Log in to the card", which has not run yet.',
      next: `Run \`/dpu provision ${a.target}\`; nothing was sent to the card.`,
    }),
  armUnreachable: (a: { target: string; host: string; device: string; limit: string; run: number }) =>
    make('arm-unreachable', 'transient', {
      what: `The Arm of ${a.target} did not answer SSH over ${a.device} of ${a.host} within ${a.limit}.`,
      why: "Its OS is not up, its SSH server does not run, or somebody gave the two ends of the link each other's address.",
      next: `Read the console of the card (\`sudo screen /dev/rshimN/console 115200\` on ${a.host}). ${again(a.run)}`,
      state: 'unknown',
    }),
  armOobSilent: (a: { target: string; address: string; limit: string; why: string; run: number }) =>
    make('arm-oob-silent', 'transient', {
      what: `The login on the Arm of ${a.target} is good over tmfifo, and not at its address ${a.address} within ${a.limit}.`,
      why: a.why,
      next: `Check the OOB cable and the DHCP lease, or take \`arm\` out of the inventory: then dpubot goes through the host. ${again(a.run)}`,
      state: 'changed',
    }),
  armLoginRefused: (a: { target: string; user: string; tried: readonly string[]; run: number }) =>
    make('arm-login-refused', 'needs-human', {
      what: `The Arm of ${a.target} refused the key and every password that dpubot may try for ${a.user} (${a.tried.length === 0 ? 'none known' : a.tried.join(', ')}).`,
      why: `${a.tried.includes('current') ? 'Somebody has changed its password and its authorized_keys since dpubot set them.' : 'The card was set up by hand, and its password is not known to dpubot.'} No more than two wrong tries are made in ten minutes.`,
      next: `Import the password with \`dpubot credentials import-arm SERIAL FILE\`, put dpubot's public key into authorized_keys, or write an image anew with \`/dpu reflash ${a.target} --image NAME --cancel ${a.run}\`, which erases it (see the runbook). ${again(a.run)}`,
    }),
  armLockedOut: (a: { target: string; why: string; image: string | undefined; run: number }) =>
    make('arm-locked-out', 'permanent', {
      what: `Nothing that dpubot has opens the Arm of ${a.target}.`,
      why: a.why,
      next: `Somebody may know its password: \`dpubot credentials import-arm SERIAL FILE\`, then \`/dpu resume ${a.run}\`. If nobody does, its system has to be written anew: \`/dpu reflash ${a.target} --image ${a.image ?? 'NAME'} --cancel ${a.run}\`. That erases all files on the Arm; the passwords of BMC and UEFI stay. The card runs as before: its SSH server answered and let nobody in. Nothing was changed on the Arm, only its tmfifo link on the host was set up for the tries.`,
    }),
  armLoginNeeded: (a: { target: string; what: string; why: string; image: string | undefined }) =>
    make('arm-login-needed', 'permanent', {
      what: `The ${a.what} of ${a.target} can be recovered over its Arm only, and there is no login there.`,
      why: a.why,
      next: `\`/dpu recover ${a.target} arm-password\` first. If that does not open the Arm, \`/dpu reflash ${a.target} --image ${a.image ?? 'NAME'}\` erases all files there, keeps BMC and UEFI passwords, and brings a login. Then give this command again. Nothing was changed.`,
    }),
  uefiCapsuleMissing: (a: { target: string }) =>
    make('uefi-capsule-missing', 'permanent', {
      what: `The system on the Arm of ${a.target} has no capsule EnrollKeysCap.`,
      why: 'There is no /lib/firmware/mellanox/boot/capsule/EnrollKeysCap; the package mlxbf-bootimages brings it.',
      next: 'Install the package on the Arm, or reflash the card with an image of NVIDIA; then give the command again. Nothing was changed.',
    }),
  uefiCapsuleRefused: (a: { target: string; said: string }) =>
    make('uefi-capsule-refused', 'permanent', {
      what: `bfrec did not hand the capsule to the UEFI of ${a.target}.`,
      why: a.said === '' ? 'It said nothing.' : `It said: ${a.said}`,
      next: 'Correct what it names (the EFI system partition, the firmware) and resume the run. The card was not reset, and the old UEFI password is valid.',
      state: 'unknown',
    }),
  armWrongMachine: (a: { target: string; machine: string; via: string }) =>
    make('arm-wrong-machine', 'permanent', {
      what: `What answers as the Arm of ${a.target} (${a.via}) is a machine of type ${a.machine}, not aarch64.`,
      why: "The address belongs to something else, or the two ends of the tmfifo link have each other's address.",
      next: `Correct the address of \`arm\` of ${a.target} in the inventory, or the addresses of the link. Nothing was changed there.`,
    }),
  tmfifoMissing: (a: { target: string; host: string; link: string; device: string }) =>
    make('tmfifo-missing', 'permanent', {
      what: `${a.host} has no link ${a.link}, which leads to ${a.target}.`,
      why: `The rshim driver makes it together with /dev/${a.device}; something else holds or has removed it.`,
      next: `Restart the driver on ${a.host} (\`systemctl restart rshim\`) and look with \`ip link\` and \`ip netns\`, then resume the run.`,
    }),
  /** `afterwards`: what makes sense once it is installed; default: resuming the run. */
  hostToolMissing: (a: { host: string; tool: string; need: string; package: string; afterwards?: string }) =>
    make('host-tool-missing', 'permanent', {
      what: `${a.host} has no ${a.tool}.`,
      why: `dpubot needs it ${a.need}.`,
      next: `Install the package "${a.package}" on ${a.host}, then ${a.afterwards ?? 'resume the run'}.`,
    }),
  armAccountMissing: (a: { target: string }) =>
    make('arm-account-missing', 'permanent', {
      what: `The profile of ${a.target} names no login on its Arm.`,
      why: 'Without `arm` in the profile dpubot has neither user nor key for it.',
      next: 'Add `arm: { key: NAME }` to the profile in the inventory. Nothing was sent to the card.',
    }),
  armPasswordNotOffered: (a: { target: string; offered: readonly string[] }) =>
    make('arm-password-not-offered', 'permanent', {
      what: `The Arm of ${a.target} lets nobody in over SSH with a password.`,
      why: `Its SSH server offers ${a.offered.length === 0 ? 'no way of logging in' : a.offered.join(', ')} only.`,
      next: "Log in at the card's serial console, or put dpubot's public key into authorized_keys. No password was sent.",
    }),
  armPasswordRefused: (a: { target: string; user: string; reason: string }) =>
    make('arm-password-refused', 'permanent', {
      what: `The Arm of ${a.target} demands a new password for ${a.user} and refused the one that dpubot gave.`,
      why: a.reason === '' ? 'It gave no reason.' : a.reason,
      next: `Log in to ${a.target} by hand as ${a.user}, change the password, and put dpubot's public key into authorized_keys; then resume the run. The old password is still valid.`,
    }),
  armLoginUnclear: (a: { target: string; said: string }) =>
    make('arm-login-unclear', 'permanent', {
      what: `The Arm of ${a.target} answered a login in a way that dpubot does not know.`,
      why: a.said === '' ? 'It said nothing.' : `It said: ${a.said}`,
      next: `Log in to ${a.target} by hand once and see what it asks; then resume the run.`,
      state: 'unknown',
    }),
  consoleBusy: (a: { target: string; host: string; device: string; by: string }) =>
    make('console-busy', 'transient', {
      what: `The serial console of ${a.target} (${a.device} on ${a.host}) is in use.`,
      why: `${a.by} has it open; two readers would each get a part of what the card says.`,
      next: `End it on ${a.host} (\`sudo fuser -v ${a.device}\` shows it), then resume the run.`,
    }),
  consoleSilent: (a: { target: string; device: string; timeoutMs: number; said: string }) =>
    make('console-silent', 'transient', {
      what: `The serial console of ${a.target} (${a.device}) did not say what dpubot waited for within ${limitText(a.timeoutMs)}.`,
      why:
        a.said === ''
          ? 'It said nothing at all: the card is off, hangs, or its OS has no console there.'
          : `It said last: ${a.said}`,
      next: `Look at it with \`sudo screen ${a.device} 115200\` on the host; then resume the run.`,
      state: 'unknown',
    }),
  bmcLanNoAddress: (a: { target: string; run: number }) =>
    make('bmc-lan-no-address', 'permanent', {
      what: `The BMC of ${a.target} has no IP address.`,
      why: 'Asked over the Arm it says 0.0.0.0: no DHCP server has given it a lease.',
      next: `Check the management cable and the DHCP server (vendor class NVIDIA/BF/BMC), or give it a static address. ${again(a.run)}`,
    }),
  modulesRejected: (a: { target: string; module: string; secureBoot: string; run: number }) =>
    make('modules-rejected', 'permanent', {
      what: `The kernel of the Arm of ${a.target} rejects the driver (${a.module}).`,
      why: `Key was rejected by service: the modules are not signed with a key it trusts, and Secure Boot is ${a.secureBoot} in the running boot.`,
      next: `Switch Secure Boot off (a new \`/dpu provision ${a.target}\` does), or use a signed image. ${again(a.run)} The card has no network driver now.`,
      state: 'changed',
    }),
  driverRestartFailed: (a: { target: string; failed: string; complaint: string; run: number }) =>
    make('driver-restart-failed', 'permanent', {
      what: `The driver of the Arm of ${a.target} did not restart: ${a.failed}.`,
      why: a.complaint === '' ? 'openibd gave no reason.' : a.complaint,
      next: `Log in to the card, end what uses the driver, and look at \`dmesg\`. ${again(a.run)}`,
      state: 'changed',
    }),
  versionsDiffer: (a: { target: string; differences: readonly string[]; run: number }) =>
    make('versions-differ', 'needs-human', {
      what: `${a.target} does not run what its profile names.`,
      why: a.differences.join('; '),
      next: `Follow the runbook: flash the card anew with \`--reflash\`, or correct image and driver in the inventory. ${again(a.run)}`,
    }),
  ntpNoDaemon: (a: { target: string }) =>
    make('ntp-no-daemon', 'permanent', {
      what: `Nothing keeps the clock of the Arm of ${a.target}.`,
      why: 'None of systemd-timesyncd, ntpsec and chrony runs there.',
      next: 'Install or start one of them on the card, or take `ntp` out of the profile; then resume the run.',
    }),
  linkNotFound: (a: { target: string; link: string; where: string }) =>
    make('link-not-found', 'permanent', {
      what: `${a.target} has no ${a.link} on ${a.where}.`,
      why: 'The driver has not made it: it is not loaded there, or the card is not in DPU mode.',
      next: 'Look at `ip link` and `dmesg` there, then resume the run.',
    }),
} as const;
