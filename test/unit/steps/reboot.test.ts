import { describe, expect, it } from 'vitest';
import type { BmcSession } from '../../../src/domain/device-ports.ts';
import type { ActionRecord, ApplyContext, Diff } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { openAfterReboot } from '../../../src/steps/power-rescue.ts';
import { judgeReboot } from '../../../src/steps/reboot-once.ts';
import { rebootHost } from '../../../src/steps/reboot-host.ts';
import type { UpdatesSeen } from '../../../src/steps/update-elsewhere.ts';
import { resetBmc } from '../../../src/steps/reset-bmc.ts';
import { codeOf } from './flash-run.ts';
import { PowerWorld } from './power-world.ts';
import { createFakeClock } from '../../support/rack-devices.ts';

const updates: UpdatesSeen = { running: undefined, unasked: [] };
const seen = { host: 'as7', installer: undefined, updates, isDone: false, state: 'UEFI', serials: undefined, runId: 7 };
const wish = { change: { from: 'UEFI', to: 'OsIsRunning', text: 'one reset' }, reboots: [] };

describe('something that is restarted once', () => {
  it.each<readonly [string, Partial<typeof seen> | object, Partial<Diff> | object]>([
    ['it is a change each time somebody asks', {}, { kind: 'change' }],
    ['what this run has done it does not repeat', { isDone: true }, { kind: 'satisfied' }],
    [
      'nothing is restarted while an image is pushed to a card of the host',
      { installer: '99 bfb-install -r rshim1' },
      { kind: 'refused', failure: expect.objectContaining({ code: 'reboot-while-flashing' }) },
    ],
    [
      'nor while a BMC writes one to its card, and that is named',
      {
        updates: { ...updates, running: { updating: 'as7-dpu1', seen: '/redfish/v1/TaskService/Tasks/3 is Running.' } },
      },
      {
        kind: 'refused',
        failure: expect.objectContaining({
          code: 'reboot-while-flashing',
          what: 'The BMC of as7-dpu1 is writing an image to its card, so as7-dpu0 is not restarted now.',
        }),
      },
    ],
    [
      'a BMC that cannot be asked stops nobody, and is named',
      { updates: { ...updates, unasked: ['as7-dpu1 (it does not answer)'] } },
      { kind: 'change', warning: expect.stringContaining('as7-dpu1 (it does not answer)') },
    ],
    [
      'nothing is sent to the BMC of another card',
      { serials: { card: 'MT1', bmc: 'MT2' } },
      { kind: 'refused', failure: expect.objectContaining({ code: 'wrong-card' }) },
    ],
  ])('%s', (_what, change, diff) => {
    expect(judgeReboot({ ...seen, ...change }, 'as7-dpu0', wish)).toMatchObject(diff);
  });

  it('a power cycle of which a card did not come back is not taken for done, and is not repeated', async () => {
    const world = new PowerWorld();
    world.cardStaysDown = true;
    const params = { cold: true };
    const again = async (): Promise<string> => {
      const context = world.context();
      const observed = await rebootHost.observe(context, params);
      expect(rebootHost.diff(observed, params, context.dpu).kind).toBe('change');
      return codeOf(rebootHost.apply?.(context, [], params, observed) ?? Promise.resolve());
    };

    expect(await again()).toBe('card-not-back');
    const { length } = world.posts;
    expect(await again()).toBe('card-not-back');

    expect(world.posts).toHaveLength(length);
  });

  it('a host whose system this run reboots is opened again when it is up', async () => {
    const clock = createFakeClock();
    const sentAtMs = clock.nowMs();
    const context = { clock, slice: { name: 'as7' }, signal: new AbortController().signal, runId: 7 };
    const opened = openAfterReboot(
      {
        ...context,
        actions: [{ action: 'reboot-host', before: 'boot 1', done: false, atMs: sentAtMs }],
        progress: () => Promise.resolve(),
      } as never,
      () =>
        clock.nowMs() - sentAtMs < 240_000 && clock.nowMs() !== sentAtMs
          ? Promise.reject(errors.sshUnreachable({ host: 'as7', address: '10.0.0.1' }))
          : Promise.resolve(clock.nowMs() - sentAtMs),
    );

    expect(await opened).toBeGreaterThanOrEqual(240_000);
  });

  it('a cold power cycle names what becomes active with it in every card', async () => {
    const world = new PowerWorld();
    world.otherEngine = { current: 'ENABLED(0)', next: 'DISABLED(1)' };
    const context = world.context();
    const params = { cold: true };

    expect(rebootHost.diff(await rebootHost.observe(context, params), params, context.dpu)).toMatchObject({
      kind: 'change',
      changes: [{ text: expect.stringMatching(/as7-dpu0 firmware .*, .*as7-dpu1 dpu mode -> nic mode/) }],
    });
  });

  it('a host is not switched off without a BMC of its own', async () => {
    const context = new PowerWorld({ hostBmc: false }).context();
    const observed = await rebootHost.observe(context, { cold: true });

    expect(rebootHost.diff(observed, { cold: true }, context.dpu)).toMatchObject({
      kind: 'refused',
      failure: { code: 'host-bmc-missing' },
    });
  });
});

/** A BMC that is away from its reset on for so long, and then shows the stamp. */
class RestartingBmc {
  readonly clock = createFakeClock();
  readonly actions: ActionRecord[] = [];
  readonly posts: unknown[] = [];
  stampAfter: string | undefined = 'T2';
  stampBefore: string | undefined = 'T1';
  isIgnored = false;
  awayMs = 100_000;
  #resetAtMs = Infinity;

  context(): ApplyContext {
    const session: Pick<BmcSession, 'target' | 'get' | 'post'> = {
      target: 'as7-dpu0',
      get: ({ path }) => Promise.resolve(path.endsWith('Bluefield_BMC') ? this.#manager() : system),
      post: (_path, body) => {
        this.posts.push(body);
        if (!this.isIgnored) this.#resetAtMs = this.clock.nowMs();
        return Promise.resolve({ status: 200, body: null, headers: {} });
      },
    };
    const login = () => {
      if (this.#isAway()) return Promise.reject(errors.bmcUnreachable({ target: 'as7-dpu0', address: '10.0.0.2' }));
      return Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session });
    };
    const context: Partial<ApplyContext> = {
      runId: 7,
      clock: this.clock,
      signal: new AbortController().signal,
      actions: this.actions,
      act: async ({ name, before }, work) => {
        this.actions.push({ action: name, before, done: false, atMs: 0 });
        const { value } = await work();
        this.actions.push({ action: name, before, done: true, atMs: 0 });
        return value;
      },
      progress: () => Promise.resolve(),
    };
    const card = { serial: 'MT1' };
    const bmc = { login, forget: () => undefined, noteReset: () => undefined };
    return { ...context, dpu: { name: 'as7-dpu0' }, card, bmc } as unknown as ApplyContext;
  }

  async apply(stamp = 'T1'): Promise<void> {
    const manager = { firmware: 'BF-24.10-10', lastResetTime: stamp };
    await resetBmc.apply?.(this.context(), [], {}, { manager });
  }

  goAway(): void {
    this.#resetAtMs = this.clock.nowMs();
  }

  #isAway(): boolean {
    const sinceMs = this.clock.nowMs() - this.#resetAtMs;
    return sinceMs >= 0 && sinceMs < this.awayMs;
  }

  #manager(): unknown {
    const stamp = this.clock.nowMs() > this.#resetAtMs ? this.stampAfter : this.stampBefore;
    return { FirmwareVersion: 'BF-24.10-10', ...(stamp !== undefined && { LastResetTime: stamp }) };
  }
}

const idleHost = { name: 'as7', read: () => Promise.resolve({ stdout: '', stderr: '', exitCode: 1 }) };
const system = { SerialNumber: 'MT1   ', PowerState: 'On' };

describe('reset-bmc', () => {
  it('is over when the BMC answers with another start time', async () => {
    const bmc = new RestartingBmc();

    await bmc.apply();

    expect(bmc.posts).toEqual([{ ResetType: 'GracefulRestart' }]);
    expect(bmc.actions.at(-1)).toMatchObject({ action: 'reset-bmc', done: true });
    expect(await resetBmc.verify?.(bmc.context(), {})).toMatchObject([{ pass: true, actual: 'T2' }]);
  });

  it('takes its absence for the proof where the BMC tells no start time', async () => {
    const bmc = new RestartingBmc();
    bmc.stampBefore = undefined;
    bmc.stampAfter = undefined;

    await bmc.apply('not-reported');

    expect(bmc.actions.at(-1)).toMatchObject({ done: true });
  });

  it.each<readonly [string, (bmc: RestartingBmc) => void]>([
    ['it ignores the request', (bmc) => (bmc.isIgnored = true)],
    ['it stays away', (bmc) => (bmc.awayMs = Infinity)],
  ])('ends in bmc-not-back when %s', async (_what, spoil) => {
    const bmc = new RestartingBmc();
    spoil(bmc);

    expect(await codeOf(bmc.apply())).toBe('bmc-not-back');
  });

  it('in whose restart the worker died is waited for before it is looked at', async () => {
    const bmc = new RestartingBmc();
    const before = { firmware: 'BF-24.10-10', lastResetTime: 'T1' };
    bmc.actions.push({ action: 'reset-bmc', before, done: false, atMs: 0 });
    bmc.goAway();

    const looked = resetBmc.observe({ ...bmc.context(), slice: { name: 'as7' }, host: idleHost } as never, {});

    expect(await looked).toMatchObject({ manager: { lastResetTime: 'T2' } });
  });

  it('a restart that was sent before the worker died is not sent again', async () => {
    const bmc = new RestartingBmc();
    bmc.actions.push({
      action: 'reset-bmc',
      before: { firmware: 'BF-24.10-10', lastResetTime: 'T0' },
      done: false,
      atMs: 0,
    });

    await bmc.apply('T1');

    expect(bmc.posts).toEqual([]);
  });
});
