import { z } from 'zod';
import type { ArmLogin } from '../domain/arm-ports.ts';
import type { ApplyContext, Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { tmfifoNamespace } from '../domain/tmfifo.ts';
import { errors, OpsError } from '../errors.ts';
import { openArm } from './arm-open.ts';
import type { Opened } from './arm-password.ts';
import { armLogin } from './arm-session.ts';
import { hasRun } from './reboot-once.ts';
import { keepName, replaceArmPassword } from './rotate-arm-password.ts';
import { leaveTmfifo } from './tmfifo-link.ts';

interface Observed {
  /** `other-key`: it shows another host key than the pinned one. */
  readonly login: ArmLogin['state'] | 'other-key';
  readonly user: string;
  readonly image: string | undefined;
  readonly isDone: boolean;
}

/**
 * Get back into the Arm, and give its user a password that dpubot knows.
 *
 * Why      A password that nobody knows locks console and SSH. Where the key still opens, nothing is lost; where a password
 *          of dpubot does, neither. Otherwise only writing the system anew helps, which erases all files: that is a decision
 *          of its own (`/dpu reflash`), and is not taken here.
 * Reads    a login by key; with the key refused, rshim and tmfifo of the host.
 * Changes  password and authorized_keys on the Arm, the pin, credential store, escrow. At most two wrong tries in ten minutes.
 * Errors   arm-locked-out, arm-unreachable, rshim-not-found, and those of enrol-arm-login.
 * Source   seed blog, appendix (DPU Arm password); chpasswd(8); faillock of the image.
 */
export const recoverArmPassword = defineStep<Record<string, never>, Observed>({
  name: 'recover-arm-password',
  title: 'Get back into the Arm',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 1_200_000,
  needs: ['host-ssh'],
  provides: ['arm-ssh'],
  wanted: () => 'a login by key, and a password that this run has generated',
  observe,
  diff: (observed, _params, dpu) => judge(observed, dpu.name),
  apply: async (context, _changes, _params, { login }) => {
    const opened = login === 'in' ? undefined : await openOrSayWhatIsLeft(context);
    if (opened?.kind === 'waiting') return opened;
    // A login with a password has left a new one behind already.
    if (!hasRun(context.actions, keepName)) await replaceArmPassword(context);
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { login } = await observe(context);
    return [{ check: 'login by key', pass: login === 'in', expected: 'in', actual: login }];
  },
});

async function observe(context: ObserveContext): Promise<Observed> {
  const { profile, actions } = context;
  const isDone = hasRun(actions, keepName);
  const known = { user: profile.arm?.user ?? 'ubuntu', image: profile.image, isDone };
  try {
    return { login: (await armLogin(context)).state, ...known };
  } catch (error) {
    // The key is looked at over the card's own link in `apply`, where its reason can be told.
    if (error instanceof OpsError && error.code === 'ssh-host-key-changed') return { login: 'other-key', ...known };
    throw error;
  }
}

function judge({ login, user, image, isDone }: Observed, target: string): Diff {
  if (login === 'in') {
    if (isDone) return { kind: 'satisfied', reason: 'this run has done it' };
    const text = `password of ${user} on the Arm of ${target}: a new one over the login by key, which works; nothing is lost`;
    return { kind: 'change', changes: [{ target, from: 'not known', to: 'generated', text }] };
  }
  const from = {
    unpinned: 'host key not known',
    'other-key': 'another host key than the pinned one',
    refused: 'key refused',
    unreachable: 'not reached',
  }[login];
  const text = `Arm of ${target}: ${from} -> login by key and a new password for ${user}; the passwords that dpubot has are tried over its tmfifo link, at most two wrong ones in ten minutes`;
  return {
    kind: 'change',
    changes: [{ target, from, to: 'login by key', text }],
    warning: `if none of them opens ${target}, nothing is changed: only \`/dpu reflash ${target} --image ${image ?? 'NAME'}\` is left then, which erases all files on its Arm`,
  };
}

async function openOrSayWhatIsLeft(context: ApplyContext): Promise<Opened> {
  try {
    return await openArm(context);
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'arm-login-refused') throw error;
    if (context.dpu.arm !== undefined) await leaveTmfifo(context, tmfifoNamespace(context.dpu.name));
    const { runId: run } = context;
    throw errors.armLockedOut({ target: context.dpu.name, why: error.failure.what, image: context.profile.image, run });
  }
}
