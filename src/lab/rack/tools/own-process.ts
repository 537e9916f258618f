/** Programs that others look for, wait for and end by their names. */
import { waitFor } from '../shell/subshells.ts';
import type { Process, Program } from '../shell/types.ts';

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Is the process this program already: started as it, or turned into it by one like numactl? */
function becomes(process: Process, name: string): boolean {
  const [first = ''] = process.argv;
  const isShell = ['sh', 'bash', 'dash', '-sh', '-bash', 'sudo', 'timeout'].includes(lastPart(first));
  return !isShell && process.argv.some((word) => lastPart(word) === name);
}

/** The program in a process of its own, as a shell would start it; signals to it end it alone. */
export function ownProcess(name: string, run: Program): Program {
  return function* program(frame, args) {
    if (becomes(frame.process, name)) {
      frame.process.argv = [name, ...args];
      return yield* run(frame, args);
    }
    const inner = { ...frame, descriptors: new Map(frame.descriptors) };
    const started = frame.rack.scheduler.start(
      {
        machine: frame.machine,
        argv: [name, ...args],
        user: frame.user,
        parent: frame.process,
        descriptors: () => [...inner.descriptors.values()],
      },
      (process) => run({ ...inner, process }, args),
    );
    return yield* waitFor(started);
  };
}
