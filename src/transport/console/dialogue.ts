import type { Duplex } from 'node:stream';
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { ConsoleDialogue } from '../../domain/arm-ports.ts';
import { Secret } from '../../domain/secret.ts';
import { errors } from '../../errors.ts';
import { reasonOf } from '../call.ts';
import type { Redactor } from '../redact.ts';
import { createTextCleaner } from './clean.ts';
import { createMatcher } from './match.ts';

export interface DialogueOptions {
  readonly stream: Duplex;
  readonly redactor: Redactor;
  readonly signal?: AbortSignal | undefined;
  /** Nothing that was waited for came in time; `said` is the redacted end of what came instead. */
  readonly onSilent: (said: string, timeoutMs: number) => Error;
  /** The far end is gone. */
  readonly onEnd: (said: string) => Error;
  /** Frees what carries the stream; called once. */
  readonly close: () => Promise<void>;
  /** At most `bytes` are written at once, with `gapMs` between them; default: what a UART at 115200 baud takes in. */
  readonly pace?: Pace;
}

export interface Pace {
  readonly bytes: number;
  readonly gapMs: number;
}

/** 16 bytes are the FIFO of a common UART, and take 1.4 ms at 115200 baud; four times that is left to the far end. */
const uartPace: Pace = { bytes: 16, gapMs: 6 };
const saidChars = 300;

interface Waiter {
  readonly patterns: readonly RegExp[];
  resolve(found: { readonly index: number; readonly text: string }): void;
  reject(error: Error): void;
}

/** A dialogue over a stream of bytes. Lines end with a carriage return, as the Enter key does. */
export function createDialogue(options: DialogueOptions): ConsoleDialogue {
  const { stream, redactor, signal, pace = uartPace } = options;
  const cleaner = createTextCleaner();
  const matcher = createMatcher();
  let waiter: Waiter | undefined;
  let ended = false;
  let sending: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const said = (): string => redactor.redactKnown(matcher.pending()).trim().slice(-saidChars);

  function look(): void {
    if (waiter === undefined) return;
    const found = matcher.find(waiter.patterns);
    if (found !== undefined) waiter.resolve({ index: found.index, text: redactor.redactKnown(found.text) });
    else if (ended) waiter.reject(options.onEnd(said()));
  }

  function finish(): void {
    ended = true;
    look();
  }

  stream.on('data', (chunk: Buffer) => {
    matcher.push(cleaner.push(chunk));
    look();
  });
  // The reason of a broken stream is told by whoever made it; an error without a listener would end the process.
  stream.on('error', finish);
  stream.once('end', finish);
  stream.once('close', finish);

  const check = (): void => {
    signal?.throwIfAborted();
    if (ended) throw options.onEnd(said());
  };

  return {
    send(line) {
      if (line instanceof Secret) redactor.add(line);
      const bytes = Buffer.from(`${line instanceof Secret ? line.reveal() : line}\r`, 'utf8');
      const sent = sending.then(async () => write(stream, bytes, pace, check));
      sending = sent.catch(() => undefined);
      return sent;
    },
    async expect(patterns, timeoutMs) {
      signal?.throwIfAborted();
      if (waiter !== undefined) throw errors.bug({ detail: 'two parts of dpubot read one console at once' });
      let timer: NodeJS.Timeout | undefined;
      let abort = (): void => undefined;
      try {
        return await new Promise((resolve, reject) => {
          waiter = { patterns, resolve, reject };
          abort = () => reject(signal === undefined ? new Error('aborted') : reasonOf(signal));
          signal?.addEventListener('abort', abort, { once: true });
          timer = setTimeout(() => reject(options.onSilent(said(), timeoutMs)), timeoutMs);
          look();
        });
      } finally {
        waiter = undefined;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      }
    },
    close() {
      closing ??= options.close();
      return closing;
    },
  };
}

/** Writes in pieces; `check` throws when it makes no sense to go on. */
async function write(stream: Duplex, bytes: Buffer, pace: Pace, check: () => void): Promise<void> {
  for (let from = 0; from < bytes.length; from += pace.bytes) {
    check();
    stream.write(bytes.subarray(from, from + pace.bytes));
    await sleepMs(pace.gapMs);
  }
}
