/**
 * Logins and the forced password change on the Arm side.
 *
 * Source: BlueField image defaults (ubuntu/ubuntu, expired, at least 12 characters); Linux-PAM and shadow messages.
 */
import { passwordMatches } from './crypt.ts';
import type { CardState } from './state.ts';

export type ArmLoginOutcome = 'ok' | 'expired' | 'wrong';

const minLength = 12;

function isPassword(card: CardState, password: string): boolean {
  const { passwordHash } = card.armOs;
  return passwordHash === null ? password === card.armOs.password : passwordMatches(password, passwordHash);
}

/** Check a password login. */
export function armLogin(card: CardState, user: string, password: string): ArmLoginOutcome {
  if (user !== 'ubuntu' || !isPassword(card, password)) return 'wrong';
  return card.armOs.passwordExpired ? 'expired' : 'ok';
}

function complaint(current: string, next: string): string | null {
  if (next === '') return 'BAD PASSWORD: No password supplied';
  if (next === current) return 'BAD PASSWORD: The password is the same as the old one';
  if (next.length < minLength) return `BAD PASSWORD: The password is shorter than ${minLength} characters`;
  if (new Set(next).size < 5) return 'BAD PASSWORD: The password does not contain enough DIFFERENT characters';
  return next.toLowerCase() === next && !/[^a-z]/.test(next)
    ? 'BAD PASSWORD: The password fails the dictionary check - it is based on a dictionary word'
    : null;
}

/** Change the password of user ubuntu; null when done, or what PAM says. */
export function changeArmPassword(card: CardState, current: string, next: string): string | null {
  if (!isPassword(card, current)) return 'passwd: Authentication token manipulation error';
  const problem = complaint(current, next);
  if (problem !== null) return problem;
  card.armOs.password = next;
  card.armOs.passwordHash = null;
  card.armOs.passwordExpired = false;
  return null;
}
