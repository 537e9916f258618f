/** Public key logins against `authorized_keys` lines. */
import ssh2 from 'ssh2';
import type { ParsedKey, PublicKeyAuthContext } from 'ssh2';

function parseLine(line: string): ParsedKey | null {
  const parsed = ssh2.utils.parseKey(line.trim());
  return parsed instanceof Error ? null : parsed;
}

/** Is this key listed and, once there is a signature, does it verify? */
export function publicKeyAllowed(context: PublicKeyAuthContext, authorizedKeys: string[]): boolean {
  for (const line of authorizedKeys) {
    const key = parseLine(line);
    if (key === null || !key.getPublicSSH().equals(context.key.data)) continue;
    if (context.signature === undefined || context.blob === undefined) return true;
    // The library gives an Error for a malformed signature, whatever its type says.
    const verdict: unknown = key.verify(context.blob, context.signature, context.hashAlgo);
    return verdict === true;
  }
  return false;
}
