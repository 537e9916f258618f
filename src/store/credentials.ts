import type { BmcCredential, Clock, CredentialKey, CredentialStore } from '../domain/device-ports.ts';
import type { Secret } from '../domain/secret.ts';
import { errors } from '../errors.ts';
import { decryptWith, encryptTo } from './age.ts';
import type { PasswordRecord } from './card-passwords.ts';
import { isPasswordRecord, passwordKey, passwordOwner, passwordSlots } from './card-passwords.ts';
import { readNamed } from './named-credentials.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

const savePending = lua(`
if ARGV[2] ~= 'replace' and redis.call('HEXISTS', KEYS[1], 'pending') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'pending', ARGV[1])
return 1`);

const promote = lua(`
local pending = redis.call('HGET', KEYS[1], 'pending')
if not pending then return 0 end
local current = redis.call('HGET', KEYS[1], 'current')
if current then redis.call('HSET', KEYS[1], 'previous', current) end
redis.call('HSET', KEYS[1], 'current', pending)
redis.call('HDEL', KEYS[1], 'pending')
return 1`);

const retire = lua(`
redis.call('HDEL', KEYS[1], 'pending')
local current = redis.call('HGET', KEYS[1], 'current')
if not current then return 0 end
redis.call('HSET', KEYS[1], 'previous', current)
redis.call('HDEL', KEYS[1], 'current')
return 1`);

/**
 * What was filed under the fingerprint is newer than what stands under the serial: it wins slot by slot, the current
 * password it displaces becomes the previous one, and a pending one that was overtaken goes (the escrow has it).
 */
const rekey = lua(`
if KEYS[1] == KEYS[2] or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local from = redis.call('HMGET', KEYS[1], 'pending', 'current', 'previous')
local displaced = redis.call('HGET', KEYS[2], 'current')
if from[2] then
  redis.call('HDEL', KEYS[2], 'pending')
  if displaced and not from[3] then redis.call('HSET', KEYS[2], 'previous', displaced) end
end
for i, slot in ipairs({'pending', 'current', 'previous'}) do
  if from[i] then redis.call('HSET', KEYS[2], slot, from[i]) end
end
redis.call('DEL', KEYS[1])
return 1`);

/**
 * Secrets at rest: only age ciphertext is in Redis. Needs the identities (`AGE-SECRET-KEY-1...`) of the worker's site;
 * a process without them cannot build this store.
 */
export function createCredentialStore(
  space: RedisSpace,
  options: { readonly identities: readonly Secret[]; readonly clock: Clock },
): CredentialStore {
  async function decrypt(ref: string, ciphertext: string): Promise<Secret> {
    const secret = await decryptWith(options.identities, ciphertext);
    if (secret === undefined) throw errors.credentialUnreadable({ ref });
    return secret;
  }

  async function bmc(key: CredentialKey): Promise<readonly BmcCredential[]> {
    const redisKey = passwordKey(space, key);
    const records = await space.call('read passwords of a card', async (redis) =>
      redis.hmget(redisKey, ...passwordSlots),
    );
    const credentials = await Promise.all(
      passwordSlots.map(async (slot, index) => {
        const json = records[index];
        if (typeof json !== 'string') return undefined;
        const record = readRecord(`${redisKey} ${slot}`, json, isPasswordRecord);
        return { slot, secret: await decrypt(passwordOwner(key), record.ciphertext), savedAtMs: record.savedAtMs };
      }),
    );
    return credentials.filter((credential) => credential !== undefined);
  }

  return {
    bmc,
    named: async (ref) => decrypt(ref, await readNamed(space, ref)),
    async savePending(key, secret, recipient, saveOptions) {
      const ciphertext = await encryptTo([recipient], secret);
      const record: PasswordRecord = { ciphertext, savedAtMs: options.clock.nowMs(), recipient };
      const args = [JSON.stringify(record), saveOptions?.replace === true ? 'replace' : 'keep'];
      const saved = await space.script('file a new password', savePending, [passwordKey(space, key)], args);
      if (saved === 1) return;
      // The same password again is a repeated call after a lost reply, not a conflict.
      const existing = (await bmc(key)).find((credential) => credential.slot === 'pending');
      if (existing?.secret.reveal() !== secret.reveal()) throw errors.credentialPending({ ref: passwordOwner(key) });
    },
    async promote(key) {
      await space.script('confirm a new password', promote, [passwordKey(space, key)], []);
    },
    async retire(key) {
      await space.script('put a password aside', retire, [passwordKey(space, key)], []);
    },
    async rekey(from, to) {
      await space.script('refile passwords', rekey, [passwordKey(space, from), passwordKey(space, to)], []);
    },
  };
}
