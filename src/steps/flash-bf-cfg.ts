import { imageMarkerPath } from '../facts/card-image.ts';

/** A public key without its comment: it stands in shell and YAML. */
const publicKeyPattern = /^((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3})(?: .*)?$/;
/** What the installer's own scripts pass through the shell without quotes. */
export const shellSafePassword = /^[A-Za-z0-9!#%+,\-./:=@_~^]{8,20}$/;

/** What goes into a bf.cfg. */
export interface FlashConfig {
  readonly image: { readonly name: string; readonly sha256: string };
  readonly runId: number;
  readonly serial: string;
  readonly user: string;
  readonly passwordHash: string;
  readonly publicKey: string;
  readonly hostname?: string | undefined;
  /** Given when the image may also bring firmware for BMC and CEC. */
  readonly bmcPassword?: string | undefined;
}

/** On tmpfs: a restart of the host leaves nothing of it. */
export function configPath(serial: string): string {
  return `/run/dpubot/${checked(serial, /^[A-Za-z0-9]{1,40}$/, 'serial number')}.cfg`;
}

/**
 * The text of a bf.cfg: a piece of shell that the installer on the card reads after `bash -n`. Source: NVIDIA BlueField
 * docs ("Customizing BlueField Software Deployment"); Mellanox bfb-build, install.env; bf-release, cloud-init seed.
 */
export function renderBfCfg(config: FlashConfig): string {
  const hash = checked(config.passwordHash, /^\$6\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}$/, 'password hash');
  return [
    `ubuntu_PASSWORD='${hash}'`,
    'UPDATE_DPU_OS=yes',
    'UPDATE_ATF_UEFI=yes',
    'WITH_NIC_FW_UPDATE=yes',
    'NIC_FW_RESET=no',
    ...bmcLines(config.bmcPassword),
    '',
    ...modifyHook(config),
    '',
  ].join('\n');
}

function bmcLines(password: string | undefined): readonly string[] {
  const parts = ['BMC_FW', 'CEC_FW', 'DPU_GOLDEN_IMAGE', 'NIC_FW_GOLDEN_IMAGE', 'CERTIFICATES'];
  if (password === undefined) return parts.map((part) => `UPDATE_${part}=no`);
  const quoted = checked(password, shellSafePassword, 'BMC password');
  return [
    ...parts.map((part) => `UPDATE_${part}=yes`),
    `BMC_USER='root'`,
    `BMC_PASSWORD='${quoted}'`,
    'BMC_REBOOT=yes',
  ];
}

/**
 * The hook that runs with the new root mounted at /mnt. The user may be made only at the first boot, by cloud-init: the key
 * goes into its seed as well, and into the home directory where the image has the user already. The installer itself runs
 * on an initramfs whose busybox has no chown.
 */
function modifyHook(config: FlashConfig): readonly string[] {
  const user = checked(config.user, /^[a-z_][a-z0-9_-]{0,31}$/, 'user');
  const key = checked(publicKeyPattern.exec(config.publicKey.trim())?.[1] ?? '', /^\S+ \S+$/, 'public key');
  const marker = JSON.stringify({
    image: checked(config.image.name, /^[a-z0-9.-]{1,63}$/, 'image name'),
    sha256: checked(config.image.sha256, /^[0-9a-f]{64}$/, 'image hash'),
    runId: config.runId,
    serial: checked(config.serial, /^[A-Za-z0-9]{1,40}$/, 'serial number'),
  });
  return [
    'bfb_modify_os()',
    '{',
    `  printf '%s\\n' '${marker}' >/mnt${imageMarkerPath}`,
    `  chmod 644 /mnt${imageMarkerPath}`,
    ...hostnameLines(config.hostname),
    `  dpubot_key='${key}'`,
    '  dpubot_seed=/mnt/var/lib/cloud/seed/nocloud-net/user-data',
    '  if [ -f "$dpubot_seed" ]; then',
    `    sed -i "s|^  - name: ${user}\\$|&\\n    ssh_authorized_keys:\\n      - $dpubot_key|" "$dpubot_seed"`,
    '  fi',
    `  dpubot_owner=$(sed -n 's/^${user}:[^:]*:\\([0-9]*\\):\\([0-9]*\\):.*/\\1:\\2/p' /mnt/etc/passwd)`,
    '  if [ -n "$dpubot_owner" ]; then',
    `    mkdir -p /mnt/home/${user}/.ssh`,
    `    printf '%s\\n' "$dpubot_key" >/mnt/home/${user}/.ssh/authorized_keys`,
    `    chmod 700 /mnt/home/${user}/.ssh`,
    `    chmod 600 /mnt/home/${user}/.ssh/authorized_keys`,
    `    chroot /mnt /bin/chown "$dpubot_owner" /home/${user} /home/${user}/.ssh /home/${user}/.ssh/authorized_keys`,
    '  fi',
    '}',
  ];
}

function hostnameLines(hostname: string | undefined): readonly string[] {
  if (hostname === undefined) return [];
  const name = checked(hostname, /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'hostname');
  return [
    `  printf '%s\\n' '${name}' >/mnt/etc/hostname`,
    `  printf '127.0.1.1 %s\\n' '${name}' >>/mnt/etc/hosts`,
    '  mkdir -p /mnt/etc/cloud/cloud.cfg.d',
    `  printf 'preserve_hostname: true\\n' >/mnt/etc/cloud/cloud.cfg.d/99-dpubot.cfg`,
  ];
}

/** Nothing gets into the shell of the installer that does not look as it is meant to. */
function checked(value: string, pattern: RegExp, what: string): string {
  if (!pattern.test(value)) throw new RangeError(`bf.cfg: the ${what} has characters that are not allowed`);
  return value;
}
