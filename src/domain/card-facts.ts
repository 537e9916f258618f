/** What is known about a card, each value with its age: read by workers, shown by the bot without asking the card. */

/** In the order in which people read them. */
export const cardFactNames = [
  'part-number',
  'serial',
  'mode',
  'secure-boot',
  'image',
  'nic-firmware-running',
  'nic-firmware-staged',
  'bmc-firmware',
  'pcie-link',
  'rshim-owner',
  'bmc-address',
  'arm-address',
  'arm-state',
] as const;
export type CardFactName = (typeof cardFactNames)[number];

/** As they are called in answers. */
export const cardFactLabels: Readonly<Record<CardFactName, string>> = {
  'part-number': 'part number',
  serial: 'serial',
  mode: 'mode',
  'secure-boot': 'Secure Boot',
  image: 'image',
  'nic-firmware-running': 'NIC firmware running',
  'nic-firmware-staged': 'NIC firmware staged',
  'bmc-firmware': 'BMC firmware',
  'pcie-link': 'PCIe link',
  'rshim-owner': 'rshim owner',
  'bmc-address': 'BMC address',
  'arm-address': 'Arm address',
  'arm-state': 'Arm',
};

export interface CardFact {
  readonly value: string;
  /** Why it looks wrong, as a sentence. */
  readonly warning?: string;
  readonly from: 'host' | 'bmc' | 'arm' | 'record';
  readonly atMs: number;
}

/** A value that could not be read the last time; an older one stays and shows its age. */
export interface UnreadFact {
  readonly reason: string;
  readonly atMs: number;
}

export interface CardFacts {
  readonly facts: Readonly<Partial<Record<CardFactName, CardFact>>>;
  readonly unread: Readonly<Partial<Record<CardFactName, UnreadFact>>>;
  /** The run that looked last. */
  readonly runId: number;
  readonly atMs: number;
}

/** By name of the DPU in the inventory. Written by workers, read by bots. */
export interface CardFactsStore {
  get(dpu: string): Promise<CardFacts | undefined>;
  /** New values replace those of the same name, the others stay; a value that was read is unread no more. */
  merge(dpu: string, news: CardFacts): Promise<void>;
}

/** New values over known ones: the newer of two counts, and what was read is unread no more. */
export function mergeCardFacts(known: CardFacts | undefined, news: CardFacts): CardFacts {
  if (known === undefined) return news;
  const [older, newer] = known.atMs <= news.atMs ? [known, news] : [news, known];
  const facts = { ...older.facts, ...newer.facts };
  const unread = Object.fromEntries(
    Object.entries({ ...older.unread, ...newer.unread }).filter(
      ([name, { atMs }]) => (facts[name as CardFactName]?.atMs ?? -1) < atMs,
    ),
  );
  return { ...newer, facts, unread };
}

/** Values that nobody knows, by the reason: a source that does not answer is said once. */
export function gapsOf({
  facts,
  unread,
}: Pick<CardFacts, 'facts' | 'unread'>): readonly { readonly labels: string; readonly reason: string }[] {
  const byReason = new Map<string, string[]>();
  for (const name of cardFactNames) {
    const reason = unread[name]?.reason;
    if (facts[name] === undefined && reason !== undefined)
      byReason.set(reason, [...(byReason.get(reason) ?? []), cardFactLabels[name]]);
  }
  return [...byReason].map(([reason, labels]) => ({ labels: labels.join(', '), reason }));
}
