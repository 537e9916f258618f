import { describe, expect, it } from 'vitest';
import { recipeVersions } from '../../jobs/payloads.ts';
import { requestCancel } from '../../src/domain/policy.ts';
import type { BenchResult, Measured } from '../../src/domain/bench.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Recipe } from '../../src/domain/step.ts';
import type { EngineDeps } from '../../src/engine/deps.ts';
import { findCard } from '../../src/steps/find-card.ts';
import { createMeasure } from '../../src/steps/measure-step.ts';
import { setBenchAddresses } from '../../src/steps/set-bench-addresses.ts';
import { leftOn, shortBench } from '../support/bench-measuring.ts';
import { fakeParts } from '../support/bench-parts.ts';
import type { BenchWorld } from '../support/bench-world.ts';
import { benchSession } from '../support/bench-session.ts';
import { createBenchWorld } from '../support/bench-world.ts';
import type { World } from '../support/engine-world.ts';
import { Crash, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { ana } from '../support/make-run.ts';
import { createPairWorld, orderPair } from '../support/pair-world.ts';

const params = { ...shortBench, repeats: 1 };
const recipe: Recipe = {
  name: 'bench',
  version: recipeVersions.bench,
  onFailure: 'cleanup',
  needs: { 'host-ssh': () => Promise.resolve({ met: true }) },
  steps: [
    { step: findCard, params: () => ({}) },
    { step: setBenchAddresses, params: () => ({ routed: false, sas: 1 }) },
    { step: createMeasure(fakeParts()), params: () => params },
  ],
};

interface Places {
  readonly world: World;
  readonly hosts: BenchWorld;
}

function createPlaces(): Places {
  const world = createPairWorld();
  return { world, hosts: createBenchWorld({ clock: world.clock }) };
}

/** An engine whose hosts are those of the bench tests. `crashAt`: index of the point at which it dies. */
function engineOn({ world, hosts }: Places, crashAt?: number): EngineDeps {
  const deps = startEngine(world, { recipe, leaseMs: 3_600_000, ...(crashAt !== undefined && { crashAt }) });
  const open: EngineDeps['devices']['hosts']['open'] = async ({ name }) => {
    const host = hosts.hosts.find((one) => one.name === name);
    return host === undefined
      ? Promise.reject(new Error(`no host ${name}`))
      : Promise.resolve(benchSession(hosts, host));
  };
  return { ...deps, devices: { ...deps.devices, hosts: { ...deps.devices.hosts, open } } };
}

async function toldIn({ world }: Places, run: Run): Promise<readonly Measured[]> {
  const entries = await world.stores.journal.read(run.id, 'as7+as8');
  return entries.flatMap(({ event }) => (event.type === 'measured' ? [event] : []));
}

async function resultOf(places: Places, run: Run): Promise<BenchResult> {
  const [told] = await toldIn(places, run);
  const id = told?.files.find(({ name }) => name.endsWith('-result.json'))?.id ?? '';
  const content = await places.world.stores.artefacts.get(run.id, id);
  return JSON.parse(Buffer.from(content ?? []).toString('utf8')) as BenchResult;
}

const addressesOn = ({ hosts }: BenchWorld): readonly string[] =>
  hosts.flatMap(({ links }) => links.get('ens3f0np0')?.addresses ?? []);

describe('measuring through the engine', () => {
  it('tells the result and leaves both hosts as they were', async () => {
    const places = createPlaces();
    const run = await orderPair(places.world);

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended).toMatchObject({ state: 'done' });
    expect(await toldIn(places, run)).toHaveLength(1);
    const result = await resultOf(places, run);
    expect(result).toMatchObject({ pair: 'wire1', stamp: 'SIMULATED', cards: ['as7-dpu0', 'as8-dpu0'] });
    expect(result.series.map(({ summary }) => Math.round(summary.medianGbps))).toEqual([390, 390]);
    expect((await places.world.stores.results.history('wire1', 'raw', 5)).map(({ run: number }) => number)).toEqual([
      run.id,
      run.id,
    ]);
    expect(leftOn(places.hosts)).toEqual([]);
    expect(addressesOn(places.hosts)).toEqual([]);
    expect(await places.world.stores.holds.all()).toEqual([]);
  });

  it('ends at once when somebody cancels in the middle of a repeat, with nothing left behind', async () => {
    const places = createPlaces();
    const { world, hosts } = places;
    const run = await orderPair(world);
    let isAsked = false;
    const session = { tick: hosts.tick };
    hosts.tick = (point) => {
      session.tick(point);
      if (point !== 'after start' || isAsked || leftOn(hosts).length < 2) return;
      isAsked = true;
      void world.stores.runs.update(run.id, (one) => requestCancel(one, ana, world.clock.nowMs()));
    };

    const ended = await workUntilStopped(world, engineOn(places), run.id);

    expect(ended.state).toBe('cancelled');
    expect(await toldIn(places, run)).toEqual([]);
    expect(leftOn(hosts)).toEqual([]);
    expect(addressesOn(hosts)).toEqual([]);
    expect(await world.stores.holds.all()).toEqual([]);
    expect(hosts.log.filter((line) => line.includes(': start '))).toHaveLength(2);
  });

  it('fails with what the tool said, and leaves nothing behind', async () => {
    const places = createPlaces();
    places.hosts.faults.receiverNeverStarts = 2;
    const run = await orderPair(places.world);

    const ended = await workUntilStopped(places.world, engineOn(places), run.id);

    expect(ended.state).toBe('failed');
    expect(ended.units['as7+as8']?.failure).toMatchObject({
      code: 'bench-tool-failed',
      why: expect.stringContaining('there are no hugepages'),
    });
    expect(leftOn(places.hosts)).toEqual([]);
    expect(addressesOn(places.hosts)).toEqual([]);
  });

  it('comes to the same end wherever the worker dies', { timeout: 120_000 }, async () => {
    const probe = createPlaces();
    const first = await orderPair(probe.world);
    await workUntilStopped(probe.world, engineOn(probe), first.id);
    const points = probe.world.points.length;
    expect(points).toBeGreaterThan(60);

    for (let crashAt = 0; crashAt < points; crashAt += 1) {
      const places = createPlaces();
      const { world, hosts } = places;
      const run = await orderPair(world);
      const point = `${crashAt}: ${probe.world.points[crashAt] ?? ''}`;
      await expect(workUntilStopped(world, engineOn(places, crashAt), run.id), point).rejects.toBeInstanceOf(Crash);
      const ended = await workUntilStopped(world, engineOn(places), run.id);

      expect(ended.state, point).toBe('done');
      const ids = (await toldIn(places, run)).map(({ id }) => id);
      expect(new Set(ids).size, point).toBe(1);
      expect(
        (await resultOf(places, run)).series.map(({ repeats }) => repeats.length),
        point,
      ).toEqual([1, 1]);
      expect(hosts.clashes, point).toEqual([]);
      expect(leftOn(hosts), point).toEqual([]);
      expect(addressesOn(hosts), point).toEqual([]);
      expect(await world.stores.holds.all(), point).toEqual([]);
    }
  });
});
