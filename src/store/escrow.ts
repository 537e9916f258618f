import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Escrow } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { encryptTo } from './age.ts';

/**
 * The operator's copy of generated passwords: one armored age file per entry in `directory`, mode 0600. `age -d -i KEY
 * FILE` prints the password and nothing else; time, run and label are in the file's name. When `write` has returned the
 * entry survives a power cut: file and directory are synced. The directory is never created here, so that a volume
 * which is not mounted is noticed (`escrow-failed`).
 */
export function createEscrow(directory: string, clock: Clock): Escrow {
  return {
    async write({ label, recipient, secret, runId }) {
      const time = new Date(clock.nowMs()).toISOString().replaceAll(':', '-');
      const unique = randomBytes(4).toString('hex');
      const name = `${time}-run${runId}-${fileSafe(label)}-${unique}.age`;
      const temporary = join(directory, `.${name}.part`);
      try {
        const armored = await encryptTo([recipient], secret);
        await writeSynced(temporary, `${armored}\n`);
        await rename(temporary, join(directory, name));
        await syncDirectory(directory);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw errors.escrowFailed({ directory, cause: error });
      }
    },
  };
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function fileSafe(label: string): string {
  return label.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100);
}
