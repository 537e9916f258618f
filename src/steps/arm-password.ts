import type { PasswordLogin } from '../domain/arm-ports.ts';
import type { CredentialSlot, HostSession } from '../domain/device-ports.ts';
import { generateBmcPassword } from '../domain/password.ts';
import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { Candidate, Door } from './arm-door.ts';
import { armUser, isNoDoor, tryPassword } from './arm-door.ts';
import { serialOf } from './arm-session.ts';
import { waitUntilMs, wrongTries } from './arm-tries.ts';
import { escrowLabel } from './escrow-label.ts';
import { runOk } from './remote.ts';

/** What every image comes with, as NVIDIA's manuals print it; the first login has to change it. */
const factoryPassword = 'ubuntu';

export type Opened =
  | { readonly kind: 'in'; readonly session: HostSession }
  /** Candidates are left, and the wrong tries of this time window are used up. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number };

/**
 * Logs in with a password and leaves the Arm with a generated one that is filed as current: saved as pending and in the
 * escrow before it is sent, promoted after a login with it has worked. Candidates come in the house order, each once in a
 * run, and two wrong ones in ten minutes: then the rest has to wait. After a crash the pending one is tried first. A server
 * that takes no passwords leads to the next door.
 *
 * Errors: arm-login-refused (none is left), arm-password-refused (its rules refuse ours), outcome-unknown, escrow-failed,
 * and those of the doors.
 */
export async function openWithPassword(context: ApplyContext, first: Door, ...others: Door[]): Promise<Opened> {
  const doors = [first, ...others];
  const target = context.dpu.name;
  const known = context.actions.filter((action) => action.action === 'password-refused');
  const refused = new Set(known.map((action) => String(action.before)));
  const candidates = (await candidatesOf(context)).filter(({ slot }) => !refused.has(slot));
  const wrongAtMs = [...(await wrongTries(context))];
  if (candidates.length > 0 && waitUntilMs(context, wrongAtMs) === undefined) {
    const fresh = await savePending(context);
    for (const candidate of candidates) {
      if (waitUntilMs(context, wrongAtMs) !== undefined) break;
      const { door, login } = await tryDoors(context, doors, candidate, fresh);
      if (login.state !== 'refused') return { kind: 'in', session: await keep(context, door, candidate, login, fresh) };
      await markRefused(context, candidate.slot);
      refused.add(candidate.slot);
      wrongAtMs.push(context.clock.nowMs());
    }
  }
  const untilMs = waitUntilMs(context, wrongAtMs);
  if (untilMs !== undefined && candidates.some(({ slot }) => !refused.has(slot)))
    return {
      kind: 'waiting',
      reason: `no password of ${target} may be tried before two wrong tries are forgotten`,
      untilMs,
    };
  throw errors.armLoginRefused({ target, user: armUser(context), tried: [...refused], run: context.runId });
}

/** Tries a password at the first door that takes any; those that take none are struck off. */
async function tryDoors(
  context: ApplyContext,
  doors: Door[],
  candidate: Candidate,
  fresh: Secret,
): Promise<{ readonly door: Door; readonly login: PasswordLogin }> {
  for (let [door] = doors; door !== undefined; [door] = doors) {
    const login = await tryPassword(context, door, candidate, fresh);
    if (login.state !== 'not-sent') return { door, login };
    if (!isNoDoor(login) || doors.length === 1) throw login.error;
    doors.shift();
  }
  throw errors.bug({ detail: 'there is no way to try a password' });
}

/** Each password is tried once in a run. */
async function markRefused(context: ApplyContext, slot: CredentialSlot): Promise<void> {
  await context.act({ name: 'password-refused', text: `pass over the ${slot} password`, before: slot }, async () =>
    Promise.resolve({ evidence: slot, value: undefined }),
  );
}

async function keep(
  context: ApplyContext,
  door: Door,
  { slot }: Candidate,
  login: Exclude<PasswordLogin, { state: 'refused' }>,
  fresh: Secret,
): Promise<HostSession> {
  const session = await withNewPassword(context, door, slot, login, fresh);
  await context.act({ name: 'keep-arm-password', text: 'file the new password of the Arm as current' }, async () => {
    await context.credentials.promote({ armSerial: serialOf(context) });
    return { evidence: 'a login with it has worked', value: undefined };
  });
  return session;
}

/** Pending, current, factory, previous: the house order. */
async function candidatesOf(context: ApplyContext): Promise<readonly Candidate[]> {
  const known = await context.credentials.bmc({ armSerial: serialOf(context) });
  const of = (slot: CredentialSlot): readonly Candidate[] =>
    known.filter((entry) => entry.slot === slot).map(({ secret }) => ({ slot, secret }));
  const factory: Candidate = { slot: 'factory', secret: new Secret(factoryPassword) };
  return [...of('pending'), ...of('current'), factory, ...of('previous')];
}

/** The password that the Arm will have: the pending one, if an earlier run filed one, else a new one. */
async function savePending(context: ApplyContext): Promise<Secret> {
  const key = { armSerial: serialOf(context) };
  const { recipient } = context.slice;
  return context.act(
    { name: 'save-arm-password', text: 'file a new password of the Arm as pending and write it to the escrow' },
    async () => {
      const known = (await context.credentials.bmc(key)).find((entry) => entry.slot === 'pending');
      const secret = known?.secret ?? new Secret(generateBmcPassword(context.random));
      if (!known) await context.credentials.savePending(key, secret, recipient);
      await context.escrow.write({ label: escrowLabel(context, 'arm'), recipient, secret, runId: context.runId });
      return { evidence: known ? 'the pending one is used again' : 'pending saved, escrow written', value: secret };
    },
  );
}

/** Brings the Arm to the new password, whichever way it was entered, and proves it by a login. */
async function withNewPassword(
  context: ApplyContext,
  door: Door,
  slot: CredentialSlot,
  login: Exclude<PasswordLogin, { state: 'refused' }>,
  fresh: Secret,
): Promise<HostSession> {
  if (login.state === 'in' && slot === 'pending') return login.session;
  if (login.state === 'in') {
    const user = armUser(context);
    await context.act({ name: 'change-password', text: `give ${user} the new password`, before: slot }, async () => {
      const stdin = new Secret(`${user}:${fresh.reveal()}\n`);
      await runOk(login.session, ['sudo', '-n', 'chpasswd'], { timeoutMs: 30_000, signal: context.signal, stdin });
      return { evidence: 'chpasswd ended with 0', value: undefined };
    });
  }
  // The server ends the connection after a forced change; and a change that was only said to have worked is none.
  context.arm.forget(context.card);
  const again = await tryPassword(context, door, { slot: 'pending', secret: fresh }, fresh);
  if (again.state === 'in') return again.session;
  if (again.state === 'not-sent') throw again.error;
  throw errors.outcomeUnknown({
    what: `The Arm of ${context.dpu.name} does not accept its new password.`,
    why: `It took the change of the ${slot} password, and a login with the new one is ${again.state}.`,
    run: context.runId,
  });
}
