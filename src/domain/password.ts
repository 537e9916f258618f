import type { RandomSource } from './device-ports.ts';

const lower = 'abcdefghijkmnpqrstuvwxyz';
const upper = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const digit = '23456789';
const special = '!#%+-=@_';
const alphabet = lower + upper + digit + special; // 64 characters: six bits of a random byte choose one without bias

/** Longest that works everywhere: ipmitool accepts 17 to 20 bytes and the login then fails (field experience). */
export const BMC_PASSWORD_BYTES = 16;

/**
 * A BMC password of 16 ASCII bytes, 96 bits of chance: at least one of each class, no two neighbours whose codes differ
 * by one more than four times (the rule of the BlueField BMC). No character needs quoting in JSON.
 * Source: NVIDIA BlueField BMC docs, password policy; length limit: field experience with ipmitool.
 */
export function generateBmcPassword(random: RandomSource): string {
  for (;;) {
    const bytes = random.bytes(BMC_PASSWORD_BYTES);
    const password = Array.from(bytes, (byte) => alphabet.charAt(byte & 63)).join('');
    if (isGoodBmcPassword(password)) return password;
  }
}

/** The BMC's rules as published, with the stricter of the two known minimum lengths (13). */
export function isGoodBmcPassword(password: string): boolean {
  if (password.length < 13 || password.length > BMC_PASSWORD_BYTES) return false;
  const has = (characters: string): boolean => Array.from(password).some((character) => characters.includes(character));
  const codes = Array.from(password, (character) => character.charCodeAt(0));
  const pairs = codes.filter((code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? code)) === 1).length;
  return has(lower) && has(upper) && has(digit) && has(special) && pairs <= 4;
}
