import { z } from 'zod';
import type { BmcLogin, CredentialSlot } from '../domain/device-ports.ts';
import type { Failure } from '../domain/outcome.ts';
import type { ApplyContext, ApplyResult } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readyIpmi, setPasswordOverIpmi } from './arm-ipmi.ts';
import { armSession, expectArm } from './arm-session.ts';
import { fileNewPassword } from './bmc-password-filing.ts';
import { armNeeded, lookForArm } from './recover-arm.ts';

type Observed =
  | { readonly state: 'in'; readonly slot: CredentialSlot }
  | Exclude<BmcLogin, { state: 'in' | 'refused' }>
  /** `failure`: there is no login on the Arm either. */
  | { readonly state: 'refused'; readonly tried: readonly CredentialSlot[]; readonly failure: Failure | undefined };

/**
 * Give root of the BMC a new password over the Arm of its card, where the BMC refuses every one that dpubot has. It is
 * saved as pending and in the escrow first; the step after this one keeps it, once the BMC has proven to be this card's.
 *
 * Why      Over IPMI the card's own Arm may set it without knowing the old one; settings and accounts stay.
 * Units    16 bytes: 17 to 20 are accepted by ipmitool and then fail to log in.
 * Reads    a login to the BMC, a login by key on the Arm, ipmitool lan print.
 * Changes  ipmitool user set password 1 (the password travels on stdin), credential store, escrow.
 * Errors   arm-login-needed, bmc-locked (waits), outcome-unknown, escrow-failed, command-failed.
 * Source   seed blog step 2; ipmitool lib/ipmi_user.c; NVIDIA BlueField BMC docs (lock-out: 10 tries, 600 s).
 */
export const recoverBmcPassword = defineStep<Record<string, never>, Observed>({
  name: 'recover-bmc-password',
  title: 'Set the BMC password over the Arm',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 300_000,
  needs: ['host-ssh', 'bmc-address', 'bmc-pinned'],
  provides: ['bmc-session'],
  aim: () => 'a new BMC password over the Arm, if the BMC refuses all that dpubot has',
  wanted: () => 'a password that dpubot has',
  observe: async (context) => {
    // A session of before would go on after somebody has changed the password.
    const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal, fresh: true });
    if (login.state === 'in') return { state: 'in', slot: login.slot };
    if (login.state !== 'refused') return login;
    const arm = await lookForArm(context);
    const failure = arm.state === 'in' ? undefined : armNeeded(context, 'BMC password', arm);
    return { state: 'refused', tried: login.tried, failure };
  },
  diff: (observed, _params, { name: target }) => {
    switch (observed.state) {
      case 'in':
        return { kind: 'satisfied', reason: `the BMC takes the ${observed.slot} password` };
      case 'unpinned':
        return { kind: 'deferred', awaits: 'bmc-pinned', reason: 'known after the BMC certificate is pinned' };
      case 'locked': {
        const reason = `no login to the BMC of ${target} may be tried until its lock-out window ends`;
        return { kind: 'waiting', reason, untilMs: observed.untilMs };
      }
      case 'refused': {
        if (observed.failure !== undefined) return { kind: 'refused', failure: observed.failure };
        const tried = observed.tried.join(', ');
        const text = `BMC password of ${target}: every one that dpubot has is refused (${tried}) -> generated, 16 bytes, set over its Arm with ipmitool, copy in the escrow; settings and accounts of the BMC stay`;
        return { kind: 'change', changes: [{ target, from: 'unknown', to: 'generated', text }] };
      }
    }
  },
  apply: async (context) => {
    const password = await fileNewPassword(context, 'unknown');
    const arm = await armSession(context);
    await expectArm(context, arm, 'SSH');
    await readyIpmi(context, arm);
    const text = 'give root of the BMC the new password, over the Arm';
    await context.act({ name: 'set-bmc-password-over-arm', text }, async () => {
      const evidence = await setPasswordOverIpmi(context, arm, password);
      context.bmc.forget(context.card);
      return { evidence, value: undefined };
    });
    return prove(context);
  },
});

/** A login decides. Where wrong tries have used up the window, it is waited for; the next look finds the new password. */
async function prove(context: ApplyContext): Promise<ApplyResult> {
  const { name: target } = context.dpu;
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  if (login.state === 'in' && login.slot === 'pending') return { kind: 'done' };
  if (login.state === 'locked') {
    const reason = `the new password of the BMC of ${target} is set; a login with it may be tried when the lock-out window ends`;
    return { kind: 'waiting', reason, untilMs: login.untilMs };
  }
  const seen = login.state === 'in' ? `takes the ${login.slot} one` : `is ${login.state}`;
  throw errors.outcomeUnknown({
    what: `The BMC of ${target} does not accept the new password.`,
    why: `ipmitool on its Arm said that it was set, and a login at the address of the inventory ${seen}: that address may be of another card.`,
    run: context.runId,
  });
}
