import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  cards,
  isCard,
  machineNames,
  managementAddress,
  type MachineName,
  partNumber,
  pciCard,
  users,
} from './layout.ts';

const stubs = fileURLToPath(new URL('../stubs', import.meta.url));
const boot = fileURLToPath(new URL('machine-boot.sh', import.meta.url));
const path = '/opt/rack/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Key of one machine's SSH server, in OpenSSH form. */
export interface HostKey {
  readonly private: string;
  readonly public: string;
}

/** Writes everything that is laid over the root of a machine before it starts. */
export function writeMachineFiles(folder: string, name: MachineName, subnet: string, key: HostKey): void {
  const role = isCard(name) ? 'card' : 'host';
  const write = (file: string, text: string, mode = 0o644): void => {
    const at = join(folder, file);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
    chmodSync(at, mode);
  };
  write('etc/hostname', `${name}\n`);
  const peers = machineNames.map((one) => `${managementAddress(subnet, one)} ${one}`);
  write('etc/hosts', ['127.0.0.1 localhost', ...peers, ''].join('\n'));
  write('etc/rack.env', environmentOf(name));
  write('etc/ssh/rack/host_key', key.private, 0o600);
  write('etc/ssh/rack/host_key.pub', `${key.public}\n`);
  write('etc/ssh/rack/authorized_keys', '');
  write('etc/ssh/sshd_config', sshdConfig(managementAddress(subnet, name)));
  write('etc/sudoers', `Defaults secure_path="${path}"\n${users[role]} ALL=(ALL) NOPASSWD: ALL\n`, 0o440);
  if (role === 'card') {
    write('etc/mlnx-release', 'bf-bundle-2.9.1-40_24.11_ubuntu-22.04_prod\n');
    write('etc/strongswan.d/charon/kernel-libipsec.conf', 'kernel-libipsec {\n  load = yes\n  allow_peer_ts = no\n}\n');
    write('etc/strongswan.d/zz-rack.conf', charonLog);
  }
  const bin = join(folder, 'opt/rack/bin');
  mkdirSync(bin, { recursive: true });
  for (const kind of ['both', role]) cpSync(join(stubs, kind), bin, { recursive: true });
  cpSync(boot, join(folder, 'opt/rack/boot.sh'));
  if (role === 'card') cpSync(join(stubs, 'units'), join(folder, 'opt/rack/units'), { recursive: true });
  for (const file of readdirSync(bin)) chmodSync(join(bin, file), 0o755);
}

/** Read by the stubs and at boot. */
function environmentOf(name: MachineName): string {
  const card = isCard(name) ? cards[name] : Object.values(cards).find(({ host }) => host === name);
  const role = isCard(name) ? 'card' : 'host';
  return [
    `ROLE=${role}`,
    `MACHINE_USER=${users[role]}`,
    `PCI_CARD=${pciCard[role]}`,
    `PART=${partNumber}`,
    `SERIAL=${card?.serial ?? ''}`,
    `UNITS=${role === 'card' ? '"openvswitch-switch strongswan"' : ''}`,
    '',
  ].join('\n');
}

/** The whole configuration of sshd; the stubs stand first on the PATH. */
function sshdConfig(address: string): string {
  return `Port 22
ListenAddress ${address}
HostKey /etc/ssh/rack/host_key
PidFile /run/sshd.pid
AuthorizedKeysFile /etc/ssh/rack/authorized_keys
UsePAM no
UseDNS no
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 200:30:400
PrintMotd no
PrintLastLog no
SetEnv PATH=${path}
Subsystem sftp internal-sftp
`;
}

const charonLog = `charon-systemd {
  filelog {
    rack {
      path = /run/charon.log
      default = 1
      knl = 2
      cfg = 1
      flush_line = yes
      time_format = %T
    }
  }
}
`;
