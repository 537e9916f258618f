import type { z } from 'zod';
import { DataPath } from '../domain/profile.ts';
import type { ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import type { OvsOffload } from '../facts/ovs-bridges.ts';
import { readOvsOffload } from '../facts/ovs-bridges.ts';
import { armSession } from './arm-session.ts';
import { runOk } from './remote.ts';

const Params = DataPath.pick({ hwOffload: true, docaInit: true });
type Params = z.infer<typeof Params>;

interface Observed extends OvsOffload {
  /** This run has set it, and Open vSwitch may not have been restarted since. */
  readonly isUnread: boolean;
}

const actionName = 'set-hw-offload';
const service = 'openvswitch-switch.service';

/**
 * Have Open vSwitch hand its flows to the hardware of the card, or not.
 *
 * Why      Without it each packet goes through the Arm cores: a few Gb/s. The switch reads the setting when it starts, so a
 *          restart belongs to the change.
 * Reads    ovs-vsctl get other_config:hw-offload, doca-init (Arm).
 * Changes  both settings and, where one was different, systemctl restart openvswitch-switch (Arm): links through the bridges
 *          pause for some seconds.
 * Errors   command-failed, sudo-refused.
 * Source   ovs-vswitchd.conf.db(5): "Changing this value requires restarting the daemon"; NVIDIA BlueField docs, OVS offload.
 */
export const setOvsOffload = defineStep<Params, Observed>({
  name: 'set-ovs-offload',
  title: 'Set the hardware offload of flows',
  scope: 'dpu',
  risk: 'disruptive',
  params: Params,
  timeoutMs: 180_000,
  needs: ['arm-ssh', 'drivers'],
  provides: [],
  aim: (params) => `${textOf(params)}, with one restart of Open vSwitch unless it is so`,
  wanted: (params) => params,
  observe,
  diff: (observed, params, { name: target }) => {
    if (isAs(observed, params) && !observed.isUnread) return { kind: 'satisfied', reason: textOf(params) };
    const [from, to] = [observed.isUnread ? 'set, and not read yet' : textOf(observed), textOf(params)];
    const text = `${target}: ${from} -> ${to}; Open vSwitch is restarted, links through its bridges pause for some seconds`;
    return { kind: 'change', changes: [{ target, from, to, text }] };
  },
  apply: async (context, _changes, params, observed) => {
    const arm = await armSession(context);
    const options = { timeoutMs: 90_000, signal: context.signal };
    const set = ['sudo', '-n', 'ovs-vsctl', 'set', 'Open_vSwitch', '.'];
    const values = [`other_config:hw-offload=${params.hwOffload}`, `other_config:doca-init=${params.docaInit}`];
    // A setting that was never there is off already.
    const changed = params.docaInit || observed.docaInit ? values : values.slice(0, 1);
    await context.act(
      { name: actionName, text: `${textOf(params)}, restart ${service}`, before: textOf(observed) },
      async () => {
        await runOk(arm, [...set, ...changed], options);
        await runOk(arm, ['sudo', '-n', 'systemctl', 'restart', service], options);
        return { evidence: `${changed.join(' ')}, ${service} restarted`, value: undefined };
      },
    );
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const now = await observe(context);
    return [{ check: 'offload of flows', pass: isAs(now, params), expected: textOf(params), actual: textOf(now) }];
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  const arm = await armSession(context);
  // It is read at the start: a worker that died between setting and restart would leave it without effect.
  const isUnread = context.actions.findLast(({ action }) => action === actionName)?.done === false;
  return { ...(await readOvsOffload(arm, context.signal)), isUnread };
}

function isAs(observed: OvsOffload, params: Params): boolean {
  return observed.hwOffload === params.hwOffload && observed.docaInit === params.docaInit;
}

function textOf({ hwOffload, docaInit }: OvsOffload): string {
  return `hw-offload ${hwOffload ? 'on' : 'off'}${docaInit ? ', OVS-DOCA on' : ''}`;
}
