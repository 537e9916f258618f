/**
 * Splits units into waves: `1` = one unit, `25%` = a quarter of all (rounded up, at least one), `rest` = what is left.
 * Units beyond the last entry form a wave of their own, so that none is ever forgotten.
 */
export function splitWaves(spec: 'all' | readonly string[], units: readonly string[]): string[][] {
  if (spec === 'all') return units.length === 0 ? [] : [[...units]];
  const waves: string[][] = [];
  let left = [...units];
  for (const entry of spec) {
    if (left.length === 0) break;
    const size = entry === 'rest' ? left.length : waveSize(entry, units.length);
    waves.push(left.slice(0, size));
    left = left.slice(size);
  }
  if (left.length > 0) waves.push(left);
  return waves.filter((wave) => wave.length > 0);
}

function waveSize(entry: string, total: number): number {
  const value = Number.parseInt(entry, 10);
  return Math.max(1, entry.endsWith('%') ? Math.ceil((total * value) / 100) : value);
}
