import { describe, expect, it } from 'vitest';
import type { Diff } from '../../../src/domain/step.ts';
import { setUpIpsec } from '../../../src/steps/set-up-ipsec.ts';
import type { BenchMemory } from '../../support/bench-context.ts';
import { createBenchMemory } from '../../support/bench-context.ts';
import type { IpsecWorld } from '../../support/ipsec-world.ts';
import { fixture } from '../../support/fixture.ts';
import { createIpsecWorld, ipsecContext, traces, transport, tunnel } from '../../support/ipsec-world.ts';

type Setting = { readonly ipsec?: object; readonly sas?: number };

async function plan(world: IpsecWorld, memory: BenchMemory, { ipsec = tunnel, sas = 1 }: Setting = {}): Promise<Diff> {
  const context = ipsecContext(world, memory, ipsec);
  return setUpIpsec.diff(await setUpIpsec.observe(context, { sas }), { sas }, context.dpu);
}

/** One life of the step: looks, acts, verifies; the code of a refusal. */
async function carryOut(world: IpsecWorld, memory: BenchMemory, setting: Setting = {}): Promise<string> {
  const { ipsec = tunnel, sas = 1 } = setting;
  const context = ipsecContext(world, memory, ipsec);
  const observed = await setUpIpsec.observe(context, { sas });
  const diff = setUpIpsec.diff(observed, { sas }, context.dpu);
  if (diff.kind === 'refused') return diff.failure.code;
  if (diff.kind !== 'change') return diff.kind;
  await setUpIpsec.apply?.(context, diff.changes, { sas }, observed);
  const verdicts = (await setUpIpsec.verify?.(context, { sas })) ?? [];
  return verdicts.every(({ pass }) => pass) ? 'applied' : `mismatch: ${JSON.stringify(verdicts)}`;
}

async function undo(world: IpsecWorld, memory: BenchMemory, { ipsec = tunnel, sas = 1 }: Setting = {}): Promise<void> {
  await setUpIpsec.undo?.(ipsecContext(world, memory, ipsec), { sas });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => new Error('no error'),
    (reason: unknown) => reason,
  );
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

const settings: readonly (readonly [string, Setting])[] = [
  ['transport', { ipsec: transport }],
  ['tunnel', { ipsec: tunnel }],
  ['tunnel with 3 associations', { ipsec: tunnel, sas: 3 }],
];

describe('set-up-ipsec', () => {
  it.each(settings)(
    'in %s mode sets everything up, is then satisfied, and takes exactly that away',
    async (_name, setting) => {
      const world = createIpsecWorld();
      const before = traces(world);
      const memory = createBenchMemory();

      await expect(carryOut(world, memory, setting)).resolves.toBe('applied');
      await expect(carryOut(world, memory, setting)).resolves.toBe('satisfied');
      expect(traces(world)).not.toEqual(before);
      await undo(world, memory, setting);

      expect(traces(world)).toEqual(before);
    },
  );

  it('in transport mode takes p0 out of the bridge, and puts VXLAN into it once all is encrypted', async () => {
    const world = createIpsecWorld();

    await carryOut(world, createBenchMemory(), { ipsec: transport });

    const [card] = world.cards;
    expect(card.bridges.get('ovsbr1')).toEqual(['pf0hpf', 'en3f0pf0sf0', 'vxlan0']);
    expect(card.ports.get('vxlan0')).toBe(
      '-- set Interface vxlan0 type=vxlan options:local_ip=10.0.0.1 options:remote_ip=10.0.0.2 options:key=100 options:dst_port=4789',
    );
    const order = world.log.map((line) => line.replace(/^\S+ /, '').replace(/^swanctl (\S+).*/, '$1'));
    expect(order.lastIndexOf('--initiate')).toBeLessThan(order.findIndex((line) => line.includes('type=vxlan')));
    expect(card.files.get('/etc/swanctl/conf.d/dpubot-as7-as8.conf')).toContain('hw_offload = packet');
    expect(card.modes.get('/etc/swanctl/conf.d/dpubot-as7-as8.conf')).toBe('600');
  });

  it.each([
    ['transport', transport, 'del-port ovsbr1 vxlan0'],
    ['tunnel', tunnel, 'ip route del'],
  ])(
    'in %s mode ends on both cards what sends over the wire before it ends the encryption',
    async (_mode, ipsec, last) => {
      const world = createIpsecWorld();
      const memory = createBenchMemory();
      await carryOut(world, memory, { ipsec });
      world.log.length = 0;

      await undo(world, memory, { ipsec });

      const ends = world.log.flatMap((line, index) => (line.includes(last) ? [index] : []));
      expect(ends).toHaveLength(2);
      expect(Math.max(...ends)).toBeLessThan(world.log.findIndex((line) => line.includes('--terminate')));
    },
  );

  it('in tunnel mode routes: both ports out of the bridge, addresses, forwarding, and the route to the other hosts last', async () => {
    const world = createIpsecWorld();

    await carryOut(world, createBenchMemory(), { sas: 3 });

    const [card] = world.cards;
    const [arm] = world.hosts.arms;
    expect(card.bridges.get('ovsbr1')).toEqual(['en3f0pf0sf0']);
    expect(arm.links.get('p0')?.addresses).toEqual(['10.0.0.1/30']);
    expect(arm.links.get('pf0hpf')?.addresses).toEqual(['10.1.0.1/24']);
    expect(card.forwarding).toBe(true);
    expect(arm.routes).toEqual([{ dst: '10.2.0.0/24', gateway: '10.0.0.2', dev: 'p0' }]);
    expect(card.sas.filter(({ name }) => name === 'dpubot-as7-as8').map(({ child }) => child)).toEqual([
      'sa1',
      'sa2',
      'sa3',
    ]);
    expect(world.log.at(-1)).toContain('ip route add');
    expect(card.files.get('/etc/swanctl/conf.d/dpubot-as7-as8.conf')).not.toContain('hw_offload');
  });

  it('lowers the hosts to the MTU of the tunnel, or raises the cards above the hosts, and gives all their MTU back', async () => {
    const lowered = createIpsecWorld();
    const raised = createIpsecWorld();
    for (const arm of raised.hosts.arms) for (const link of arm.links.values()) link.mtu = 9000;
    const memory = createBenchMemory();

    await carryOut(lowered, createBenchMemory(), { ipsec: tunnel });
    await carryOut(raised, memory, { ipsec: transport });

    expect(lowered.hosts.hosts.map(({ links }) => links.get('ens3f0np0')?.mtu)).toEqual([1400, 1400]);
    expect(raised.hosts.arms.map(({ links }) => links.get('p0')?.mtu)).toEqual([9200, 9200]);
    expect(raised.hosts.hosts.map(({ links }) => links.get('ens3f0np0')?.mtu)).toEqual([9000, 9000]);
    await undo(raised, memory, { ipsec: transport });
    expect(raised.hosts.arms.map(({ links }) => links.get('p0')?.mtu)).toEqual([9000, 9000]);
  });

  it('tells in its plan what it does to whom, and for how long', async () => {
    const diff = await plan(createIpsecWorld(), createBenchMemory(), { ipsec: transport });

    const texts = diff.kind === 'change' ? diff.changes.map(({ text }) => text) : [];
    expect(texts[0]).toMatch(
      /IPsec in transport mode.*packet offload.*10\.0\.0\.1 and 10\.0\.0\.2.*no network meanwhile/,
    );
    expect(texts).toContain('as8-dpu0: p0 out of ovsbr1, until the measurement is over');
  });

  it.each([
    ['2 associations in transport mode', { ipsec: transport, sas: 2 }, /transport mode.*VXLAN/s],
    ['a profile without IPsec', {}, /says nothing about IPsec/],
    ['a proposal that no hardware does', { ipsec: { ...transport, espProposal: 'aes256-sha256' } }, /AES-GCM/],
    ['more associations than addresses', { ipsec: tunnel, sas: 254 }, /has no 254 addresses/],
  ])('refuses %s in the plan', async (what, setting, why) => {
    const world = createIpsecWorld();
    const memory = createBenchMemory();

    const context = ipsecContext(world, memory, 'ipsec' in setting ? setting.ipsec : undefined);
    const sas = 'sas' in setting ? (setting.sas ?? 1) : 1;
    const diff = setUpIpsec.diff(await setUpIpsec.observe(context, { sas }), { sas }, context.dpu);

    expect(diff, what).toMatchObject({ kind: 'refused', failure: { code: 'bench-impossible' } });
    expect(diff.kind === 'refused' && `${diff.failure.what} ${diff.failure.why}`).toMatch(why);
    expect(world.log).toEqual([]);
  });

  it('waits in a plan for bridges and links that an earlier step makes', async () => {
    const world = createIpsecWorld();
    world.cards[1].bridges.set('ovsbr1', []);

    await expect(plan(world, createBenchMemory(), { ipsec: transport })).resolves.toMatchObject({
      kind: 'deferred',
      awaits: 'bench-path',
    });
  });

  it('names what is not installed', async () => {
    const world = createIpsecWorld({ isInstalled: false });

    await expect(codeOf(carryOut(world, createBenchMemory()))).resolves.toBe('host-tool-missing');
  });

  it('starts strongSwan where it does not run, and stops it again', async () => {
    const world = createIpsecWorld({ isRunning: false });
    for (const card of world.cards) {
      card.loaded.clear();
      card.secrets.clear();
      card.sas.length = 0;
    }
    const before = traces(world);
    const memory = createBenchMemory();

    await expect(carryOut(world, memory)).resolves.toBe('applied');
    expect(world.cards.map(({ isRunning }) => isRunning)).toEqual([true, true]);
    await undo(world, memory);

    expect(traces(world)).toEqual(before);
  });

  it('brings up anew what another run has left under its name', async () => {
    const world = createIpsecWorld();
    await carryOut(world, createBenchMemory());
    const memory = createBenchMemory();
    world.log.length = 0;

    await expect(carryOut(world, memory)).resolves.toBe('applied');

    expect(world.log.some((line) => line.includes('--terminate --ike dpubot-as7-as8'))).toBe(true);
    await undo(world, memory);
    expect(world.cards[0].sas.map(({ name }) => name)).toEqual(['backup']);
  });

  it('never lets the secret be seen but in the file of the cards', async () => {
    const world = createIpsecWorld();
    const memory = createBenchMemory();

    await carryOut(world, memory);

    const [card] = world.cards;
    expect(card.files.get('/etc/swanctl/conf.d/dpubot-as7-as8.conf')).toContain(
      String.raw`"a \"quoted\" \\ secret{}#"`,
    );
    expect(JSON.stringify([memory.actions, world.log, world.hosts.log, memory.progress])).not.toContain('quoted');
  });
});

describe('set-up-ipsec among connections of others', () => {
  it('leaves them, their secrets and associations alone from beginning to end', async () => {
    const world = createIpsecWorld();
    const memory = createBenchMemory();
    const foreign = (): unknown =>
      world.cards.map(({ loaded, secrets, sas, files }) => [
        loaded.get('backup'),
        secrets.has('ike-backup'),
        sas.filter(({ name }) => name === 'backup'),
        files.get('/etc/swanctl/conf.d/backup.conf'),
      ]);
    const before = structuredClone(foreign());

    await carryOut(world, memory);
    expect(foreign()).toEqual(before);
    await undo(world, memory);

    expect(foreign()).toEqual(before);
  });

  it('refuses where one is in no file: loading its own would unload that', async () => {
    const world = createIpsecWorld();
    world.cards[1].loaded.set('by-hand', '');

    await expect(carryOut(world, createBenchMemory())).resolves.toBe('ipsec-others-loaded');
    expect(world.log).toEqual([]);
  });

  it('unloads nothing either when such a one has come meanwhile, and says what is left', async () => {
    const world = createIpsecWorld();
    const memory = createBenchMemory();
    await carryOut(world, memory);
    world.cards[1].loaded.set('by-hand', '');

    await expect(codeOf(undo(world, memory))).resolves.toBe('ipsec-others-loaded');

    expect(world.cards[1].loaded.has('by-hand')).toBe(true);
    expect(world.cards[0].loaded.has('dpubot-as7-as8')).toBe(false);
    expect(world.cards.map(({ bridges }) => bridges.get('ovsbr1')?.toSorted())).toEqual([
      ['en3f0pf0sf0', 'p0', 'pf0hpf'],
      ['en3f0pf0sf0', 'p0', 'pf0hpf'],
    ]);
    world.cards[1].loaded.delete('by-hand');
    await undo(world, memory);
    expect(world.cards[1].loaded.has('dpubot-as7-as8')).toBe(false);
  });

  it('refuses an address that stands on another link, a port of its name, and another route there', async () => {
    const taken = createIpsecWorld();
    taken.hosts.arms[0].links.set('br0', { mac: '', mtu: 1500, up: true, addresses: ['10.0.0.1/24'] });
    const port = createIpsecWorld();
    port.cards[0].bridges.set('br-int', ['vxlan0']);
    const route = createIpsecWorld();
    route.hosts.arms[0].routes.push({ dst: '10.2.0.0/24', gateway: '10.9.9.9', dev: 'oob_net0' });

    await expect(carryOut(taken, createBenchMemory())).resolves.toBe('bench-address-taken');
    await expect(carryOut(port, createBenchMemory(), { ipsec: transport })).resolves.toBe('bench-impossible');
    await expect(carryOut(route, createBenchMemory())).resolves.toBe('bench-impossible');
  });

  it('keeps an address and a forwarding that were there before', async () => {
    const world = createIpsecWorld({ forwarding: true });
    world.hosts.arms[0].links.get('p0')?.addresses.push('10.0.0.1/30');
    const before = traces(world);
    const memory = createBenchMemory();

    await carryOut(world, memory);
    await undo(world, memory);

    expect(traces(world)).toEqual(before);
  });
});

describe('set-up-ipsec that fails', () => {
  const knl = '[KNL] HW offload is not supported by device p0';
  const no = '[IKE] received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built';

  it.each([
    ['the own hardware refuses', `initiate failed: x\n${knl}\n`, '', 'ipsec-offload-refused', /as7-dpu0/],
    [
      'the own driver refuses',
      'initiate failed: x\n[KNL] received netlink error: mlx5_core: Device failed to offload this state (22)\n[KNL] unable to add SAD entry with SPI c7925e3c (FAILED)\n',
      '',
      'ipsec-offload-refused',
      /as7-dpu0/,
    ],
    [
      'the hardware of the other card refuses',
      `initiate failed: x\n${no}\n`,
      `11${knl}\n`,
      'ipsec-offload-refused',
      /as8-dpu0/,
    ],
    [
      'nothing is agreed upon',
      `initiate failed: establishing CHILD_SA 'sa1' failed\n${no}\n`,
      '',
      'ipsec-not-up',
      /CHILD_SA 'sa1'/,
    ],
    [
      'nobody answers',
      'initiate failed: x\n[IKE] establishing IKE_SA failed, peer not responding\n',
      '',
      'ipsec-peer-silent',
      /10\.0\.0\.2/,
    ],
  ])('says that %s', async (_what, initiate, log, code, names) => {
    const world = createIpsecWorld({ log });
    world.initiate = initiate;
    const before = traces(world);
    const memory = createBenchMemory();

    const error: unknown = await carryOut(world, memory, { ipsec: transport }).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code });
    expect(error instanceof Error ? error.message : '').toMatch(names);
    await undo(world, memory, { ipsec: transport });
    expect(traces(world)).toEqual(before);
  });

  it('does not believe an exit code, nor a success that no list shows', async () => {
    const silent = createIpsecWorld();
    silent.initiate = '[IKE] establishing CHILD_SA sa1{2}\n';
    const lying = createIpsecWorld();
    lying.isLying = true;

    await expect(carryOut(silent, createBenchMemory())).rejects.toMatchObject({
      failure: { code: 'ipsec-not-up', what: expect.stringContaining('sa1 was not reported as established') as string },
    });
    await expect(codeOf(carryOut(lying, createBenchMemory()))).resolves.toBe('ipsec-not-up');
  });

  it('says that the cards do not accept each other', async () => {
    const world = createIpsecWorld();
    world.initiate = fixture('swanctl/initiate-wrong-psk.txt');

    const error: unknown = await carryOut(world, createBenchMemory()).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: 'ipsec-auth-failed' });
    expect(error instanceof Error ? error.message : '').toContain('AUTHENTICATION_FAILED');
  });

  it('ends what a dead peer has left on the living one, and clears both', async () => {
    const world = createIpsecWorld();
    const memory = createBenchMemory();
    await carryOut(world, memory);
    world.cards[1].isRunning = false;

    await undo(world, memory);

    expect(world.cards[0].sas.map(({ name }) => name)).toEqual(['backup']);
    expect([...world.cards[1].files.keys()]).toEqual(['/etc/swanctl/conf.d/backup.conf']);
    expect(world.hosts.arms.map(({ links }) => links.get('p0')?.addresses)).toEqual([[], []]);
  });

  it('says that strongSwan is too old for packet offload', async () => {
    const world = createIpsecWorld();
    for (const card of world.cards) card.knowsPacket = false;

    await expect(codeOf(carryOut(world, createBenchMemory(), { ipsec: transport }))).resolves.toBe(
      'ipsec-offload-unknown',
    );
    await expect(carryOut(createIpsecWorld(), createBenchMemory())).resolves.toBe('applied');
  });
});

describe('set-up-ipsec with certificates', () => {
  const certificates = { ...tunnel, auth: { kind: 'certificates', ca: 'lab-ca', bundle: 'cards' } };
  const pem = (kind: string): string => `-----BEGIN ${kind}-----\nMIIB${kind.length}\n-----END ${kind}-----\n`;

  it('writes authority, certificate and key to files of their own, each readable by root alone', async () => {
    const world = createIpsecWorld();
    world.pem['lab-ca'] = pem('CERTIFICATE');
    world.pem['cards'] = `${pem('CERTIFICATE')}${pem('EC PRIVATE KEY')}`;
    const before = traces(world);
    const memory = createBenchMemory();

    await expect(carryOut(world, memory, { ipsec: certificates })).resolves.toBe('applied');

    const [{ files, modes }] = world.cards;
    expect(files.get('/etc/swanctl/private/dpubot-as7-as8.pem')).toBe(pem('EC PRIVATE KEY'));
    expect(files.get('/etc/swanctl/x509/dpubot-as7-as8.pem')).toBe(pem('CERTIFICATE'));
    expect([...modes.values()]).toEqual(['600', '600', '600', '600']);
    const connection = files.get('/etc/swanctl/conf.d/dpubot-as7-as8.conf');
    expect(connection).toContain('cacerts = /etc/swanctl/x509ca/dpubot-as7-as8.pem');
    expect(connection).not.toContain('psk');
    await undo(world, memory, { ipsec: certificates });
    expect(traces(world)).toEqual(before);
  });

  it('says which credential has no key in it, before anything of it is on a card', async () => {
    const world = createIpsecWorld();
    world.pem['lab-ca'] = pem('CERTIFICATE');
    world.pem['cards'] = pem('CERTIFICATE');

    const error: unknown = await carryOut(world, createBenchMemory(), { ipsec: certificates }).catch(
      (reason: unknown) => reason,
    );

    expect(error).toMatchObject({ code: 'ipsec-credential-unusable' });
    expect(error instanceof Error ? error.message : '').toMatch(/cards has no private key/);
    expect(world.log.filter((line) => line.includes('swanctl'))).toEqual([]);
  });
});

class Crash extends Error {}

describe.each(settings)('set-up-ipsec whose worker dies, in %s mode', (_name, setting) => {
  /** Every point at which a worker may die while it sets up. */
  async function pointsOf(work: (world: IpsecWorld, memory: BenchMemory) => Promise<void>): Promise<readonly string[]> {
    const world = createIpsecWorld();
    const points: string[] = [];
    world.hosts.tick = (point) => points.push(point);
    await work(world, createBenchMemory());
    return points;
  }

  function dieAt(world: IpsecWorld, index: number): void {
    let passed = 0;
    world.hosts.tick = (point) => {
      if (passed++ === index) throw new Crash(point);
    };
  }

  it('goes on, and leaves nothing at the end', async () => {
    const points = await pointsOf(async (world, memory) => void (await carryOut(world, memory, setting)));

    expect(points.length).toBeGreaterThan(40);
    for (const [index, point] of points.entries()) {
      const world = createIpsecWorld();
      const before = traces(world);
      const memory = createBenchMemory();
      dieAt(world, index);
      await expect(carryOut(world, memory, setting), point).rejects.toThrow(Crash);
      world.hosts.tick = () => undefined;
      expect(['applied', 'satisfied'], point).toContain(await carryOut(world, memory, setting));
      await undo(world, memory, setting);
      expect(traces(world), point).toEqual(before);
    }
  });

  it('leaves nothing where the run ends instead, also when the clean-up is broken off once more', async () => {
    const points = await pointsOf(async (world, memory) => {
      await carryOut(world, memory, setting);
      await undo(world, memory, setting);
    });

    for (const [index, point] of points.entries()) {
      const world = createIpsecWorld();
      const before = traces(world);
      const memory = createBenchMemory();
      dieAt(world, index);
      const both = async (): Promise<void> => {
        await carryOut(world, memory, setting);
        await undo(world, memory, setting);
      };
      await expect(both(), point).rejects.toThrow(Crash);
      world.hosts.tick = () => undefined;
      await undo(world, memory, setting);
      expect(traces(world), point).toEqual(before);
    }
  });
});
