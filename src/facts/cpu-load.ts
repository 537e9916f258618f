import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Time that each CPU has spent since boot. Source: proc_stat(5). */
export const cpuTimes = defineRead({ name: 'CPU times', argv: ['cat', '/proc/stat'] });

/** Ticks of one CPU since boot: all of them, and those in which it did something. */
export interface CpuTime {
  readonly cpu: number;
  readonly total: number;
  readonly busy: number;
}

/** How busy CPUs were between two looks. */
export interface CpuLoad {
  readonly meanPercent: number;
  /** One flow in software fills one CPU, and a mean over sixteen hides it. */
  readonly busiestPercent: number;
  readonly busiestCpu: number;
}

/** Reads what each CPU has done since boot. Errors: command-failed, output-unreadable. */
export async function readCpuTimes(reader: HostReader, signal: AbortSignal): Promise<readonly CpuTime[]> {
  const result = await reader.read(cpuTimes.bind({}), { timeoutMs: 15_000, signal, maxBytes: 1024 * 1024 });
  expectSuccess(reader.name, 'cat /proc/stat', result);
  return parseCpuTimes(reader.name, result.stdout);
}

/**
 * Parses `cpu0 user nice system idle iowait irq softirq steal guest guest_nice`. Guest time is part of user time; old kernels
 * print fewer columns. Source: proc_stat(5).
 */
export function parseCpuTimes(target: string, text: string): readonly CpuTime[] {
  const times = [...text.matchAll(/^cpu(\d+)((?: +\d+){4,10}) *$/gm)].map(([, cpu, columns = '']): CpuTime => {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, ...rest] = columns.trim().split(/ +/).map(Number);
    const busy = [user, nice, system, ...rest.slice(0, 3)].reduce((sum, ticks) => sum + ticks, 0);
    return { cpu: Number(cpu), total: busy + idle + iowait, busy };
  });
  if (times.length > 0) return times;
  const problem = 'no line of a CPU with its times';
  throw errors.outputUnreadable({ target, source: '/proc/stat', problem, evidence: text.slice(0, 400) });
}

/** Load between two looks; undefined where no CPU was there both times, or no time has passed. A CPU may come and go. */
export function cpuLoad(before: readonly CpuTime[], after: readonly CpuTime[]): CpuLoad | undefined {
  const old = new Map(before.map((time) => [time.cpu, time]));
  const shares = after.flatMap(({ cpu, total, busy }) => {
    const was = old.get(cpu);
    const passed = was === undefined ? 0 : total - was.total;
    // A CPU that was switched off in between counts from nothing again; idle time may also go back by a tick.
    if (was === undefined || passed <= 0 || busy < was.busy) return [];
    return [{ cpu, passed, worked: Math.min(passed, busy - was.busy) }];
  });
  const [busiest] = shares.toSorted((a, b) => b.worked / b.passed - a.worked / a.passed);
  if (busiest === undefined) return undefined;
  const sum = (of: (share: (typeof shares)[number]) => number): number => shares.reduce((all, one) => all + of(one), 0);
  return {
    meanPercent: (sum(({ worked }) => worked) / sum(({ passed }) => passed)) * 100,
    busiestPercent: (busiest.worked / busiest.passed) * 100,
    busiestCpu: busiest.cpu,
  };
}
