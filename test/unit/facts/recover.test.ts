import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import { parseFingerprint } from '../../../src/facts/bmc-certificate.ts';
import { parseRshimFunction } from '../../../src/facts/rshim-function.ts';
import { hasKeysCapsule } from '../../../src/facts/uefi-capsule.ts';
import { fixture } from '../../support/fixture.ts';

describe('the certificate inside of a card', () => {
  it('is read as 64 lower-case digits, as captured from openssl', () => {
    expect(parseFingerprint(fixture('openssl/fingerprint.txt'))).toBe(
      'ae51d04ccd767cd1fa1e788460fc823be43987cdfe4edb815113c3d31281bad0',
    );
  });

  it('is read from older versions of openssl too', () => {
    const older = fixture('openssl/fingerprint.txt').replace('sha256', 'SHA256');

    expect(parseFingerprint(older)).toBe(parseFingerprint(fixture('openssl/fingerprint.txt')));
  });

  it.each(['', 'unable to load certificate\n', 'sha1 Fingerprint=AE:51\n', 'sha256 Fingerprint=AE:51:D0\n'])(
    'is not known from %j',
    (text) => {
      expect(parseFingerprint(text)).toBeUndefined();
    },
  );

  it('of any digits comes back as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        const line = `sha256 Fingerprint=${hex.toUpperCase().match(/../g)?.join(':')}\n`;
        expect(parseFingerprint(line)).toBe(hex);
      }),
    );
  });
});

describe('the rshim function of a card', () => {
  const text = fixture('lspci/rshim-functions.txt');

  it('is the one in the slot of the card', () => {
    expect(parseRshimFunction(text, '0000:e1:00.0')).toBe('0000:e1:00.2');
    expect(parseRshimFunction(text, '0000:21:00.0')).toBe('0000:21:00.2');
  });

  it('is none where the slot has no function of rshim', () => {
    expect(parseRshimFunction(text, '0000:a1:00.0')).toBeUndefined();
    expect(parseRshimFunction('', '0000:e1:00.0')).toBeUndefined();
  });
});

describe('the capsule on an Arm', () => {
  const reader = (result: Partial<CommandResult>): HostReader => ({
    name: 'as7-dpu0',
    read: () => Promise.resolve({ stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...result }),
  });
  const { signal } = new AbortController();

  it('is there or not, as test(1) says', async () => {
    expect(await hasKeysCapsule(reader({ exitCode: 0 }), signal)).toBe(true);
    expect(await hasKeysCapsule(reader({ exitCode: 1 }), signal)).toBe(false);
  });

  it('is not known when test(1) fails', async () => {
    await expect(hasKeysCapsule(reader({ exitCode: 127, stderr: 'not found' }), signal)).rejects.toMatchObject({
      code: 'command-failed',
    });
  });
});
