/** What a record becomes on its way through a store: its JSON form, shared with nobody. */
export function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Lets other work run in between, as a network would. */
export async function breathe(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
