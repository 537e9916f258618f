import { expect, it } from 'vitest';
import { byteText } from '../../../src/domain/byte-text.ts';

const mib = 1024 ** 2;

it.each([
  [0, '0 MiB'],
  [524_288, '0.5 MiB'],
  [11.7 * mib, '11.7 MiB'],
  [612.4 * mib, '612 MiB'],
  [1023.4 * mib, '1023 MiB'],
  [1023.9 * mib, '1 GiB'],
  [1_514_092_544, '1.41 GiB'],
  [6 * 1024 * mib, '6 GiB'],
  [23.52 * 1024 * mib, '23.5 GiB'],
])('%d bytes are told as %s', (bytes, text) => {
  expect(byteText(bytes)).toBe(text);
});
