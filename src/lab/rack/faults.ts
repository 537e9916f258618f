/**
 * Failure injection: named rules with a use count, each matching a documented symptom.
 *
 * Source: field notes collected in NICo issues, OobUpdate, rshim-user-space, libredfish; see each text.
 */

/** How a fault ends by itself: after a number of uses, or never (null). */
interface KnownFault {
  text: string;
  /** Uses when the caller names none; null = until cleared. */
  defaultUses: number | null;
  /** What it hits: a card (a host's name stands for its cards), a host, or whichever is named. */
  scope: 'card' | 'host' | 'any';
}

/** Every fault the rack knows. Names never change. */
const knownFaults = {
  'bmc-locked': {
    text: 'The root account of the BMC is locked: 401 for every login for one lock-out window.',
    defaultUses: 1,
    scope: 'card',
  },
  'secureboot-fields-missing': {
    text: 'The SecureBoot resource lacks its three fields; each Arm boot uses this up once.',
    defaultUses: 1,
    scope: 'card',
  },
  'secureboot-reverts': {
    text: 'A wanted Secure Boot change is lost at the next Arm boot: SecureBootEnable flips back, CurrentBoot never changes.',
    defaultUses: 1,
    scope: 'card',
  },
  'bmcweb-late': {
    text: 'After a BMC reset or power-on, Redfish answers a minute later than usual (503 meanwhile), after UEFI asked for its settings.',
    defaultUses: 1,
    scope: 'card',
  },
  'oem-timeout': {
    text: 'GET Systems/Bluefield/Oem/Nvidia never answers (BF-24.04-5 in NIC mode).',
    defaultUses: null,
    scope: 'card',
  },
  'pcie-downgraded': { text: 'The card trained at 8 GT/s: lspci says (downgraded).', defaultUses: null, scope: 'card' },
  'controller-sku': { text: 'The card is a B3220SH storage controller, not a DPU.', defaultUses: null, scope: 'card' },
  'redfish-503': { text: 'The BMC answers 503 ServiceTemporarilyUnavailable.', defaultUses: 1, scope: 'card' },
  'redfish-401': {
    text: 'The BMC answers 401 to right credentials without counting it, as shortly after a reset.',
    defaultUses: 1,
    scope: 'card',
  },
  'redfish-drop-reply': {
    text: 'The BMC does what was asked and the connection breaks before the reply.',
    defaultUses: 1,
    scope: 'card',
  },
  'redfish-hang': { text: 'The BMC takes a request and never answers it.', defaultUses: 1, scope: 'card' },
  'redfish-wrong-json': { text: 'The BMC answers 200 with a body that is not JSON.', defaultUses: 1, scope: 'card' },
  'redfish-truncated': { text: 'The connection breaks in the middle of a reply body.', defaultUses: 1, scope: 'card' },
  'bmc-cert-changed': { text: 'The BMC shows another TLS certificate.', defaultUses: null, scope: 'card' },
  'bmc-password-wrong': { text: 'Somebody changed the BMC root password.', defaultUses: null, scope: 'card' },
  'serial-mismatch': { text: 'The BMC reports the serial number of another card.', defaultUses: null, scope: 'card' },
  'arm-boot-stuck': {
    text: 'The Arm side hangs in UEFI at its next boot and never reaches OsIsRunning.',
    defaultUses: 1,
    scope: 'card',
  },
  'ssh-drop': {
    text: 'The SSH connection breaks in the middle of a command, after it was carried out.',
    defaultUses: 1,
    scope: 'any',
  },
  'ssh-hang': { text: 'A command over SSH starts and never says anything.', defaultUses: 1, scope: 'any' },
  'ssh-refuse': { text: 'SSH connections are refused.', defaultUses: null, scope: 'any' },
  'ssh-hostkey-changed': { text: 'The SSH server shows another host key.', defaultUses: null, scope: 'any' },
  'sudo-password': { text: 'sudo on the host asks for a password.', defaultUses: null, scope: 'host' },
  'push-dies': {
    text: 'The boot stream of bfb-install stops at two fifths and fails with Connection timed out (ETIMEDOUT).',
    defaultUses: 1,
    scope: 'card',
  },
  'installer-no-target': {
    text: 'The installer finds no disk: ERR[MISC] Failed to access target device, Installation failed; bfb-install still exits with 0.',
    defaultUses: 1,
    scope: 'card',
  },
  'installer-critical': {
    text: 'The installer stops with CRITICAL ERROR half-way, the old system is gone; bfb-install still exits with 0.',
    defaultUses: 1,
    scope: 'card',
  },
  'uefi-shell-after-flash': {
    text: 'After the installation the Arm comes up in the UEFI shell: PowerState Paused, a reset of type On is ignored.',
    defaultUses: 1,
    scope: 'card',
  },
  'secureboot-back-after-flash': {
    text: 'After the installation Secure Boot is on again.',
    defaultUses: 1,
    scope: 'card',
  },
  'firmware-wedged': {
    text: 'flint and mlxconfig say FwInit has failed! until the card loses its power.',
    defaultUses: 1,
    scope: 'card',
  },
  'mode-unchanged': {
    text: 'A queued mode is not taken at a power cycle.',
    defaultUses: null,
    scope: 'card',
  },
  'vlan4040-down': {
    text: 'The installer cannot reach the BMC: Failed to create VLAN; BMC components are left as they are.',
    defaultUses: null,
    scope: 'card',
  },
  'bmc-token-failure': {
    text: 'The installer gets no token from the BMC: Failed to get BMC token. Check BMC user/password.',
    defaultUses: null,
    scope: 'card',
  },
  'invalid-fw-package': {
    text: 'A SimpleUpdate ends with Invalid FW Package.',
    defaultUses: 1,
    scope: 'card',
  },
  'tmfifo-no-ip': {
    text: 'The Arm has no address on tmfifo_net0.',
    defaultUses: null,
    scope: 'card',
  },
  'tmfifo-reversed': {
    text: 'The addresses of tmfifo are reversed: the Arm is 192.168.100.1.',
    defaultUses: null,
    scope: 'card',
  },
  'console-stolen': {
    text: 'Somebody else reads the console too: every third byte is missing.',
    defaultUses: null,
    scope: 'card',
  },
  'disk-full': {
    text: 'No space is left on the disk of the host.',
    defaultUses: null,
    scope: 'host',
  },
  'dpkg-lock': {
    text: 'unattended-upgrades holds the lock of dpkg.',
    defaultUses: null,
    scope: 'host',
  },
  'dpkg-interrupted': {
    text: 'A package installation was interrupted: dpkg --configure -a is needed.',
    defaultUses: 1,
    scope: 'host',
  },
  'modules-rejected': {
    text: 'The kernel rejects the mlx5 modules: openibd says [FAILED].',
    defaultUses: null,
    scope: 'any',
  },
  'internet-unreachable': {
    text: 'Names of the internet cannot be resolved.',
    defaultUses: null,
    scope: 'any',
  },
  'download-breaks': {
    text: 'A download stops half-way (curl exit code 28).',
    defaultUses: 1,
    scope: 'any',
  },
  'link-lost': {
    text: 'The link to the host is gone for a minute: SSH connections break, new ones are refused.',
    defaultUses: null,
    scope: 'host',
  },
  'rshim-at-bmc': {
    text: 'Somebody switched BMC rshim on: the BMC drives the card, the host gets no device.',
    defaultUses: 1,
    scope: 'card',
  },
  'rshim-missing': { text: 'The host has no /dev/rshim0: the BMC owns it.', defaultUses: null, scope: 'card' },
} satisfies Record<string, KnownFault>;

export type FaultName = keyof typeof knownFaults;

/** One active rule. `target` null means every card or host. */
export interface FaultRule {
  name: FaultName;
  target: string | null;
  usesLeft: number | null;
}

/** What a fault hits. */
export function faultScope(name: FaultName): KnownFault['scope'] {
  return knownFaults[name].scope;
}

/** A known fault with what is active of it. */
export interface FaultInfo {
  name: FaultName;
  text: string;
  active: { target: string | null; usesLeft: number | null }[];
}

/** Is there a fault of that name? */
export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(knownFaults, name);
}

/** Add a rule, replacing one with the same name and target. */
export function addFault(rules: FaultRule[], name: string, options: { target?: string; uses?: number }): FaultRule {
  if (!isFaultName(name)) throw new Error(`Unknown fault "${name}". Known: ${Object.keys(knownFaults).join(', ')}.`);
  if (options.uses !== undefined && (!Number.isInteger(options.uses) || options.uses < 1)) {
    throw new Error(`The use count of fault "${name}" must be a whole number of at least 1.`);
  }
  const target = options.target ?? null;
  const rule: FaultRule = { name, target, usesLeft: options.uses ?? knownFaults[name].defaultUses };
  const index = rules.findIndex((each) => each.name === name && each.target === target);
  if (index === -1) rules.push(rule);
  else rules[index] = rule;
  return rule;
}

/** Remove all rules of that name, or the one for a target; says how many there were. */
export function removeFault(rules: FaultRule[], name: string, target?: string): number {
  if (!isFaultName(name)) throw new Error(`Unknown fault "${name}".`);
  const before = rules.length;
  for (let index = rules.length - 1; index >= 0; index -= 1) {
    const rule = rules[index];
    if (rule?.name === name && (target === undefined || rule.target === target)) rules.splice(index, 1);
  }
  return before - rules.length;
}

/** The rule that hits one of these targets, if any; does not use it up. */
export function findFault(rules: FaultRule[], name: FaultName, targets: string[]): FaultRule | undefined {
  return rules.find((rule) => rule.name === name && (rule.target === null || targets.includes(rule.target)));
}

/** Like `findFault`, and uses it up once. */
export function useFault(rules: FaultRule[], name: FaultName, targets: string[]): boolean {
  const rule = findFault(rules, name, targets);
  if (rule === undefined) return false;
  if (rule.usesLeft !== null) {
    rule.usesLeft -= 1;
    if (rule.usesLeft <= 0) rules.splice(rules.indexOf(rule), 1);
  }
  return true;
}

/** All known faults, with what is active. */
export function describeFaults(rules: FaultRule[]): FaultInfo[] {
  return Object.entries(knownFaults).flatMap(([name, known]) =>
    isFaultName(name)
      ? [
          {
            name,
            text: known.text,
            active: rules.filter((rule) => rule.name === name).map(({ target, usesLeft }) => ({ target, usesLeft })),
          },
        ]
      : [],
  );
}
