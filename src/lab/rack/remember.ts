/**
 * A pure function that works out each text once: shell programs and patterns come again thousands of times. Forgets all
 * when it knows `limit` of them, so that texts that never come again do not pile up.
 */
export function remember<Made>(make: (text: string) => Made, limit = 1_000): (text: string) => Made {
  const known = new Map<string, { readonly made: Made }>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before.made;
    const made = make(text);
    if (known.size >= limit) known.clear();
    known.set(text, { made });
    return made;
  };
}
