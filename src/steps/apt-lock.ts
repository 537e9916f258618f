import type { HostSession } from '../domain/device-ports.ts';
import { limitText } from '../domain/limit-text.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { lockText, readPackageLocks } from '../facts/package-locks.ts';

const pollMs = 5_000;
const limitMs = 600_000;

/**
 * Waits until nobody holds a lock of dpkg or apt, and says meanwhile who does. Errors: dpkg-locked after ten minutes. A
 * lock that is taken in the moment after is waited for by apt itself (DPkg::Lock::Timeout).
 */
export async function waitForPackageLock(context: ApplyContext, session: HostSession): Promise<void> {
  const { clock, signal, runId } = context;
  const sinceMs = clock.nowMs();
  const waitMs = clock.deadlineMs(limitMs);
  for (;;) {
    const holders = await readPackageLocks(session, signal);
    if (holders.length === 0) return;
    const holder = lockText(holders);
    if (clock.nowMs() - sinceMs > waitMs)
      throw errors.dpkgLocked({ host: session.name, holder, limit: limitText(limitMs), run: runId });
    await context.progress({
      text: `waiting for the package lock of ${session.name}`,
      lastLine: `held by ${holder}`,
      sinceMs,
      limitMs: waitMs,
    });
    await clock.poll(pollMs, signal);
  }
}
