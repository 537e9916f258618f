/**
 * `lslocks`: who holds file locks on a host.
 *
 * Source: util-linux 2.37 lslocks(8): columns, `--raw`, `--noheadings`; a lock whose file is in another mount namespace
 * shows no full path. Captured beside it on a Debian machine.
 */
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import { lockHolder } from '../packages/apt.ts';
import type { Frame, Program } from '../shell/types.ts';
import { parseOptions } from './options.ts';

interface Lock {
  PID: string;
  COMMAND: string;
  PATH: string;
}

function locksOf(frame: Frame): Lock[] {
  const always = [
    { PID: '912', COMMAND: 'cron', PATH: '/run/crond.pid' },
    { PID: '948', COMMAND: 'multipathd', PATH: '/run/multipathd.pid' },
  ];
  const [, pid = '', command = ''] = /^(\d+) \((.+)\)$/.exec(lockHolder(frame) ?? '') ?? [];
  if (pid === '') return always;
  const held = ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock'];
  return [...always, ...held.map((PATH) => ({ PID: pid, COMMAND: command, PATH }))];
}

/** The program; other columns than PID, COMMAND and PATH are not known here. */
export const lslocks: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'lslocks', args, {
    flags: 'u notruncate=u r raw=r n noheadings=n',
    values: 'o output=o p pid=p',
  });
  if (options === null) return 1;
  const columns = (options.values['o'] ?? 'COMMAND,PID,PATH').split(',');
  const isColumn = (name: string): name is keyof Lock => name === 'PID' || name === 'COMMAND' || name === 'PATH';
  const unknown = columns.find((name) => !isColumn(name));
  if (unknown !== undefined) {
    complain(frame, `lslocks: unknown column: ${unknown}\n`);
    return 1;
  }
  const shown = columns.filter(isColumn);
  if (!options.flags.has('n')) out(frame, `${shown.join(' ')}\n`);
  for (const lock of locksOf(frame)) out(frame, `${shown.map((name) => lock[name]).join(' ')}\n`);
  return 0;
});
