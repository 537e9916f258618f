import { describe, expect, it } from 'vitest';
import type { BenchPoint, Proof } from '../../../src/domain/bench.ts';
import { errors } from '../../../src/errors.ts';
import { beginProof, endProof, watchProof } from '../../../src/steps/bench-proof.ts';
import { pointOf } from '../../support/bench-results.ts';
import { fixture } from '../../support/fixture.ts';
import type { FakeCard, ProofWorld } from '../../support/proof-world.ts';
import { createProofWorld, flowsText } from '../../support/proof-world.ts';

const psk = { kind: 'psk', secret: 'psk' };
const transport = { ipsec: { mode: 'transport', auth: psk } };
const tunnel = { ipsec: { mode: 'tunnel', auth: psk } };
const ipsecPoint = pointOf({ kind: 'ipsec', sas: 1 });
/** 300 Gb/s for 30 s. */
const carried = 1.125e12;

interface Story {
  readonly point?: BenchPoint;
  /** What both cards are when the measurement begins. */
  readonly cards?: Partial<FakeCard>;
  /** What only the first one is. */
  readonly first?: Partial<FakeCard>;
  /** Busy ticks of the CPUs in the measured time, of 1000. */
  readonly busy?: readonly [number, number];
  /** Share of what was carried that the counters have seen. */
  readonly counted?: number;
  readonly bytes?: number;
  readonly isWatched?: false;
}

type Case = readonly [title: string, story: Story, cause: RegExp, profile?: object];

function withProfile(cases: readonly Case[], usual: object): readonly (readonly [string, Story, RegExp, object])[] {
  return cases.map(([title, story, cause, profile = usual]) => [title, story, cause, profile] as const);
}

/** One measurement from a to b. */
async function prove({ cards, context }: ProofWorld, story: Story = {}): Promise<Proof> {
  const { point = pointOf(), busy = [20, 30], counted = 1.05, bytes = carried } = story;
  for (const card of cards) Object.assign(card, story.cards);
  Object.assign(cards[0], story.first);
  const start = await beginProof(context, point);
  const seen = story.isWatched === false ? start : await watchProof(context, start, point);
  for (const card of cards) {
    card.cpus = card.cpus.map(([worked, idle], cpu) => [worked + (busy[cpu] ?? 0), idle + 1000 - (busy[cpu] ?? 0)]);
    if (card.wireBytes !== undefined) card.wireBytes += counted * bytes;
    // They are gone when the traffic is over.
    card.flows = '';
  }
  const [sender, receiver] = cards;
  if (sender.ipsecBytes) sender.ipsecBytes = { ...sender.ipsecBytes, tx: sender.ipsecBytes.tx + counted * bytes };
  if (receiver.ipsecBytes)
    receiver.ipsecBytes = { ...receiver.ipsecBytes, rx: receiver.ipsecBytes.rx + counted * bytes };
  return endProof(context, JSON.parse(JSON.stringify(seen)), point, bytes);
}

const sawOf = ({ checks }: Proof): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ label, saw }) => [label, saw]));

describe('a raw path', () => {
  it('is proven by the flows between the two hosts, seen while packets are under way, and by idle CPUs', async () => {
    const proof = await prove(createProofWorld());

    expect(proof).toEqual({
      verdict: 'offloaded',
      checks: [
        { label: 'Flows of as7-dpu0', pass: true, saw: '2 of 2 offloaded:yes, with 100 % of their packets' },
        { label: 'Arm CPUs of as7-dpu0', pass: true, saw: '2.5 % busy, CPU 1 3.0 %' },
        { label: 'Flows of as8-dpu0', pass: true, saw: '2 of 2 offloaded:yes, with 100 % of their packets' },
        { label: 'Arm CPUs of as8-dpu0', pass: true, saw: '2.5 % busy, CPU 1 3.0 %' },
      ],
    });
  });

  it('is not looked at for causes while it is proven, and IPsec is not looked at at all', async () => {
    const world = createProofWorld();
    await prove(world);
    expect(world.cards[0].asked.join('\n')).not.toMatch(/show-log|eswitch|xfrm/);
  });

  it('says what went over the wire, where the port counts it', async () => {
    const world = createProofWorld();
    for (const card of world.cards) card.wireBytes = 5;

    const proof = await prove(world);

    expect(sawOf(proof)['Flows of as7-dpu0']).toMatch(/of their packets; 1181\.3 GB sent on the wire$/);
    expect(sawOf(proof)['Flows of as8-dpu0']).toMatch(/; 1181\.3 GB received on the wire$/);
  });

  it('is not judged by flows of others', async () => {
    const others = flowsText('dp:ovs', { hosts: ['02:00:00:00:00:01', '02:00:00:00:00:02'], packets: 90_000_000 });
    const proof = await prove(createProofWorld(), { cards: { flows: others + flowsText('offloaded:yes, dp:tc') } });
    expect(proof.verdict).toBe('offloaded');
  });

  it('may begin with packets that go through the Arm until the flow is in the hardware', async () => {
    const flows = flowsText('offloaded:yes, dp:tc') + flowsText('dp:ovs', { packets: 900 });
    expect((await prove(createProofWorld(), { cards: { flows } })).verdict).toBe('offloaded');
  });

  it('is not known where the flows were gone, or the card cannot be asked', async () => {
    const late = await prove(createProofWorld(), { cards: { flows: '' } });
    expect(late.verdict).toBe('unknown');
    expect(sawOf(late)['Flows of as7-dpu0']).toBe('no flow of the measured traffic was there');
    const few = await prove(createProofWorld(), { cards: { flows: flowsText('dp:ovs', { packets: 3 }) } });
    expect(few.verdict).toBe('unknown');
    const refused = await prove(createProofWorld(), { first: { refused: ['dump-flows'] } });
    expect(refused.verdict).toBe('unknown');
    expect(refused).not.toHaveProperty('cause');
    const noLogin = await prove(createProofWorld({}, {}));
    expect(noLogin.checks.every(({ pass }) => pass === undefined)).toBe(true);
    expect(noLogin.verdict).toBe('unknown');
  });

  it('whose software is wanted and was not seen is no proof that fails', async () => {
    const proof = await prove(createProofWorld({ dataPath: { hwOffload: false } }), { cards: { flows: '' } });
    expect(proof.verdict).toBe('not-wanted');
  });

  it('is looked at when it is over, where nobody has watched', async () => {
    const proof = await prove(createProofWorld(), { isWatched: false });
    expect(proof.verdict).toBe('unknown');
  });

  it('stops the measurement when the run is stopped', async () => {
    const world = createProofWorld();
    const { signal } = { signal: AbortSignal.abort(new Error('cancelled')) };
    const arm = {
      ...world.context.arm,
      login: async () => Promise.reject(errors.sshLost({ host: 'a', command: 'b' })),
    };
    await expect(beginProof({ ...world.context, signal, arm }, pointOf())).rejects.toThrow();
  });
});

describe('a raw path in software', () => {
  const software = { flows: flowsText('dp:ovs') };
  const daemon = (started: string, set: string): string =>
    `started ${Date.parse(started) / 1000}\nrecord 4: ${set.replace('T', ' ').replace('Z', '')} "ovs-vsctl: ovs-vsctl set Open_vSwitch . other_config:hw-offload=true"\n`;
  const cases: readonly Case[] = [
    [
      'its offload is off',
      { cards: { ...software, hwOffload: '"false"\n' } },
      /^hw-offload of Open vSwitch is off on as7-dpu0 and as8-dpu0: each packet/,
    ],
    ['its offload was never set', { cards: { ...software, hwOffload: '\n' } }, /^hw-offload of Open vSwitch is off/],
    [
      'its profile wants it',
      { cards: { ...software, hwOffload: '"false"\n' } },
      /off on as7-dpu0 and as8-dpu0, as the profile wants it/,
      { dataPath: { hwOffload: false } },
    ],
    [
      'its switch was not restarted, by its flows',
      { cards: software },
      /^Open vSwitch on as7-dpu0 and as8-dpu0 was not restarted since hw-offload was set/,
    ],
    [
      'one switch was not restarted, by the clock',
      { first: { flows: flowsText('dp:tc'), daemon: daemon('2026-11-23T10:00:00Z', '2026-11-23T11:00:00.5Z') } },
      /^Open vSwitch on as7-dpu0 was not restarted since/,
    ],
    [
      'it was restarted and does not hand them over',
      { cards: { ...software, daemon: daemon('2026-11-23T11:00:01Z', '2026-11-23T11:00:00Z') } },
      /has not handed these flows to the hardware, although hw-offload is on/,
    ],
    ['tc keeps them', { cards: { flows: flowsText('dp:tc') } }, /in the kernel's tc and not in the hardware/],
    [
      'a part of it is done there',
      { cards: { flows: flowsText('offloaded:partial, dp:ovs') } },
      /a part of the actions in software/,
    ],
    ['the card is in legacy mode', { first: { ...software, eswitch: 'legacy' } }, /legacy mode on as7-dpu0/],
    ['the Arm is busy with something else', { busy: [10, 970] }, /busy all the same/],
  ];

  it.each(withProfile(cases, {}))('is named with its cause when %s', async (_title, story, cause, profile) => {
    const proof = await prove(createProofWorld(profile), story);

    expect(proof.verdict).toBe('not-offloaded');
    expect(proof.cause).toMatch(cause);
  });

  it('has no cause where nothing could be read that would explain it', async () => {
    const proof = await prove(createProofWorld(), {
      cards: { ...software, refused: ['hw-offload', 'show-log', 'devlink'] },
    });
    expect(proof.verdict).toBe('not-offloaded');
    expect(proof).not.toHaveProperty('cause');
  });

  it('is seen with what a real switch in user space prints', async () => {
    const flows = fixture('ovs/rack-flows-userspace.txt')
      .replaceAll('fa:3a:6e:53:ae:4e', 'a0:88:c2:00:00:02')
      .replaceAll('2a:b8:ac:11:79:42', 'a0:88:c2:00:00:01')
      .replaceAll('packets:2,', 'packets:88123,');
    const proof = await prove(createProofWorld(), { cards: { flows, hwOffload: '"false"\n' } });
    expect(proof.cause).toMatch(/hw-offload/);
  });
});

describe('an IPsec path', () => {
  it('is proven by associations, counters, flows and CPUs of both cards', async () => {
    const proof = await prove(createProofWorld(transport), { point: ipsecPoint });

    expect(proof.verdict).toBe('offloaded');
    expect(sawOf(proof)).toMatchObject({
      'IPsec associations of as7-dpu0': 'of 2: 2 mode packet',
      'IPsec counters of as7-dpu0': '1181.3 GB encrypted of 1125.0 GB carried',
      'IPsec counters of as8-dpu0': '1181.3 GB decrypted of 1125.0 GB carried',
      'Flows of as8-dpu0': '2 of 2 offloaded:yes, with 100 % of their packets',
    });
  });

  it('the other way round has the other card as its sender', async () => {
    const world = createProofWorld(transport);
    const proof = await prove(world, { point: { ...ipsecPoint, direction: 'b-to-a' } });
    expect(sawOf(proof)['IPsec counters of as8-dpu0']).toMatch(/^0\.0 MB encrypted/);
    expect(proof.verdict).toBe('not-offloaded');
  });

  const fallen = fixture('ip/xfrm-packet.txt').replaceAll('mode packet', 'mode crypto');
  const unnamed = fixture('ip/xfrm-packet.txt').replaceAll(' mode packet', '');
  const bare = fixture('ip/xfrm-packet.txt').replaceAll(/\tcrypto offload.*\n/g, '');
  const cases: readonly Case[] = [
    [
      'strongSwan fell back',
      { cards: { sas: fallen } },
      /^strongSwan fell back on as7-dpu0 and as8-dpu0: the card only encrypts \(mode crypto\)$/,
    ],
    [
      'it fell back and the steering is not the one',
      { first: { sas: bare, steering: 'smfs' } },
      /does nothing for associations of ours, and its steering is smfs where packet offload needs dmfs/,
    ],
    [
      'ESP is done in user space',
      { cards: { sas: '', ipsecBytes: undefined } },
      /^user-space ESP on as7-dpu0 and as8-dpu0: strongSwan has 1 INSTALLED, and the kernel has no association.*no packet of it reaches the card's engines/,
    ],
    [
      'the kernel has no association and nobody tells why',
      { cards: { sas: '', installed: undefined, refused: ['swanctl'] } },
      /^user-space ESP on as7-dpu0 and as8-dpu0: traffic gets through, and the kernel/,
    ],
    [
      'nothing is encrypted at all',
      { first: { sas: '', installed: 0 } },
      /^neither strongSwan nor the kernel has an association in use on as7-dpu0: what gets through is not encrypted$/,
    ],
    [
      'an older driver was not set up for it',
      { first: { sas: bare, ipsecMode: 'none' } },
      /^strongSwan fell back on as7-dpu0: .*, and its ipsec_mode is none, not full$/,
    ],
    [
      'the profile wants none',
      { cards: { sas: bare } },
      /^kernel ESP .*as the profile wants it/,
      { ipsec: { ...transport.ipsec, offload: 'no' } },
    ],
    [
      'the profile wants the encryption only',
      { cards: { sas: fallen } },
      /wants `offload: crypto`/,
      { ipsec: { ...transport.ipsec, offload: 'crypto' } },
    ],
    ['the counters stand still', { counted: 0 }, /counters did not rise with the traffic/],
    ['the counters see a part', { counted: 0.4 }, /counters did not rise with the traffic/],
    ['the flows are in software', { cards: { flows: flowsText('dp:ovs') } }, /not restarted since hw-offload was set/],
  ];

  it.each(withProfile(cases, transport))('is not offloaded when %s', async (_title, story, cause, profile) => {
    const proof = await prove(createProofWorld(profile), { point: ipsecPoint, ...story });
    expect(proof.verdict).toBe('not-offloaded');
    expect(proof.cause).toMatch(cause);
  });

  it('names a card without crypto engines', async () => {
    const world = createProofWorld(transport);
    for (const { host } of world.context.pair?.ends ?? []) {
      const { read } = { read: host.read.bind(host) };
      host.read = async (command, options) => {
        const result = await read(command, options);
        return { ...result, stdout: result.stdout.replaceAll('00CN-AB0', '00SN-AB0') };
      };
    }
    const proof = await prove(world, { point: ipsecPoint, first: { sas: bare } });
    expect(proof.cause).toBe('the card on as7-dpu0 has no crypto engines (900-9D3B6-00SN-AB0)');
  });

  it('is known by its counters where ip(8) is too old to tell the mode', async () => {
    const good = await prove(createProofWorld(transport), { point: ipsecPoint, cards: { sas: unnamed } });
    expect(good.verdict).toBe('offloaded');
    const silent = await prove(createProofWorld(transport), {
      point: ipsecPoint,
      cards: { sas: unnamed, ipsecBytes: undefined },
    });
    expect(silent.verdict).toBe('unknown');
    expect(sawOf(silent)['IPsec counters of as7-dpu0']).toBe('its driver counts no bytes of IPsec');
  });

  it('is not judged by associations of others, nor by counters that begin anew', async () => {
    const foreign = fallen.replaceAll('192.168.50.', '10.9.8.');
    const mixed = await prove(createProofWorld(transport), {
      point: ipsecPoint,
      cards: { sas: fixture('ip/xfrm-packet.txt') + foreign },
    });
    expect(mixed.verdict).toBe('offloaded');
    const reset = await prove(createProofWorld(transport), { point: ipsecPoint, counted: -1e-10 });
    expect(reset.verdict).toBe('unknown');
  });

  it('never has a key in what is kept of it', async () => {
    const world = createProofWorld(transport);
    for (const card of world.cards) card.sas = fixture('ip/xfrm-with-keys.txt');
    const start = await beginProof(world.context, ipsecPoint);
    const seen = await watchProof(world.context, start, ipsecPoint);
    const proof = await endProof(world.context, seen, ipsecPoint, carried);
    expect(JSON.stringify([seen, proof])).not.toContain('5e5e');
  });
});

describe('an IPsec path that the cards route', () => {
  it('has no flows, and is proven by idle CPUs where there is enough to do', async () => {
    const proof = await prove(createProofWorld(tunnel), { point: ipsecPoint });
    expect(proof.verdict).toBe('offloaded');
    expect(Object.keys(sawOf(proof)).some((label) => label.startsWith('Flows'))).toBe(false);
    const slow = await prove(createProofWorld(tunnel), { point: ipsecPoint, bytes: 1e9 });
    expect(slow.verdict).toBe('unknown');
    expect(sawOf(slow)['Arm CPUs of as7-dpu0']).toContain('too little traffic to tell');
  });

  it('is named with its cause when the kernel of the Arm forwards', async () => {
    const proof = await prove(createProofWorld(tunnel), { point: ipsecPoint, busy: [900, 880] });
    expect(proof.cause).toBe(
      'the kernel of the Arm forwards each packet on as7-dpu0 and as8-dpu0, because in tunnel mode the cards route',
    );
  });
});
