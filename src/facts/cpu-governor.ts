import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** How the clock of a CPU is chosen. Source: kernel docs, admin-guide/pm/cpufreq (scaling_governor). */
export const cpuGovernor = defineRead({
  name: 'governor of a CPU',
  argv: ['cat', '{path}'],
  holes: { path: /\/sys\/devices\/system\/cpu\/cpu\d{1,5}\/cpufreq\/scaling_governor/ },
});

/** `performance`, `powersave` ...; undefined where the kernel does not scale the clock, as in a virtual machine. */
export async function readGovernor(host: HostReader, cpu: number, signal: AbortSignal): Promise<string | undefined> {
  const path = `/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_governor`;
  const result = await host.read(cpuGovernor.bind({ path }), { timeoutMs: 15_000, signal });
  if (result.exitCode !== 0 && result.stderr.includes('No such file or directory')) return undefined;
  expectSuccess(host.name, `cat ${path}`, result);
  const word = /^([a-z_]{1,30})\n?$/.exec(result.stdout)?.[1];
  if (word !== undefined) return word;
  const problem = 'not one word';
  throw errors.outputUnreadable({ target: host.name, source: path, problem, evidence: result.stdout.slice(0, 100) });
}
