/**
 * How busy the cores of an Arm are: `mpstat` and /proc/stat. Packets that its software forwards keep its first cores busy.
 *
 * Source: sysstat 12.5 (columns, the average line), proc(5) (jiffies of 10 ms).
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Machine, Program } from '../shell/types.ts';
import type { Rack } from '../state.ts';
import { advanceWire } from '../wire/advance.ts';
import { noise } from '../wire/wire.ts';
import { dateText } from './dates.ts';
import { hostCpus } from './cpus.ts';

/** Share of a core that a quiet system uses. */
const quietShare = 0.004;

function coresOf({ card }: Machine): number {
  return card?.hardware.armCores ?? hostCpus;
}

function busyCoreMs(rack: Rack, machine: Machine): number {
  return rack.wire.armBusyMs.get(machine.name) ?? 0;
}

/** `/proc/stat`: jiffies of each core since the boot. */
export function statText(rack: Rack, machine: Machine, bootedAtMs: number): string {
  advanceWire(rack);
  const cores = coresOf(machine);
  const upMs = Math.max(0, rack.nowMs() - bootedAtMs);
  const busyMs = busyCoreMs(rack, machine);
  const busyCores = Math.min(cores, 4);
  const line = (name: string, softMs: number, share: number): string => {
    const total = (upMs * share) / 10;
    const soft = Math.min(total, softMs / 10);
    const user = total * quietShare;
    const system = total * quietShare;
    const idle = Math.max(0, total - soft - user - system);
    return `${name} ${Math.floor(user)} 0 ${Math.floor(system)} ${Math.floor(idle)} 0 0 ${Math.floor(soft)} 0 0 0\n`;
  };
  const each = Array.from({ length: cores }, (_core, index) =>
    line(`cpu${index}`, index < busyCores ? busyMs / busyCores : 0, 1),
  );
  return (
    line('cpu ', busyMs, cores) +
    each.join('') +
    `intr 0\nctxt 0\nbtime ${Math.floor(bootedAtMs / 1000)}\nprocesses 2100\nprocs_running 1\nprocs_blocked 0\n`
  );
}

interface Load {
  user: number;
  system: number;
  soft: number;
}

function row(time: string, cpu: string, { user, system, soft }: Load): string {
  const idle = Math.max(0, 100 - user - system - soft);
  const columns = [user, 0, system, 0, 0, soft, 0, 0, 0, idle].map((each) => each.toFixed(2).padStart(8));
  return `${time.padEnd(11)}${cpu.padStart(5)}${columns.join('')}\n`;
}

const heading = '  CPU    %usr   %nice    %sys %iowait    %irq   %soft  %steal  %guest  %gnice   %idle\n';

/** `mpstat [-P ALL] [INTERVAL [COUNT]]`. */
export const mpstat: Program = function* program(frame, args) {
  const { rack, machine } = frame;
  const at = args.indexOf('-P');
  const all = at !== -1;
  const numbers = args.filter((arg, index) => /^\d+$/.test(arg) && (!all || index !== at + 1)).map(Number);
  const wrong = args.find((arg, index) => arg.startsWith('-') && index !== at && !['-u', '-A'].includes(arg));
  if (wrong !== undefined) {
    complain(frame, `Usage: mpstat [ options ] [ <interval> [ <count> ] ]\n`);
    return 1;
  }
  const [interval = 0, count = interval === 0 ? 1 : Number.MAX_SAFE_INTEGER] = numbers;
  const cores = coresOf(machine);
  const shown = all ? Array.from({ length: cores }, (_each, core) => core) : [];
  const kernel = machine.card?.armOs.kernel ?? machine.host?.hardware.kernel ?? '';
  const day = dateText(rack.nowMs(), '%m/%d/%y');
  out(
    frame,
    `Linux ${kernel} (${machine.hostName()}) \t${day} \t_${machine.card === null ? 'x86_64' : 'aarch64'}_\t(${cores} CPU)\n\n`,
  );
  const means: Load[] = [];
  for (let round = 0; round < count; round += 1) {
    advanceWire(rack);
    const [beforeMs, sinceMs] = [busyCoreMs(rack, machine), rack.nowMs()];
    if (interval > 0) yield { untilMs: sinceMs + interval * 1000 };
    advanceWire(rack);
    const passedMs = Math.max(1, rack.nowMs() - sinceMs);
    const busy =
      interval > 0
        ? (busyCoreMs(rack, machine) - beforeMs) / passedMs
        : (rack.wire.armBusyCores.get(machine.name) ?? 0);
    const small = 0.1 + noise(rack.wire.seed, round, 7) * 0.2;
    const whole: Load = { user: small, system: small, soft: (busy / cores) * 100 };
    means.push(whole);
    const time = dateText(rack.nowMs(), '%H:%M:%S');
    out(frame, `${time.padEnd(11)}${heading}${row(time, 'all', whole)}`);
    const busyCores = Math.min(4, cores);
    for (const core of shown)
      out(
        frame,
        row(time, String(core), {
          user: small,
          system: small,
          soft: core < busyCores ? Math.min(99, (busy / busyCores) * 100) : 0,
        }),
      );
    out(frame, '\n');
  }
  const mean = (pick: (load: Load) => number): number =>
    means.reduce((sum, each) => sum + pick(each), 0) / Math.max(1, means.length);
  if (interval > 0) {
    const whole = {
      user: mean(({ user }) => user),
      system: mean(({ system }) => system),
      soft: mean(({ soft }) => soft),
    };
    out(frame, `${'Average:'.padEnd(11)}${heading}${row('Average:', 'all', whole)}`);
  }
  return 0;
};
