import type { Clock } from '../domain/device-ports.ts';
import type { Secret } from '../domain/secret.ts';
import { errors } from '../errors.ts';
import { encryptTo } from './age.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

/** A credential as it may be shown: never the secret. */
export interface CredentialListing {
  readonly ref: string;
  readonly savedAtMs: number;
  readonly recipients: readonly string[];
}

/** What `dpubot credentials import|list` uses. Needs no identity: it can write secrets, not read them. */
export interface CredentialImporter {
  /** Encrypts the secret to the recipients (the sites that need it) and files it under `ref`, replacing an older one. */
  saveNamed(ref: string, secret: Secret, recipients: readonly string[]): Promise<void>;
  list(): Promise<readonly CredentialListing[]>;
}

interface NamedRecord {
  readonly ciphertext: string;
  readonly savedAtMs: number;
  readonly recipients: readonly string[];
}

/** SSH keys are a few KiB; Redis is no file store. */
const SECRET_MAX_BYTES = 64 * 1024;

const keyOf = (space: RedisSpace): string => space.key('credentials');

/** Imports and lists named credentials: one hash, name -> ciphertext. */
export function createCredentialImporter(space: RedisSpace, clock: Clock): CredentialImporter {
  const key = keyOf(space);
  return {
    async saveNamed(ref, secret, recipients) {
      if (recipients.length === 0) throw errors.bug({ detail: `credential ${ref} has no recipient` });
      if (Buffer.byteLength(secret.reveal()) > SECRET_MAX_BYTES)
        throw errors.bug({ detail: `credential ${ref} is larger than ${SECRET_MAX_BYTES} bytes` });
      const record: NamedRecord = {
        ciphertext: await encryptTo(recipients, secret),
        savedAtMs: clock.nowMs(),
        recipients,
      };
      await space.call(`store the credential ${ref}`, async (redis) => redis.hset(key, ref, JSON.stringify(record)));
    },
    async list() {
      const records = await space.call('list credentials', async (redis) => redis.hgetall(key));
      return Object.entries(records)
        .map(([ref, json]) => {
          const { savedAtMs, recipients } = readRecord(`${key} ${ref}`, json, isNamedRecord);
          return { ref, savedAtMs, recipients };
        })
        .toSorted((a, b) => a.ref.localeCompare(b.ref));
    },
  };
}

/** The ciphertext of a named credential; `credential-missing` when nobody imported it. */
export async function readNamed(space: RedisSpace, ref: string): Promise<string> {
  const key = keyOf(space);
  const json = await space.call(`read the credential ${ref}`, async (redis) => redis.hget(key, ref));
  if (json === null) throw errors.credentialMissing({ ref });
  return readRecord(`${key} ${ref}`, json, isNamedRecord).ciphertext;
}

function isNamedRecord(value: unknown): value is NamedRecord {
  return (
    isObject(value) &&
    typeof value['ciphertext'] === 'string' &&
    typeof value['savedAtMs'] === 'number' &&
    Array.isArray(value['recipients'])
  );
}
