import { z } from 'zod';
import type { BmcLogin, CredentialSlot } from '../domain/device-ports.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { keepNewPassword, sendNewPassword } from './bmc-password-filing.ts';

type Observed =
  | {
      readonly state: 'in';
      readonly slot: CredentialSlot;
      readonly mustChange: boolean;
      /** Absent while the password must be changed: the BMC shows nothing else then. */
      readonly bmcSerial?: string;
      readonly cardSerial: string | undefined;
      readonly runId: number;
    }
  | Exclude<BmcLogin, { state: 'in' | 'refused' }>
  | (Extract<BmcLogin, { state: 'refused' }> & { readonly cardSerial: string | undefined });

/**
 * Give the BMC a generated password of its own: saved as pending and in the escrow first, sent by PATCH, current after a
 * login with it has worked, and filed under the card's serial once the BMC has proven to be that card's.
 *
 * Why      With the factory password the BMC refuses everything else with 403, and everybody knows it.
 * Units    16 bytes: valid everywhere (17 to 20 are accepted by ipmitool and then fail to log in).
 * Reads    a login; Systems/Bluefield (serial).     Changes  AccountService/Accounts/root, credential store, escrow.
 * Errors   card-set-up-by-hand, bmc-login-refused, bmc-locked (waits), wrong-card, escrow-failed, bmc-reply-lost.
 * Source   NVIDIA BlueField BMC docs; DPF dpuagent mock (PATCH allowed with 0penBmc); seed blog step 2.
 */
export const setBmcPassword = defineStep<Record<string, never>, Observed>({
  name: 'set-bmc-password',
  title: 'Set the BMC password',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 300_000,
  needs: ['host-ssh'],
  provides: ['bmc-session'],
  aim: () => 'a generated password, unless the one set by dpubot works',
  wanted: () => 'a generated password known only to dpubot and the escrow',
  observe: observeLogin,
  diff: (observed, _params, dpu) => judgeLogin(observed, dpu.name),
  apply: async (context, _changes, _params, observed) => {
    if (observed.state !== 'in') throw errors.bug({ detail: `set-bmc-password applied while ${observed.state}` });
    if (observed.slot !== 'pending') await sendNewPassword(context, observed.slot);
    await keepNewPassword(context);
    return { kind: 'done' };
  },
  verify: async (context) => {
    const observed = await observeLogin(context);
    const slot = observed.state === 'in' ? observed.slot : observed.state;
    const serial = observed.state === 'in' ? (observed.bmcSerial ?? 'not readable') : 'not readable';
    return [
      { check: 'password that works', pass: slot === 'current', expected: 'current', actual: slot },
      {
        check: 'serial behind the BMC address',
        pass: serial === context.card.serial,
        expected: context.card.serial ?? 'unknown',
        actual: serial,
      },
    ];
  },
});

async function observeLogin(context: ObserveContext): Promise<Observed> {
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  if (login.state === 'refused') return { ...login, cardSerial: context.card.serial };
  if (login.state !== 'in') return login;
  const { slot, mustChange } = login;
  const known = { state: 'in', slot, mustChange, cardSerial: context.card.serial, runId: context.runId } as const;
  if (mustChange) return known;
  return { ...known, bmcSerial: (await readDpuSystem(login.session, context.signal)).serial };
}

function judgeLogin(observed: Observed, target: string): Diff {
  switch (observed.state) {
    case 'unpinned':
      return { kind: 'deferred', awaits: 'bmc-pinned', reason: 'known after the BMC certificate is pinned' };
    case 'locked':
      return {
        kind: 'waiting',
        reason: `no login to the BMC of ${target} may be tried until its lock-out window ends`,
        untilMs: observed.untilMs,
      };
    case 'refused':
      return { kind: 'refused', failure: refusal(observed, target) };
    case 'in':
      if (observed.bmcSerial !== undefined && observed.bmcSerial !== observed.cardSerial)
        return {
          kind: 'refused',
          failure: errors.wrongCard({
            target,
            vpdSerial: observed.cardSerial ?? 'unknown',
            bmcSerial: observed.bmcSerial,
            run: observed.runId,
          }).failure,
        };
      return judgeSlot(observed.slot, observed.mustChange, target);
  }
}

/** Where nothing but the factory password could be tried, dpubot has never had this card: somebody else set it up. */
function refusal(observed: Extract<Observed, { state: 'refused' }>, target: string): Failure {
  const { tried, cardSerial } = observed;
  const isForeign = tried.every((slot) => slot === 'factory') && cardSerial !== undefined;
  const error = isForeign
    ? errors.bmcSetUpByHand({ target, serial: cardSerial })
    : errors.bmcLoginRefused({ target, tried });
  return error.failure;
}

function judgeSlot(slot: CredentialSlot, mustChange: boolean, target: string): Diff {
  if (slot === 'current' && !mustChange)
    return { kind: 'satisfied', reason: 'a login with the password set by dpubot works' };
  const from = {
    factory: 'factory password',
    pending: 'sent, not confirmed',
    previous: 'an older one',
    current: 'expired',
  }[slot];
  return {
    kind: 'change',
    changes: [
      {
        target,
        from,
        to: 'generated',
        text: `BMC password of ${target}: ${from} -> generated, 16 bytes, copy in the escrow`,
      },
    ],
  };
}
