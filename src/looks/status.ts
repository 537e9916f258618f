import type { CardFact, CardFactName, CardFacts, UnreadFact } from '../domain/card-facts.ts';
import { cardFactLabels, cardFactNames, gapsOf } from '../domain/card-facts.ts';
import type { CardRef } from '../domain/device-ports.ts';
import type { Look, LookContext } from '../domain/look.ts';
import type { OpsError } from '../errors.ts';
import type { Seen } from './status-sources.ts';
import { fromArm, fromBmc, fromHost, fromRecord, modeText } from './status-sources.ts';

/**
 * Looks at every card of the unit and remembers what it saw, each value with its age. What cannot be read is said with its
 * reason, and never taken from elsewhere. No password is tried: only the one that is filed as current is used.
 */
export const status: Look = {
  name: 'status',
  version: 1,
  title: 'Look at the cards',
  timeoutMs: 10 * 60_000,
  run: async (context) => {
    let complete = 0;
    const failures: OpsError[] = [];
    const { length } = context.cards;
    await context.progress({ text: `looking at ${length === 1 ? context.cards[0]?.dpu.name : `${length} cards`}` });
    await atATime(CARDS_AT_A_TIME, context.cards, async (card) => {
      if (context.signal.aborted) return;
      const { facts, failure } = await lookAt(context, card);
      await context.facts.merge(card.dpu.name, facts);
      await report(context, card, facts);
      if (failure !== undefined) failures.push(failure);
      if (Object.keys(facts.unread).length === 0) complete += 1;
    });
    // What was seen before a cancel, or before the time was up, is told.
    context.signal.throwIfAborted();
    const [failure] = failures;
    if (failure !== undefined && failures.length === length) throw failure;
    const cards = `${length} ${length === 1 ? 'card' : 'cards'} looked at`;
    return complete === length ? `${cards}.` : `${cards}, ${length - complete} of them not in full.`;
  },
};

/** An SSH server takes ten sessions on one connection by default, and each card of a host needs one at a time. */
const CARDS_AT_A_TIME = 4;

async function atATime<T>(limit: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/**
 * The sources are asked one after the other: what the first has learnt (serial, PCI address) the others need. `failure`:
 * why none of them had an answer.
 */
async function lookAt(
  context: LookContext,
  card: CardRef,
): Promise<{ readonly facts: CardFacts; readonly failure: OpsError | undefined }> {
  const host = await fromHost(context.of(card));
  const serial = host.facts['serial']?.value ?? card.serial;
  const known = context.of(serial === undefined ? card : { ...card, serial });
  // The first that has an answer is taken: the Arm knows its image better than the BMC does.
  const parts: Seen[] = [host, await fromArm(known), await fromBmc(known, host), await fromRecord(known)];
  const facts: Partial<Record<CardFactName, CardFact>> = {};
  const unread: Partial<Record<CardFactName, UnreadFact>> = {};
  for (const part of parts) {
    Object.assign(unread, part.unread);
    Object.assign(facts, { ...part.facts, ...facts });
  }
  for (const name of cardFactNames) if (facts[name] !== undefined) delete unread[name];
  if (facts.mode?.value === modeText('nic') && unread.image !== undefined)
    unread.image = { ...unread.image, reason: 'In NIC mode the Arm runs no system.' };
  const isSeen = Object.values(facts).some((fact) => fact.from !== 'record');
  return {
    facts: { facts, unread, runId: context.runId, atMs: context.clock.nowMs() },
    failure: isSeen ? undefined : host.failure,
  };
}

async function report(context: LookContext, { dpu }: CardRef, { facts, unread }: CardFacts): Promise<void> {
  const rows = cardFactNames.flatMap((name) => {
    const label = cardFactLabels[name];
    const fact = facts[name];
    if (fact === undefined) return [];
    return [{ label, value: fact.value, ...(fact.warning !== undefined && { warning: fact.warning }) }];
  });
  const gaps = gapsOf({ facts, unread }).map(({ labels, reason }) => ({
    label: 'not read',
    value: labels,
    warning: reason,
  }));
  const holder = await context.heldBy();
  await context.report({
    target: dpu.name,
    title: `Status of ${dpu.name}`,
    summary: summaryOf({ facts, unread }),
    rows: [...rows, { label: 'held by', value: holder === undefined ? 'nobody' : `run ${holder}` }, ...gaps],
  });
}

/** "B3220, DPU mode, bf-bundle-2.9.2..., OsIsRunning; not read: image." */
export function summaryOf({ facts, unread }: Pick<CardFacts, 'facts' | 'unread'>): string {
  const shown = (['part-number', 'mode', 'image', 'arm-state'] as const).flatMap((name) => facts[name]?.value ?? []);
  const missing = cardFactNames.filter((name) => unread[name] !== undefined && facts[name] === undefined);
  const gaps = missing.length === 0 ? '' : `; ${gapText(missing.map((name) => cardFactLabels[name]))}`;
  const warnings = Object.values(facts).filter((fact) => fact?.warning !== undefined).length;
  const warned = warnings === 0 ? '' : `; ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  return `${shown.length === 0 ? 'nothing could be read' : shown.join(', ')}${warned}${gaps}.`;
}

const namedGaps = 3;

function gapText(labels: readonly string[]): string {
  return labels.length > namedGaps ? `${labels.length} values not read` : `not read: ${labels.join(', ')}`;
}
