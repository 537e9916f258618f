/** Values of the small `awk`. Source: POSIX.1-2017 XCU awk, Expressions in awk. */

export type Value = string | number;

/** Is the value true? */
export function truth(value: Value): boolean {
  return typeof value === 'number' ? value !== 0 : value !== '';
}

/** The value as a number. */
export function number(value: Value): number {
  return typeof value === 'number' ? value : Number.parseFloat(value) || 0;
}

/** The value as text. */
export function text(value: Value): string {
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : String(value);
}

function looksNumeric(value: Value): boolean {
  return typeof value === 'number' || /^\s*[-+]?\d+(\.\d+)?\s*$/.test(value);
}

/** 1 when the comparison holds: of numbers when both look like ones, else of texts. */
export function compare(left: Value, operator: string, right: Value): number {
  const numeric = looksNumeric(left) && looksNumeric(right);
  const [a, b] = numeric ? [number(left), number(right)] : [text(left), text(right)];
  const verdicts: Record<string, boolean> = {
    '==': a === b,
    '!=': a !== b,
    '<': a < b,
    '>': a > b,
    '<=': a <= b,
    '>=': a >= b,
  };
  return verdicts[operator] === true ? 1 : 0;
}
