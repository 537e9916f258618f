/** Live files that hosts and Arms share. */
import type { LiveFiles } from '../files/nodes.ts';
import type { Machine } from '../shell/types.ts';
import type { Rack } from '../state.ts';
import { netdevs } from './net.ts';

/** `/proc/uptime` for a machine that booted at a device time. */
export function uptimeText(nowMs: number, bootedAtMs: number, cpus: number): string {
  const seconds = Math.max(0, nowMs - bootedAtMs) / 1000;
  return `${seconds.toFixed(2)} ${(seconds * cpus * 0.98).toFixed(2)}\n`;
}

/** `/sys/class/net/*` of a machine. */
export function netFiles(rack: Rack, machine: Machine, files: LiveFiles): void {
  for (const netdev of netdevs(rack, machine)) {
    const folder = `/sys/class/net/${netdev.name}`;
    files.set(`${folder}/address`, { text: `${netdev.mac}\n` });
    files.set(`${folder}/mtu`, { text: `${netdev.mtu}\n` });
    files.set(`${folder}/operstate`, { text: netdev.carrier ? 'up\n' : 'down\n' });
    files.set(`${folder}/carrier`, { text: netdev.carrier ? '1\n' : '0\n' });
    files.set(`${folder}/speed`, { text: netdev.carrier ? `${netdev.speedMbps}\n` : '-1\n' });
    if (netdev.pci === null) continue;
    const pciName = netdev.pci;
    files.set(`${folder}/device/uevent`, { text: `DRIVER=mlx5_core\nPCI_SLOT_NAME=${pciName}\n` });
  }
}
