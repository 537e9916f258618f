const mib = 1024 ** 2;

/** A size for people, three figures at most of its leading ones: "1.41 GiB", "21.2 GiB", "612 MiB", "0.4 MiB". */
export function byteText(bytes: number): string {
  const gib = bytes / 1024 ** 3;
  // What rounds to 1024 MiB is a GiB.
  if (Math.round(bytes / mib) >= 1024) return `${Number(gib.toFixed(gib < 10 ? 2 : 1))} GiB`;
  return `${Number((bytes / mib).toFixed(bytes < 100 * mib ? 1 : 0))} MiB`;
}
