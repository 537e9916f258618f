import type { Inventory } from './inventory.ts';
import type { Run } from './run.ts';
import type { MaintenanceWindow } from './windows.ts';
import { isOpen, nextOpening, openTogether } from './windows.ts';

/** The windows that count for a host, and whose they are: those of its rack, or else those of its site. */
export function windowsOf(
  inventory: Inventory,
  host: string,
): { readonly owner: string; readonly windows: readonly MaintenanceWindow[] } {
  const entry = inventory.hosts[host];
  const rack = entry && inventory.racks[entry.rack];
  if (entry && rack && rack.windows.length > 0) return { owner: entry.rack, windows: rack.windows };
  const site = entry?.site ?? '';
  return { owner: `site ${site}`, windows: inventory.sites[site]?.windows ?? [] };
}

/** A host that waits for its window, or two that wait until both are open. */
export interface ClosedWindow {
  /** Whose windows they are, each once. */
  readonly owners: readonly string[];
  /** When all of them are open; undefined when that is not so within two weeks. */
  readonly opensAtMs: number | undefined;
}

/**
 * The window for which these hosts have to wait together: of a pair, both must be open. Undefined = they may be changed
 * now.
 */
export function closedWindow(inventory: Inventory, hosts: readonly string[], nowMs: number): ClosedWindow | undefined {
  const owned = hosts.map((host) => windowsOf(inventory, host)).filter(({ windows }) => windows.length > 0);
  const lists = owned.map(({ windows }) => windows);
  if (lists.every((windows) => isOpen(windows, nowMs))) return undefined;
  return { owners: [...new Set(owned.map(({ owner }) => owner))], opensAtMs: nextOpening(lists, nowMs) };
}

/**
 * For how long the work on these hosts could have begun by now: since the approval, or the start that was asked for when that
 * is later, counted only while their windows were open.
 */
export function couldHaveBegunMs(
  run: Pick<Run, 'startAtMs' | 'outsideWindow'>,
  inventory: Inventory,
  hosts: readonly string[],
  approvedAtMs: number,
  nowMs: number,
): number {
  const fromMs = Math.max(approvedAtMs, run.startAtMs ?? 0);
  if (run.outsideWindow) return nowMs - fromMs;
  const lists = hosts.map((host) => windowsOf(inventory, host).windows);
  return openTogether(lists, fromMs, nowMs).reduce((sum, span) => sum + span.toMs - span.fromMs, 0);
}
