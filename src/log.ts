import { pino } from 'pino';
import type { Logger } from 'pino';

export type Log = Logger;

/**
 * The log of a process: JSON lines on stdout, static messages, what varies in the fields. Paths that could carry a secret
 * are removed whole; `redact` additionally takes known secrets out of every text that is written.
 */
export function createLog(options: {
  readonly name: 'bot' | 'worker';
  readonly level: string;
  readonly redact?: (text: string) => string;
}): Log {
  const { redact } = options;
  const stream =
    redact === undefined ? process.stdout : { write: (line: string) => process.stdout.write(redact(line)) };
  return pino(
    {
      name: options.name,
      level: options.level,
      redact: {
        paths: ['*.password', '*.Password', '*.token', '*.authorization', '*.headers', 'headers', 'password', 'token'],
        censor: '[redacted]',
      },
    },
    stream,
  );
}
