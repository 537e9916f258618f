import { describe, expect, it } from 'vitest';
import { parseTaskIds, parseUpdateTask } from '../../../src/facts/update-tasks.ts';

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
    });
  });

  it('that keep no request are nobody’s', () => {
    expect(parseUpdateTask('as7-dpu0', `${tasks}/6`, { TaskState: 'Completed' }).request).toBe('');
  });

  it('without a state are an error', () => {
    expect(() => parseUpdateTask('as7-dpu0', `${tasks}/6`, {})).toThrow(/TaskState/);
  });
});
