import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';

/**
 * The certificate that the BMC shows to its own Arm, on the link inside of the card: only the card's BMC can be there.
 * Source: bfb-build (BMC 192.168.240.1/29, vlan4040); openssl-s_client(1), openssl-x509(1).
 */
export const certificateInside = defineRead({
  name: 'BMC certificate inside the card',
  argv: [
    'sh',
    '-c',
    'timeout 20 openssl s_client -connect 192.168.240.1:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256',
  ],
});

/** SHA-256 of it, 64 lower-case hex digits; undefined when nothing answers there. */
export async function readCertificateInside(arm: HostReader, signal: AbortSignal): Promise<string | undefined> {
  const { stdout } = await arm.read(certificateInside.bind({}), { timeoutMs: 40_000, signal });
  return parseFingerprint(stdout);
}

/** Parses the line of `openssl x509 -fingerprint`: OpenSSL 3 writes `sha256 Fingerprint=`, older ones `SHA256`. */
export function parseFingerprint(text: string): string | undefined {
  const hex = /^sha256 Fingerprint=((?:[0-9a-f]{2}:){31}[0-9a-f]{2})\s*$/im.exec(text)?.[1];
  return hex?.replaceAll(':', '').toLowerCase();
}
