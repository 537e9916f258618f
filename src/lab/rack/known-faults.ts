/**
 * Every fault of the rack as data: what one sees, whom it hits, how it ends by itself.
 *
 * Source: the documented failures of BlueField-3 in NICo issues, OobUpdate, rshim-user-space, bfb-build, libredfish and
 * doca-platform, as the field guide numbers them in its list of failures; see each text.
 */

export interface KnownFault {
  /** The part of the rack that it belongs to. */
  group: FaultGroup;
  /** What is wrong and what one sees of it. */
  text: string;
  /** Item of the field guide's list of failures, if it is one of them. */
  guide: number | undefined;
  /** Uses when the caller names none; null = until cleared. What happens at once has one. */
  defaultUses: number | null;
  /** What it hits: a card (a host's name stands for its cards), a host, or whichever is named. */
  scope: 'card' | 'host' | 'any';
}

/** Groups in the order in which people read them. */
export const faultGroups = [
  'locked out',
  'BMC and Redfish',
  'updates through the BMC',
  'rshim and flashing',
  'boot and Secure Boot',
  'mode, firmware and slot',
  'Arm and its console',
  'data path and benches',
  'hosts and networks',
] as const;
export type FaultGroup = (typeof faultGroups)[number];

type Describe = (
  guide: number | undefined,
  defaultUses: number | null,
  text: string,
  scope?: KnownFault['scope'],
) => KnownFault;

function faultsOf(group: FaultGroup): Describe {
  return (guide, defaultUses, text, scope = 'card') => ({ group, text, guide, defaultUses, scope });
}

const lockOut = faultsOf('locked out');
const bmc = faultsOf('BMC and Redfish');
const update = faultsOf('updates through the BMC');
const flash = faultsOf('rshim and flashing');
const boot = faultsOf('boot and Secure Boot');
const firmware = faultsOf('mode, firmware and slot');
const arm = faultsOf('Arm and its console');
const traffic = faultsOf('data path and benches');
const network = faultsOf('hosts and networks');

const none = undefined;

/** Every fault the rack knows. Names never change. */
export const knownFaults = {
  'bmc-locked': lockOut(8, 1, 'The root account of the BMC is locked: 401 for every login for one lock-out window.'),
  'bmc-password-factory': lockOut(
    7,
    1,
    'Somebody reset the BMC: root has 0penBmc again, and 403 PasswordChangeRequired answers whatever else is asked.',
  ),
  'bmc-password-too-long': lockOut(
    9,
    null,
    'Somebody set a password of 18 bytes with ipmitool, which said successful: 401 for every login until another is set.',
  ),
  'bmc-password-wrong': lockOut(
    none,
    null,
    'Somebody changed the BMC root password: 401 until cleared or until a new one is set over IPMI or a factory reset.',
  ),
  'arm-password-lost': lockOut(
    none,
    1,
    'Somebody changed the password of user ubuntu and emptied authorized_keys: SSH says Permission denied, the console Login incorrect.',
  ),
  'arm-key-lost': lockOut(none, 1, 'The authorized_keys of user ubuntu are empty; its password is what it was.'),
  'uefi-password-lost': lockOut(
    none,
    1,
    'Somebody set another UEFI password: a change over Redfish with the wrong CurrentUefiPassword is silently dropped at the second boot.',
  ),
  'nic-mode': lockOut(
    none,
    1,
    'The card runs in NIC mode: the Arm stops in UEFI, its console is silent, DPU_OS and DPU_NIC have empty versions.',
  ),
  'rshim-stuck': lockOut(
    none,
    null,
    'The rshim service runs and /dev/rshim0 is there, but each open says Device or resource busy until the service is restarted.',
  ),

  'bmcweb-late': bmc(
    16,
    1,
    'After a BMC reset or power-on, Redfish answers a minute later than usual (503 meanwhile), after UEFI asked for its settings.',
  ),
  'oem-timeout': bmc(18, null, 'GET Systems/Bluefield/Oem/Nvidia never answers (BF-24.04-5 in NIC mode).'),
  'redfish-503': bmc(none, 1, 'The BMC answers 503 ServiceTemporarilyUnavailable.'),
  'redfish-401': bmc(
    none,
    1,
    'The BMC answers 401 to right credentials without counting it, as shortly after a reset.',
  ),
  'redfish-drop-reply': bmc(none, 1, 'The BMC does what was asked and the connection breaks before the reply.'),
  'redfish-hang': bmc(none, 1, 'The BMC takes a request and never answers it.'),
  'redfish-wrong-json': bmc(none, 1, 'The BMC answers 200 with a body that is not JSON.'),
  'redfish-truncated': bmc(none, 1, 'The connection breaks in the middle of a reply body.'),
  'bmc-cert-changed': bmc(none, null, 'The BMC shows another TLS certificate.'),
  'serial-mismatch': bmc(none, null, 'The BMC reports the serial number of another card.'),
  'bios-get-500': bmc(
    19,
    null,
    'GET Bios of a card in NIC mode answers 500 with the resource still in the body (BMC before 24.07-14).',
  ),
  'atx-power-missing': bmc(
    none,
    null,
    'The 12 V cable is not plugged in: the SEL has a warning about 12V_ATX and the sensor reads almost nothing.',
  ),

  'invalid-fw-package': update(14, 1, 'A SimpleUpdate ends with Invalid FW Package.'),
  'update-in-progress': update(
    12,
    1,
    'Somebody else updates through the BMC: SimpleUpdate answers 400 UpdateInProgress.',
  ),
  'transfer-unknown-host': update(
    13,
    1,
    'The BMC cannot reach the image server: TransferFailed with Unknown Host, then Invalid FW Package.',
  ),
  'bmc-restarts-in-transfer': update(
    15,
    1,
    'The BMC restarts in the middle of a transfer: the task is 404 afterwards, the Arm waits for the rest of its image.',
  ),
  'task-gone': update(
    15,
    1,
    'The BMC restarts just after a transfer has ended: the task is 404 while the Arm installs.',
  ),

  'rshim-missing': flash(1, null, 'The host has no /dev/rshim0: the BMC owns it.'),
  'rshim-at-bmc': flash(1, 1, 'Somebody switched BMC rshim on: the BMC drives the card, the host gets no device.'),
  'push-dies': flash(
    2,
    1,
    'The boot stream of bfb-install stops at two fifths and fails with Connection timed out (ETIMEDOUT).',
  ),
  'installer-no-target': flash(
    3,
    1,
    'The installer finds no disk: ERR[MISC] Failed to access target device, Installation failed; bfb-install still exits with 0.',
  ),
  'installer-critical': flash(
    4,
    1,
    'The installer stops with CRITICAL ERROR half-way, the old system is gone; bfb-install still exits with 0.',
  ),
  'vlan4040-down': flash(
    5,
    null,
    'The installer cannot reach the BMC: Failed to create VLAN; BMC components are left as they are.',
  ),
  'bmc-token-failure': flash(
    6,
    null,
    'The installer gets no token from the BMC: Failed to get BMC token. Check BMC user/password.',
  ),

  'secureboot-fields-missing': boot(
    10,
    1,
    'The SecureBoot resource lacks its three fields; each Arm boot uses this up once.',
  ),
  'secureboot-reverts': boot(
    11,
    1,
    'A wanted Secure Boot change is lost at the next Arm boot: SecureBootEnable flips back, CurrentBoot never changes.',
  ),
  'secureboot-back-after-flash': boot(none, 1, 'After the installation Secure Boot is on again.'),
  'arm-boot-stuck': boot(none, 1, 'The Arm side hangs in UEFI at its next boot and never reaches OsIsRunning.'),
  'uefi-shell-after-flash': boot(
    32,
    1,
    'After the installation the Arm comes up in the UEFI shell: PowerState Paused, a reset of type On is ignored.',
  ),
  'secureboot-one-boot': boot(
    11,
    1,
    'A change of Secure Boot holds for one boot only, as one made in the UEFI menu: the boot after it takes it back.',
  ),
  'uefi-shell-at-boot': boot(
    32,
    1,
    'The next Arm boot ends in the UEFI shell: PowerState Paused, a reset of type On is ignored.',
  ),

  'pcie-downgraded': firmware(21, null, 'The card trained at 8 GT/s: lspci says (downgraded).'),
  'controller-sku': firmware(23, null, 'The card is a B3220SH storage controller, not a DPU.'),
  'firmware-wedged': firmware(20, 1, 'flint and mlxconfig say FwInit has failed! until the card loses its power.'),
  'mode-unchanged': firmware(17, null, 'A queued mode is not taken at a power cycle.'),
  'link-down': firmware(none, null, 'The cables are out: no carrier on host and Arm, mlxlink says Polling.'),

  'tmfifo-no-ip': arm(30, null, 'The Arm has no address on tmfifo_net0.'),
  'tmfifo-reversed': arm(30, null, 'The addresses of tmfifo are reversed: the Arm is 192.168.100.1.'),
  'console-stolen': arm(31, null, 'Somebody else reads the console too: every third byte is missing.'),
  'arm-password-expired': arm(
    29,
    1,
    'An administrator expired the password of user ubuntu: each login meets the forced change first, after which SSH closes the connection.',
  ),

  'crypto-less-no-offload': traffic(
    22,
    null,
    'The card is one without crypto engines: HW offload is not supported by device p0, and the Arm has no aes in its flags.',
  ),
  'hw-offload-refused': traffic(
    24,
    null,
    'The driver refuses every SA for the hardware: mlx5_core: Device failed to offload this state (22).',
  ),
  'ipsec-auto-fallback': traffic(
    25,
    null,
    'The strongSwan of the image takes each hw_offload for auto and falls back: SAs are installed in mode crypto, and nothing says so.',
  ),
  'ovs-not-restarted': traffic(
    26,
    1,
    'Somebody set hw-offload of Open vSwitch and did not restart it: the setting says true, no flow is offloaded.',
  ),
  'iperf3-busy': traffic(
    27,
    null,
    'Somebody else measures with the iperf3 servers of this host: the server is busy running a test. try again later.',
    'host',
  ),
  'rx-nombuf': traffic(
    28,
    null,
    'The mbuf pool of testpmd on this host runs dry: RX-nombuf rises, and a fifth of what arrives is lost.',
    'host',
  ),

  'ssh-drop': network(
    none,
    1,
    'The SSH connection breaks in the middle of a command, after it was carried out.',
    'any',
  ),
  'ssh-hang': network(none, 1, 'A command over SSH starts and never says anything.', 'any'),
  'ssh-refuse': network(none, null, 'SSH connections are refused.', 'any'),
  'ssh-hostkey-changed': network(none, null, 'The SSH server shows another host key.', 'any'),
  'sudo-password': network(none, null, 'sudo on the host asks for a password.', 'host'),
  'disk-full': network(none, null, 'No space is left on the disk of the host.', 'host'),
  'dpkg-lock': network(none, null, 'unattended-upgrades holds the lock of dpkg.', 'host'),
  'dpkg-interrupted': network(
    none,
    1,
    'A package installation was interrupted: dpkg --configure -a is needed.',
    'host',
  ),
  'modules-rejected': network(none, null, 'The kernel rejects the mlx5 modules: openibd says [FAILED].', 'any'),
  'internet-unreachable': network(none, null, 'Names of the internet cannot be resolved.', 'any'),
  'download-breaks': network(none, 1, 'A download stops half-way (curl exit code 28).', 'any'),
  'link-lost': network(
    none,
    null,
    'The link to the host is gone for a minute: SSH connections break, new ones are refused.',
    'host',
  ),
} satisfies Record<string, KnownFault>;

export type FaultName = keyof typeof knownFaults;
