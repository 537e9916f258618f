import { z } from 'zod';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { BmcManager } from '../facts/bmc-manager.ts';
import { bmcManagerResource, readBmcManager } from '../facts/bmc-manager.ts';
import { notReported, readDpuSystem } from '../facts/dpu-system.ts';
import { bmcReader, bmcSession } from './bmc-session.ts';
import type { RebootSeen } from './reboot-once.ts';
import { hasRun, judgeReboot, seeReboot } from './reboot-once.ts';

const actName = 'reset-bmc';
const pollMs = 5_000;
/** Away for one to two minutes as a rule; after an update of its own up to five more until HTTPS answers. */
const limitMs = 10 * 60_000;

interface Seen extends RebootSeen {
  readonly manager: BmcManager;
}

/**
 * Restart the BMC of a card once, and see it answer again.
 *
 * Why      An update service that is stuck, rshim that it does not let go, a web server that hangs. Arm and network of the
 *          card go on. Tasks and sessions of the BMC are lost.
 * Reads    running bfb-install (host), Managers/Bluefield_BMC (LastResetTime), tasks of the BMC.
 * Changes  Manager.Reset GracefulRestart.
 * Errors   reboot-while-flashing, wrong-card, bmc-not-back, those of the BMC.
 * Source   NVIDIA BlueField BMC docs; Mellanox dpu-update (waits 100 s); bfb-build (HTTPS up to 300 s later).
 */
export const resetBmc = defineStep<Record<string, never>, Seen>({
  name: 'reset-bmc',
  title: 'Restart the BMC',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 900_000,
  // Away for 1 to 2 min, then some more until it answers.
  usualMs: 2 * 60_000,
  // No `bmc-session`: a BMC that this run has restarted is away for a while.
  needs: ['bmc-pinned'],
  provides: [],
  wanted: () => 'one restart of the BMC',
  observe: async (context) => {
    const manager = await managerAtLast(context);
    const bmc = await bmcReader(context);
    const { serial } = await readDpuSystem(bmc, context.signal);
    return { manager, ...(await seeReboot(context, actName, `up since ${manager.lastResetTime}`, serial)) };
  },
  diff: (seen, _params, { name: target }) =>
    judgeReboot(seen, target, {
      change: { from: seen.state, to: 'restarted', text: `BMC of ${target}: one restart; Arm and host stay up` },
      reboots: [{ what: 'bmc', target, times: 1, certainty: 'planned' }],
    }),
  apply: async (context, _changes, _params, { manager }) => {
    if (!hasRun(context.actions, actName)) await restartBmc(context, actName, manager);
    return { kind: 'done' };
  },
  verify: async (context) => {
    const now = await readBmcManager(await bmcReader(context), context.signal);
    const before = context.actions.findLast((act) => act.action === actName)?.before;
    if (!isManager(before) || [before.lastResetTime, now.lastResetTime].includes(notReported)) return [];
    const pass = before.lastResetTime !== now.lastResetTime;
    const expected = `later than ${before.lastResetTime}`;
    return [{ check: 'start of the BMC', pass, expected, actual: now.lastResetTime }];
  },
});

/** What the BMC says of itself. One in whose restart the worker died is waited for. Errors: those of the BMC. */
async function managerAtLast(context: ObserveContext): Promise<BmcManager> {
  const { actions, clock, signal } = context;
  const isRestarting = actions.findLast((act) => act.action === actName)?.done === false;
  const sinceMs = clock.nowMs();
  const wallLimitMs = isRestarting ? clock.deadlineMs(limitMs) : 0;
  for (;;)
    try {
      return await readBmcManager(await bmcReader(context), signal);
    } catch (error) {
      if (!(error instanceof OpsError) || error.failure.kind !== 'transient') throw error;
      if (clock.nowMs() - sinceMs >= wallLimitMs) throw error;
      await clock.poll(pollMs, signal);
    }
}

/**
 * Restarts the BMC and waits until it answers again. `manager`: what it says of itself now. A restart that was sent before
 * the worker died is not sent again where the stamp shows it. Errors: bmc-not-back.
 */
export async function restartBmc(context: ApplyContext, name: string, manager: BmcManager): Promise<void> {
  const open = context.actions.findLast((act) => act.action === name && !act.done);
  const before = isManager(open?.before) ? open.before : manager;
  await context.act({ name, text: `restart the BMC of ${context.dpu.name}`, before }, async () => {
    const wasSent = open !== undefined && hasRestarted(before, manager, false);
    if (!wasSent) await sendReset(context);
    context.bmc.noteReset(context.card);
    context.bmc.forget(context.card);
    return { evidence: await waitForReturn(context, before), value: undefined };
  });
}

async function sendReset(context: ApplyContext): Promise<void> {
  await postBeforeGoingAway(context, `${bmcManagerResource.path}/Actions/Manager.Reset`, {
    ResetType: 'GracefulRestart',
  });
}

/** Posts an order after which the BMC restarts. */
export async function postBeforeGoingAway(context: ApplyContext, path: string, body: object): Promise<void> {
  const session = await bmcSession(context);
  try {
    await session.post(path, body, { timeoutMs: 30_000, signal: context.signal });
  } catch (error) {
    // It may go away before it has answered; the wait shows whether it did.
    if (!(error instanceof OpsError) || !['bmc-reply-lost', 'bmc-timeout'].includes(error.code)) throw error;
  }
}

/** Returns the evidence as a sentence. Errors: bmc-not-back. */
async function waitForReturn(context: ApplyContext, before: BmcManager): Promise<string> {
  const { clock } = context;
  const target = context.dpu.name;
  const sinceMs = clock.nowMs();
  const wallLimitMs = clock.deadlineMs(limitMs);
  let wasAway = false;
  let last = 'it answers as before';
  while (clock.nowMs() - sinceMs < wallLimitMs) {
    await context.progress({ text: `waiting for the BMC of ${target}: ${last}`, sinceMs, limitMs: wallLimitMs });
    await clock.poll(pollMs, context.signal);
    try {
      const now = await readBmcManager(await bmcSession(context), context.signal);
      if (hasRestarted(before, now, wasAway)) return `up again, stamp ${before.lastResetTime} -> ${now.lastResetTime}`;
    } catch (error) {
      if (!(error instanceof OpsError) || error.failure.kind !== 'transient') throw error;
      wasAway = true;
      last = error.failure.what;
    }
  }
  throw errors.bmcNotBack({ target, last, limit: '10 min', run: context.runId });
}

/** Another stamp; where the BMC reports none, that it was away. */
function hasRestarted(before: BmcManager, now: BmcManager, wasAway: boolean): boolean {
  const stamps = [before.lastResetTime, now.lastResetTime];
  return stamps.includes(notReported) ? wasAway : stamps[0] !== stamps[1];
}

function isManager(value: unknown): value is BmcManager {
  return typeof value === 'object' && value !== null && 'lastResetTime' in value && 'firmware' in value;
}
