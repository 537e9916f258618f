import type { CallOptions, DeviceClock, LoginBudget } from '../../domain/device-ports.ts';
import { errors, OpsError } from '../../errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { LoginVerdict } from './auth.ts';
import type { Candidate } from './candidates.ts';
import { retried, type Tried } from './retry.ts';

/** Lock-out window of a BlueField BMC (AccountLockoutDuration), device milliseconds. Source: capture of BF-24.10. */
const lockoutWindowMs = 600_000;
/** After a BMC reset its user database comes up later than its web server: a 401 proves nothing so long. */
const resetGraceMs = 180_000;
/** Between two tries that prove nothing, so that they do not lock the account. */
const graceTryMs = 60_000;

/** What this process remembers about the passwords of one BMC. */
export interface LoginMemory {
  /** What the BMC refused, as certificate and candidate id, and until when (wall) it is not sent again. */
  readonly refused: Map<string, number>;
  /** Candidate that logged in last: a lost reply to it is no wrong try. */
  provenId?: string;
  resetAtMs?: number;
  graceTryAtMs?: number;
}

export interface AttemptDeps {
  /** Name of the card or host in messages. */
  readonly target: string;
  /** Tries a password, once. */
  readonly tryLogin: (password: Secret, options: CallOptions) => Promise<LoginVerdict>;
  /** Fingerprint of the certificate: after a factory reset it is another one, and old refusals mean nothing. */
  readonly trusted: string;
  readonly budget: LoginBudget;
  /** Name of the BMC in the shared budget. */
  readonly budgetKey: string;
  readonly memory: LoginMemory;
  /** How long a refused password is not sent again, in lock-out windows. */
  readonly refusedForWindows: number;
  readonly clock: DeviceClock;
  readonly random: () => number;
}

export type Attempt = Exclude<LoginVerdict, { kind: 'locked' }> | { readonly kind: 'locked'; readonly untilMs: number };

/** Errors after which the BMC has certainly not judged a password. */
const unjudged: ReadonlySet<string> = new Set([
  'bmc-unreachable',
  'bmc-cert-changed',
  'redfish-busy',
  'redfish-error',
  'ssh-unreachable',
  'ssh-auth-failed',
  'ssh-host-key-changed',
  'ssh-key-unusable',
  'credential-missing',
  'credential-unreadable',
]);
/** Errors with which a login may be tried again at once. */
const retriedLogins: ReadonlySet<string> = new Set(['bmc-unreachable', 'redfish-busy']);

/**
 * Tries one candidate within the budget that all workers share. A wrong one is remembered. Within 3 minutes of a BMC
 * reset a 401 counts as nothing and is thrown as `redfish-busy`.
 */
export async function attempt(deps: AttemptDeps, one: Candidate, options: CallOptions): Promise<Attempt> {
  const { memory, clock, budget, budgetKey, target } = deps;
  const windowMs = clock.wallMs(lockoutWindowMs);
  if (inGrace(deps) && clock.nowMs() < (memory.graceTryAtMs ?? -Infinity) + clock.wallMs(graceTryMs))
    throw unsettled(target);
  const reserved = await budget.take(budgetKey, windowMs);
  if (!reserved.ok) return { kind: 'locked', untilMs: reserved.untilMs };
  const verdict = await judged(deps, one, options);
  if (verdict.kind === 'locked') return { kind: 'locked', untilMs: await budget.exhaust(budgetKey, windowMs) };
  if (verdict.kind === 'right') {
    await budget.giveBack(budgetKey);
    memory.provenId = one.id;
    memory.refused.delete(refusalId(deps.trusted, one));
    return verdict;
  }
  if (inGrace(deps)) {
    await budget.giveBack(budgetKey);
    memory.graceTryAtMs = clock.nowMs();
    throw unsettled(target);
  }
  remember(deps, one);
  return verdict;
}

/** A password was refused outside of a login (with Basic authentication each request tries it): counts and remembers it. */
export async function noteRefusal(deps: Omit<AttemptDeps, 'tryLogin'>, one: Candidate): Promise<void> {
  remember(deps, one);
  await deps.budget.take(deps.budgetKey, deps.clock.wallMs(lockoutWindowMs));
}

function remember({ memory, trusted, clock, refusedForWindows }: Omit<AttemptDeps, 'tryLogin'>, one: Candidate): void {
  const untilMs = clock.nowMs() + clock.wallMs(lockoutWindowMs) * refusedForWindows;
  memory.refused.set(refusalId(trusted, one), untilMs);
}

/** Was this candidate refused a short while ago? Then sending it again would only use up the budget. */
export function wasRefused(memory: LoginMemory, trusted: string, one: Candidate, nowMs: number): boolean {
  return refusedUntilMs(memory, trusted, one) > nowMs;
}

/** Until when (wall) this candidate is not sent again; 0 when it was never refused. */
export function refusedUntilMs(memory: LoginMemory, trusted: string, one: Candidate): number {
  return memory.refused.get(refusalId(trusted, one)) ?? 0;
}

function refusalId(trusted: string, one: Candidate): string {
  return `${trusted} ${one.id}`;
}

async function judged(deps: AttemptDeps, one: Candidate, options: CallOptions): Promise<LoginVerdict> {
  try {
    return await retried(deps, options, (left) => tryOnce(deps, one, left));
  } catch (error) {
    const known = error instanceof OpsError && unjudged.has(error.code);
    if (known || deps.memory.provenId === one.id) await deps.budget.giveBack(deps.budgetKey);
    throw error;
  }
}

async function tryOnce(deps: AttemptDeps, one: Candidate, options: CallOptions): Promise<Tried<LoginVerdict>> {
  try {
    return { kind: 'value', value: await deps.tryLogin(one.secret, options) };
  } catch (error) {
    if (error instanceof OpsError && retriedLogins.has(error.code)) return { kind: 'transient', error };
    throw error;
  }
}

function inGrace({ memory, clock }: AttemptDeps): boolean {
  return memory.resetAtMs !== undefined && clock.nowMs() < memory.resetAtMs + clock.wallMs(resetGraceMs);
}

function unsettled(target: string): OpsError {
  return errors.redfishBusy({ target, request: 'the login', status: 401 });
}
