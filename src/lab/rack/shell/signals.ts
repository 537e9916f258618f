/** How processes and shells end early. */

/** `exit`, or a failed command under `set -e`. */
export class ExitShell extends Error {
  readonly status: number;
  constructor(status: number) {
    super('exit');
    this.status = status;
  }
}

/** Ended by a signal. */
export class Killed extends Error {
  readonly signal: string;
  constructor(signal: string) {
    super(signal);
    this.signal = signal;
  }
}

/** `break`, `continue` and `return` on their way out. */
export class Jump extends Error {
  readonly kind: 'break' | 'continue' | 'return';
  levels: number;
  readonly status: number;
  constructor(kind: 'break' | 'continue' | 'return', levels: number, status = 0) {
    super(kind);
    this.kind = kind;
    this.levels = levels;
    this.status = status;
  }
}

/** Signal names with their numbers. Source: signal(7). */
const signalNumbers: Record<string, number> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  KILL: 9,
  USR1: 10,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
};

/** `-9`, `TERM`, `SIGHUP` as a name, or null. */
export function signalName(text: string): string | null {
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (name === '0' || Object.hasOwn(signalNumbers, name)) return name;
  return Object.entries(signalNumbers).find(([, number]) => String(number) === text)?.[0] ?? null;
}

/** Exit status a shell shows for a process. */
export function statusOf(process: { exitCode: number | null; signal: string | null }): number {
  return process.signal === null ? (process.exitCode ?? 0) : 128 + (signalNumbers[process.signal] ?? 0);
}
