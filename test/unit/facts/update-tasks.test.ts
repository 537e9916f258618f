import { describe, expect, it } from 'vitest';
import type { BmcReader } from '../../../src/domain/device-ports.ts';
import { parseTaskIds, parseUpdateTask, readRunningUpdate } from '../../../src/facts/update-tasks.ts';

const tasks = '/redfish/v1/TaskService/Tasks';

describe('tasks of the BMC', () => {
  it('come in the order in which they were started, not in that of their names', () => {
    const Members = ['10', '9', '11'].map((id) => ({ '@odata.id': `${tasks}/${id}` }));

    expect(parseTaskIds('as7-dpu0', { Members })).toEqual(['9', '10', '11']);
  });

  it('tell by what the BMC was told whose they are', () => {
    const body = { TaskState: 'Running', Payload: { JsonBody: '{"ImageURI":"h//bf.bfb"}', TargetUri: '/x' } };

    expect(parseUpdateTask('as7-dpu0', `${tasks}/6`, body)).toEqual({
      path: `${tasks}/6`,
      state: 'Running',
      request: '{"ImageURI":"h//bf.bfb"}',
      uri: '/x',
    });
  });

  it('that keep no request are nobody’s', () => {
    expect(parseUpdateTask('as7-dpu0', `${tasks}/6`, { TaskState: 'Completed' }).request).toBe('');
  });

  it('without a state are an error', () => {
    expect(() => parseUpdateTask('as7-dpu0', `${tasks}/6`, {})).toThrow(/TaskState/);
  });
});

const update = '/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate';

/** A BMC with these tasks, whose clock says so. */
function bmcWith(list: readonly object[], DateTime = '2026-01-01T12:30:00+00:00'): BmcReader {
  return {
    target: 'as7-dpu0',
    get: ({ path }: { path: string }) => {
      if (path === tasks) return Promise.resolve({ Members: list.map((_, id) => ({ '@odata.id': `${tasks}/${id}` })) });
      const id = /\/Tasks\/(\d+)$/.exec(path)?.[1];
      return Promise.resolve(id === undefined ? { FirmwareVersion: 'BF-24.10-10', DateTime } : list[Number(id)]);
    },
  };
}

describe('an update that runs', () => {
  const running = { TaskState: 'Running', StartTime: '2026-01-01T12:00:00+00:00', Payload: { TargetUri: update } };

  it.each<readonly [string, readonly object[], string | undefined]>([
    ['is found among others', [{ ...running, TaskState: 'Completed' }, running], `${tasks}/1`],
    ['may be a task that keeps no request', [{ TaskState: 'Pending' }], `${tasks}/0`],
    ['is none when there are no tasks', [], undefined],
    ['is none that has ended', [{ ...running, TaskState: 'Exception' }], undefined],
    ['is no dump of logs', [{ ...running, Payload: { TargetUri: '/x/LogService.CollectDiagnosticData' } }], undefined],
    ['is one of 80 minutes', [{ ...running, StartTime: '2026-01-01T11:10:00+00:00' }], `${tasks}/0`],
    ['is none of 91 minutes: that hangs', [{ ...running, StartTime: '2026-01-01T10:59:00+00:00' }], undefined],
    ['counts where no time can be read', [{ ...running, StartTime: 'yesterday' }], `${tasks}/0`],
  ])('%s', async (_what, list, path) => {
    expect((await readRunningUpdate(bmcWith(list), new AbortController().signal))?.path).toBe(path);
  });
});
