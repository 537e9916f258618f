import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CardFacts } from '../../../src/domain/card-facts.ts';
import { keptTimes } from '../../../src/domain/step-times.ts';
import type { Backend, Ports } from './backends.ts';
import { backends } from './backends.ts';

const first: CardFacts = {
  facts: {
    serial: { value: 'MT2334XZ0ABC', from: 'host', atMs: 10 },
    mode: { value: 'DPU', from: 'bmc', atMs: 10 },
  },
  unread: { image: { reason: 'the Arm does not answer', atMs: 10 } },
  runId: 1,
  atMs: 10,
};

describe.each(backends)('what looks leave behind, in $kind', ({ open }) => {
  let backend: Backend;
  let ports: Ports;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ports = await backend.fresh();
  });
  afterAll(async () => backend.stop());

  it('knows nothing of a card that nobody has looked at', async () => {
    expect(await ports.facts.get('as7-dpu0')).toBeUndefined();
  });

  it('keeps an older value with its age where the next look could not read it, and forgets why once it could', async () => {
    await ports.facts.merge('as7-dpu0', first);
    await ports.facts.merge('as7-dpu0', {
      facts: { image: { value: 'bf-2-9-2', from: 'arm', atMs: 20 } },
      unread: { mode: { reason: 'the BMC does not answer', atMs: 20 } },
      runId: 2,
      atMs: 20,
    });

    expect(await ports.facts.get('as7-dpu0')).toEqual({
      facts: { ...first.facts, image: { value: 'bf-2-9-2', from: 'arm', atMs: 20 } },
      unread: { mode: { reason: 'the BMC does not answer', atMs: 20 } },
      runId: 2,
      atMs: 20,
    });
  });

  it('a look that ends after a newer one takes nothing of it back', async () => {
    const newer = { ...first, facts: { mode: { value: 'NIC', from: 'bmc' as const, atMs: 20 } }, runId: 2, atMs: 20 };
    await ports.facts.merge('as7-dpu0', newer);
    await ports.facts.merge('as7-dpu0', first);

    expect((await ports.facts.get('as7-dpu0'))?.facts.mode?.value).toBe('NIC');
  });

  it('loses nothing when two workers look at the same card at once', async () => {
    const names = ['part-number', 'serial', 'mode', 'image', 'pcie-link'] as const;
    await Promise.all(
      names.map(async (name, index) => {
        const fact = { value: name, from: 'host' as const, atMs: index };
        return ports.facts.merge('as7-dpu0', { facts: { [name]: fact }, unread: {}, runId: index, atMs: index });
      }),
    );

    expect(Object.keys((await ports.facts.get('as7-dpu0'))?.facts ?? {}).sort()).toEqual([...names].sort());
  });

  it('gives a file back byte for byte, to its run only, and takes the same content for the same file', async () => {
    const content = Uint8Array.from([0, 255, 10, 13, 128]);
    const file = { name: 'console.txt', mimeType: 'text/plain', content };
    const ref = await ports.artefacts.put(418, file);

    expect(ref).toMatchObject({ name: 'console.txt', mimeType: 'text/plain', bytes: 5 });
    expect([...((await ports.artefacts.get(418, ref.id)) ?? [])]).toEqual([...content]);
    expect(await ports.artefacts.get(419, ref.id)).toBeUndefined();
    expect((await ports.artefacts.put(418, file)).id).toBe(ref.id);
  });

  it('keeps how long each step took the last times, the newest first, places apart', async () => {
    const { stepTimes } = ports;
    for (let ms = 1; ms <= keptTimes + 3; ms += 1) await stepTimes.note('lab', 'install-bfb', ms);
    await stepTimes.note('lab', 'set-ntp later', 0.4);
    await stepTimes.note('lab:simulated', 'install-bfb', 7);

    const { 'install-bfb': flashes = [], ...others } = await stepTimes.of('lab');
    expect(flashes).toHaveLength(keptTimes);
    expect(flashes.slice(0, 2)).toEqual([keptTimes + 3, keptTimes + 2]);
    expect(others).toEqual({ 'set-ntp later': [0] });
    expect(await stepTimes.of('lab:simulated')).toEqual({ 'install-bfb': [7] });
    expect(await stepTimes.of('elsewhere')).toEqual({});
  });

  it('loses no time when two workers note the same step at once', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(async (ms) => ports.stepTimes.note('lab', 'install-doca', ms)));

    expect(new Set((await ports.stepTimes.of('lab'))['install-doca'])).toEqual(new Set([1, 2, 3, 4, 5]));
  });
});
