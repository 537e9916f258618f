import type { HostSession } from '../domain/device-ports.ts';
import type { Failure } from '../domain/outcome.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { armFailure, armLogin, expectArm } from './arm-session.ts';

/** A login on the Arm as a way to something else in the card, or why there is none. */
export type ArmWay =
  { readonly state: 'in'; readonly session: HostSession } | { readonly state: 'none'; readonly failure: Failure };

/** Looks whether the Arm can be entered by key. That another host key answers is a reason like any other here. */
export async function lookForArm(context: ObserveContext): Promise<ArmWay> {
  try {
    const login = await armLogin(context);
    if (login.state !== 'in') return { state: 'none', failure: armFailure(context, login) };
    await expectArm(context, login.session, 'SSH');
    return login;
  } catch (error) {
    if (error instanceof OpsError && ['ssh-host-key-changed', 'arm-wrong-machine'].includes(error.code))
      return { state: 'none', failure: error.failure };
    throw error;
  }
}

/** Why something cannot be recovered without a login on the Arm, and what leads to one. */
export function armNeeded({ dpu, profile }: ObserveContext, what: string, way: ArmWay): Failure {
  if (way.state === 'in') throw errors.bug({ detail: `${dpu.name} has a login on its Arm` });
  const why = `${way.failure.what} ${way.failure.why}`;
  return errors.armLoginNeeded({ target: dpu.name, what, why, image: profile.image }).failure;
}
