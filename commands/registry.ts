import { approve } from './approve.ts';
import { benchBaseline } from './bench-baseline.ts';
import { benchCompare } from './bench-compare.ts';
import { benchHistory } from './bench-history.ts';
import { benchSweep } from './bench-sweep.ts';
import { bench } from './bench.ts';
import { cancel } from './cancel.ts';
import { consoleCommand } from './console.ts';
import type { Command } from './define.ts';
import { diag } from './diag.ts';
import { halt } from './halt.ts';
import { helpCommand } from './help.ts';
import type { CommandTable } from './parse.ts';
import { lock } from './lock.ts';
import { mode } from './mode.ts';
import { provision } from './provision.ts';
import { reboot } from './reboot.ts';
import { recover } from './recover.ts';
import { reflash } from './reflash.ts';
import { reject } from './reject.ts';
import { resume } from './resume.ts';
import { rotate } from './rotate.ts';
import { run } from './run.ts';
import { runs } from './runs.ts';
import { inspect } from './inspect.ts';
import { sku } from './sku.ts';
import { status } from './status.ts';
import { unhalt } from './unhalt.ts';
import { unlock } from './unlock.ts';

/** Everything a person can say, in the order of help and docs/commands.md. */
export const commands: readonly Command[] = [
  helpCommand(() => commands),
  provision,
  status,
  inspect,
  reflash,
  mode,
  reboot,
  rotate,
  recover,
  bench,
  benchSweep,
  benchHistory,
  benchCompare,
  benchBaseline,
  consoleCommand,
  diag,
  sku,
  run,
  runs,
  approve,
  reject,
  cancel,
  resume,
  lock,
  unlock,
  halt,
  unhalt,
];

/** By name; `details` and `done` are what the buttons of these names say. */
export const commandTable: CommandTable = new Map([
  ...commands.map((command) => [command.name, command] as const),
  ['details', run] as const,
  // Pressed when the work by hand that the run asked for is done: it looks again and goes on.
  ['done', resume] as const,
]);
