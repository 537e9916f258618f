import { describe, expect, it } from 'vitest';
import type { Diff, Step } from '../../../src/domain/step.ts';
import { activateFirmware } from '../../../src/steps/activate-firmware.ts';
import { activateMode } from '../../../src/steps/activate-mode.ts';
import { setDpuMode } from '../../../src/steps/set-dpu-mode.ts';
import { PowerWorld } from './power-world.ts';

const byBmc = { activation: 'host-bmc' };

async function plan(step: Step, world: PowerWorld, params: unknown = byBmc): Promise<Diff> {
  const context = world.context();
  return step.diff(await step.observe(context, params), params, context.dpu);
}

async function carryOut(step: Step, world: PowerWorld, params: unknown = byBmc): Promise<readonly string[]> {
  const context = world.context();
  const observed = await step.observe(context, params);
  const diff = step.diff(observed, params, context.dpu);
  if (diff.kind !== 'change') return [diff.kind];
  await step.apply?.(context, diff.changes, params, observed);
  const verdicts = (await step.verify?.(context, params)) ?? [];
  return verdicts.map((verdict) => `${verdict.check}: ${verdict.pass ? 'pass' : 'fail'}`);
}

describe('activate-firmware', () => {
  it('plans one power cycle and names every card that goes down, also those the run does not name', async () => {
    const diff = await plan(activateFirmware, new PowerWorld());

    expect(diff).toMatchObject({
      kind: 'change',
      changes: [{ target: 'as7-dpu0', from: 'firmware 32.39.2048', to: 'firmware 32.43.1014' }],
      reboots: [
        { what: 'host', target: 'as7', times: 1, certainty: 'planned' },
        { what: 'arm', target: 'as7-dpu0' },
        { what: 'arm', target: 'as7-dpu1' },
      ],
    });
    expect(diff.kind === 'change' && diff.changes[0]?.text).toContain('loses power: as7-dpu0, as7-dpu1');
  });

  it.each([activateFirmware, activateMode])('names a mode that waits in a card beside it: $name', async (step) => {
    const world = new PowerWorld();
    world.engine = { current: 'DISABLED(1)', next: 'ENABLED(0)' };
    world.otherEngine = { current: 'ENABLED(0)', next: 'DISABLED(1)' };

    const diff = await plan(step, world);

    expect(diff.kind === 'change' && diff.changes[0]?.text).toMatch(
      /this becomes active with it: .*as7-dpu1 dpu mode -> nic mode/,
    );
  });

  it('names a card beside it that cannot be read', async () => {
    const diff = await plan(activateFirmware, new PowerWorld());

    expect(diff.kind === 'change' && diff.changes[0]?.text).toMatch(
      /what waits there could not be read: as7-dpu1 \(which card/,
    );
  });

  it('counts at most the reboots of the plan while it is deferred, and none where it will not switch', () => {
    const world = new PowerWorld();
    const context = world.context();
    const worst = (params: unknown, slice = world.slice): unknown =>
      activateFirmware.worstReboots?.(context.dpu, slice, params);

    expect(worst(byBmc)).toHaveLength(3);
    expect(worst({ activation: 'later' })).toEqual([]);
    expect(worst(byBmc, new PowerWorld({ hostBmc: false }).slice)).toEqual([]);
  });

  it('changes nothing when every card runs what it holds', async () => {
    const world = new PowerWorld();
    world.firmware = { running: '32.43.1014', staged: '32.43.1014' };

    expect(await plan(activateFirmware, world)).toMatchObject({ kind: 'satisfied' });
  });

  it('carries it out and proves by the card that the new firmware runs', async () => {
    const world = new PowerWorld();

    expect(await carryOut(activateFirmware, world)).toEqual(['firmware of as7-dpu0: pass', 'mode of as7-dpu0: pass']);
    expect(await plan(activateFirmware, world)).toMatchObject({ kind: 'satisfied' });
  });

  it('says that the cold boot did not happen when the host booted anew and the card did not', async () => {
    const world = new PowerWorld();
    world.slotKeepsPower = true;

    await expect(carryOut(activateFirmware, world)).rejects.toMatchObject({
      code: 'cold-boot-missing',
      failure: { kind: 'needs-human' },
    });
    // Resumed without anybody having done something: it is not switched again.
    await expect(carryOut(activateFirmware, world)).rejects.toMatchObject({ code: 'cold-boot-missing' });
    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
  });

  it.each<readonly [string, PowerWorld, string]>([
    ['by hand', new PowerWorld(), 'by-hand'],
    ['over a host BMC that the inventory does not name', new PowerWorld({ hostBmc: false }), 'host-bmc'],
  ])('asks a person where the profile activates %s', async (_title, world, activation) => {
    const diff = await plan(activateFirmware, world, { activation });

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'activation-by-hand', kind: 'needs-human' } });
    expect(diff.kind === 'refused' && diff.failure.next).toBe(
      'Switch as7 off, wait 30 s, switch it on; then press Done or `/dpu resume 7`.',
    );
  });

  it('leaves it pending where the profile says later, since the flash that brought it where that is known', async () => {
    const world = new PowerWorld();
    const params = { activation: 'later' };
    const context = world.context();
    const image = { name: 'bf', sha256: 'ab'.repeat(32) };
    const since = { origin: 'flashed', image, runId: 6, atMs: Date.UTC(2026, 0, 2) } as const;
    const observed = await activateFirmware.observe(
      { ...context, records: { get: () => Promise.resolve(since) } },
      params,
    );

    expect(await plan(activateFirmware, world, params)).toEqual({
      kind: 'satisfied',
      pending: true,
      reason: 'activation pending: as7-dpu0 firmware 32.39.2048 -> 32.43.1014',
    });
    expect(activateFirmware.diff(observed, params, context.dpu)).toMatchObject({
      reason: expect.stringContaining('activation pending since 2026-01-02T00:00:00.000Z:'),
    });
  });

  it('does not switch a host off whose card would come up in NIC mode', async () => {
    const world = new PowerWorld();
    world.engine = { current: 'ENABLED(0)', next: 'DISABLED(1)' };

    expect(await plan(activateFirmware, world)).toMatchObject({ failure: { code: 'nic-mode-pending' } });
    expect(await plan(activateMode, world)).toMatchObject({ failure: { code: 'nic-mode-pending' } });
  });

  it('finds a host BMC that cannot switch before anything is switched', async () => {
    const world = new PowerWorld();
    world.resetTypes = ['ForceRestart'];

    await expect(plan(activateFirmware, world)).rejects.toMatchObject({ code: 'host-power-unsupported' });
    world.firmware = { running: '32.43.1014', staged: '32.43.1014' };
    expect(await plan(activateFirmware, world)).toMatchObject({ kind: 'satisfied' });
  });
});

describe('set-dpu-mode and activate-mode', () => {
  function nicWorld(): PowerWorld {
    const world = new PowerWorld();
    world.engine = { current: 'DISABLED(1)', next: 'DISABLED(1)' };
    world.cardState = 'UEFI';
    return world;
  }

  it('store the mode, which alone activates nothing, and then bring it into force', async () => {
    const world = nicWorld();

    expect(await carryOut(setDpuMode, world, { mode: 'dpu' })).toEqual([
      'INTERNAL_CPU_OFFLOAD_ENGINE (next boot): pass',
      'INTERNAL_CPU_MODEL (next boot): pass',
    ]);
    expect(world.engine).toEqual({ current: 'DISABLED(1)', next: 'ENABLED(0)' });
    expect(await carryOut(activateMode, world)).toEqual(['mode of as7-dpu0: pass']);
    expect(world.engine).toEqual({ current: 'ENABLED(0)', next: 'ENABLED(0)' });
  });

  it('do nothing on a card in DPU mode, and store nothing twice', async () => {
    const pending = new PowerWorld();
    pending.engine = { current: 'DISABLED(1)', next: 'ENABLED(0)' };

    expect(await plan(setDpuMode, new PowerWorld(), { mode: 'dpu' })).toEqual({
      kind: 'satisfied',
      reason: 'in DPU mode',
    });
    expect(await plan(activateMode, new PowerWorld())).toMatchObject({ kind: 'satisfied' });
    expect(await plan(setDpuMode, pending, { mode: 'dpu' })).toMatchObject({
      reason: expect.stringContaining('waits'),
    });
  });

  it('say that a reboot of the Arm is not enough', async () => {
    const diff = await plan(setDpuMode, nicWorld(), { mode: 'dpu' });

    expect(diff.kind === 'change' && diff.changes[0]?.text).toContain('a reboot of the Arm does not activate it');
  });

  it('do not take "later" for an answer where the rest of the run needs the mode', async () => {
    const world = nicWorld();
    world.engine = { current: 'DISABLED(1)', next: 'ENABLED(0)' };

    expect(await plan(activateMode, world, { activation: 'later' })).toMatchObject({
      kind: 'refused',
      failure: { code: 'activation-by-hand', why: expect.stringContaining('later') },
    });
  });

  it('take a card to NIC mode where that was asked for by name, and do not wait for a system that cannot start', async () => {
    const world = new PowerWorld();
    const asked = { ...byBmc, asked: 'nic' };

    await carryOut(setDpuMode, world, { mode: 'nic' });
    expect(await plan(activateMode, world)).toMatchObject({ kind: 'refused', failure: { code: 'nic-mode-pending' } });
    world.cardState = 'UEFI';
    const beforeMs = world.clock.nowMs();
    expect(await carryOut(activateMode, world, asked)).toEqual(['mode of as7-dpu0: pass']);

    expect(world.engine.current).toBe('DISABLED(1)');
    expect(world.clock.nowMs() - beforeMs).toBeLessThan(300_000);
  });

  it('leave a mode that was asked for by name pending, where the profile says "later"', async () => {
    const world = new PowerWorld();
    world.engine = { current: 'ENABLED(0)', next: 'DISABLED(1)' };

    expect(await plan(activateMode, world, { activation: 'later', asked: 'nic' })).toMatchObject({
      kind: 'satisfied',
      pending: true,
    });
  });

  it('show a mode that a warm reset has not changed', async () => {
    const world = nicWorld();
    world.engine = { current: 'DISABLED(1)', next: 'ENABLED(0)' };
    world.slotKeepsPower = true;

    await expect(carryOut(activateMode, world)).rejects.toMatchObject({
      code: 'cold-boot-missing',
      failure: { what: expect.stringContaining('as7-dpu0 nic mode -> dpu mode') },
    });
  });
});
