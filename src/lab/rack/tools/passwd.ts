/**
 * `passwd` and `chage` for the one user of an image.
 *
 * Source: shadow 4.8 passwd(1), chage(1); prompts and refusals of Linux-PAM without a terminal, as a real passwd gives them.
 */
import { changeArmPassword } from '../arm-login.ts';
import { complain, out, readLine } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';

function* ask(frame: Frame, prompt: string): Steps<string | null> {
  complain(frame, prompt);
  const answer = yield* readLine(frame);
  return answer?.line.replace(/\r$/, '') ?? null;
}

function unchanged(frame: Frame, reason: string, status = 10): number {
  complain(frame, `${reason}\npasswd: password unchanged\n`);
  return status;
}

function* change(frame: Frame): Steps<number> {
  const { card } = frame.machine;
  if (card === null) return unchanged(frame, 'passwd: Authentication token manipulation error');
  let current: string | null = null;
  if (!frame.root) {
    out(frame, `Changing password for ${frame.user}.\n`);
    current = yield* ask(frame, 'Current password: ');
  }
  const next = yield* ask(frame, 'New password: ');
  const again = next === null ? null : yield* ask(frame, 'Retype new password: ');
  if (next === null || again === null)
    return unchanged(frame, 'Password change has been aborted.\npasswd: Authentication token manipulation error');
  if (next !== again)
    return unchanged(frame, 'Sorry, passwords do not match.\npasswd: Authentication token manipulation error');
  if (frame.root) Object.assign(card.armOs, { password: next, passwordHash: null, passwordExpired: false });
  else {
    const problem = changeArmPassword(card, current ?? '', next);
    if (problem !== null) return unchanged(frame, problem);
  }
  complain(frame, 'passwd: password updated successfully\n');
  return 0;
}

const passwd: Program = function* program(frame, args) {
  const user = args.find((arg) => !arg.startsWith('-')) ?? frame.user;
  const { card } = frame.machine;
  if (user !== 'ubuntu' || card === null) {
    complain(frame, `passwd: user '${user}' does not exist\n`);
    return 1;
  }
  if (user !== frame.user && !frame.root) {
    complain(frame, `passwd: You may not view or modify password information for ${user}.\n`);
    return 1;
  }
  if (!args.includes('-e') && !args.includes('--expire')) return yield* change(frame);
  if (!frame.root) {
    complain(frame, 'passwd: Permission denied.\n');
    return 1;
  }
  card.armOs.passwordExpired = true;
  complain(frame, 'passwd: password expiry information changed.\n');
  return 0;
};

const chage: Program = simply((frame, args) => {
  const { card } = frame.machine;
  if (!frame.root || card === null) {
    complain(frame, 'chage: Permission denied.\n');
    return 1;
  }
  const at = args.findIndex((arg) => arg === '-d' || arg === '--lastday');
  if (args.at(-1) !== 'ubuntu') {
    complain(frame, `chage: user '${args.at(-1) ?? ''}' does not exist in /etc/passwd\n`);
    return 1;
  }
  if (at !== -1) card.armOs.passwordExpired = args[at + 1] === '0';
  return 0;
});

/** Name -> program. */
export const passwordPrograms: Record<string, Program> = { passwd, chage };
