import { describe, expect, it } from 'vitest';
import { comparableSnapshot } from '../../../src/lab/rack/model.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { World } from '../../support/engine-world.ts';
import { order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

/** So long that no lease ends while the clock of the pretend devices runs. */
const leaseMs = 36_000_000;

async function provision(world: World, answer: 'approve' | 'wait' = 'approve'): Promise<Run> {
  const deps = startEngine(world, { leaseMs });
  return workUntilStopped(world, deps, (await order(world)).id, answer);
}

describe('provision, whole, on a factory-fresh host', () => {
  it('brings DOCA, image, Arm, drivers and all that follows, and names the card after its serial', async () => {
    const world = wholeWorld();

    const run = await provision(world);

    const card = world.rack.card('as7-dpu0');
    const onArm = (line: string): string => card.armExec('ubuntu', line).stdout.trim();
    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(onArm('hostname')).toBe(card.serial);
    expect(onArm('cat /sys/module/mlx5_core/version')).toBe('24.10-2.1.8.1');
    expect(onArm('mokutil --sb-state')).toBe('SecureBoot disabled');
    expect(onArm('cat /etc/dpubot-image.json')).toContain('bf-2.9.2-patched');
    expect(world.rack.host('as7').exec('ops', 'cat /sys/module/mlx5_core/version').stdout).toBe('24.10-2.1.8\n');
  });

  it('finds all of it satisfied the second time, asks nobody and changes nothing', async () => {
    const world = wholeWorld();
    await provision(world);
    const before = comparableSnapshot(world.rack.snapshot());

    const run = await provision(world, 'wait');

    const plan = await world.stores.runs.plan(run.id, 'as7', run.units['as7']?.planHash ?? '');
    const open = plan?.steps.filter((step) => step.state !== 'satisfied' && step.state !== 'skipped');
    expect(open?.map((step) => [step.step, step.reason])).toEqual([]);
    expect(run.state).toBe('satisfied');
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
  });
});
