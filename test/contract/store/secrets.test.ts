import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialKey, CredentialStore, LoginBudget } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { Backend, Ports } from './backends.ts';
import { backends, namedCredential } from './backends.ts';

const card: CredentialKey = { serial: 'MT2334X00001' };
const arm: CredentialKey = { armSerial: 'MT2334X00001' };
const unknown: CredentialKey = { certSha256: 'ab'.repeat(32), address: '10.0.0.7' };

describe.each(backends)('secrets in $kind', ({ open }) => {
  let backend: Backend;
  let ports: Ports;
  let credentials: CredentialStore;
  let budget: LoginBudget;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ports = await backend.fresh();
    ({ credentials, loginBudget: budget } = ports);
  });
  afterAll(async () => backend.stop());

  const pend = async (key: CredentialKey, value: string, replace = false): Promise<void> =>
    credentials.savePending(key, new Secret(value), backend.recipient, { replace });
  const filed = async (key: CredentialKey): Promise<string[]> =>
    (await credentials.bmc(key)).map((credential) => `${credential.slot} ${credential.secret.reveal()}`);

  it('gives an imported credential and refuses one that nobody imported', async () => {
    expect((await credentials.named(namedCredential.ref)).reveal()).toBe(namedCredential.value);
    await expect(credentials.named('nobody')).rejects.toMatchObject({ code: 'credential-missing' });
  });

  it('moves passwords from pending to current to previous', async () => {
    await pend(card, 'one');
    expect(await filed(card)).toEqual(['pending one']);
    await credentials.promote(card);
    await pend(card, 'two');
    expect(await filed(card)).toEqual(['pending two', 'current one']);
    await credentials.promote(card);
    expect(await filed(card)).toEqual(['current two', 'previous one']);
  });

  it('changes nothing when a promotion is repeated', async () => {
    await pend(card, 'one');
    await credentials.promote(card);
    await credentials.promote(card);
    expect(await filed(card)).toEqual(['current one']);
  });

  it('puts aside what a device has forgotten, also when it is asked again', async () => {
    await pend(card, 'one');
    await credentials.promote(card);
    await pend(card, 'two');
    await credentials.retire(card);
    await credentials.retire(card);
    expect(await filed(card)).toEqual(['previous one']);
  });

  it('refuses a second pending password, takes the same one again, and another one only as a replacement', async () => {
    await pend(card, 'one');
    await expect(pend(card, 'two')).rejects.toMatchObject({ code: 'credential-pending' });
    await pend(card, 'one');
    expect(await filed(card)).toEqual(['pending one']);
    await pend(card, 'two', true);
    expect(await filed(card)).toEqual(['pending two']);
  });

  it('moves what was filed under a certificate to the serial, and may do so twice', async () => {
    await pend(unknown, 'one');
    await credentials.rekey(unknown, card);
    await credentials.rekey(unknown, card);
    expect(await filed(unknown)).toEqual([]);
    expect(await filed(card)).toEqual(['pending one']);
    await credentials.promote(card);
    expect(await filed(card)).toEqual(['current one']);
  });

  it('keeps the password that a newly filed one displaces as the previous one', async () => {
    await pend(card, 'old');
    await credentials.promote(card);
    await pend(card, 'never confirmed');
    await pend(unknown, 'new');
    await credentials.promote(unknown);
    await credentials.rekey(unknown, card);
    expect(await filed(card)).toEqual(['current new', 'previous old']);
  });

  it('files two BMCs with the same certificate at two addresses apart', async () => {
    await pend(unknown, 'one');
    expect(await filed({ ...unknown, address: '10.0.0.8' })).toEqual([]);
  });

  it('files the password of the Arm of a card apart from that of its BMC', async () => {
    await pend(arm, 'arm');
    await pend(card, 'bmc');
    await credentials.promote(arm);
    expect(await filed(arm)).toEqual(['current arm']);
    expect(await filed(card)).toEqual(['pending bmc']);
    expect(await filed({ armSerial: 'MT2334X00002' })).toEqual([]);
  });

  it('files the password of the UEFI menu of a card apart from both, and says whose it is', async () => {
    const uefi: CredentialKey = { uefiSerial: 'MT2334X00001' };
    await pend(uefi, 'uefi');
    await pend(arm, 'arm');
    await credentials.promote(uefi);
    expect(await filed(uefi)).toEqual(['current uefi']);
    expect(await filed(arm)).toEqual(['pending arm']);
    await pend(uefi, 'another');
    await expect(pend(uefi, 'third')).rejects.toMatchObject({ message: expect.stringMatching(/UEFI.* MT2334X00001/) });
  });

  it('refuses a second pending password of an Arm and says whose it is', async () => {
    await pend(arm, 'one');
    await expect(pend(arm, 'two')).rejects.toMatchObject({
      code: 'credential-pending',
      message: expect.stringMatching(/Arm.* MT2334X00001/),
    });
  });

  it('writes an escrow entry', async () => {
    const entry = { label: 'as7-dpu0', recipient: backend.recipient, secret: new Secret('one'), runId: 418 };
    await expect(ports.escrow.write(entry)).resolves.toBeUndefined();
  });

  it('gives exactly two of twenty workers a login try within a window', async () => {
    const tries = await Promise.all(Array.from({ length: 20 }, async () => budget.take('as7-dpu0', 60_000)));
    expect(tries.filter((attempt) => attempt.ok)).toHaveLength(2);
    expect(await budget.take('as8-dpu0', 60_000)).toEqual({ ok: true });
  });

  it('says until when no try is left, and gives the next one then', async () => {
    await budget.take('as7-dpu0', 500);
    await budget.take('as7-dpu0', 500);
    const refused = await budget.take('as7-dpu0', 500);
    expect(refused).toMatchObject({ ok: false, untilMs: expect.any(Number) });
    await backend.until(async () => (await budget.take('as7-dpu0', 500)).ok);
  });

  it('lets the window slide: a try that becomes free does not free the later one', async () => {
    const windowMs = 1_500;
    await budget.take('as7-dpu0', windowMs);
    await budget.exhaust('half a window', windowMs / 2);
    await backend.until(async () => (await budget.take('half a window', 1)).ok);
    await budget.take('as7-dpu0', windowMs);
    await backend.until(async () => (await budget.take('as7-dpu0', windowMs)).ok);
    expect(await budget.take('as7-dpu0', windowMs)).toMatchObject({ ok: false });
  });

  it('has a try again after one that was right was given back, but never more than two', async () => {
    for (let login = 0; login < 5; login += 1) {
      expect(await budget.take('as7-dpu0', 60_000)).toEqual({ ok: true });
      await budget.giveBack('as7-dpu0');
    }
    await budget.giveBack('as7-dpu0');
    const tries = [];
    for (let n = 0; n < 3; n += 1) tries.push((await budget.take('as7-dpu0', 60_000)).ok);
    expect(tries).toEqual([true, true, false]);
  });

  it('gives no try while the device says it is locked, and the longer of two locks counts', async () => {
    const untilMs = await budget.exhaust('as7-dpu0', 60_000);
    expect(await budget.exhaust('as7-dpu0', 10)).toBe(untilMs);
    expect(await budget.take('as7-dpu0', 10)).toEqual({ ok: false, untilMs });
    await budget.exhaust('as8-dpu0', 60);
    await backend.until(async () => (await budget.take('as8-dpu0', 10)).ok);
  });
});
