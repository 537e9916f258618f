import type { Run } from './run.ts';
import { hostsOf } from './run.ts';

/**
 * What people call a unit of a run: its host, or the pair with both its hosts, "wire1 (as7 and as8)". A name that the run
 * does not know comes back as it is.
 */
export function unitName(run: Pick<Run, 'units' | 'slices'>, unit: string): string {
  const record = run.units[unit];
  if (record?.hosts === undefined) return unit;
  const hosts = hostsOf(record);
  const pair = run.slices[hosts[0] ?? '']?.pair?.name;
  return pair === undefined ? hosts.join(' and ') : `${pair} (${hosts.join(' and ')})`;
}
