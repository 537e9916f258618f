/** What comes back when a person has deleted it, under the next key of a row: `run418/card`, `run418/card/2`. */
export interface KeyRow {
  readonly first: string;
  /** Between the first key and a number; nothing else of the run may have such keys. */
  readonly sign: '/' | '#';
}

/** The post in use: the last of its row that was ever begun; and the key of the one that would follow. */
export function newestOf(
  { first, sign }: KeyRow,
  known: ReadonlyMap<string, unknown>,
): { readonly key: string; readonly next: string } {
  const keyOf = (number: number): string => (number === 1 ? first : `${first}${sign}${number}`);
  let number = 1;
  while (known.has(keyOf(number + 1))) number += 1;
  return { key: keyOf(number), next: keyOf(number + 1) };
}
