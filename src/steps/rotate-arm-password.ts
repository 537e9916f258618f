import { z } from 'zod';
import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { fileArmPassword } from './flash-arm-password.ts';
import { armSession, expectArm, serialOf } from './arm-session.ts';
import { runOk } from './remote.ts';

/** The act that ends it. */
export const keepName = 'keep-arm-password';

/**
 * Give the user of the Arm a new generated password: saved as pending and in the escrow first, set over the login by key,
 * current after a login with it has worked.
 *
 * Why      Passwords get around; who knew the old one is locked out of console and SSH.
 * Reads    a login by key.     Changes  `chpasswd` on the Arm, credential store, escrow. The key stays as it is.
 * Errors   those of the login, escrow-failed, outcome-unknown.
 * Source   chpasswd(8): names and passwords come in on stdin.
 */
export const rotateArmPassword = defineStep<Record<string, never>, { readonly isDone: boolean; readonly user: string }>(
  {
    name: 'rotate-arm-password',
    title: 'Replace the password of the Arm',
    scope: 'dpu',
    risk: 'disruptive',
    params: z.strictObject({}),
    timeoutMs: 300_000,
    needs: ['arm-ssh'],
    provides: [],
    wanted: () => 'a password that this run has generated',
    observe: async (context) => {
      await armSession(context);
      const isDone = context.actions.some((act) => act.action === keepName && act.done);
      return Promise.resolve({ isDone, user: userOf(context) });
    },
    diff: ({ isDone, user }, _params, { name: target }) => {
      if (isDone) return { kind: 'satisfied', reason: 'this run has done it' };
      const text = `password of ${user} on the Arm of ${target}: a new one, 16 bytes, copy in the escrow; the old one ends`;
      return { kind: 'change', changes: [{ target, from: 'the one in use', to: 'generated', text }] };
    },
    apply: async (context) => {
      await replaceArmPassword(context);
      return { kind: 'done' };
    },
  },
);

/** The same for other steps: a login by key works. */
export async function replaceArmPassword(context: ApplyContext): Promise<void> {
  const serial = serialOf(context);
  const isKept = context.actions.some((act) => act.action === keepName);
  const isPending = (await context.credentials.bmc({ armSerial: serial })).some((entry) => entry.slot === 'pending');
  // The worker died when it was filed, and before that was journaled.
  if (isKept && !isPending) return;
  const secret = await fileArmPassword(context, serial);
  await setPassword(context, secret);
  await context.act({ name: keepName, text: 'file the new password of the Arm as current' }, async () => {
    const evidence = await prove(context, secret);
    await context.credentials.promote({ armSerial: serial });
    return { evidence, value: undefined };
  });
}

function userOf({ profile }: Pick<ApplyContext, 'profile'>): string {
  return profile.arm?.user ?? 'ubuntu';
}

async function setPassword(context: ApplyContext, secret: Secret): Promise<void> {
  const session = await armSession(context);
  await expectArm(context, session, 'SSH');
  const user = userOf(context);
  await context.act({ name: 'change-password', text: `give ${user} the new password` }, async () => {
    const stdin = new Secret(`${user}:${secret.reveal()}\n`);
    await runOk(session, ['sudo', '-n', 'chpasswd'], { timeoutMs: 30_000, signal: context.signal, stdin });
    return { evidence: 'chpasswd ended with 0', value: undefined };
  });
}

/** A login with the password; where the server takes none, that chpasswd has ended well has to do. */
async function prove(context: ApplyContext, password: Secret): Promise<string> {
  const target = context.dpu.name;
  const hostKey = await context.pins.get('ssh-host-key', target);
  if (hostKey === undefined) throw errors.armUnpinned({ target });
  const route = context.dpu.arm === undefined ? undefined : ({ kind: 'oob' } as const);
  if (route === undefined)
    return 'chpasswd ended with 0; the card is reached over its host only, so no login was tried';
  try {
    const attempt = { route, user: userOf(context), hostKey, password, newPassword: password };
    const login = await context.arm.loginWithPassword(context.card, attempt, {
      timeoutMs: 60_000,
      signal: context.signal,
    });
    if (login.state === 'in') return 'a login with it has worked';
    throw errors.outcomeUnknown({
      what: `The Arm of ${target} does not accept its new password.`,
      why: `chpasswd took it, and a login with it is ${login.state}. The login by key still works.`,
      run: context.runId,
    });
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'arm-password-not-offered') throw error;
    return 'chpasswd ended with 0; the SSH server takes no passwords';
  }
}
