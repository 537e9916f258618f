import { z } from 'zod';
import type { HostSession } from '../domain/device-ports.ts';
import type { Failure } from '../domain/outcome.ts';
import type { ApplyContext, Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { bmcManagerResource } from '../facts/bmc-manager.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { readRunningInstallers } from '../facts/rshim.ts';
import { readyIpmi, resetToFactoryOverIpmi } from './arm-ipmi.ts';
import { armSession, expectArm } from './arm-session.ts';
import { bmcReader } from './bmc-session.ts';
import { hasRun } from './reboot-once.ts';
import { armNeeded, lookForArm } from './recover-arm.ts';
import type { Standing } from './recover-bmc-standing.ts';
import { firstAnswer, isFactory, standingOf, waitForFactory } from './recover-bmc-standing.ts';
import { postBeforeGoingAway } from './reset-bmc.ts';
import { lookForUpdate } from './update-elsewhere.ts';

const actName = 'reset-to-factory';

interface Observed {
  readonly isDone: boolean;
  readonly standing: Standing;
  /** How the order gets to the BMC. */
  readonly way: 'redfish' | 'arm' | 'none';
  readonly refusal: Failure | undefined;
}

/**
 * Have the BMC forget all its settings, once, and see it up with the factory password or another certificate.
 *
 * Why      The way out of settings that lock everybody out. It costs passwords, accounts, certificate and static address.
 * Reads    a login to the BMC and, where none works, on the Arm; running bfb-install (host).
 * Changes  Manager.ResetToDefaults ResetAll, or over the Arm ipmitool raw 0x32 0x66 and mc reset cold; credential store.
 * Errors   arm-login-needed, wrong-card, reboot-while-flashing, bmc-not-back, those of the BMC.
 * Source   NVIDIA BlueField BMC docs; libredfish mockup of a B3220 with BF-24.10; bfb-build (bmc.env).
 */
export const recoverBmcFactory = defineStep<Record<string, never>, Observed>({
  name: 'recover-bmc-factory',
  title: 'Reset the BMC to factory defaults',
  scope: 'dpu',
  risk: 'destructive',
  params: z.strictObject({}),
  timeoutMs: 1_500_000,
  needs: ['host-ssh', 'bmc-address', 'bmc-pinned'],
  provides: ['bmc-pinned', 'bmc-session'],
  worstReboots: (dpu) => [{ what: 'bmc', target: dpu.name, times: 1, certainty: 'planned' }],
  aim: () => 'one reset of the BMC to factory defaults',
  wanted: () => 'one reset of the BMC to factory defaults',
  observe,
  diff: (observed, _params, dpu) => judge(observed, dpu.name),
  apply: async (context, _changes, _params, { way, standing }) => {
    const last = context.actions.findLast((act) => act.action === actName);
    const before = typeof last?.before === 'string' ? last.before : standing.state;
    // One that had forgotten its settings already shows no difference: it has to be seen away.
    const showsIt = !isFactory({ state: before });
    // Sent before the worker died? What answers first shows it, and it is not sent again then.
    const wasSent = last !== undefined && showsIt && isFactory(await firstAnswer(context));
    const arm = way === 'arm' && !wasSent ? await readyArm(context) : undefined;
    const text = `reset the BMC of ${context.dpu.name} to factory defaults, over ${way === 'arm' ? 'its Arm' : 'Redfish'}`;
    await context.act({ name: actName, text, before }, async () => {
      const sent = wasSent ? 'was sent before' : await send(context, arm);
      context.bmc.noteReset(context.card);
      context.bmc.forget(context.card);
      const seen = await waitForFactory(context, { seenAway: wasSent || showsIt });
      // Whatever is filed is in force no more: as current it would be tried before the factory one.
      const { serial } = context.card;
      if (serial !== undefined) await context.credentials.retire({ serial });
      return { evidence: `${sent}; ${seen}`, value: undefined };
    });
    return { kind: 'done' };
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  const { dpu, card, host, signal, runId: run } = context;
  const { name: target } = dpu;
  const isDone = hasRun(context.actions, actName);
  const standing = await standingOf(context);
  const seen = { isDone, standing, way: 'none', refusal: undefined } as const;
  if (isDone) return seen;
  const [seenInstaller] = await readRunningInstallers(host, signal);
  if (seenInstaller !== undefined)
    return { ...seen, refusal: errors.rebootWhileFlashing({ target, host: host.name, seen: seenInstaller }).failure };
  if (standing.state === 'in') {
    const { serial: bmcSerial } = await readDpuSystem(await bmcReader(context), signal);
    const vpdSerial = card.serial ?? 'unknown';
    if (bmcSerial !== card.serial)
      return { ...seen, refusal: errors.wrongCard({ target, vpdSerial, bmcSerial, run }).failure };
    const { running } = await lookForUpdate(context);
    if (running) return { ...seen, refusal: errors.rebootWhileFlashing({ target, ...running }).failure };
    return { ...seen, way: 'redfish' };
  }
  const arm = await lookForArm(context);
  if (arm.state === 'in') return { ...seen, way: 'arm' };
  return { ...seen, refusal: standing.state === 'locked' ? undefined : armNeeded(context, 'BMC', arm) };
}

function judge({ isDone, standing, way, refusal }: Observed, target: string): Diff {
  if (isDone) return { kind: 'satisfied', reason: 'this run has done it' };
  if (refusal !== undefined) return { kind: 'refused', failure: refusal };
  if (way === 'none') {
    const reason = `no login to the BMC of ${target} may be tried until its lock-out window ends, and there is none on its Arm`;
    return { kind: 'waiting', reason, untilMs: standing.untilMs ?? 0 };
  }
  const over = way === 'arm' ? `over its Arm with ipmitool (${standing.text})` : 'over Redfish';
  const text = `BMC of ${target}: all settings are erased ${over}: passwords, accounts, certificate, logs and a static address (it asks DHCP afterwards); then a generated password at once. Arm and host stay up`;
  return {
    kind: 'change',
    changes: [{ target, from: 'its settings', to: 'factory defaults', text }],
    reboots: [{ what: 'bmc', target, times: 1, certainty: 'planned' }],
  };
}

async function readyArm(context: ApplyContext): Promise<HostSession> {
  const arm = await armSession(context);
  await expectArm(context, arm, 'SSH');
  await readyIpmi(context, arm);
  return arm;
}

async function send(context: ApplyContext, arm: HostSession | undefined): Promise<string> {
  if (arm !== undefined) return resetToFactoryOverIpmi(context, arm);
  const path = `${bmcManagerResource.path}/Actions/Manager.ResetToDefaults`;
  await postBeforeGoingAway(context, path, { ResetToDefaultsType: 'ResetAll' });
  return `POST ${path}`;
}
