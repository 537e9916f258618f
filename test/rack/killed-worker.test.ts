import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/lab/eventually.ts';
import { RackStack } from './support/rack-stack.ts';
import { tracesOnMachines } from './support/traces.ts';

const quick = '--tool iperf3 --duration 4s --repeat 1 --streams 1';

let world: RackStack;
let before: Awaited<ReturnType<typeof tracesOnMachines>>;

beforeAll(async () => {
  world = await RackStack.start();
  await world.settle();
  before = await tracesOnMachines(world.rack);
}, 60_000);
afterAll(async () => world.stop());

/** Kills the worker while its programs measure on the hosts. */
async function killInMidMeasurement(id: number): Promise<void> {
  await eventually(
    'iperf3 on the sending host',
    // The plan already asks iperf3 for its version: only a client measures.
    async () => ((await world.rack.run('host-a', ['pgrep', '-f', '[i]perf3 .*-c '])).exitCode === 0 ? true : undefined),
    90_000,
    async () => world.stack.records.describe(id),
  );
  await world.stack.processes.kill('worker');
}

describe.each(['raw', 'ipsec'] as const)('a worker that is killed in the middle of bench %s', (kind) => {
  it('is taken over by the next one, which ends the run and leaves nothing', async () => {
    const id = await world.order(`/dpu bench ${kind} ${quick}`);
    await killInMidMeasurement(id);
    expect(await tracesOnMachines(world.rack)).not.toEqual(before);

    await world.stack.processes.restart('worker');
    const { run, results, log } = await world.ended(id);

    expect(run.state, log).toBe('done');
    expect(results.map(({ point }) => point.direction).toSorted()).toEqual(['a-to-b', 'b-to-a']);
    expect(await tracesOnMachines(world.rack)).toEqual(before);
  });

  it('leaves nothing behind when the run is cancelled instead', async () => {
    const id = await world.order(`/dpu bench ${kind} ${quick}`);
    await killInMidMeasurement(id);

    await world.stack.people.say('ana', `/dpu cancel ${id}`);
    await world.stack.processes.restart('worker');
    const { run, log } = await world.ended(id);

    expect(run.state, log).toBe('cancelled');
    expect(await tracesOnMachines(world.rack)).toEqual(before);
    expect(await world.stack.records.stores.holds.all()).toEqual([]);
  });
});
