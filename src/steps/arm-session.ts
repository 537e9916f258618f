import type { ArmLogin, ArmRoute } from '../domain/arm-ports.ts';
import type { HostSession } from '../domain/device-ports.ts';
import type { Failure } from '../domain/outcome.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readMachine } from '../facts/arm-machine.ts';

const loginTimeoutMs = 30_000;

/** The session on the Arm of a card, or the error that says why there is none. */
export async function armSession(context: ObserveContext): Promise<HostSession> {
  const login = await armLogin(context);
  if (login.state === 'in') return login.session;
  throw new OpsError(armFailure(context, login));
}

/** Logs in by key. The route is that of the inventory unless one is given. */
export async function armLogin(context: ObserveContext, route?: ArmRoute): Promise<ArmLogin> {
  const options = { timeoutMs: loginTimeoutMs, signal: context.signal };
  return context.arm.login(context.card, route === undefined ? options : { ...options, route });
}

/** Why there is no session. */
export function armFailure(context: ObserveContext, login: Exclude<ArmLogin, { state: 'in' }>): Failure {
  const target = context.dpu.name;
  switch (login.state) {
    case 'unpinned':
      return errors.armUnpinned({ target }).failure;
    case 'refused': {
      const { user, key } = context.profile.arm ?? { user: 'ubuntu', key: 'none named in the profile' };
      return errors.sshAuthFailed({ host: `the Arm of ${target}`, user, key }).failure;
    }
    case 'unreachable':
      return login.failure;
  }
}

/** Proves that what was logged in to is an Arm. Errors: arm-wrong-machine, output-unreadable, command-failed. */
export async function expectArm(context: ObserveContext, session: HostSession, via: string): Promise<void> {
  const machine = await readMachine(session, context.signal);
  if (machine !== 'aarch64') throw errors.armWrongMachine({ target: context.dpu.name, machine, via });
}

/** The serial number, which every step after `identify-card` may lean on. */
export function serialOf(context: ObserveContext): string {
  const { serial } = context.card;
  if (serial === undefined) throw errors.bug({ detail: 'the serial of the card was not read before its Arm' });
  return serial;
}
