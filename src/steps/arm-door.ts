import type { PasswordLogin } from '../domain/arm-ports.ts';
import type { CredentialSlot } from '../domain/device-ports.ts';
import type { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { countWrongTry } from './arm-tries.ts';
import { expectArm } from './arm-session.ts';
import type { TmfifoLink } from './tmfifo-link.ts';

const timeoutMs = 60_000;

/** A password that may be right, and where it comes from. */
export interface Candidate {
  readonly slot: CredentialSlot;
  readonly secret: Secret;
}

/** How the Arm is entered with one password: over SSH, or at the serial console. */
export type Door = (candidate: Candidate, newPassword: Secret) => Promise<PasswordLogin>;

/** `not-sent`: it was found out before a password was sent that this door cannot be used now. */
export type Tried = PasswordLogin | { readonly state: 'not-sent'; readonly error: OpsError };

const notOffered = 'arm-password-not-offered';
const notSentCodes: ReadonlySet<string> = new Set([notOffered, 'console-busy', 'host-tool-missing']);

/** The user that logs in on the Arm. */
export function armUser(context: ApplyContext): string {
  return context.profile.arm?.user ?? 'ubuntu';
}

/** Opens the Arm over SSH; the host key is the one that was learnt over the link. Errors: arm-wrong-machine. */
export function sshDoor(context: ApplyContext, way: TmfifoLink, hostKey: string): Door {
  return async ({ secret }, newPassword) => {
    const login = await context.arm.loginWithPassword(
      context.card,
      { route: way.route, user: armUser(context), hostKey, password: secret, newPassword },
      { timeoutMs, signal: context.signal },
    );
    // Before anything is changed there.
    if (login.state === 'in') await expectArm(context, login.session, way.link);
    return login;
  };
}

/** One try with one password. A try whose end is not known stays open in the journal, and counts as a wrong one. */
export async function tryPassword(
  context: ApplyContext,
  door: Door,
  candidate: Candidate,
  fresh: Secret,
): Promise<Tried> {
  const { slot } = candidate;
  const text = `log in to the Arm of ${context.dpu.name} with the ${slot} password`;
  return context.act({ name: 'try-password', text, before: slot }, async () => {
    const value = await door(candidate, fresh).catch(notSent);
    if (value.state === 'refused') await countWrongTry(context);
    return { evidence: `${slot} password: ${value.state}`, value };
  });
}

/** True when the door takes no passwords at all, so that another one may. */
export function isNoDoor(tried: Tried): boolean {
  return tried.state === 'not-sent' && tried.error.code === notOffered;
}

/** A try that did not come to a password is no wrong one. */
function notSent(error: unknown): Tried {
  if (error instanceof OpsError && notSentCodes.has(error.code)) return { state: 'not-sent', error };
  throw error;
}
