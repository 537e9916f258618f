import { z } from 'zod';
import type { Change, Verdict } from '../domain/outcome.ts';
import type { ApplyContext, Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readAddressedLinks } from '../facts/link-addresses.ts';
import { readRoutes } from '../facts/routes.ts';
import type { Addition } from './bench-additions.ts';
import { addArgv, additionText, isThere, readAddition, removeArgv } from './bench-additions.ts';
import type { AddressParams, AddressState, EndState } from './bench-address-plan.ts';
import { observeAddresses } from './bench-address-plan.ts';
import { pairOf } from './measure-ends.ts';
import { actionsNow, cleanUpAct } from './measure-keep.ts';
import { runOk } from './remote.ts';

/**
 * Give both hosts the addresses that the measurement needs on the network functions of their cards.
 *
 * Why      iperf3 and pings need addresses, and a host that is used otherwise may have none on the card. What is there already
 *          stays as it is, and is not taken away at the end.
 * Reads    lspci, links of the card's function, ip -json addr, ip -json route (hosts).
 * Changes  ip link set up, ip address add, ip route add (hosts); not kept across a boot.
 * Undo     takes away exactly that, where it is still there.
 * Errors   bench-impossible, bench-address-taken, link-not-found, card-not-found, command-failed, bench-left-behind.
 * Source   ip-address(8), ip-route(8).
 */
export const setBenchAddresses = defineStep<AddressParams, AddressState>({
  name: 'set-bench-addresses',
  title: 'Give the hosts addresses to measure with',
  scope: 'pair',
  risk: 'change',
  params: z.strictObject({ routed: z.boolean(), sas: z.int().min(1) }),
  timeoutMs: 120_000,
  needs: ['host-ssh'],
  provides: [],
  aim: () => 'addresses of the pair on the host functions of both cards',
  wanted: (params) => params,
  observe: observeAddresses,
  diff: judge,
  apply: async (context, _changes, _params, observed) => {
    for (const state of observed.ends) await add(context, state);
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const { ends } = await observeAddresses(context, params);
    return ends.map(({ hostName, missing }): Verdict => ({
      check: `addresses and routes of ${hostName}`,
      pass: missing.length === 0,
      expected: 'there',
      actual: missing.length === 0 ? 'there' : `${missing.map(additionText).join(', ')} missing`,
    }));
  },
  undo,
});

function judge({ pair, ends, lacks }: AddressState): Diff {
  if (lacks !== undefined) {
    const next = 'Correct `pairs` in the inventory, or ask for fewer --sas.';
    const what = 'its hosts have not the addresses that it takes';
    return { kind: 'refused', failure: errors.benchImpossible({ pair, what, why: `${lacks}.`, next }).failure };
  }
  for (const { hostName: host, taken, link } of ends)
    if (taken !== undefined)
      return { kind: 'refused', failure: errors.benchAddressTaken({ host, ...taken, wanted: link.name }).failure };
  const changes = ends.flatMap(({ hostName, missing }) =>
    missing.map((one): Change => ({
      target: hostName,
      from: 'not there',
      to: additionText(one),
      text: `${hostName}: ${additionText(one)}, until the measurement is over`,
    })),
  );
  return changes.length === 0
    ? { kind: 'satisfied', reason: 'both hosts have what they need' }
    : { kind: 'change', changes };
}

/** Addresses before the link goes up: nobody sees it up without. Routes last: they need both. */
async function add(context: ApplyContext, { end, missing }: EndState): Promise<void> {
  const { host } = pairOf(context).ends[end === 'a' ? 0 : 1];
  for (const one of missing) {
    const text = additionText(one);
    await context.act({ name: `add: ${host.name}: ${text}`, text: `${host.name}: ${text}`, before: one }, async () => {
      await runOk(host, addArgv(one), { timeoutMs: 30_000, signal: context.signal });
      return { evidence: text, value: undefined };
    });
  }
}

/** The newest first: an address that is the first of its subnet takes later ones along. */
async function undo(context: ApplyContext): Promise<void> {
  const added = actionsNow(context.actions).flatMap(({ action, before }) =>
    action.startsWith('add: ') ? readAddition(before) : [],
  );
  if (added.length === 0) return;
  for (const one of added.toReversed()) {
    const { host } = pairOf(context).ends[one.end === 'a' ? 0 : 1];
    if (!(await looksThere(context, one))) continue;
    const text = `take away again: ${additionText(one)}`;
    await context.act(
      { name: `remove: ${host.name}: ${additionText(one)}`, text: `${host.name}: ${text}` },
      async () => {
        await runOk(host, removeArgv(one), { timeoutMs: 30_000, signal: context.signal });
        if (await looksThere(context, one)) throw errors.benchLeftBehind({ host: host.name, what: additionText(one) });
        return { evidence: 'gone', value: undefined };
      },
    );
  }
  // What stands there from now on is somebody else's, also when the run is resumed.
  await context.act({ name: cleanUpAct, text: 'the hosts are as they were' }, async () =>
    Promise.resolve({ evidence: `${added.length} taken away`, value: undefined }),
  );
}

async function looksThere(context: ApplyContext, one: Addition): Promise<boolean> {
  const { host } = pairOf(context).ends[one.end === 'a' ? 0 : 1];
  const links = await readAddressedLinks(host, context.signal);
  return isThere(one, links, one.kind === 'route' ? await readRoutes(host, context.signal) : []);
}
