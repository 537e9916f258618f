import { distance } from 'fastest-levenshtein';
import type { Inventory } from './inventory.ts';

/** One unit of work: a host and those of its DPUs that were named, in the order of the inventory. */
export interface TargetUnit {
  readonly host: string;
  readonly dpus: readonly string[];
}

export type TargetKind = 'rack' | 'host' | 'dpu';

/** What a word means. `empty` is an error of its own: an empty selection never means "all". */
export type TargetResult =
  | { readonly ok: true; readonly what: TargetKind; readonly name: string; readonly units: readonly TargetUnit[] }
  | { readonly ok: false; readonly reason: 'unknown'; readonly suggestion?: string }
  | { readonly ok: false; readonly reason: 'empty' };

/**
 * Finds the rack, host or DPU that a word names. Case and surrounding blanks do not matter. Names are unique over all
 * three kinds (checked when the inventory is loaded), so the order of looking does not matter either.
 */
export function resolveTargets(inventory: Inventory, word: string): TargetResult {
  const name = word.trim().toLowerCase();
  if (name === '') return { ok: false, reason: 'empty' };
  const hosts = Object.entries(inventory.hosts);
  const inRack = hosts.filter(([, entry]) => entry.rack === name);
  if (inRack.length > 0)
    return { ok: true, what: 'rack', name, units: inRack.map(([host]) => unitOf(inventory, host)) };
  if (Object.hasOwn(inventory.hosts, name)) return { ok: true, what: 'host', name, units: [unitOf(inventory, name)] };
  const owner = hosts.find(([, entry]) => entry.dpus.some((dpu) => dpu.name === name));
  if (owner) return { ok: true, what: 'dpu', name, units: [{ host: owner[0], dpus: [name] }] };
  const suggestion = nearest(name, targetNames(inventory));
  return { ok: false, reason: 'unknown', ...(suggestion !== undefined && { suggestion }) };
}

/** All names that a command may give as its target: racks, hosts, DPUs, each once. */
export function targetNames(inventory: Inventory): string[] {
  const entries = Object.entries(inventory.hosts);
  return [
    ...new Set([
      ...entries.map(([, entry]) => entry.rack),
      ...entries.map(([name]) => name),
      ...entries.flatMap(([, entry]) => entry.dpus.map((dpu) => dpu.name)),
    ]),
  ];
}

/**
 * The candidate that was probably meant, or undefined when none is close: at most two edits, or two fifths of a long
 * word, and never so many that nothing of the word is left.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.min(Math.max(2, Math.floor(word.length * 0.4)), word.length - 1);
  const scored = candidates
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits);
  return scored[0]?.candidate;
}

function unitOf(inventory: Inventory, host: string): TargetUnit {
  return { host, dpus: inventory.hosts[host]?.dpus.map((dpu) => dpu.name) ?? [] };
}
