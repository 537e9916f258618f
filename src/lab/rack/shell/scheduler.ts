/**
 * Runs the processes of all pretend machines on the device clock. Like everything in the rack, nothing moves by itself:
 * `run` brings all processes up to a moment, in order of time, each at its own moment.
 */
import { immediately } from './types.ts';
import type { Machine, Process, Steps } from './types.ts';
import { ExitShell, Killed } from './signals.ts';

export class Scheduler {
  readonly #baseNowMs: () => number;
  #clockMs: number | null = null;
  #current: Process | null = null;
  #running = false;
  #processes: Process[] = [];
  #nextPid = 2_100;

  constructor(baseNowMs: () => number) {
    this.#baseNowMs = baseNowMs;
  }

  /** Device time; while a process runs, its own moment. */
  nowMs(): number {
    return this.#clockMs ?? this.#baseNowMs();
  }

  /** Do something as if it were that moment: events that were due while nobody looked. */
  at(atMs: number, run: () => void): void {
    const outer = this.#clockMs;
    this.#clockMs = atMs;
    try {
      run();
    } finally {
      this.#clockMs = outer;
    }
  }

  /** The process that runs at this moment. */
  current(): Process | null {
    return this.#current;
  }

  /** Running processes of a machine. */
  of(machine: Machine): Process[] {
    return this.#processes.filter((each) => each.machine === machine);
  }

  start(
    seed: Pick<Process, 'machine' | 'argv' | 'user' | 'descriptors'> & { parent?: Process; detached?: boolean },
    begin: (process: Process) => Steps<number>,
  ): Process {
    const pid = this.#nextPid;
    this.#nextPid += 1 + (pid % 3);
    const { parent, detached = false, ...rest } = seed;
    const process: Process = {
      ...rest,
      pid,
      parent: parent?.pid ?? 1,
      group: detached || parent === undefined ? pid : parent.group,
      session: detached || parent === undefined ? pid : parent.session,
      runs: { program: seed.argv[0] ?? 'sh', user: seed.user },
      startedAtMs: this.nowMs(),
      steps: immediately(() => 0),
      wait: {},
      exitCode: null,
      signal: null,
      ignored: new Set(parent?.ignored),
      trapped: new Set(),
      arrived: [],
    };
    process.steps = begin(process);
    this.#processes.push(process);
    return process;
  }

  /** Send a signal; false when there is no such process. */
  kill(target: Process, signal: string): boolean {
    if (target.exitCode !== null) return false;
    if (signal === '0' || (target.ignored.has(signal) && signal !== 'KILL')) return true;
    if (target.trapped.has(signal) || target === this.#current) {
      target.arrived.push(signal);
      target.wait = {};
      return true;
    }
    this.#end(target, null, signal);
    target.steps.return(0);
    return true;
  }

  /** End every process of a machine: power loss or reboot. */
  killAll(machine: Machine): void {
    for (const process of this.of(machine)) {
      if (process === this.#current) process.arrived.push('KILL');
      else {
        this.#end(process, null, 'KILL');
        process.steps.return(0);
      }
    }
  }

  #end(process: Process, exitCode: number | null, signal: string | null): void {
    process.exitCode = exitCode ?? 0;
    process.signal = signal;
    this.#processes = this.#processes.filter((each) => each !== process);
  }

  #step(process: Process): void {
    const outer = this.#current;
    this.#current = process;
    try {
      const { done, value } = process.steps.next();
      if (done === true) this.#end(process, value, null);
      else process.wait = value;
    } catch (error) {
      if (error instanceof Killed) this.#end(process, null, error.signal);
      else if (error instanceof ExitShell) this.#end(process, error.status, null);
      else throw error;
    } finally {
      this.#current = outer;
    }
  }

  #due(process: Process, nowMs: number): boolean {
    const { untilMs, ready } = process.wait;
    if (untilMs === undefined && ready === undefined) return true;
    return (untilMs !== undefined && untilMs <= nowMs) || ready?.() === true;
  }

  /** The moment at which something goes on by itself, or null. */
  nextWakeMs(): number | null {
    let next: number | null = null;
    for (const { wait } of this.#processes) {
      if (wait.untilMs !== undefined && (next === null || wait.untilMs < next)) next = wait.untilMs;
    }
    return next;
  }

  /** Run the processes of a machine to their ends at this moment, without waiting for time. */
  rush(machine: Machine): void {
    const outer = this.#current;
    for (let round = 0; round < 20_000; round += 1) {
      const mine = this.of(machine).filter(
        ({ wait }) => wait.untilMs !== undefined || wait.ready === undefined || wait.ready(),
      );
      if (mine.length === 0) break;
      for (const process of mine) if (process.exitCode === null) this.#step(process);
    }
    this.#current = outer;
  }

  /** Bring all processes up to this moment. Called from inside a process it does nothing. */
  run(limitMs: number): void {
    if (this.#running) return;
    this.#running = true;
    try {
      for (;;) {
        const nowMs = this.#clockMs ?? Math.min(limitMs, this.nextWakeMs() ?? limitMs);
        this.#clockMs = nowMs;
        const due = this.#processes.filter((each) => this.#due(each, nowMs));
        for (const process of due) if (process.exitCode === null) this.#step(process);
        if (due.length > 0) continue;
        const next = this.nextWakeMs();
        if (next === null || next > limitMs) break;
        this.#clockMs = Math.max(nowMs, next);
      }
    } finally {
      this.#clockMs = null;
      this.#running = false;
    }
  }
}
