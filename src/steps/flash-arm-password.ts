import { encrypt } from 'unixcrypt';
import type { CredentialKey } from '../domain/device-ports.ts';
import { generateBmcPassword } from '../domain/password.ts';
import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { escrowLabel } from './escrow-label.ts';

/** The characters of a crypt(3) salt. */
const saltAlphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** SHA-512 crypt(3) of a password, with a salt of 16 characters of chance. */
export function hashPassword(password: Secret, random: { bytes(count: number): Uint8Array }): string {
  const salt = Array.from(random.bytes(16), (byte) => saltAlphabet.charAt(byte & 63)).join('');
  return encrypt(password.reveal(), `$6$${salt}`);
}

/** Files a new password of the Arm's user as pending and in the escrow; after a crash the pending one is used again. */
export async function fileArmPassword(context: ApplyContext, serial: string): Promise<Secret> {
  const { recipient } = context.slice;
  const key: CredentialKey = { armSerial: serial };
  const text = 'file a new password of the Arm as pending and write it to the escrow';
  return context.act({ name: 'save-arm-password', text }, async () => {
    const known = (await context.credentials.bmc(key)).find((entry) => entry.slot === 'pending');
    const secret = known?.secret ?? new Secret(generateBmcPassword(context.random));
    if (!known) await context.credentials.savePending(key, secret, recipient);
    await context.escrow.write({ label: escrowLabel(context, 'arm'), recipient, secret, runId: context.runId });
    const evidence = known ? 'the pending password is used again' : 'pending saved, escrow written';
    return { evidence, value: secret };
  });
}

/** The password that is in the card now is the one to use. */
export async function keepArmPassword(context: ApplyContext, serial: string): Promise<void> {
  const key: CredentialKey = { armSerial: serial };
  const pending = (await context.credentials.bmc(key)).some((entry) => entry.slot === 'pending');
  if (!pending) return;
  await context.act({ name: 'keep-arm-password', text: 'file the new password of the Arm as current' }, async () => {
    await context.credentials.promote(key);
    return { evidence: 'the card is up with the system that carries it', value: undefined };
  });
}
