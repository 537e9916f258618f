import { describe, expect, it } from 'vitest';
import { bench } from '../../../jobs/bench.ts';
import type { CommandResult, HostSession } from '../../../src/domain/device-ports.ts';
import { PairEntry } from '../../../src/domain/pairs.ts';
import { Profile } from '../../../src/domain/profile.ts';
import type { Run } from '../../../src/domain/run.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { EngineDeps } from '../../../src/engine/deps.ts';
import { leftOn } from '../../support/bench-measuring.ts';
import { benchSession } from '../../support/bench-session.ts';
import type { World } from '../../support/engine-world.ts';
import { Crash, createWorld, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { fixture } from '../../support/fixture.ts';
import type { IpsecWorld } from '../../support/ipsec-world.ts';
import { cardSession, createIpsecWorld, traces, transport, tunnel } from '../../support/ipsec-world.ts';
import { orderPair, pairInventory } from '../../support/pair-world.ts';

interface Places {
  readonly world: World;
  readonly cards: IpsecWorld;
}

/** The pair with IPsec in its profile, and bridges that the profile wants for good. */
function createPlaces(ipsec: object, named: readonly string[] = ['ipsec-psk', 'ssh-ops']): Places {
  const inventory = pairInventory();
  const ends = [1, 2].map((number) => ({
    card: `as${number + 6}-dpu0`,
    hostAddress: `192.168.50.${number}/24`,
    wireAddress: `10.0.0.${number}/30`,
    routed: { host: `10.${number}.0.2/24`, card: `10.${number}.0.1/24` },
  }));
  const profile = Profile.parse({ arm: { key: 'ssh-ops' }, ipsec, dataPath: { eswitch: 'leave' } });
  const credentials = new Map(named.map((ref) => [ref, new Secret(`secret of ${ref}`)]));
  const world = createWorld(
    { ...inventory, profiles: { default: profile }, pairs: { wire1: PairEntry.parse({ ends }) } },
    undefined,
    credentials,
  );
  const cards = createIpsecWorld();
  return { world, cards: { ...cards, hosts: { ...cards.hosts, clock: world.clock } } };
}

/** Hosts and cards of the tests for IPsec; what they do not know is asked of the pretend rack. */
function engineOn({ world, cards }: Places, crashAt?: number): EngineDeps {
  const deps = startEngine(world, { recipe: bench, leaseMs: 3_600_000, ...(crashAt !== undefined && { crashAt }) });
  const { hosts: rack, arm } = deps.devices;
  const open: EngineDeps['devices']['hosts']['open'] = async (slice) => {
    const host = cards.hosts.hosts.find(({ name }) => name === slice.name);
    if (host === undefined) throw new Error(`no host ${slice.name}`);
    const ofRack = await rack.open(slice);
    const own = benchSession(cards.hosts, host);
    const read: HostSession['read'] = async (command, options) => {
      if (command.argv[0] === 'ping') return ping(cards, command.argv);
      const answer = await own.read(command, options);
      return answer.exitCode === 127 ? ofRack.read(command, options) : answer;
    };
    return { ...own, read };
  };
  const login: typeof arm.login = async ({ dpu }) =>
    Promise.resolve({ state: 'in', session: cardSession(cards, dpu.name === 'as7-dpu0' ? 0 : 1) });
  return { ...deps, devices: { ...deps.devices, hosts: { ...rack, open }, arm: { ...arm, login } } };
}

/** Packets get through what both cards have installed, up to the MTU of the hosts. */
function ping({ hosts, cards }: IpsecWorld, argv: readonly string[]): CommandResult {
  const result = { stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1 };
  const bytes = Number(argv[argv.indexOf('-s') + 1]) + 28;
  const isUp = cards.every(({ sas }) => sas.some(({ name }) => name === 'dpubot-wire1'));
  const fits = hosts.hosts.every(({ links }) => bytes <= (links.get('ens3f0np0')?.mtu ?? 0));
  return isUp && fits
    ? { ...result, stdout: fixture('ping/answered.txt') }
    : { ...result, exitCode: 1, stdout: fixture('ping/silent.txt') };
}

async function orderBench({ world }: Places, params: object = {}): Promise<Run> {
  const run = await orderPair(world);
  const all = { kind: 'ipsec', tool: 'iperf3', durationS: 5, ...params };
  await world.stores.runs.update(run.id, (one) => ({ ...one, params: all }));
  return run;
}

async function stepsDone({ world }: Places, id: number): Promise<readonly string[]> {
  return (await world.stores.journal.read(id, 'as7+as8')).flatMap(({ event }) =>
    event.type === 'step-applied' ? [event.step] : [],
  );
}

describe('/dpu bench ipsec', () => {
  it.each([
    ['transport', transport, 9000],
    ['tunnel', tunnel, 1400],
  ])('in %s mode sets IPsec up before the addresses, measures, and leaves no trace', async (_mode, ipsec, mtuBytes) => {
    const places = createPlaces(ipsec);
    const before = traces(places.cards);
    const run = await orderBench(places);

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.state, JSON.stringify(ended.units['as7+as8']?.failure)).toBe('done');
    expect(ended.approval?.state).toBe('approved');
    expect(await stepsDone(places, run.id)).toEqual([
      'set-up-ipsec',
      'set-bench-addresses',
      'measure',
      'undo-measure',
      'undo-set-bench-addresses',
      'undo-set-up-ipsec',
    ]);
    const [record] = await places.world.stores.results.ofRun(run.id);
    expect(record?.point).toMatchObject({ kind: 'ipsec', sas: 1, mtuBytes });
    expect(traces(places.cards)).toEqual(before);
    expect(leftOn(places.cards.hosts)).toEqual([]);
  });

  it('refuses in its plan more associations than transport mode has, with the reason', async () => {
    const places = createPlaces(transport);
    const run = await orderBench(places, { sas: [1, 8] });

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    const { failure } = ended.units['as7+as8'] ?? {};
    expect(failure?.code).toBe('bench-impossible');
    expect(failure?.next).toContain('mode: tunnel');
    expect(places.cards.log).toEqual([]);
  });

  it('looks for the secret before anything is changed', async () => {
    const places = createPlaces(tunnel, ['ssh-ops']);
    const run = await orderBench(places);

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.units['as7+as8']?.failure?.code).toBe('credential-missing');
    expect(places.cards.log).toEqual([]);
  });

  it('asks for no secret and sets no IPsec up where raw is measured', async () => {
    const places = createPlaces(tunnel, ['ssh-ops']);
    const run = await orderBench(places, { kind: 'raw' });

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.units['as7+as8']?.failure?.code).not.toBe('credential-missing');
    expect(places.cards.log.filter((line) => line.includes('swanctl'))).toEqual([]);
  });

  it('takes everything away where the measurement cannot be', async () => {
    const places = createPlaces(tunnel);
    const before = traces(places.cards);
    places.cards.hosts.faults.clientRefused = 99;
    const run = await orderBench(places);

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.state).toBe('failed');
    expect(traces(places.cards)).toEqual(before);
  });

  it('whose worker dies is taken over: bridges stay as IPsec needs them until the end, and then are as before', async () => {
    const undisturbed = createPlaces(tunnel);
    const { id } = await orderBench(undisturbed);
    await workUntilStopped(undisturbed.world, engineOn(undisturbed), id);
    const steps = ['set-up-ipsec', 'set-bench-addresses', 'check-path', 'measure', 'undo-set-up-ipsec'];
    const points = undisturbed.world.during.flatMap((during, index) => (steps.includes(during) ? [index] : []));

    expect(points.length).toBeGreaterThan(60);
    for (const index of points.filter((_one, position) => position % 11 === 0)) {
      const places = createPlaces(tunnel);
      const before = traces(places.cards);
      const run = await orderBench(places);
      await expect(workUntilStopped(places.world, engineOn(places, index), run.id)).rejects.toThrow(Crash);
      places.world.clock.advance(12_000);
      const ended = await workUntilStopped(places.world, engineOn(places), run.id);
      const where = `${undisturbed.world.during[index]} ${undisturbed.world.points[index]}`;
      expect(ended.state, `${where} ${JSON.stringify(ended.units['as7+as8']?.failure)}`).toBe('done');
      expect(traces(places.cards), where).toEqual(before);
    }
  });
});
