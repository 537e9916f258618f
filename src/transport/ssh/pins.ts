import { createHash } from 'node:crypto';

/** Host key types in the order they are asked for; `ssh-rsa` (SHA-1) and DSA are never offered. */
export const hostKeyFamilies = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
] as const;
export type HostKeyFamily = (typeof hostKeyFamilies)[number];
export type HostKeyAlgorithm = HostKeyFamily[number];

/** Fingerprint of a raw public key blob as `ssh-keygen -lf` prints it: `SHA256:` and base64 without padding. */
export function hostKeyFingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The verifier of one handshake: remembers the first key that no pin allows. */
export interface HostKeyCheck {
  verify(key: Uint8Array): boolean;
  /** Fingerprint of the refused key, once one was refused. */
  refused(): string | undefined;
}

/** Accepts exactly the keys whose fingerprint is among `pins`; without pins nothing is accepted. */
export function createHostKeyCheck(pins: readonly string[]): HostKeyCheck {
  let refused: string | undefined;
  return {
    verify(key) {
      const seen = hostKeyFingerprint(key);
      if (pins.includes(seen)) return true;
      refused = seen;
      return false;
    },
    refused: () => refused,
  };
}
