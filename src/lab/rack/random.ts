/**
 * A small seeded generator whose whole state is one number, so that a snapshot can carry it.
 */

interface RandomState {
  random: number;
}

/** Next number in [0, 1). mulberry32. */
function nextRandom(state: RandomState): number {
  state.random = (state.random + 0x6d2b79f5) >>> 0;
  let mixed = state.random;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

const base62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits, as bmcweb's session ids (10) and tokens (20) have them. */
export function randomText(state: RandomState, length: number): string {
  let text = '';
  for (let index = 0; index < length; index += 1) text += base62[Math.floor(nextRandom(state) * base62.length)];
  return text;
}

/** Lower-case hex digits. */
export function randomHex(state: RandomState, length: number): string {
  let hex = '';
  for (let index = 0; index < length; index += 1) hex += Math.floor(nextRandom(state) * 16).toString(16);
  return hex;
}

/** A random (version 4) UUID in lower case. */
export function randomUuid(state: RandomState): string {
  const hex = randomHex(state, 32);
  const variant = '89ab'[Math.floor(nextRandom(state) * 4)] ?? '8';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
