import type { ArmLogin } from '../domain/arm-ports.ts';
import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { installPublicKey } from './arm-authorized-key.ts';
import { consoleDoor } from './arm-console.ts';
import { sshDoor } from './arm-door.ts';
import { pinHostKey } from './arm-host-key.ts';
import type { Opened } from './arm-password.ts';
import { openWithPassword } from './arm-password.ts';
import { armFailure, armLogin, expectArm } from './arm-session.ts';
import type { TmfifoLink } from './tmfifo-link.ts';
import { joinTmfifo, leaveTmfifo } from './tmfifo-link.ts';

const pollMs = 5_000;
/** A DHCP lease comes some seconds after the SSH server; longer means that none comes. */
const oobLimitMs = 180_000;

/**
 * From nothing to a login by key: link, host key, key or password, key again. Returns a session over the route that later
 * steps use, or what has to be waited for. Each part looks first, so that a second run goes on where the first one ended.
 */
export async function openArm(context: ApplyContext): Promise<Opened> {
  const way = await joinTmfifo(context);
  const hostKey = await pinHostKey(context, way);
  const login = await armLogin(context, way.route);
  if (login.state !== 'in') {
    const waiting = await enter(context, way, hostKey, login);
    if (waiting !== undefined) return waiting;
  }
  const session = login.state === 'in' ? login.session : await sessionOver(context, way);
  await expectArm(context, session, way.link);
  const { arm } = context.dpu;
  return { kind: 'in', session: arm === undefined ? session : await overOob(context, way, arm.address) };
}

/** The key is refused: a password opens, and then the key is put there. Returns what it has to wait for. */
async function enter(
  context: ApplyContext,
  way: TmfifoLink,
  hostKey: string,
  login: Exclude<ArmLogin, { state: 'in' }>,
): Promise<Opened | undefined> {
  if (login.state !== 'refused') throw new OpsError(armFailure(context, login));
  const opened = await openWithPassword(context, sshDoor(context, way, hostKey), consoleDoor(context, way));
  if (opened.kind === 'waiting') return opened;
  const { session } = opened;
  // Before anything is written to it.
  await expectArm(context, session, way.link);
  await installPublicKey(context, session);
  context.arm.forget(context.card);
  return undefined;
}

async function sessionOver(context: ApplyContext, way: TmfifoLink): Promise<HostSession> {
  const login = await armLogin(context, way.route);
  if (login.state === 'in') return login.session;
  const failure = armFailure(context, login);
  throw errors.outcomeUnknown({
    what: `The Arm of ${context.dpu.name} took the public key, and a login by key does not work.`,
    why: `${failure.what} ${failure.why}`,
    run: context.runId,
  });
}

/** Proves the way that later steps take, then gives the link back. Without an OOB address the namespace stays. */
async function overOob(context: ApplyContext, way: TmfifoLink, address: string): Promise<HostSession> {
  const target = context.dpu.name;
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(oobLimitMs);
  for (;;) {
    const login = await armLogin(context, { kind: 'oob' });
    if (login.state === 'in') {
      await expectArm(context, login.session, address);
      await leaveTmfifo(context, way.namespace);
      return login.session;
    }
    if (context.clock.nowMs() - startMs >= limitMs || login.state !== 'unreachable') {
      const failure = armFailure(context, login);
      const why = `${failure.what} ${failure.why}`;
      throw errors.armOobSilent({ target, address, limit: '3 min', why, run: context.runId });
    }
    await context.progress({ text: `waiting for ${target} at ${address}`, sinceMs: startMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}
