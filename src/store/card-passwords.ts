import type { BmcCredential, CredentialKey } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

/** A password of a card as it is stored: one hash per card and kind, slot -> this as JSON. */
export interface PasswordRecord {
  readonly ciphertext: string;
  readonly savedAtMs: number;
  readonly recipient: string;
}

type PasswordSlot = BmcCredential['slot'];

/** In the order in which they are tried. */
export const passwordSlots: readonly PasswordSlot[] = ['pending', 'current', 'previous'];

/** What is filed for a card, as it may be shown: never the secret. */
export interface CardPasswordListing {
  /** The serial, or address and certificate of a BMC whose serial was not proven yet. */
  readonly card: string;
  readonly kind: 'BMC' | 'Arm' | 'UEFI';
  /** When the password of each slot was filed. */
  readonly savedAtMs: Readonly<Partial<Record<PasswordSlot, number>>>;
}

/** Each kind of password has a prefix of its own, so that a user of Redis can be given the one without the others. */
const prefixes = { BMC: 'bmc-passwords', Arm: 'arm-passwords', UEFI: 'uefi-passwords' } as const;
const SCAN_PAGE = 1_000;

/** Redis key of the passwords of a card. */
export function passwordKey(space: RedisSpace, key: CredentialKey): string {
  if ('armSerial' in key) return space.key(prefixes.Arm, 'serial', key.armSerial);
  if ('uefiSerial' in key) return space.key(prefixes.UEFI, 'serial', key.uefiSerial);
  if ('serial' in key) return space.key(prefixes.BMC, 'serial', key.serial);
  return space.key(prefixes.BMC, 'certificate', key.certSha256, key.address);
}

/** How the owner of a password is named in errors. */
export function passwordOwner(key: CredentialKey): string {
  if ('armSerial' in key) return `Arm of card ${key.armSerial}`;
  if ('uefiSerial' in key) return `UEFI of card ${key.uefiSerial}`;
  return 'serial' in key ? `BMC of card ${key.serial}` : `BMC at ${key.address}`;
}

/** True when a value read back has the fields of a password. */
export function isPasswordRecord(value: unknown): value is PasswordRecord {
  return (
    isObject(value) &&
    typeof value['ciphertext'] === 'string' &&
    typeof value['savedAtMs'] === 'number' &&
    typeof value['recipient'] === 'string'
  );
}

/** Which cards have passwords, by name. Walks the whole key space: for people at a command line, not for a run. */
export async function listCardPasswords(space: RedisSpace): Promise<readonly CardPasswordListing[]> {
  const listings: CardPasswordListing[] = [];
  for (const kind of ['BMC', 'Arm', 'UEFI'] as const) {
    const prefix = space.key(prefixes[kind], '');
    for (const key of await keysBelow(space, prefix))
      listings.push({ kind, card: cardOf(key, key.slice(prefix.length)), savedAtMs: await datesOf(space, key) });
  }
  return listings
    .filter(({ savedAtMs }) => Object.keys(savedAtMs).length > 0)
    .toSorted((a, b) => `${a.card} ${a.kind}`.localeCompare(`${b.card} ${b.kind}`));
}

/** SCAN may give a key twice, and one that has gone in between. */
async function keysBelow(space: RedisSpace, prefix: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const pattern = `${prefix.replace(/[*?[\]\\]/g, String.raw`\$&`)}*`;
  let cursor = '0';
  do {
    const [next, page] = await space.call('list passwords of cards', async (redis) =>
      redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_PAGE),
    );
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

async function datesOf(space: RedisSpace, key: string): Promise<CardPasswordListing['savedAtMs']> {
  const records = await space.call('list passwords of cards', async (redis) => redis.hmget(key, ...passwordSlots));
  return Object.fromEntries(
    passwordSlots.flatMap((slot, index) => {
      const json = records[index];
      return typeof json === 'string'
        ? [[slot, readRecord(`${key} ${slot}`, json, isPasswordRecord).savedAtMs] as const]
        : [];
    }),
  );
}

/** `serial:MT1` or `certificate:SHA256:ADDRESS:PORT`, as `passwordKey` makes them. */
function cardOf(key: string, rest: string): string {
  const [form, id = '', ...address] = rest.split(':');
  if (form === 'serial') return [id, ...address].join(':');
  if (form === 'certificate' && address.length > 0) return `at ${address.join(':')} (${id.slice(0, 16)}...)`;
  throw errors.storeCorrupt({ key, problem: 'It is filed neither under a serial nor under a certificate.' });
}
