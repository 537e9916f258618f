import { describe, expect, it } from 'vitest';
import type { BmcSession } from '../../../src/domain/device-ports.ts';
import type { ApplyContext } from '../../../src/domain/step.ts';
import { resetArm } from '../../../src/steps/arm-reset.ts';
import { createFakeClock } from '../../support/rack-devices.ts';

interface Seen {
  readonly state?: string;
  readonly time?: string;
}

/** A context whose BMC reports these boot states one after the other, the last one for good. */
function contextOf(seen: readonly Seen[], sent: string[], tasks: Readonly<Record<string, unknown>> = {}): ApplyContext {
  let index = 0;
  const session: Pick<BmcSession, 'target' | 'get' | 'post'> = {
    target: 'as7-dpu0',
    get: ({ path }) => {
      if (path.includes('/Tasks')) return Promise.resolve(tasks[path] ?? { Members: [] });
      const { state, time } = seen[Math.min(index, seen.length - 1)] ?? {};
      index += 1;
      const BootProgress = { ...(state && { OemLastState: state }), ...(time && { LastStateTime: time }) };
      return Promise.resolve({ SerialNumber: 'MT1', PowerState: 'On', BootProgress });
    },
    post: (path) => {
      sent.push(path);
      return Promise.resolve({ status: 204, body: null, headers: {} });
    },
  };
  const context: Partial<ApplyContext> = {
    runId: 7,
    clock: createFakeClock(),
    signal: new AbortController().signal,
    actions: [],
    act: async (_action, work) => (await work()).value,
    progress: () => Promise.resolve(),
  };
  const login = () => Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session });
  return { ...context, dpu: { name: 'as7-dpu0' }, bmc: { login } } as unknown as ApplyContext;
}

const up = { state: 'OsIsRunning', time: 'T1' };

describe('arm-reset: what counts as one reset', () => {
  it.each<readonly [string, readonly Seen[]]>([
    ['another boot state in between', [up, { state: 'UEFI', time: 'T2' }, { state: 'OsIsRunning', time: 'T3' }]],
    ['another stamp on the same state', [up, up, { state: 'OsIsRunning', time: 'T2' }]],
  ])('%s is evidence', async (_what, seen) => {
    const sent: string[] = [];

    await resetArm(contextOf(seen, sent), 'reset-arm', 'first');

    expect(sent).toHaveLength(1);
  });

  it.each<readonly [string, readonly Seen[]]>([
    ['no change at all', [up, up]],
    ['a BMC that reports no boot state for a while', [up, {}, {}, up]],
    ['a stamp that is missing for a while', [up, { state: 'OsIsRunning' }, up]],
  ])('%s is none', async (_what, seen) => {
    await expect(resetArm(contextOf(seen, []), 'reset-arm', 'first')).rejects.toMatchObject({ code: 'dpu-not-ready' });
  });

  it('waits out a boot that is under way, so that its end is not taken for the reset', async () => {
    const sent: string[] = [];
    const seen = [{ state: 'UEFI', time: 'T0' }, { state: 'OsStarting', time: 'T0b' }, up, up];

    await expect(resetArm(contextOf(seen, sent), 'reset-arm', 'first')).rejects.toMatchObject({
      code: 'dpu-not-ready',
    });

    expect(sent).toHaveLength(1);
  });

  it('resets a card that never gets up by itself, and counts its way out of that state', async () => {
    const sent: string[] = [];
    const stuck = Array.from({ length: 62 }, () => ({ state: 'UEFI', time: 'T0' }));
    const seen = [...stuck, { state: 'BootRom', time: 'T1' }, { state: 'OsIsRunning', time: 'T2' }];

    await resetArm(contextOf(seen, sent), 'reset-arm', 'first');

    expect(sent).toHaveLength(1);
  });

  it('is not sent while the BMC is at an update', async () => {
    const sent: string[] = [];
    const path = '/redfish/v1/TaskService/Tasks';
    const tasks = {
      [path]: { Members: [{ '@odata.id': `${path}/3` }] },
      [`${path}/3`]: { TaskState: 'Running', PercentComplete: 12 },
    };

    await expect(resetArm(contextOf([up, up], sent, tasks), 'reset-arm', 'first')).rejects.toMatchObject({
      code: 'reboot-while-flashing',
      failure: { why: expect.stringContaining('Tasks/3 is Running at 12 %') },
    });

    expect(sent).toEqual([]);
  });
});
