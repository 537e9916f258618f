import { Decrypter, Encrypter, armor } from 'age-encryption';
import type { Secret } from '../domain/secret.ts';
import { Secret as SecretValue } from '../domain/secret.ts';

/** Encrypts a secret to age recipients (`age1...`); the result is armored text that `age -d` reads. */
export async function encryptTo(recipients: readonly string[], secret: Secret): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(secret.reveal()));
}

/** Decrypts armored text with any of the identities (`AGE-SECRET-KEY-1...`). Undefined when none fits. */
export async function decryptWith(identities: readonly Secret[], armored: string): Promise<Secret | undefined> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity.reveal());
  try {
    return new SecretValue(await decrypter.decrypt(armor.decode(armored), 'text'));
  } catch {
    // The reason never matters to the caller, and a message of the library must not travel with key material around it.
    return undefined;
  }
}
