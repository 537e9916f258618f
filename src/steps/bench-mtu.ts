import { z } from 'zod';
import type { HostSession } from '../domain/device-ports.ts';
import type { ActionRecord, ApplyContext, End, ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { Link } from '../facts/links.ts';
import { readLinks } from '../facts/links.ts';
import { armSession } from './arm-session.ts';
import { hostRepresentor } from './bench-topology.ts';
import type { EndFacts } from './measure-ends.ts';
import { pairOf, readEnds } from './measure-ends.ts';
import { runOk } from './remote.ts';

/** One link of the path, with the MTU it had: it stands in the journal before the MTU is changed. */
const Before = z.strictObject({
  end: z.enum(['a', 'b']),
  place: z.enum(['card', 'host']),
  link: z.string().min(1),
  fromBytes: z.int().positive(),
});
type Before = z.infer<typeof Before>;

interface Place extends Before {
  readonly session: HostSession;
}

const changes = 'mtu: ';
const takenBack = 'mtu-taken-back';
const mostBytes = 9_978;
/** ESP in UDP, VXLAN and their headers, with room for padding: 36 + 50 bytes and more. */
const tunnelBytes = 200;

/**
 * Gives the whole path an MTU for a while: uplink, representor, host function, on both ends. Links of the cards are only
 * raised, from the wire to the hosts; hosts are set to it exactly. Kept by no rule. Errors: link-not-found, command-failed.
 */
export async function setPathMtu(context: ApplyContext, mtuBytes: number, isTunnelled: boolean): Promise<void> {
  const facts = await readEnds(context);
  const cardBytes = cardMtu(mtuBytes, isTunnelled);
  const cards: Place[] = [];
  const hosts: Place[] = [];
  for (const [index, end] of pairOf(context).ends.entries()) {
    const own = facts[index === 0 ? 0 : 1];
    cards.push(...(await cardPlaces(context, end)));
    hosts.push(hostPlace(end, own));
  }
  // A host may never be above its card: it goes down first, or up last.
  for (const place of hosts.filter(({ fromBytes }) => fromBytes > mtuBytes)) await setMtu(context, place, mtuBytes);
  for (const place of cards.filter(({ fromBytes }) => fromBytes < cardBytes)) await setMtu(context, place, cardBytes);
  for (const place of hosts.filter(({ fromBytes }) => fromBytes < mtuBytes)) await setMtu(context, place, mtuBytes);
}

/** What `setPathMtu` would change, for a plan: "p0 (as7-dpu0): MTU 1500 -> 1600". Errors: link-not-found, command-failed. */
export async function pathMtuTexts(
  context: ObserveContext,
  mtuBytes: number,
  isTunnelled: boolean,
): Promise<readonly string[]> {
  const facts = await readEnds(context);
  const cardBytes = cardMtu(mtuBytes, isTunnelled);
  const texts: string[] = [];
  for (const [index, end] of pairOf(context).ends.entries()) {
    const links = await readLinks(await armOf(context, end), context.signal);
    for (const name of cardLinks(end)) {
      const from = linkNamed(links, name, end).mtuBytes;
      if (from < cardBytes) texts.push(`${name} (${end.dpu.name}): MTU ${from} -> ${cardBytes}`);
    }
    const { link, hostName } = facts[index === 0 ? 0 : 1];
    if (link.mtuBytes !== mtuBytes) texts.push(`${link.name} (${hostName}): MTU ${link.mtuBytes} -> ${mtuBytes}`);
  }
  return texts;
}

function cardMtu(mtuBytes: number, isTunnelled: boolean): number {
  return Math.min(mostBytes, mtuBytes + (isTunnelled ? tunnelBytes : 0));
}

function cardLinks({ entry }: End): readonly string[] {
  return [entry.port, hostRepresentor(entry.port)];
}

/** Gives each link the MTU back that it had before, the last change first; a link that is gone is left out. */
export async function undoPathMtu(context: ApplyContext): Promise<void> {
  const done = changesOf(context.actions);
  if (done.length === 0) return;
  for (const { end: name, place, link, fromBytes } of done.toReversed()) {
    const end = pairOf(context).ends[name === 'a' ? 0 : 1];
    const session = place === 'host' ? end.host : await armOf(context, end);
    const now = (await readLinks(session, context.signal)).find((one) => one.name === link);
    if (now === undefined || now.mtuBytes === fromBytes) continue;
    const text = `${link} (${place} of ${end.card.dpu.name}): MTU ${now.mtuBytes} -> ${fromBytes} again`;
    await context.act({ name: `mtu-back: ${name} ${place} ${link}`, text }, async () => ({
      evidence: await setLink(session, link, fromBytes, context.signal),
      value: undefined,
    }));
  }
  await context.act({ name: takenBack, text: 'all links have their MTU again' }, async () =>
    Promise.resolve({ evidence: `${done.length} changes taken back`, value: undefined }),
  );
}

/** Changes that were not taken back yet, in their order. */
function changesOf(actions: readonly ActionRecord[]): readonly Before[] {
  const last = actions.findLastIndex(({ action, done }) => done && action === takenBack);
  return actions.slice(last + 1).flatMap(({ action, before }) => {
    const parsed = action.startsWith(changes) ? Before.safeParse(before) : undefined;
    return parsed?.success ? [parsed.data] : [];
  });
}

async function cardPlaces(context: ApplyContext, end: End<HostSession>): Promise<Place[]> {
  const session = await armOf(context, end);
  const links = await readLinks(session, context.signal);
  return cardLinks(end).map((name) => {
    const { mtuBytes } = linkNamed(links, name, end);
    return { end: end.name, place: 'card', link: name, fromBytes: mtuBytes, session };
  });
}

function hostPlace({ name, host }: End<HostSession>, { link }: EndFacts): Place {
  return { end: name, place: 'host', link: link.name, fromBytes: link.mtuBytes, session: host };
}

function linkNamed(links: readonly Link[], name: string, end: End): Link {
  const link = links.find((one) => one.name === name);
  if (link === undefined) throw errors.linkNotFound({ target: end.dpu.name, link: name, where: 'its Arm' });
  return link;
}

async function setMtu(context: ApplyContext, { session, ...before }: Place, toBytes: number): Promise<void> {
  const { end, place, link, fromBytes } = before;
  const text = `${link} (${place}): MTU ${fromBytes} -> ${toBytes} for a while`;
  const act = { name: `${changes}${end} ${place} ${link} ${toBytes}`, text, before };
  await context.act(act, async () => ({
    evidence: await setLink(session, link, toBytes, context.signal),
    value: undefined,
  }));
}

/** Source: ip-link(8). */
async function setLink(session: HostSession, link: string, mtuBytes: number, signal: AbortSignal): Promise<string> {
  const words = ['sudo', '-n', 'ip', 'link', 'set', 'dev', link, 'mtu', String(mtuBytes)];
  await runOk(session, words, { timeoutMs: 30_000, signal });
  return words.slice(2).join(' ');
}

async function armOf(context: ObserveContext, { card, dpu, profile }: End): Promise<HostSession> {
  return armSession({ ...context, card, dpu, profile });
}
