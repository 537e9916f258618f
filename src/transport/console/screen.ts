import { setImmediate as nextTurn } from 'node:timers/promises';
import xterm from '@xterm/headless';

/** What a terminal shows of a stream of bytes. */
export interface Screen {
  push(bytes: Uint8Array): void;
  /** How many bytes were pushed so far. */
  receivedBytes(): number;
  /** Whole lines without what a terminal broke them for, oldest first. Never throws. */
  lines(): Promise<readonly string[]>;
  dispose(): void;
}

/** Wide and high enough for every text mode of UEFI (EDK2 TerminalDxe: 80x25, 80x50, 100x31). */
const columns = 100;
const rows = 50;
const keptLines = 2_000;
/** What comes between two looks is dropped from its start on beyond that. */
const pendingMax = 256 * 1024;
/** So much is taken in at once; then others have their turn. */
const sliceBytes = 4 * 1024;
/** Sequences whose count says how often something is done: insert, delete, scroll, repeat, tab, erase. */
const counted = ['@', 'L', 'M', 'P', 'S', 'T', 'X', 'I', 'Z', 'b'];

/**
 * A terminal that nobody sees: carriage returns, cursor movement and erasing have the effect they are meant to have, and
 * nothing else. It answers no question (a device may ask for the cursor, the title or the clipboard), changes no window
 * and draws nothing.
 *
 * What a device sends is foreign: a count beyond the screen is no more than a way to keep the parser busy, so such a
 * sequence is left out, and a terminal that fails is replaced by a fresh one.
 */
export function createScreen(): Screen {
  let terminal: xterm.Terminal | undefined;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let received = 0;
  let looking: Promise<unknown> = Promise.resolve();

  async function takeIn(): Promise<void> {
    const bytes = Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    for (let from = 0; from < bytes.length; from += sliceBytes) {
      terminal ??= createTerminal();
      try {
        await write(terminal, bytes.subarray(from, from + sliceBytes));
      } catch {
        terminal.dispose();
        terminal = undefined;
      }
      await nextTurn();
    }
  }

  return {
    push(bytes) {
      received += bytes.length;
      pending.push(bytes);
      pendingBytes += bytes.length;
      while (pendingBytes > pendingMax) {
        const first = pending.shift() ?? new Uint8Array();
        const surplus = pendingBytes - pendingMax;
        pendingBytes -= Math.min(first.length, surplus);
        if (first.length > surplus) pending.unshift(first.subarray(surplus));
      }
    },
    receivedBytes: () => received,
    lines() {
      const look = looking.then(async () => {
        await takeIn();
        return terminal === undefined ? [] : linesOf(terminal);
      });
      looking = look;
      return look;
    },
    dispose() {
      terminal?.dispose();
      terminal = undefined;
    },
  };
}

function createTerminal(): xterm.Terminal {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: keptLines - rows,
    // What firmware clears away before it goes on is still worth reading.
    scrollOnEraseInDisplay: true,
    allowProposedApi: true,
    logLevel: 'off',
  });
  for (const final of counted)
    for (const id of [{ final }, { prefix: '?', final }])
      terminal.parser.registerCsiHandler(id, ([count]) => typeof count === 'number' && count > columns);
  return terminal;
}

/** After an input the next write is parsed at once instead of later: what the parser throws arrives here. */
async function write(terminal: xterm.Terminal, bytes: Uint8Array): Promise<void> {
  terminal.input('');
  await new Promise<void>((resolve) => terminal.write(bytes, resolve));
}

function linesOf(terminal: xterm.Terminal): readonly string[] {
  const buffer = terminal.buffer.active;
  const lines: string[] = [];
  for (let row = 0; row < buffer.length; row += 1) {
    const line = buffer.getLine(row);
    if (line === undefined) continue;
    const isBroken = buffer.getLine(row + 1)?.isWrapped === true;
    const text = line.translateToString(!isBroken);
    if (line.isWrapped && lines.length > 0) lines.push(`${lines.pop() ?? ''}${text}`);
    else lines.push(text);
  }
  const shown = lines.map((line) => line.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '').trimEnd());
  return shown.slice(0, shown.findLastIndex((line) => line !== '') + 1);
}
