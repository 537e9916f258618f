import { z } from 'zod';
import type { ActionRecord, ApplyContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readBootId } from '../facts/host-power.ts';
import { hasCycled, powerCycleHost } from './power-cycle.ts';
import type { AlsoActivated } from './power-others.ts';
import { alsoText, seeAllCards } from './power-others.ts';
import { waitForHost } from './power-return.ts';
import type { RebootSeen } from './reboot-once.ts';
import { hasRun, judgeReboot, seeReboot } from './reboot-once.ts';
import { runOk } from './remote.ts';

const warmName = 'reboot-host';

const Params = z.strictObject({ cold: z.boolean() });
type Params = z.infer<typeof Params>;

interface Seen extends RebootSeen {
  readonly hasHostBmc: boolean;
  readonly dpus: readonly string[];
  /** What a cold power cycle brings into force. */
  readonly activated: AlsoActivated;
}

/**
 * Restart a host once: its operating system (warm), or with a cold power cycle through its BMC, which takes the power of
 * its slots away.
 *
 * Why      A driver of the host that hangs; staged firmware or a mode that waits for a cold boot (only `cold` activates it).
 * Reads    running bfb-install, boot_id, for `cold` flint q and mlxconfig -e q (host), tasks of the BMCs of its cards.
 * Changes  warm: `systemctl reboot`. cold: ComputerSystem.Reset at the host's BMC, as activate-firmware.
 * Errors   reboot-while-flashing, host-bmc-missing, host-not-back, host-power-stuck, card-not-back.
 * Source   systemctl(1) reboot; NVIDIA BlueField docs (a warm reboot leaves the Arm up and staged firmware as it is).
 */
export const rebootHost = defineStep<Params, Seen>({
  name: 'reboot-host',
  title: 'Restart the host',
  scope: 'host',
  risk: 'disruptive',
  params: Params,
  timeoutMs: 2_700_000,
  // Warm 2 to 4 min, cold 3 to 6.
  usualMs: 4 * 60_000,
  needs: ['host-ssh'],
  provides: [],
  wanted: ({ cold }) => (cold ? 'one cold power cycle' : 'one reboot of its system'),
  observe: async (context, { cold }) => ({
    ...(await seeReboot(context, warmName, `boot ${await readBootId(context.host, context.signal)}`)),
    // A cycle of this run is brought to its end: it is not switched again, and the cards are waited for.
    ...(cold && { isDone: false }),
    hasHostBmc: context.slice.entry.bmc !== undefined,
    dpus: context.slice.entry.dpus.map((dpu) => dpu.name),
    activated: cold ? await seeAllCards(context) : { pending: [], unread: [] },
  }),
  diff: (seen, { cold }) => {
    const { host, dpus, hasHostBmc, activated } = seen;
    if (cold && !hasHostBmc) return { kind: 'refused', failure: errors.hostBmcMissing({ host }).failure };
    const text = cold
      ? `${host}: one cold power cycle; every card of the host loses power: ${dpus.join(', ')}${alsoText(activated)}`
      : `${host}: one reboot of its system; its cards keep running`;
    const arms = cold ? dpus : [];
    return judgeReboot(seen, host, {
      change: { from: 'running', to: cold ? 'power-cycled' : 'rebooted', text },
      reboots: [
        { what: 'host', target: host, times: 1, certainty: 'planned' },
        ...arms.map((target) => ({ what: 'arm', target, times: 1, certainty: 'planned' }) as const),
      ],
    });
  },
  apply: async (context, _changes, { cold }) => {
    if (cold || hasCycled(context.actions)) await powerCycleHost(context);
    else await rebootWarm(context);
    return { kind: 'done' };
  },
});

/** A reboot that was asked for before the worker died shows by the boot id, and is not asked for again. */
async function rebootWarm(context: ApplyContext): Promise<void> {
  if (hasRun(context.actions, warmName)) return;
  const { host, signal } = context;
  const now = await readBootId(host, signal);
  const open = context.actions.findLast((act) => act.action === warmName && !act.done);
  const before = typeof open?.before === 'string' ? open.before : now;
  await context.act({ name: warmName, text: `reboot the system of ${host.name}`, before }, async () => {
    if (now === before) await askForReboot(context);
    const bootId = await waitForHost(context, before);
    for (const card of context.cards) context.arm.forget(card);
    return { evidence: `boot ${before} -> ${bootId}`, value: undefined };
  });
}

/** True while a reboot that this run has asked for has not come to an end. */
export function isRebooting(actions: readonly ActionRecord[]): boolean {
  return actions.findLast((act) => act.action === warmName)?.done === false;
}

/** The connection may end before the answer has come. */
async function askForReboot({ host, signal }: ApplyContext): Promise<void> {
  try {
    await runOk(host, ['sudo', '-n', 'systemctl', 'reboot'], { timeoutMs: 30_000, signal });
  } catch (error) {
    if (!(error instanceof OpsError) || !['ssh-lost', 'ssh-timeout'].includes(error.code)) throw error;
  }
}
