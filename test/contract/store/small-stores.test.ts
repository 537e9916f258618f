import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, Ports } from './backends.ts';
import { backends } from './backends.ts';
import { ana } from './samples.ts';

describe.each(backends)('switches, lists and the outbox in $kind', ({ open }) => {
  let backend: Backend;
  let ports: Ports;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ports = await backend.fresh();
  });
  afterAll(async () => backend.stop());

  it('remembers who halted the work and why, until it is cleared once', async () => {
    const halt = { by: 'ana', reason: 'smoke in row 3', sinceMs: 7 };
    await ports.halt.set(halt);
    expect(await ports.halt.get()).toEqual(halt);
    expect(await ports.halt.clear()).toBe(true);
    expect(await ports.halt.clear()).toBe(false);
    expect(await ports.halt.get()).toBeUndefined();
  });

  it('locks all the hosts that are named or none, keeps the time of a lock of the same person, and takes each off once', async () => {
    const cable = { by: ana, reason: 'cable swap', sinceMs: 1_795_510_800_123 };
    const ben = { ...ana, userId: 'UBEN', displayName: 'Ben' };
    expect(await ports.locks.set(['as8', 'as7'], cable)).toEqual({ ok: true });
    expect(await ports.locks.set(['as9', 'as8'], { by: ben, reason: 'mine', sinceMs: 9 })).toEqual({
      ok: false,
      lock: { host: 'as8', ...cable },
    });
    expect(await ports.locks.set(['as8'], { ...cable, reason: 'card too', sinceMs: 9 })).toEqual({ ok: true });
    expect(await ports.locks.all()).toEqual([
      { host: 'as7', ...cable },
      { host: 'as8', ...cable, reason: 'card too' },
    ]);
    const taken = await Promise.all([ports.locks.clear('as7'), ports.locks.clear('as7'), ports.locks.clear('as9')]);
    expect(taken.filter((lock) => lock !== undefined)).toEqual([{ host: 'as7', ...cable }]);
    expect([await ports.locks.get('as7'), (await ports.locks.get('as8'))?.reason]).toEqual([undefined, 'card too']);
  });

  it('gives a host that two people lock at the same moment to one of them, and tells the other', async () => {
    const people = Array.from({ length: 8 }, (_, index) => ({ ...ana, userId: `U${index}` }));

    const answers = await Promise.all(
      people.map(async (by) => ports.locks.set(['as7', 'as8'], { by, reason: 'mine', sinceMs: 1 })),
    );

    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    const owner = (await ports.locks.get('as7'))?.by.userId;
    expect((await ports.locks.get('as8'))?.by.userId).toBe(owner);
  });

  it('lists the newest audit records first', async () => {
    const records = ['a', 'b', 'c'].map((action, atMs) => ({ atMs, actor: ana, action, targets: ['as7'], runId: 418 }));
    for (const record of records) await ports.audit.append(record);
    expect(await ports.audit.list(2)).toEqual([records[2], records[1]]);
  });

  it('keeps the pins of certificates and host keys of one target apart', async () => {
    await ports.pins.set('bmc-certificate', 'as7-dpu0', 'aa', 418);
    await ports.pins.set('ssh-host-key', 'as7-dpu0', 'SHA256:bb', 418);
    await ports.pins.set('bmc-certificate', 'as7-dpu0', 'cc', 419);
    expect(await ports.pins.get('bmc-certificate', 'as7-dpu0')).toBe('cc');
    expect(await ports.pins.get('ssh-host-key', 'as7-dpu0')).toBe('SHA256:bb');
    expect(await ports.pins.get('ssh-host-key', 'as8-dpu0')).toBeUndefined();
  });

  it('remembers what is known about a card by its serial, the newest record only', async () => {
    const first = { origin: 'factory', runId: 418, atMs: 5 } as const;
    const image = { name: 'bf-2.9.2', sha256: 'ab'.repeat(32) };
    const second = {
      origin: 'flashed',
      image,
      bmcAddress: '10.0.0.7',
      runId: 419,
      atMs: 7,
    } as const;
    await ports.records.put('MT2334X00001', first);
    await ports.records.put('MT2334X00002', first);
    await ports.records.put('MT2334X00001', second);
    expect(await ports.records.get('MT2334X00001')).toEqual(second);
    expect(await ports.records.get('MT2334X00002')).toEqual(first);
    expect(await ports.records.get('MT2334X00003')).toBeUndefined();
  });

  it('recognises the redelivery of a request, and forgets it after its time', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, async () => ports.dedupe.firstTime('Ev01', 400)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await ports.dedupe.firstTime('Ev02', 60)).toBe(true);
    await backend.until(async () => ports.dedupe.firstTime('Ev01', 400));
  });

  it('takes a request for new again once it was told to forget it', async () => {
    await ports.dedupe.firstTime('V01', 60_000);
    await ports.dedupe.forget('V01');
    await ports.dedupe.forget('V02');
    expect(await ports.dedupe.firstTime('V01', 60_000)).toBe(true);
    expect(await ports.dedupe.firstTime('V01', 60_000)).toBe(false);
  });

  it('tells every subscriber about a changed run, and none after it has left', async () => {
    const first: number[] = [];
    const second: number[] = [];
    const leave = await ports.notifier.subscribe((id) => first.push(id));
    const leaveSecond = await ports.notifier.subscribe((id) => second.push(id));
    await ports.notifier.changed(418);
    await backend.until(async () => Promise.resolve(first.length === 1 && second.length === 1));
    await leave();
    await ports.notifier.changed(419);
    await backend.until(async () => Promise.resolve(second.length === 2));
    await leaveSecond();
    expect([first, second]).toEqual([[418], [418, 419]]);
  });

  it('keeps the first choice of whom a run tells in person, also when two choose at once, and nobody is a choice', async () => {
    const { recipients } = ports;
    expect(await recipients.get(418, 'ask-1')).toBeUndefined();
    const choices = await Promise.all([
      recipients.choose(418, 'ask-1', ['U0BEN', 'U0CLEO']),
      recipients.choose(418, 'ask-1', ['U0DAN']),
    ]);
    expect(choices[1]).toEqual(choices[0]);
    expect(await recipients.choose(418, 'ask-1', ['U0EVE'])).toEqual(choices[0]);
    expect(await recipients.choose(418, 'ask-2', [])).toEqual([]);
    expect(await recipients.choose(418, 'ask-2', ['U0BEN'])).toEqual([]);
    expect(await recipients.get(419, 'ask-1')).toBeUndefined();
  });

  it('lets one publisher work per workspace until it leaves or falls silent', async () => {
    const { outbox } = ports;
    expect(await outbox.holdPublisher('T1', 'bot-a', 60_000)).toBe(true);
    expect(await outbox.holdPublisher('T1', 'bot-b', 60_000)).toBe(false);
    expect(await outbox.holdPublisher('T2', 'bot-b', 60_000)).toBe(true);
    expect(await outbox.holdPublisher('T1', 'bot-a', 400)).toBe(true);
    await outbox.releasePublisher('T1', 'bot-b');
    expect(await outbox.holdPublisher('T1', 'bot-b', 400)).toBe(false);
    await backend.until(async () => outbox.holdPublisher('T1', 'bot-b', 60_000));
    await outbox.releasePublisher('T1', 'bot-b');
    expect(await outbox.holdPublisher('T1', 'bot-a', 60_000)).toBe(true);
  });

  it('lets one of ten claims of a post send it; the others see it as being sent', async () => {
    const claims = await Promise.all(Array.from({ length: 10 }, async () => ports.outbox.claim(418, 'root', 'C0OPS')));
    expect(claims.filter((claim) => claim.claimed)).toHaveLength(1);
    expect(claims.every((claim) => claim.post.state === 'sending' && claim.post.attempts === 1)).toBe(true);
  });

  it('remembers where a post went, and what it showed after a redraw', async () => {
    const { outbox } = ports;
    await outbox.claim(418, 'root', 'C0OPS');
    await outbox.sent(418, 'root', { channel: 'C0OPS', ts: '1.2', digest: 'd1' });
    await outbox.sent(418, 'root', { channel: 'C0OPS', ts: '1.2', digest: 'd2' });
    await outbox.claim(418, 'as7 5-0', 'C0OPS');
    const known = { key: 'root', state: 'sent', channel: 'C0OPS', ts: '1.2', digest: 'd2', attempts: 1 };
    expect(await outbox.claim(418, 'root', 'C0OPS')).toMatchObject({ claimed: false, post: known });
    const all = await outbox.all(418);
    expect(new Map(all.map((post) => [post.key, post.state]))).toEqual(
      new Map([
        ['as7 5-0', 'sending'],
        ['root', 'sent'],
      ]),
    );
    expect(await outbox.all(419)).toEqual([]);
  });

  it('remembers the file of a post, the newest one, also when it has been sent', async () => {
    const { outbox } = ports;
    await outbox.noteFile(418, 'root', 'F0');
    expect(await outbox.all(418)).toEqual([]);
    await outbox.claim(418, 'root', 'C0OPS');
    await outbox.noteFile(418, 'root', 'F1');
    await outbox.noteFile(418, 'root', 'F2');
    expect(await outbox.again(418, 'root')).toMatchObject({ state: 'sending', fileId: 'F2' });
    await outbox.sent(418, 'root', { channel: 'C0OPS', ts: '1.2' });
    expect(await outbox.all(418)).toMatchObject([{ state: 'sent', ts: '1.2', fileId: 'F2' }]);
  });

  it('counts the attempts of a post that was looked up and not found, and never un-sends one', async () => {
    const { outbox } = ports;
    expect(await outbox.again(418, 'root')).toBeUndefined();
    await outbox.claim(418, 'root', 'C0OPS');
    expect(await outbox.again(418, 'root')).toMatchObject({ state: 'sending', attempts: 2 });
    await outbox.sent(418, 'root', { channel: 'C0OPS', ts: '1.2' });
    expect(await outbox.again(418, 'root')).toMatchObject({ state: 'sent', ts: '1.2', attempts: 2 });
  });
});
