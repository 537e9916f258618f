import type { End, ObserveContext } from '../domain/step.ts';
import type { Failure } from '../domain/outcome.ts';
import { errors } from '../errors.ts';
import type { Strongswan } from '../facts/swanctl.ts';
import { readStrongswan, readStrongswanUnit } from '../facts/swanctl.ts';
import { readFiledConnections } from '../facts/swanctl-files.ts';
import { armSession } from './arm-session.ts';
import { pathMtuTexts } from './bench-mtu.ts';
import { isMade, readCard, readCardChange } from './ipsec-card.ts';
import type { CardChange } from './ipsec-card.ts';
import type { IpsecSides } from './ipsec-conf.ts';
import { connectionName } from './ipsec-conf.ts';
import { inTheWay, refusalOf } from './ipsec-refusals.ts';
import { downIn, wantedOn } from './ipsec-wanted.ts';
import { pairName, pairOf, readEnds } from './measure-ends.ts';

/** One card of the pair: what it has, and what it lacks. */
export interface IpsecSide {
  readonly end: 'a' | 'b';
  readonly card: string;
  readonly sides: IpsecSides;
  /** Undefined: strongSwan does not run; `unit` is what starts it. */
  readonly strongswan: Strongswan | undefined;
  readonly unit: string | undefined;
  /** What has to be changed on the card before anything is encrypted, and after. */
  readonly before: readonly CardChange[];
  readonly after: readonly CardChange[];
  /** All associations of ours are in use. */
  readonly isUp: boolean;
}

export interface IpsecState {
  readonly pair: string;
  readonly refused: Failure | undefined;
  /** The bridges and links are not there yet. */
  readonly awaits: string | undefined;
  readonly sides: readonly IpsecSide[];
  /** Of the hosts, and what has to be changed for it. */
  readonly mtuBytes: number;
  readonly mtuTexts: readonly string[];
}

/** How acts that change a card are named. */
export const addPrefix = 'add: ';
export const loadPrefix = 'load: ';
const mostHostBytes = 9_978 - 200;

/** Looks at both cards. Errors: host-tool-missing, command-failed, output-unreadable, those of a login on an Arm. */
export async function observeIpsec(context: ObserveContext, { sas }: { readonly sas: number }): Promise<IpsecState> {
  const { ends } = pairOf(context);
  const pair = pairName(context);
  const nothing = { pair, refused: undefined, awaits: undefined, sides: [], mtuBytes: 0, mtuTexts: [] };
  const refuse = (failure: Failure): IpsecState => ({ ...nothing, refused: failure });
  const refusal = refusalOf(ends, sas);
  if (refusal !== undefined) return refuse(errors.benchImpossible({ pair, ...refusal }).failure);
  const { ipsec } = ends[0].profile;
  if (ipsec === undefined) return nothing;
  const sides: IpsecSide[] = [];
  for (const [index, end] of ends.entries()) {
    const other = ends[index === 0 ? 1 : 0].entry;
    const profile = end.profile.ipsec ?? ipsec;
    const own: IpsecSides = { pair, end: end.name, own: end.entry, other, ipsec: profile, sas };
    const found = await lookAtSide(context, end, own);
    if ('failure' in found) return refuse(found.failure);
    if ('awaits' in found) return { ...nothing, awaits: found.awaits };
    sides.push(found);
  }
  const facts = await readEnds(context);
  const wanted = ipsec.tunnelMtuBytes ?? mostHostBytes;
  const mtuBytes = Math.min(wanted, mostHostBytes, ...facts.map(({ link }) => link.mtuBytes));
  return { ...nothing, sides, mtuBytes, mtuTexts: await pathMtuTexts(context, mtuBytes, true) };
}

async function lookAtSide(
  context: ObserveContext,
  end: End,
  sides: IpsecSides,
): Promise<IpsecSide | { readonly failure: Failure } | { readonly awaits: string }> {
  const card = end.dpu.name;
  const arm = await armSession({ ...context, card: end.card, dpu: end.dpu, profile: end.profile });
  const { signal } = context;
  const sight = await readCard(arm, signal);
  const ours = context.actions.flatMap(({ action, before }) =>
    action.startsWith(addPrefix) ? readCardChange(before).filter((one) => one.end === end.name) : [],
  );
  const wanted = wantedOn(sides, sight);
  if ('awaits' in wanted) return { awaits: `${card}: ${wanted.awaits}` };
  const refusal = inTheWay(card, sides, sight, ours);
  if (refusal !== undefined) return { failure: refusal };
  const strongswan = await readStrongswan(arm, signal);
  const name = connectionName(sides.pair);
  const others = strongswan?.connections.filter((one) => one !== name) ?? [];
  const filed = others.length === 0 ? [] : await readFiledConnections(arm, signal);
  const connections = others.filter((one) => !filed.includes(one));
  if (connections.length > 0) return { failure: errors.ipsecOthersLoaded({ card, connections }).failure };
  const lacking = (changes: readonly CardChange[]): CardChange[] => changes.filter((one) => !isMade(one, sight));
  return {
    end: end.name,
    card,
    sides,
    strongswan,
    unit: strongswan === undefined ? await readStrongswanUnit(arm, signal) : undefined,
    before: lacking(wanted.before),
    after: lacking(wanted.after),
    isUp: downIn(strongswan, sides).length === 0,
  };
}
