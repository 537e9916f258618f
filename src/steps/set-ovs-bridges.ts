import type { z } from 'zod';
import { DataPath } from '../domain/profile.ts';
import type { ApplyContext, Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readLinks } from '../facts/links.ts';
import type { OvsBridges } from '../facts/ovs-bridges.ts';
import { readOvsBridges } from '../facts/ovs-bridges.ts';
import { armSession } from './arm-session.ts';
import { runOk } from './remote.ts';

const Params = DataPath.pick({ bridges: true, docaInit: true });
type Params = z.infer<typeof Params>;

interface Observed {
  readonly bridges: OvsBridges;
  /** Links of the Arm, representors among them. */
  readonly links: readonly string[];
}

/** One thing that is missing, in the order in which it is made. */
interface Missing {
  readonly name: string;
  readonly text: string;
  readonly argv: readonly string[];
}

/**
 * Give the card the bridges of the profile: uplink and representor of the host in one bridge, so that frames go through.
 *
 * Why      Without a bridge between p0 and pf0hpf the host has no network through the card.
 * Reads    ovs-vsctl list-br, list-ports; ip -json link (Arm).
 * Changes  ovs-vsctl add-br, add-port (Arm), kept by Open vSwitch over boots. Bridges and ports that are not named stay.
 * Errors   link-not-found (a card in legacy mode has no representors), ovs-port-elsewhere, command-failed.
 * Source   ovs-vsctl(8); mlnx-tools, mlnx_bf_configure (ovsbr1 with p0, pf0hpf and a function of the card).
 */
export const setOvsBridges = defineStep<Params, Observed>({
  name: 'set-ovs-bridges',
  title: 'Set up the bridges',
  scope: 'dpu',
  risk: 'change',
  params: Params,
  timeoutMs: 120_000,
  needs: ['arm-ssh', 'drivers'],
  provides: [],
  aim: ({ bridges }) => bridges.map(({ name, ports }) => `${name} with ${ports.join(', ')}`).join('; '),
  wanted: (params) => params,
  observe,
  diff: (observed, params, { name: target }) => judge(observed, params, target),
  apply: async (context, _changes, params, observed) => {
    for (const missing of missingIn(observed.bridges, params)) await add(context, missing);
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const { bridges } = await observe(context);
    return params.bridges.map(({ name, ports }) => {
      const has = bridges[name] ?? [];
      const pass = ports.every((port) => has.includes(port));
      return { check: `ports of ${name}`, pass, expected: ports.join(', '), actual: has.join(', ') || 'no bridge' };
    });
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  const arm = await armSession(context);
  const links = await readLinks(arm, context.signal);
  return { bridges: await readOvsBridges(arm, context.signal), links: links.map(({ name }) => name) };
}

async function add(context: ApplyContext, { name, text, argv }: Missing): Promise<void> {
  const arm = await armSession(context);
  await context.act({ name, text, before: 'missing' }, async () => {
    await runOk(arm, argv, { timeoutMs: 60_000, signal: context.signal });
    return { evidence: argv.slice(2).join(' '), value: undefined };
  });
}

/** Pure: what has to be added, bridges before their ports. Adding what is there already does nothing. */
export function missingIn(bridges: OvsBridges, { bridges: wanted, docaInit }: Params): readonly Missing[] {
  const vsctl = ['sudo', '-n', 'ovs-vsctl', '--may-exist'];
  return wanted.flatMap(({ name, ports }) => {
    const datapath = docaInit ? ['--', 'set', 'Bridge', name, 'datapath_type=netdev'] : [];
    const bridge: Missing = {
      name: `add-bridge-${name}`,
      text: `bridge ${name}: none -> made`,
      argv: [...vsctl, 'add-br', name, ...datapath],
    };
    const lacking = ports.filter((port) => !(bridges[name] ?? []).includes(port));
    return [
      ...(bridges[name] === undefined ? [bridge] : []),
      ...lacking.map((port) => ({
        name: `add-port-${name}-${port}`,
        text: `bridge ${name}: ${port} added`,
        argv: [...vsctl, 'add-port', name, port],
      })),
    ];
  });
}

function judge({ bridges, links }: Observed, params: Params, target: string): Diff {
  for (const { name, ports } of params.bridges)
    for (const port of ports) {
      if (!links.includes(port))
        return { kind: 'refused', failure: errors.linkNotFound({ target, link: port, where: 'its Arm' }).failure };
      const other = Object.entries(bridges).find(([bridge, has]) => bridge !== name && has.includes(port))?.[0];
      if (other !== undefined)
        return {
          kind: 'refused',
          failure: errors.ovsPortElsewhere({ target, port, bridge: other, wanted: name }).failure,
        };
    }
  const missing = missingIn(bridges, params);
  if (missing.length > 0) {
    const changes = missing.map(({ text }) => ({ target, from: 'missing', to: 'there', text }));
    return { kind: 'change', changes };
  }
  const shown = params.bridges.map(({ name, ports }) => `${name} has ${ports.join(', ')}`).join('; ');
  return { kind: 'satisfied', reason: shown };
}
