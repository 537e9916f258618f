/** What a package does when it is configured: services start, modules are built. */
import type { Frame } from '../shell/types.ts';
import { startRshimService } from '../rshim/service.ts';

function noHeaders(kernel: string): string {
  return (
    `Building initial module for ${kernel}\n` +
    `Error! Your kernel headers for kernel ${kernel} cannot be found at /lib/modules/${kernel}/build or /lib/modules/${kernel}/source.\n` +
    `Please install the linux-headers-${kernel} package or use the --kernelsourcedir option to tell DKMS where it's located.\n`
  );
}

/** Apply it; gives the text of a failure, or null. */
export function afterInstall(frame: Frame, name: string, version: string): string | null {
  const { host, files } = frame.machine;
  const root = { user: 'root', root: true };
  if (host === null) return null;
  if (name.startsWith('linux-headers-')) {
    const kernel = name.slice('linux-headers-'.length);
    if (files.find(`/lib/modules/${kernel}/build`) === null && kernel !== 'generic') {
      if (files.find(`/usr/src/${name}`) === null) files.makeDirectory(`/usr/src/${name}`, root);
      files.write(`/usr/src/${name}/Makefile`, '# SPDX-License-Identifier: GPL-2.0\n', root);
      files.link(`/usr/src/${name}`, `/lib/modules/${kernel}/build`, root);
    }
  }
  if (name === 'mlnx-ofed-kernel-dkms') {
    if (files.find(`/lib/modules/${host.hardware.kernel}/build`) === null) return noHeaders(host.hardware.kernel);
    const [, year = '', build = ''] = /OFED\.(\d+\.\d+)\.(\d+\.\d+\.\d+)/.exec(version) ?? [];
    host.driver.installed = `${year}-${build}`;
  }
  if (name === 'mlnx-ofed-kernel-utils' && files.find('/etc/init.d/openibd') === null) {
    files.write('/etc/init.d/openibd', '#!/bin/bash\n', root, { mode: 0o755 });
  }
  if (name === 'mlnx-dpdk') {
    for (const path of ['/opt/mellanox', '/opt/mellanox/dpdk', '/opt/mellanox/dpdk/bin'])
      if (files.find(path) === null) files.makeDirectory(path, root);
    files.write('/opt/mellanox/dpdk/bin/dpdk-testpmd', '\u007fELF', root, { mode: 0o755 });
  }
  if (name === 'rshim') startRshimService(frame.rack, host);
  return null;
}
