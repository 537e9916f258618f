/** "390.2 Gb/s", "4.21 Gb/s", "40.1 Mb/s": a rate keeps three digits that say something, however small it is. */
export function rateText(gbps: number): string {
  const { unit, text } = rateUnit(gbps);
  return `${text(gbps)} ${unit}`;
}

/** The unit that fits the largest of some rates, and how they are written in it. */
export function rateUnit(largestGbps: number): { readonly unit: string; readonly text: (gbps: number) => string } {
  const isSmall = largestGbps > 0 && largestGbps < 1;
  return isSmall
    ? { unit: 'Mb/s', text: (gbps) => figureText(gbps * 1_000) }
    : { unit: 'Gb/s', text: (gbps) => figureText(gbps) };
}

/** Three digits or more: "390.2", "4.21", "0.0412". */
export function figureText(value: number): string {
  const size = Math.abs(value);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 || size === 0 ? value.toFixed(2) : value.toPrecision(3);
}

/** "+3.1 %"; a difference that rounds to nothing has no sign. */
export function changeText(percent: number): string {
  if (!Number.isFinite(percent)) return 'from nothing';
  const shown = percent.toFixed(1);
  return /^-?0\.0$/.test(shown) ? '0.0 %' : `${percent > 0 ? '+' : ''}${shown} %`;
}

/** "1 repeat", "5 repeats". */
export function repeatsText(count: number): string {
  return `${count} ${count === 1 ? 'repeat' : 'repeats'}`;
}
