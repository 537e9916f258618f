import type { Duplex } from 'node:stream';
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { ConsoleDialogue } from '../../domain/arm-ports.ts';
import { Secret } from '../../domain/secret.ts';
import { errors } from '../../errors.ts';
import { reasonOf } from '../call.ts';
import type { Redactor } from '../redact.ts';
import { createTextCleaner } from './clean.ts';
import { createMatcher } from './match.ts';
import { createScreen } from './screen.ts';

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
  const screen = createScreen();
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

  listen(stream, finish, (chunk) => {
    matcher.push(cleaner.push(chunk));
    screen.push(chunk);
    look();
  });

  const check = (): void => {
    signal?.throwIfAborted();
    if (ended) throw options.onEnd(said());
  };

  return {
    send(line) {
      if (line instanceof Secret) redactor.add(line);
      const sent = sending.then(async () => write(stream, typedBytes(line), pace, check));
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
    async screen() {
      const lines = redactLines(redactor, await screen.lines());
      return { lines, receivedBytes: screen.receivedBytes(), ...(ended && { ended: options.onEnd(said()) }) };
    },
    close() {
      closing ??= options.close().finally(() => screen.dispose());
      return closing;
    },
  };
}

function typedBytes(line: string | Secret): Buffer {
  return Buffer.from(`${line instanceof Secret ? line.reveal() : line}\r`, 'utf8');
}

function listen(stream: Duplex, onEnd: () => void, onData: (chunk: Buffer) => void): void {
  stream.on('data', onData);
  // The reason of a broken stream is told by whoever made it; an error without a listener would end the process.
  stream.on('error', onEnd);
  stream.once('end', onEnd);
  stream.once('close', onEnd);
}

/**
 * For people, so that also what looks like a secret goes. A prompt for a password ends its line: what stands in the next
 * one is no answer to it, unless a whole private key is shown.
 */
function redactLines(redactor: Redactor, lines: readonly string[]): readonly string[] {
  const known = redactor.redactKnown(lines.join('\n'));
  if (known.includes('PRIVATE KEY-----')) return redactor.redact(known).split('\n');
  return known === '' ? [] : known.split('\n').map((line) => redactor.redact(line));
}

/** Writes in pieces; `check` throws when it makes no sense to go on. */
async function write(stream: Duplex, bytes: Buffer, pace: Pace, check: () => void): Promise<void> {
  for (let from = 0; from < bytes.length; from += pace.bytes) {
    check();
    stream.write(bytes.subarray(from, from + pace.bytes));
    await sleepMs(pace.gapMs);
  }
}
