/** What the tests with real tools in network namespaces need of a machine: programs, root, and a kernel that lets them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { say, seconds } from './print.mjs';

/** Programs, and the Debian packages that bring them. */
const packageOf = {
  '/usr/sbin/sshd': 'openssh-server',
  '/usr/bin/sudo': 'sudo',
  '/usr/bin/iperf3': 'iperf3',
  '/usr/bin/dpdk-testpmd': 'dpdk-dev',
  '/usr/sbin/swanctl': 'strongswan-swanctl',
  '/usr/sbin/charon-systemd': 'charon-systemd',
  '/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so': 'libcharon-extra-plugins',
  '/usr/lib/ipsec/plugins/libstrongswan-openssl.so': 'libstrongswan-standard-plugins',
  '/usr/lib/ipsec/plugins/libstrongswan-curve25519.so': 'libstrongswan-extra-plugins',
  '/usr/bin/ovs-vsctl': 'openvswitch-switch',
  '/usr/bin/tcpdump': 'tcpdump',
  '/usr/sbin/ethtool': 'ethtool',
  '/bin/ping': 'iputils-ping',
  '/sbin/ip': 'iproute2',
};

/** Namespaces, a layer over the root, links, a tunnel device: what a kernel or a container may refuse. */
const probe = `
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay none -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mount -t sysfs none /mnt/root/sys
ip link add v0 type veth peer name v1
ip link add b0 type bridge
[ -c /dev/net/tun ] || { echo 'no /dev/net/tun' >&2; exit 1; }
`;

const installScript = `
set -e
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
apt='apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0'
$apt update >/dev/null
$apt install --no-install-recommends "$@" >/dev/null
`;

/**
 * Why these tests cannot run here, in one line; undefined: they can. As root on a Debian-like system it installs what is
 * missing, without starting any service.
 *
 * @returns {string | undefined}
 */
export function whyNoRack() {
  if (process.platform !== 'linux') return `network namespaces need Linux; this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'network namespaces need root: run it with sudo';
  if (missing().length > 0 && existsSync('/usr/bin/apt-get')) install(missing());
  if (missing().length > 0) return `not installed: ${missing().join(', ')} (packages of Debian)`;
  const tried = spawnSync('/usr/bin/unshare', ['-n', '-m', '-u', '-i', '-p', '-f', 'sh', '-c', probe], {
    encoding: 'utf8',
  });
  if (tried.status === 0) return undefined;
  const said = (tried.stderr ?? String(tried.error)).trim().split('\n').at(-1);
  return `namespaces, overlayfs, veth, bridges or tun are refused here: ${said}`;
}

/** @returns {readonly string[]} */
function missing() {
  return Object.entries(packageOf)
    .filter(([file]) => !existsSync(file))
    .map(([, name]) => name);
}

/** @param {readonly string[]} packages */
function install(packages) {
  const started = performance.now();
  say(`Installing the tools of the rack (apt-get: ${packages.join(' ')}) ...`);
  const argv = ['-c', installScript, 'sh', ...packages];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status } = spawnSync('sh', argv, { stdio: ['ignore', 'ignore', 'inherit'], env });
  if (status === 0) say(`Installed them in ${seconds(started)}.`);
}
