import { describe, expect, it } from 'vitest';
import { bench } from '../../../jobs/bench.ts';
import type { CommandResult, HostSession } from '../../../src/domain/device-ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { EngineDeps } from '../../../src/engine/deps.ts';
import { leftOn } from '../../support/bench-measuring.ts';
import type { BenchWorld } from '../../support/bench-world.ts';
import { benchSession } from '../../support/bench-session.ts';
import { createBenchWorld } from '../../support/bench-world.ts';
import type { World } from '../../support/engine-world.ts';
import { startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { fixture } from '../../support/fixture.ts';
import { createPairWorld, orderPair } from '../../support/pair-world.ts';

interface Places {
  readonly world: World;
  readonly hosts: BenchWorld;
  /** Longer packets are dropped on the way. */
  pathMtu: number;
}

function createPlaces(): Places {
  const world = createPairWorld();
  return { world, hosts: createBenchWorld({ clock: world.clock }), pathMtu: 9000 };
}

/** Hosts that answer the tools as the bench tests have them, pings by the path, and all else as the pretend rack does. */
function engineOn(places: Places): EngineDeps {
  const deps = startEngine(places.world, { recipe: bench, leaseMs: 3_600_000 });
  const rack = deps.devices.hosts;
  const open: EngineDeps['devices']['hosts']['open'] = async (slice) => {
    const host = places.hosts.hosts.find(({ name }) => name === slice.name);
    if (host === undefined) throw new Error(`no host ${slice.name}`);
    const ofRack = await rack.open(slice);
    const own = benchSession(places.hosts, host);
    const read: HostSession['read'] = async (command, options) => {
      if (command.argv[0] === 'ping') return ping(places, command.argv);
      const answer = await own.read(command, options);
      return answer.exitCode === 127 ? ofRack.read(command, options) : answer;
    };
    return { ...own, read };
  };
  return { ...deps, devices: { ...deps.devices, hosts: { ...rack, open } } };
}

function ping({ hosts, pathMtu }: Places, argv: readonly string[]): CommandResult {
  const result = { stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1 };
  const [bytes, from = ''] = [Number(argv[argv.indexOf('-s') + 1]) + 28, argv[argv.indexOf('-I') + 1]];
  const has = (address: string): boolean =>
    hosts.hosts.some(({ links }) => [...links.values()].some((link) => link.addresses.includes(`${address}/24`)));
  if (!has(from)) return { ...result, exitCode: 2, stderr: 'ping: bind: Cannot assign requested address\n' };
  if (!has(argv.at(-1) ?? '') || bytes > pathMtu) return { ...result, exitCode: 1, stdout: fixture('ping/silent.txt') };
  return { ...result, stdout: fixture('ping/answered.txt') };
}

async function orderBench({ world }: Places, params: object): Promise<Run> {
  const run = await orderPair(world);
  await world.stores.runs.update(run.id, (one) => ({ ...one, params: { kind: 'raw', durationS: 5, ...params } }));
  return run;
}

const addressesOn = ({ hosts }: BenchWorld): readonly string[] =>
  hosts.flatMap(({ links }) => links.get('ens3f0np0')?.addresses ?? []);

describe('/dpu bench', () => {
  it.each(['iperf3', 'testpmd'])(
    'with %s measures both ways after the path was looked at, and leaves no trace',
    async (tool) => {
      const places = createPlaces();
      const run = await orderBench(places, { tool });

      const ended = await workUntilStopped(places.world, engineOn(places), run.id);

      expect(ended).toMatchObject({ state: 'done' });
      expect(ended.approval).toBeUndefined();
      const events = (await places.world.stores.journal.read(run.id, 'as7+as8')).map(({ event }) => event);
      const done = events.flatMap((event) =>
        event.type === 'step-applied' || event.type === 'step-satisfied' ? [event.step] : [],
      );
      expect(done.slice(-5)).toEqual([
        'set-bench-addresses',
        'check-path',
        'measure',
        'undo-measure',
        'undo-set-bench-addresses',
      ]);
      const [told] = events.flatMap((event) => (event.type === 'measured' ? [event] : []));
      expect(told?.stamp).toBe('SIMULATED');
      expect(told?.line).toContain(' Gb/s as7-dpu0 to as8-dpu0, ');
      expect(told?.line).toContain('offload not proven');
      expect(told?.files.map(({ name, altText }) => [name, (altText ?? '') !== ''])).toEqual([
        [`run${run.id}-samples.png`, true],
        [`run${run.id}-result.json`, false],
        [`run${run.id}-tool-logs.txt`, false],
      ]);
      expect(leftOn(places.hosts)).toEqual([]);
      expect(addressesOn(places.hosts)).toEqual([]);
      expect(await places.world.stores.holds.all()).toEqual([]);
    },
  );

  it('measures nothing on a path that drops packets of the MTU, and takes the addresses away again', async () => {
    const places = createPlaces();
    places.pathMtu = 1500;
    const run = await orderBench(places, { tool: 'iperf3' });

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.state).toBe('refused');
    expect(ended.units['as7+as8']?.failure?.code).toBe('path-mtu');
    expect(places.hosts.log.filter((line) => line.includes(': start '))).toEqual([]);
    expect(addressesOn(places.hosts)).toEqual([]);
  });

  it('refuses in its plan frames that no MTU of the path takes', async () => {
    const places = createPlaces();
    const run = await orderBench(places, { tool: 'testpmd', framesBytes: [9_100] });

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.units['as7+as8']?.failure?.code).toBe('bench-impossible');
    expect(places.hosts.log).toEqual([]);
  });
});
