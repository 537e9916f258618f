/** `chpasswd`: passwords from standard input. Source: shadow 4.8 chpasswd(8). */
import { complain } from '../shell/descriptors.ts';
import type { Program } from '../shell/types.ts';
import { inputs } from './text-tools.ts';

/** The program; it knows the one user of an image. */
export const chpasswd: Program = function* program(frame, args) {
  if (!frame.root) {
    complain(frame, 'chpasswd: Permission denied.\n');
    return 1;
  }
  const encrypted = args.includes('-e') || args.includes('--encrypted');
  const [input] = yield* inputs(frame, 'chpasswd', []);
  const lines = (input?.text ?? '').split('\n').filter((line) => line !== '');
  const { card } = frame.machine;
  for (const [index, line] of lines.entries()) {
    const [user = '', ...rest] = line.split(':');
    if (rest.length === 0) {
      complain(frame, `chpasswd: line ${index + 1}: missing new password\n`);
      return 1;
    }
    if (card === null || user !== 'ubuntu') {
      complain(
        frame,
        `chpasswd: line ${index + 1}: user '${user}' does not exist\nchpasswd: error detected, changes ignored\n`,
      );
      return 1;
    }
    const password = rest.join(':');
    card.armOs.passwordHash = encrypted ? password : null;
    if (!encrypted) card.armOs.password = password;
    card.armOs.passwordExpired = false;
  }
  return 0;
};
