/**
 * crypt(3) with SHA-256 ($5$), SHA-512 ($6$) and MD5 ($1$), enough to check a password against a hash from a bf.cfg.
 *
 * Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512"; Poul-Henning Kamp's MD5 crypt.
 */
import { createHash } from 'node:crypto';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function encode(value: number, length: number): string {
  let text = '';
  for (let rest = value, index = 0; index < length; index += 1, rest >>>= 6) text += alphabet[rest & 63] ?? '';
  return text;
}

function digest(algorithm: string, ...parts: Buffer[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function repeatTo(block: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  for (let at = 0; at < length; at += block.length) block.copy(result, at, 0, Math.min(block.length, length - at));
  return result;
}

const orders: Record<string, number[][]> = {
  sha512: Array.from(
    { length: 21 },
    (_unused, index) =>
      [
        [0, 21, 42],
        [22, 43, 1],
        [44, 2, 23],
        [3, 24, 45],
        [25, 46, 4],
        [47, 5, 26],
        [6, 27, 48],
        [28, 49, 7],
        [50, 8, 29],
        [9, 30, 51],
        [31, 52, 10],
        [53, 11, 32],
        [12, 33, 54],
        [34, 55, 13],
        [56, 14, 35],
        [15, 36, 57],
        [37, 58, 16],
        [59, 17, 38],
        [18, 39, 60],
        [40, 61, 19],
        [62, 20, 41],
      ][index] ?? [],
  ),
  sha256: [
    [0, 10, 20],
    [21, 1, 11],
    [12, 22, 2],
    [3, 13, 23],
    [24, 4, 14],
    [15, 25, 5],
    [6, 16, 26],
    [27, 7, 17],
    [18, 28, 8],
    [9, 19, 29],
  ],
  md5: [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ],
};

function pack(bytes: Buffer, order: number[][]): string {
  return order
    .map(([a = 0, b = 0, c = 0]) => encode(((bytes[a] ?? 0) << 16) | ((bytes[b] ?? 0) << 8) | (bytes[c] ?? 0), 4))
    .join('');
}

function shaCrypt(algorithm: 'sha256' | 'sha512', password: string, salt: string, rounds: number): string {
  const key = Buffer.from(password);
  const saltBytes = Buffer.from(salt);
  const alternate = digest(algorithm, key, saltBytes, key);
  const first: Buffer[] = [key, saltBytes, repeatTo(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? alternate : key);
  let result = digest(algorithm, ...first);
  const p = repeatTo(digest(algorithm, ...Array.from({ length: key.length }, () => key)), key.length);
  const s = repeatTo(
    digest(algorithm, ...Array.from({ length: 16 + (result[0] ?? 0) }, () => saltBytes)),
    saltBytes.length,
  );
  for (let round = 0; round < rounds; round += 1) {
    const parts = [round % 2 === 1 ? p : result];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(round % 2 === 1 ? result : p);
    result = digest(algorithm, ...parts);
  }
  const packed = pack(result, orders[algorithm] ?? []);
  if (algorithm === 'sha512') return packed + encode(result[63] ?? 0, 2);
  return packed + encode(((result[31] ?? 0) << 8) | (result[30] ?? 0), 3);
}

function md5Crypt(password: string, salt: string): string {
  const key = Buffer.from(password);
  const saltBytes = Buffer.from(salt);
  const alternate = digest('md5', key, saltBytes, key);
  const first: Buffer[] = [key, Buffer.from('$1$'), saltBytes, repeatTo(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1)
    first.push((bits & 1) === 1 ? Buffer.from([0]) : key.subarray(0, 1));
  let result = digest('md5', ...first);
  for (let round = 0; round < 1000; round += 1) {
    const parts = [round % 2 === 1 ? key : result];
    if (round % 3 !== 0) parts.push(saltBytes);
    if (round % 7 !== 0) parts.push(key);
    parts.push(round % 2 === 1 ? result : key);
    result = digest('md5', ...parts);
  }
  return pack(result, orders['md5'] ?? []) + encode(result[11] ?? 0, 2);
}

/** Does the password belong to the hash? Unknown kinds of hashes match nothing. */
export function passwordMatches(password: string, hash: string): boolean {
  const match = /^\$([156])\$(?:rounds=(\d+)\$)?([^$]*)\$(.+)$/.exec(hash);
  if (match === null) return false;
  const [, kind, rounds, salt = '', wanted = ''] = match;
  if (kind === '1') return md5Crypt(password, salt.slice(0, 8)) === wanted;
  const count = Math.min(Math.max(Number(rounds ?? '5000'), 1000), 999_999);
  return shaCrypt(kind === '5' ? 'sha256' : 'sha512', password, salt.slice(0, 16), count) === wanted;
}
