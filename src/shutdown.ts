import type { Log } from './log.ts';

/**
 * Runs `close` once on SIGTERM or SIGINT and ends the process. A second signal, or a close that takes longer than
 * `limitMs`, ends it at once: whatever was under way is taken up from the journal.
 */
export function closeOnSignal(log: Log, limitMs: number, close: () => Promise<void>): void {
  let closing = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(1);
    closing = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), limitMs).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ problem: String(error) }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
