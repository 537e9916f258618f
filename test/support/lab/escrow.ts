import { Decrypter, armor } from 'age-encryption';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stack } from './stack.ts';

/** Every entry of the escrow, decrypted with the operator's identity, by its label. */
export async function readEscrow(stack: Stack): Promise<Record<string, string>> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(stack.secrets.ageIdentity);
  const entries: Record<string, string> = {};
  for (const name of readdirSync(stack.places.escrow)) {
    const armored = readFileSync(join(stack.places.escrow, name), 'utf8');
    const label = /-run\d+-(.+)-[0-9a-f]{8}\.age$/.exec(name)?.[1] ?? name;
    entries[label] = await decrypter.decrypt(armor.decode(armored), 'text');
  }
  return entries;
}

/** A line from the middle of a key's text: found however the key is folded. */
export function keyLineOf(privateKey: string): string {
  return privateKey.split('\n')[2] ?? '';
}
