import { createHash } from 'node:crypto';
import { Buffer } from 'node:buffer';
import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { tmfifoAddresses } from '../domain/tmfifo.ts';
import { errors } from '../errors.ts';
import { expectSuccess, ownStderr } from './read-helpers.ts';

/** A host key of the Arm's SSH server. `fingerprint` is what `ssh-keygen -lf` prints: `SHA256:...`. */
export interface HostKey {
  readonly type: string;
  readonly fingerprint: string;
}

/** Best first: what every image of the last years has, then the older ones. */
const preferred = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'ssh-rsa'];

/**
 * Asks for the host keys over the card's own tmfifo link: no login, nothing is sent but the key exchange.
 * Source: ssh-keyscan(1), ip-netns(8).
 */
export const scanHostKeys = defineRead({
  name: 'ssh-keyscan over tmfifo',
  argv: ['sudo', '-n', 'ip', 'netns', 'exec', '{namespace}', 'ssh-keyscan', '-T', '5', tmfifoAddresses.arm],
  holes: { namespace: /dpubot-[a-z0-9][a-z0-9.-]*/ },
});

/** Reads the host keys; none when nobody answers. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readHostKeys(
  host: HostReader,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly HostKey[]> {
  const result = await host.read(scanHostKeys.bind({ namespace }), { timeoutMs: 60_000, signal });
  const isOurs = /^(?:sudo:|exec of |Cannot open network namespace|setting the network namespace)/m;
  // Nobody at home: newer OpenSSH ends with 1 then, older with 0. Both print no key.
  if (result.exitCode !== 0 && (result.exitCode !== 1 || isOurs.test(ownStderr(result))))
    expectSuccess(host.name, 'ssh-keyscan', result);
  if (result.truncated) throw unreadable(host.name, 'it is not complete', result.stdout);
  return parseHostKeys(host.name, result.stdout);
}

/** Parses `ADDRESS TYPE BASE64` lines; comments are skipped, and the fingerprint is computed here. */
export function parseHostKeys(target: string, text: string): readonly HostKey[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, type, blob] = /^\S+ ([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line.trim()) ?? [];
      if (type === undefined || blob === undefined) throw unreadable(target, 'a line that is no key', line);
      const bytes = Buffer.from(blob, 'base64');
      if (!startsWithName(bytes, type)) throw unreadable(target, `a key that is not of type ${type}`, line);
      return { type, fingerprint: fingerprintOf(bytes) };
    });
}

/** The key to pin: ed25519 where there is one. */
export function preferredKey(keys: readonly HostKey[]): HostKey | undefined {
  const rank = (key: HostKey): number => {
    const index = preferred.indexOf(key.type);
    return index === -1 ? preferred.length : index;
  };
  return keys.toSorted((a, b) => rank(a) - rank(b))[0];
}

function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Every key blob begins with the length and the name of its type (RFC 4253, section 6.6); a cut one may not. */
function startsWithName(blob: Buffer, type: string): boolean {
  return (
    blob.length > 4 + type.length &&
    blob.readUInt32BE(0) === type.length &&
    blob.toString('latin1', 4, 4 + type.length) === type
  );
}

function unreadable(target: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source: 'ssh-keyscan', problem, evidence: text.slice(0, 200) });
}
