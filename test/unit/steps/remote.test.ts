import { describe, expect, it } from 'vitest';
import type { HostSession } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { writeRootFile } from '../../../src/steps/remote.ts';

const path = '/etc/swanctl/conf.d/dpubot.conf';
const file = { path, mode: '600', content: new Secret('psk = hunter2') } as const;

/** Writes the file on a host that answers like this. */
function writeOn(exitCode: number, stderr: string): Promise<void> {
  const run: HostSession['run'] = () =>
    Promise.resolve({ exitCode, signal: null, stdout: '', stderr, truncated: false, durationMs: 1 });
  const session: Partial<HostSession> = { name: 'as7', run };
  return writeRootFile(session as HostSession, file, { signal: new AbortController().signal });
}

describe('a file that dpubot writes as root', () => {
  // Captured on a full tmpfs of Debian 12: dash 0.5.12, coreutils 9.1.
  it.each([
    ['no room for its words', 1, 'cat: write error: No space left on device\n'],
    ['no inode', 2, `dpubot-write: 1: cannot create ${path}.dpubot-new: No space left on device\n`],
    ['no room for its folder', 1, "mkdir: cannot create directory '/etc/swanctl': No space left on device\n"],
  ])('that meets a full disk (%s) says so, and that the old one is still there', async (_why, exitCode, stderr) => {
    await expect(writeOn(exitCode, stderr)).rejects.toMatchObject({
      code: 'host-disk-full',
      failure: {
        what: expect.stringContaining(path),
        why: stderr.trim(),
        next: expect.stringMatching(/df -i.*resume the run.*The file is as it was/),
        deviceState: 'changed',
      },
    });
  });

  it('that cannot be written for another reason says what the host said, and shows no secret', async () => {
    const failed = writeOn(1, 'chmod: changing permissions: Operation not permitted');

    await expect(failed).rejects.toMatchObject({ code: 'command-failed', failure: { deviceState: 'unchanged' } });
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });
});
