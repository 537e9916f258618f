import type { Logger } from '@slack/bolt';
import { LogLevel } from '@slack/bolt';
import type { Log } from './log.ts';

/** The libraries' own log lines, as fields of ours. Their debug lines hold whole payloads and are dropped. */
export function libraryLogger(log: Log): Logger {
  const text = (parts: readonly unknown[]): string => parts.map(String).join(' ').slice(0, 500);
  return {
    debug: () => undefined,
    info: (...parts: unknown[]) => log.debug({ detail: text(parts) }, 'slack library says'),
    warn: (...parts: unknown[]) => log.warn({ detail: text(parts) }, 'slack library warns'),
    error: (...parts: unknown[]) => log.warn({ detail: text(parts) }, 'slack library reports an error'),
    setLevel: () => undefined,
    getLevel: () => LogLevel.INFO,
    setName: () => undefined,
  };
}

/** For web clients: every failure comes back as an error that is judged and logged by its caller. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};
