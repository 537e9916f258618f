import { z } from 'zod';
import type { BmcLogin, CredentialSlot } from '../domain/device-ports.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { keepNewPassword, sendNewPassword } from './bmc-password-filing.ts';

const Params = z.strictObject({
  /** Also where the one that dpubot has set works: once per run. */
  rotate: z.boolean().default(false),
  /** The BMC may have been reset, by this run or by others: its factory password says nothing about what runs on the card. */
  isReset: z.literal(true).optional(),
});
type Params = z.infer<typeof Params>;

type Observed =
  | {
      readonly state: 'in';
      readonly slot: CredentialSlot;
      readonly mustChange: boolean;
      /** Absent while the password must be changed: the BMC shows nothing else then. */
      readonly bmcSerial?: string;
      readonly cardSerial: string | undefined;
      readonly runId: number;
      /** This run has given it a new one. */
      readonly isRotated: boolean;
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
export const setBmcPassword = defineStep<Params, Observed>({
  name: 'set-bmc-password',
  title: 'Set the BMC password',
  scope: 'dpu',
  risk: 'disruptive',
  params: Params,
  timeoutMs: 300_000,
  needs: ['host-ssh'],
  provides: ['bmc-session'],
  aim: ({ rotate }) => `a generated password${rotate ? '' : ', unless the one set by dpubot works'}`,
  wanted: ({ rotate }) => `a ${rotate ? 'new ' : ''}generated password known only to dpubot and the escrow`,
  observe: observeLogin,
  diff: (observed, { rotate }, dpu) => judgeLogin(observed, dpu.name, rotate),
  apply: async (context, _changes, { isReset = false }, observed) => {
    if (observed.state !== 'in') throw errors.bug({ detail: `set-bmc-password applied while ${observed.state}` });
    if (observed.slot !== 'pending') await sendNewPassword(context, observed.slot);
    await keepNewPassword(context, { isReset });
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
  // It is begun after a login with the new one has worked: where that is current now, only its end was not journaled.
  const isRotated = slot === 'current' && context.actions.some((act) => act.action === 'keep-password');
  const cardSerial = context.card.serial;
  const known = { state: 'in', slot, mustChange, cardSerial, runId: context.runId, isRotated } as const;
  if (mustChange) return known;
  return { ...known, bmcSerial: (await readDpuSystem(login.session, context.signal)).serial };
}

function judgeLogin(observed: Observed, target: string, rotate: boolean): Diff {
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
      return judgeSlot(observed, target, rotate && !observed.isRotated);
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

function judgeSlot({ slot, mustChange }: Extract<Observed, { state: 'in' }>, target: string, rotate: boolean): Diff {
  if (slot === 'current' && !mustChange && !rotate)
    return { kind: 'satisfied', reason: 'a login with the password set by dpubot works' };
  const from = {
    factory: 'factory password',
    pending: 'sent, not confirmed',
    previous: 'an older one',
    current: mustChange ? 'expired' : 'the one in use',
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
