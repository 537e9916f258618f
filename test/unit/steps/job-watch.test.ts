import { describe, expect, it } from 'vitest';
import type { DetachedState, HostSession } from '../../../src/domain/device-ports.ts';
import { errors } from '../../../src/errors.ts';
import { watchJob } from '../../../src/steps/job-watch.ts';
import { createPackageMachine, packageContext, packageSession } from '../../support/package-machine.ts';

const job = {
  name: 'install-packages-1',
  text: 'install doca-all',
  folder: '/var/lib/dpubot/jobs/run418-doca-install-packages-as7-1',
  limitMs: 60_000,
  argv: ['apt-get', 'install', '--', 'doca-all'],
};

/** Follows a job on a machine with so many bytes free, whose start is answered with this. */
async function follow(freeBytes: number, start: () => Promise<DetachedState>): Promise<unknown> {
  const machine = createPackageMachine();
  machine.freeBytes = freeBytes;
  const session: HostSession = { ...packageSession(machine), startDetached: start };
  return watchJob(packageContext(machine).context, session, job);
}

describe('a job whose end cannot be seen', () => {
  const gone = async (): Promise<DetachedState> =>
    Promise.resolve({ kind: 'unknown', reason: 'its process is gone and it left no exit status' });

  it('is said to have met a full disk where nothing is free, with what to do', async () => {
    await expect(follow(4096, gone)).rejects.toMatchObject({
      code: 'host-disk-full',
      failure: {
        why: expect.stringContaining('left no exit status'),
        next: expect.stringMatching(/Free space.*\/dpu resume 418/),
        deviceState: 'changed',
      },
    });
  });

  it('is left open where there is room', async () => {
    await expect(follow(1e9, gone)).rejects.toMatchObject({
      code: 'package-install-failed',
      failure: { deviceState: 'unknown' },
    });
  });

  it('is said to have met a full disk when not even its folder can be made', async () => {
    const output = "mkdir: cannot create directory '/var/lib/dpubot/jobs/': No space left on device";
    const fails = async (): Promise<DetachedState> =>
      Promise.reject(errors.commandFailed({ host: 'as7', command: 'start of apt-get', exitCode: 73, output }));

    await expect(follow(0, fails)).rejects.toMatchObject({
      code: 'host-disk-full',
      failure: { why: expect.stringContaining('No space left on device') },
    });
  });
});
