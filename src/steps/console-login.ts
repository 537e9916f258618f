import type { ConsoleDialogue } from '../domain/arm-ports.ts';
import { answerPasswordChange, questionAt, questionPatterns } from '../domain/password-change.ts';
import type { Secret } from '../domain/secret.ts';
import { errors, OpsError } from '../errors.ts';

/** Who logs in at the serial console of a card, and what is done there. */
export interface ConsoleLogin {
  /** Name of the card, for messages. */
  readonly target: string;
  readonly user: string;
  /** Tried in this order, each once; the caller keeps to the budget of wrong tries. */
  readonly passwords: readonly Secret[];
  /** Given when a change is demanded. */
  readonly newPassword: Secret;
  /** Lines for the shell, once logged in. Nothing secret: a console shows what is typed. */
  readonly commands?: readonly string[];
  /** Those instead, where no change was demanded; default: the same. */
  readonly unchangedCommands?: readonly string[];
  /** Longest wait for one answer, wall milliseconds; default 15 s, for a login on a busy card takes some. */
  readonly answerMs?: number;
}

export type ConsoleLoginEnd =
  /** `used`: which of the passwords it was. */
  | { readonly state: 'in' | 'changed'; readonly used: number; readonly outputs: readonly string[] }
  | { readonly state: 'refused' };

/** What a Linux console shows between logins and after one: agetty, login(1), bash and sh. */
const patterns = {
  login: /(?:^|\n)[^\n]{0,80}\blogin: ?$/,
  password: /(?:^|\n)password: ?$/i,
  incorrect: /login incorrect|account is locked|authentication failure|permission denied/i,
  shell: /(?:^|\n)(?:\(?\[?[a-z_][\w-]*@[\w.-]+[^\n]{0,80})?[$#] $/,
} as const;

/** The card has said what it had to say when nothing came for so long. */
const quietMs = 700;
const skippedChars = 200_000;
/** getty may be starting, or sit in the middle of somebody's login. */
const wakeTries = 6;
const defaultAnswerMs = 15_000;

/**
 * Logs in at the serial console of a card that was set up by hand, answers a forced change of the password, runs `commands`
 * and logs out. Nobody stays logged in: somebody's open shell is left first.
 *
 * Errors: console-silent, arm-password-refused, arm-login-unclear, command-failed, and those of the dialogue.
 * Source: agetty(8), login(1), pam_unix(8); the forced change is that of the BlueField Ubuntu images.
 */
export async function consoleLogin(dialogue: ConsoleDialogue, login: ConsoleLogin): Promise<ConsoleLoginEnd> {
  const { answerMs = defaultAnswerMs } = login;
  await skipText(dialogue);
  await reachLogin(dialogue, login, answerMs);
  for (const [used, password] of login.passwords.entries()) {
    // The prompt comes by itself after a wrong password; Enter would disturb it.
    if (used > 0) await dialogue.expect([patterns.login], answerMs);
    const state = await enter(dialogue, login, password, answerMs);
    if (state === 'refused') continue;
    const { commands = [], unchangedCommands = commands } = login;
    const outputs: string[] = [];
    try {
      for (const command of state === 'in' ? unchangedCommands : commands)
        outputs.push(await runLine(dialogue, login.target, command, answerMs));
    } finally {
      // Also after a line that failed: whoever opens the console next would be logged in.
      await dialogue.send('exit');
    }
    await dialogue.expect([patterns.login], answerMs);
    return { state, used, outputs };
  }
  return { state: 'refused' };
}

/** Reads until the card is quiet: an old prompt must not be taken for an answer, least of all one for a password. */
async function skipText(dialogue: ConsoleDialogue): Promise<void> {
  try {
    for (let read = 0; read < skippedChars; read += 1) await dialogue.expect([/[^]/], quietMs);
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'console-silent') throw error;
  }
}

/** Presses Enter until a login prompt stands there; leaves a shell, and a login that somebody had begun. */
async function reachLogin(dialogue: ConsoleDialogue, { target }: ConsoleLogin, answerMs: number): Promise<void> {
  let said = '';
  for (let attempt = 1; ; attempt += 1) {
    await dialogue.send('');
    try {
      const seen = await dialogue.expect([patterns.login, patterns.shell, patterns.password], answerMs / 2);
      // A second prompt may be on its way, and would throw away what is typed before it.
      if (seen.index === 0) return await skipText(dialogue);
      said = seen.text;
      if (seen.index === 1) await dialogue.send('exit');
    } catch (error) {
      if (attempt >= wakeTries || !(error instanceof OpsError) || error.code !== 'console-silent') throw error;
    }
    if (attempt >= 2 * wakeTries) throw errors.armLoginUnclear({ target, said: said.trim().slice(-200) });
  }
}

async function enter(
  dialogue: ConsoleDialogue,
  login: ConsoleLogin,
  password: Secret,
  answerMs: number,
): Promise<'in' | 'changed' | 'refused'> {
  await dialogue.send(login.user);
  await dialogue.expect([patterns.password], answerMs);
  await dialogue.send(password);
  const answers = [...questionPatterns, patterns.incorrect, patterns.shell];
  const { index } = await dialogue.expect(answers, answerMs);
  const asked = questionAt(index);
  if (asked === undefined) return answers[index] === patterns.shell ? 'in' : 'refused';
  const change = await answerPasswordChange(
    dialogue,
    { current: password, fresh: login.newPassword },
    { asked, done: [patterns.shell], timeoutMs: answerMs },
  );
  if (change.state === 'changed') return 'changed';
  // Ctrl-C ends the dialogue; the old password stays.
  await dialogue.send('\u0003');
  throw errors.armPasswordRefused({ target: login.target, user: login.user, reason: change.reason });
}

/** Runs one line in the shell. The mark is in its output only: the echo of the line has `$?` there. */
async function runLine(dialogue: ConsoleDialogue, target: string, line: string, answerMs: number): Promise<string> {
  await dialogue.send(`${line}; echo "dpubot-end:$?"`);
  const { text } = await dialogue.expect([/dpubot-end:\d+\n/], answerMs);
  const [, output = '', code = ''] = /^(?:[^\n]*\n)?([^]*?)dpubot-end:(\d+)\n$/.exec(text) ?? [];
  if (code !== '0')
    throw errors.commandFailed({ host: target, command: line, exitCode: Number(code), output: output.trim() });
  await dialogue.expect([patterns.shell], answerMs);
  return output;
}
