import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import type { Command } from './define.ts';
import { halt } from './halt.ts';
import { helpCommand } from './help.ts';
import type { CommandTable } from './parse.ts';
import { provision } from './provision.ts';
import { reject } from './reject.ts';
import { resume } from './resume.ts';
import { run } from './run.ts';
import { runs } from './runs.ts';
import { sku } from './sku.ts';
import { unhalt } from './unhalt.ts';
import { unlock } from './unlock.ts';

/** Everything a person can say, in the order of help and docs/commands.md. */
export const commands: readonly Command[] = [
  helpCommand(() => commands),
  provision,
  sku,
  run,
  runs,
  approve,
  reject,
  cancel,
  resume,
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
