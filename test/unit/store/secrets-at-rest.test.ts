import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { decryptWith } from '../../../src/store/age.ts';
import { createCredentialImporter } from '../../../src/store/named-credentials.ts';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect } from '../../../src/store/redis.ts';
import { createSecretStores } from '../../../src/store/secret-stores.ts';
import type { SecretStores } from '../../../src/store/secret-stores.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { silent } from './rig.ts';

const CANARY = 'cAnArY-0penBmc-"quoted"/ü';
const card = { serial: 'MT2334X00001' };
const clock = { nowMs: () => Date.UTC(2026, 10, 22, 18, 30) };

let redis: TestRedis;
let space: RedisSpace;
let identity: string;
let recipient: string;
let escrowDirectory: string;
let stores: SecretStores;
beforeAll(async () => {
  redis = await startRedis();
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
});
beforeEach(async () => {
  space = await connect(redis.url, 'worker', { logger: silent, tag: redis.newTag() });
  escrowDirectory = await mkdtemp(join(tmpdir(), 'dpubot-escrow-'));
  stores = createSecretStores(space, { identities: [new Secret(identity)], escrowDirectory, clock });
});
afterEach(async () => {
  await space.close();
  await rm(escrowDirectory, { recursive: true, force: true });
});
afterAll(async () => redis.stop());

/** All that Redis has under this test's tag, as one text. */
async function contents(): Promise<string> {
  const keys = (await redis.client.keys('*')).filter((key) => key.startsWith(space.tag));
  const values = await Promise.all(keys.map(async (key) => redis.client.hgetall(key)));
  return values.flatMap((hash) => Object.entries(hash).flat()).join('\n');
}

describe('credentials in Redis', () => {
  it('are there as age ciphertext only, in none of the forms a secret takes', async () => {
    const importer = createCredentialImporter(space, clock);
    await importer.saveNamed('ssh-ops', new Secret(CANARY), [recipient]);
    await stores.credentials.savePending(card, new Secret(CANARY), recipient);
    await stores.credentials.promote(card);
    const text = await contents();
    const forms = [CANARY, JSON.stringify(CANARY).slice(1, -1), encodeURIComponent(CANARY)];
    const base64 = Buffer.from(CANARY).toString('base64').replaceAll('=', '');
    expect([...forms, base64].filter((form) => text.includes(form))).toEqual([]);
    expect(text.match(/BEGIN AGE ENCRYPTED FILE/g)).toHaveLength(2);
  });

  it('can be read by each site they were imported for', async () => {
    const other = await generateIdentity();
    const importer = createCredentialImporter(space, clock);
    await importer.saveNamed('ssh-ops', new Secret(CANARY), [recipient, await identityToRecipient(other)]);
    const far = createSecretStores(space, { identities: [new Secret(other)], escrowDirectory, clock });
    expect((await stores.credentials.named('ssh-ops')).reveal()).toBe(CANARY);
    expect((await far.credentials.named('ssh-ops')).reveal()).toBe(CANARY);
  });

  it('are credential-unreadable to a worker with another identity, and the error names no secret', async () => {
    const importer = createCredentialImporter(space, clock);
    await importer.saveNamed('ssh-ops', new Secret(CANARY), [recipient]);
    const stranger = new Secret(await generateIdentity());
    const far = createSecretStores(space, { identities: [stranger], escrowDirectory, clock });
    const failure: unknown = await far.credentials.named('ssh-ops').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'credential-unreadable' });
    expect(JSON.stringify(failure)).not.toContain(stranger.reveal());
  });

  it('are listed with name, date and recipients, never with the secret', async () => {
    const importer = createCredentialImporter(space, clock);
    await importer.saveNamed('ssh-ops', new Secret(CANARY), [recipient]);
    await importer.saveNamed('ssh-ops', new Secret('newer'), [recipient]);
    await importer.saveNamed('bmc-lab', new Secret(CANARY), [recipient]);
    const savedAtMs = clock.nowMs();
    expect(await importer.list()).toEqual([
      { ref: 'bmc-lab', savedAtMs, recipients: [recipient] },
      { ref: 'ssh-ops', savedAtMs, recipients: [recipient] },
    ]);
    expect((await stores.credentials.named('ssh-ops')).reveal()).toBe('newer');
  });

  it('are refused without a recipient, and when they are no credential but a file', async () => {
    const importer = createCredentialImporter(space, clock);
    await expect(importer.saveNamed('a', new Secret('x'), [])).rejects.toMatchObject({ code: 'bug' });
    const large = new Secret('x'.repeat(70_000));
    await expect(importer.saveNamed('a', large, [recipient])).rejects.toMatchObject({ code: 'bug' });
  });
});

describe('the escrow', () => {
  const entry = () => ({ label: 'as7-dpu0 ../evil', recipient, secret: new Secret(CANARY), runId: 418 });

  it('leaves one private file per entry that gives the password back', async () => {
    await stores.escrow.write(entry());
    await stores.escrow.write(entry());
    const files = await readdir(escrowDirectory);
    expect(files).toHaveLength(2);
    for (const file of files) {
      expect(file).toMatch(/^2026-11-22T18-30-00\.000Z-run418-as7-dpu0_.._evil-[0-9a-f]{8}\.age$/);
      const path = join(escrowDirectory, file);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const armored = await readFile(path, 'utf8');
      expect(armored.startsWith('-----BEGIN AGE ENCRYPTED FILE-----')).toBe(true);
      expect((await decryptWith([new Secret(identity)], armored))?.reveal()).toBe(CANARY);
    }
  });

  it('fails, and leaves nothing behind, when the directory is not there or the recipient is wrong', async () => {
    const lost = createSecretStores(space, { identities: [], escrowDirectory: `${escrowDirectory}/unmounted`, clock });
    await expect(lost.escrow.write(entry())).rejects.toMatchObject({ code: 'escrow-failed' });
    const wrong = { ...entry(), recipient: 'age1nonsense' };
    await expect(stores.escrow.write(wrong)).rejects.toMatchObject({ code: 'escrow-failed' });
    expect(await readdir(escrowDirectory)).toEqual([]);
  });
});
