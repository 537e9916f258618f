/** `systemd-tmpfiles --create [--boot] [FILE...]`. Source: systemd-tmpfiles(8) of systemd 249 (exit codes 0, 1, 65, 73). */
import { complain } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Program } from '../shell/types.ts';
import { applyTmpfiles } from '../tmpfiles.ts';
import { at } from './file-tools.ts';

const syntaxStatus = 65;
const createStatus = 73;

/** The program. */
export const systemdTmpfiles: Program = simply((frame, args) => {
  const paths = args
    .filter((arg) => !arg.startsWith('-'))
    .map((each) => (each.includes('/') ? at(frame, each) : `/etc/tmpfiles.d/${each}`));
  if (!args.some((arg) => ['--create', '--clean', '--remove'].includes(arg))) {
    complain(frame, 'You need to specify at least one of --clean, --create or --remove.\n');
    return 1;
  }
  if (!args.includes('--create')) return 0;
  if (!frame.root) {
    complain(frame, 'Failed to open file: Permission denied\n');
    return createStatus;
  }
  const boot = args.includes('--boot');
  const problems = applyTmpfiles(frame.machine.files, { boot, ...(paths.length > 0 && { paths }) });
  for (const each of problems) complain(frame, `${each}\n`);
  if (problems.some((each) => each.startsWith('Failed to open'))) return 1;
  if (problems.some((each) => each.endsWith('Syntax error.'))) return syntaxStatus;
  return problems.length > 0 ? createStatus : 0;
});
