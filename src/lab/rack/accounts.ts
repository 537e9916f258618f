/**
 * The BMC's root account: password policy, lock-out, and the 17-20 byte trap.
 *
 * Source: AccountService of BF-24.10 (12..20, 10 failures, 600 s); BlueField BMC manual (complexity, pairs rule);
 * ipmitool lib/ipmi_user.c (16 byte and 20 byte stores).
 */
import type { AccountRole } from './bmc-state.ts';
import { removeFault } from './faults.ts';
import { cardFault } from './state.ts';
import type { CardState, Rack } from './state.ts';

const factoryPassword = '0penBmc';
/** Failures that lock the account. */
export const lockoutThreshold = 10;
/** How long it stays locked. */
export const lockoutMs = 600_000;
const minLength = 12;
const maxLength = 20;
const maxPairsInARow = 4;

/** Length of the longest run of neighbours whose codes differ by one: `1234` has 3. */
function longestPairRun(password: string): number {
  let longest = 0;
  let run = 0;
  for (let index = 1; index < password.length; index += 1) {
    const step = Math.abs(password.charCodeAt(index) - password.charCodeAt(index - 1));
    run = step === 1 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Why a new password is refused, or null. */
export function passwordProblem(password: string): string | null {
  if (password.length < minLength) return 'too short';
  if (password.length > maxLength) return 'too long';
  if (!/[A-Z]/.test(password)) return 'no upper case letter';
  if (!/[a-z]/.test(password)) return 'no lower case letter';
  if (!/[0-9]/.test(password)) return 'no digit';
  if (!/[^A-Za-z0-9]/.test(password)) return 'no special character';
  if (longestPairRun(password) > maxPairsInARow) return 'too many consecutive characters';
  return null;
}

/** Is the root password still the factory one? */
export function passwordIsDefault(card: CardState): boolean {
  return card.bmc.rootPassword === factoryPassword;
}

/** Is the account locked now? */
export function accountLocked(rack: Rack, card: CardState): boolean {
  return rack.nowMs() < card.bmc.lockedUntilMs;
}

type LoginOutcome = 'ok' | 'change-required' | 'wrong' | 'locked';

/** One login attempt over Redfish, counted as the BMC's PAM counts it. */
export function tryLogin(rack: Rack, card: CardState, user: string, password: string): LoginOutcome {
  if (user !== 'root') {
    const account = card.bmc.accounts.find((each) => each.user === user && each.enabled);
    if (account === undefined) return 'wrong';
    return countAttempt(rack, account, () => password === account.password);
  }
  const outcome = countAttempt(
    rack,
    card.bmc,
    () =>
      password === card.bmc.rootPassword &&
      !card.bmc.passwordUnusable &&
      !lostPassword.some((fault) => cardFault(rack, card, fault)),
  );
  return outcome === 'ok' && passwordIsDefault(card) ? 'change-required' : outcome;
}

interface AttemptCounter {
  failedLogins: number;
  lockedUntilMs: number;
}

function countAttempt(rack: Rack, counter: AttemptCounter, isRight: () => boolean): 'ok' | 'wrong' | 'locked' {
  if (rack.nowMs() < counter.lockedUntilMs) return 'locked';
  if (counter.lockedUntilMs !== 0) {
    // The window has passed: counting starts again.
    counter.lockedUntilMs = 0;
    counter.failedLogins = 0;
  }
  if (isRight()) {
    counter.failedLogins = 0;
    return 'ok';
  }
  counter.failedLogins += 1;
  if (counter.failedLogins >= lockoutThreshold) counter.lockedUntilMs = rack.nowMs() + lockoutMs;
  return 'wrong';
}

/** Role of a user that is logged in. */
export function roleOf(card: CardState, user: string): AccountRole {
  if (user === 'root') return 'Administrator';
  return card.bmc.accounts.find((each) => each.user === user)?.role ?? 'ReadOnly';
}

/** Faults in which somebody has set a password that nobody knows. */
const lostPassword = ['bmc-password-wrong', 'bmc-password-too-long'] as const;

/** Whatever somebody had set before is no more. */
function forgetLostPassword(rack: Rack, card: CardState): void {
  for (const fault of lostPassword) removeFault(rack.state.faults, fault, card.name);
}

/** Store a new password over Redfish; every other session of the user ends. */
export function setPasswordByRedfish(
  rack: Rack,
  card: CardState,
  password: string,
  keepSessionId: string | null,
): void {
  forgetLostPassword(rack, card);
  card.bmc.rootPassword = password;
  card.bmc.passwordUnusable = card.hardware.bmc.redfishTruncatesPassword && password.length > 16;
  endSessions(card, 'root', keepSessionId);
}

/** End the sessions of a user, but for one. */
export function endSessions(card: CardState, user: string, keepSessionId: string | null): void {
  card.bmc.sessions = card.bmc.sessions.filter((session) => session.user !== user || session.id === keepSessionId);
}

/** Store a new password over IPMI: no policy but 20 bytes; 17 to 20 bytes are taken and never work again. */
export function setPasswordByIpmi(rack: Rack, card: CardState, password: string): void {
  forgetLostPassword(rack, card);
  card.bmc.rootPassword = password;
  card.bmc.passwordUnusable = Buffer.byteLength(password) > 16;
  card.bmc.failedLogins = 0;
  endSessions(card, 'root', null);
}

/** Accounts as the factory left them. */
export function resetAccounts(rack: Rack, card: CardState): void {
  forgetLostPassword(rack, card);
  card.bmc.rootPassword = factoryPassword;
  card.bmc.passwordUnusable = false;
  card.bmc.failedLogins = 0;
  card.bmc.lockedUntilMs = 0;
  card.bmc.accounts = [];
}
