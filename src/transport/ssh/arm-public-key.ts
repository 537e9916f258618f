// ssh2 is CommonJS: plain Node finds its utils only on the default export.
import ssh2 from 'ssh2';
import type { Secret } from '../../domain/secret.ts';
import { errors } from '../../errors.ts';

/** What the key is called in authorized_keys, so that people know whose it is. */
const comment = 'dpubot';

/** The public half of a private key as a line of authorized_keys. Throws `ssh-key-unusable`. */
export function publicKeyLine(target: string, ref: string, key: Secret): string {
  const parsed = ssh2.utils.parseKey(key.reveal());
  const unusable = (problem: string): Error => errors.sshKeyUnusable({ host: target, key: ref, problem });
  if (parsed instanceof Error) throw unusable(parsed.message);
  if (!parsed.isPrivateKey()) throw unusable('it is a public key');
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')} ${comment}`;
}
