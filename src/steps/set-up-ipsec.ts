import { z } from 'zod';
import type { Change } from '../domain/outcome.ts';
import type { ApplyContext, Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { setPathMtu } from './bench-mtu.ts';
import { addressOf } from './bench-topology.ts';
import { changeText } from './ipsec-card.ts';
import { bringUp } from './ipsec-initiate.ts';
import { loadOn } from './ipsec-load.ts';
import type { IpsecState } from './ipsec-plan.ts';
import { loadPrefix, observeIpsec } from './ipsec-plan.ts';
import { downIn } from './ipsec-wanted.ts';
import { makeOn, undoIpsec } from './ipsec-changes.ts';
import { pairOf } from './measure-ends.ts';

interface Params {
  readonly sas: number;
}

interface Observed extends IpsecState {
  /** This run has loaded the connection on both cards. */
  readonly isOurs: boolean;
}

/**
 * Set up IPsec between the two cards of a pair, for the time of a measurement.
 *
 * Why      `bench ipsec` measures what the cards encrypt: VXLAN over IPsec (transport), or routed subnets (tunnel).
 * Units    sas: pairs of associations; each has one association a direction.
 * Reads    bridges, addresses, routes, ip_forward (Arms); swanctl --list-conns, --list-sas; names in its files; MTUs.
 * Changes  MTUs; ports, addresses, routes, ip_forward of the cards; one file below /etc/swanctl (0600; with certificates
 *          four); swanctl --load-creds, --load-conns, --initiate; systemctl start where strongSwan does not run.
 * Undo     exactly that: each change is in the journal before it is made. Other connections, addresses and flows stay.
 * Errors   bench-impossible, bench-address-taken, host-tool-missing, ipsec-others-loaded, ipsec-offload-refused,
 *          ipsec-offload-unknown, ipsec-auth-failed, ipsec-peer-silent, ipsec-not-up, ipsec-credential-unusable,
 *          bench-left-behind.
 * Source   swanctl(8), swanctl.conf(5), ovs-vsctl(8); NVIDIA DOCA docs, IPsec packet offload.
 */
export const setUpIpsec = defineStep<Params, Observed>({
  name: 'set-up-ipsec',
  title: 'Set up IPsec',
  scope: 'pair',
  risk: 'disruptive',
  params: z.strictObject({ sas: z.int().min(1).max(256) }),
  timeoutMs: 1_800_000,
  needs: ['host-ssh', 'arm-ssh'],
  provides: [],
  aim: ({ sas }) => `IPsec between the cards, ${countText(sas)}, until the measurement is over`,
  wanted: (params) => params,
  observe: async (context, params) => ({ ...(await observeIpsec(context, params)), isOurs: isOurs(context.actions) }),
  diff: judge,
  apply: async (context, _changes, params, observed) => {
    await setUp(context, observed);
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const { sides } = await observeIpsec(context, params);
    return sides.map(({ card, strongswan, sides: own, before, after }) => {
      const missing = [...downIn(strongswan, own), ...[...before, ...after].map(changeText)];
      const actual = missing.length === 0 ? 'INSTALLED' : `${missing.slice(0, 5).join(', ')} missing`;
      return { check: `IPsec on ${card}`, pass: missing.length === 0, expected: 'INSTALLED', actual };
    });
  },
  undo: undoIpsec,
});

function isOurs(actions: ApplyContext['actions']): boolean {
  const loaded = actions.filter(({ action, done }) => done && action.startsWith(loadPrefix));
  return new Set(loaded.map(({ action }) => action)).size === 2;
}

function judge(state: Observed): Diff {
  const { refused, awaits, pair, sides, mtuTexts } = state;
  if (refused !== undefined) return { kind: 'refused', failure: refused };
  if (awaits !== undefined) return { kind: 'deferred', awaits: 'bench-path', reason: awaits };
  const [a] = sides;
  if (a === undefined) throw errors.bug({ detail: 'set-up-ipsec has looked at no card' });
  const { own, other, ipsec } = a.sides;
  const what = `IPsec in ${ipsec.mode} mode, ${countText(a.sides.sas)}, ${offloadText(ipsec.offload)}`;
  const isSet = sides.every(({ isUp, before, after }) => isUp && before.length + after.length === 0);
  if (isSet && state.isOurs && mtuTexts.length === 0)
    return { kind: 'satisfied', reason: `${what}, INSTALLED on both` };
  const between = `${addressOf(own.wireAddress ?? '')} and ${addressOf(other.wireAddress ?? '')}`;
  const until = 'until the measurement is over';
  const changes: Change[] = sides.flatMap(({ card, before, after, unit }) => {
    const texts = [...before, ...after].map(changeText);
    const start = unit === undefined ? [] : [`${unit} is started, with the connections of its files`];
    return [...texts, ...start].map((text) => ({
      target: card,
      from: 'not so',
      to: text,
      text: `${card}: ${text}, ${until}`,
    }));
  });
  const text = `${pair}: ${what}, between ${between}, ${until}; whatever else uses these ports has no network meanwhile`;
  const mtus = mtuTexts.map((one): Change => ({ target: pair, from: 'not so', to: one, text: `${one}, ${until}` }));
  return { kind: 'change', changes: [{ target: pair, from: 'not encrypted', to: what, text }, ...mtus, ...changes] };
}

function countText(sas: number): string {
  return sas === 1 ? '1 association each way' : `${sas} associations each way`;
}

function offloadText(offload: 'packet' | 'crypto' | 'no'): string {
  return offload === 'no' ? 'in software' : `${offload} offload`;
}

/** Nothing is sent over the wire before it is encrypted: the tunnel and the route come last. */
async function setUp(context: ApplyContext, observed: Observed): Promise<void> {
  const [a, b] = observed.sides;
  const [endA, endB] = pairOf(context).ends;
  if (a === undefined || b === undefined) throw errors.bug({ detail: 'set-up-ipsec has not looked at both cards' });
  const both = [
    [endA, a],
    [endB, b],
  ] as const;
  if (observed.mtuTexts.length > 0) await setPathMtu(context, observed.mtuBytes, true);
  for (const [end, side] of both) await makeOn(context, end, side.before);
  if (!(a.isUp && b.isUp && observed.isOurs)) {
    for (const [end, side] of both) await loadOn(context, end, side);
    await bringUp(context, [a, b], !observed.isOurs);
  }
  for (const [end, side] of both) await makeOn(context, end, side.after);
}
