/** Live files that hosts and Arms share. */
import type { LiveFiles } from '../files/nodes.ts';

/** `/proc/uptime` for a machine that booted at a device time. */
export function uptimeText(nowMs: number, bootedAtMs: number, cpus: number): string {
  const seconds = Math.max(0, nowMs - bootedAtMs) / 1000;
  return `${seconds.toFixed(2)} ${(seconds * cpus * 0.98).toFixed(2)}\n`;
}

/** Live files by the first directory of a path; both parts for `/`. */
export function livePart(
  path: string,
  system: (files: LiveFiles) => void,
  rest: (files: LiveFiles) => void,
): LiveFiles {
  const files: LiveFiles = new Map();
  const inSystem = /^\/sys(\/|$)/.test(path);
  if (inSystem || path === '/') system(files);
  if (!inSystem) rest(files);
  return files;
}
