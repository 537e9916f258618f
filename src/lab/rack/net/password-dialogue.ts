/**
 * Password logins with a forced change: as keyboard-interactive prompts, or as a dialogue on a terminal.
 * Either way the connection ends after the change.
 *
 * Source: Linux-PAM pam_unix and pam_pwquality prompts; shadow's passwd messages.
 */
import type { KeyboardAuthContext, ServerChannel } from 'ssh2';
import type { ArmLoginOutcome } from '../arm-login.ts';

export interface PasswordStore {
  /** Must the password be changed before anything else, however one logs in? */
  expired(): boolean;
  login(user: string, password: string): ArmLoginOutcome;
  /** Null when changed, or the complaint. */
  change(current: string, next: string): string | null;
}

const maxTries = 3;
const forced = 'You are required to change your password immediately (administrator enforced).';

type Ask = (text: string, instruction?: string) => Promise<string>;

function asker(context: KeyboardAuthContext): Ask {
  return (text, instruction = '') =>
    new Promise((resolve) => {
      context.prompt([{ prompt: text, echo: false }], '', instruction, (answers: unknown) => {
        const [answer] = Array.isArray(answers) ? (answers as unknown[]) : [];
        resolve(typeof answer === 'string' ? answer : '');
      });
    });
}

/** Asks for a new password until PAM takes it; false after too many tries. */
async function askNewPassword(ask: Ask, change: (next: string) => string | null): Promise<boolean> {
  let note = '';
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const next = await ask('New password: ', note);
    const again = await ask('Retype new password: ');
    const problem = next === again ? change(next) : 'Sorry, passwords do not match.';
    if (problem === null) return true;
    note = problem;
  }
  return false;
}

async function keyboardDialogue(context: KeyboardAuthContext, store: PasswordStore): Promise<'accept' | 'reject'> {
  const ask = asker(context);
  const password = await ask('Password: ');
  const outcome = store.login(context.username, password);
  if (outcome !== 'expired') return outcome === 'ok' ? 'accept' : 'reject';
  const current = await ask('Current password: ', `${forced}\nChanging password for ${context.username}.`);
  if (store.login(context.username, current) === 'wrong') return 'reject';
  await askNewPassword(ask, (next) => store.change(current, next));
  return 'reject';
}

/** Run a keyboard-interactive login; after a password change the client has to log in again. */
export function keyboardLogin(context: KeyboardAuthContext, store: PasswordStore, refuse: () => void): void {
  keyboardDialogue(context, store)
    .then((verdict) => {
      if (verdict === 'accept') context.accept();
      else refuse();
    })
    .catch(refuse);
}

/** Reads lines typed on a terminal, without echo. */
function lineReader(channel: ServerChannel): () => Promise<string> {
  let buffered = '';
  const waiting: ((line: string) => void)[] = [];
  const lines: string[] = [];
  channel.on('data', (chunk: Buffer) => {
    buffered += chunk.toString('utf8');
    for (;;) {
      const match = /\r\n|\r|\n/.exec(buffered);
      if (match === null) return;
      const line = buffered.slice(0, match.index);
      buffered = buffered.slice(match.index + match[0].length);
      const next = waiting.shift();
      if (next === undefined) lines.push(line);
      else next(line);
    }
  });
  return () =>
    new Promise((resolve) => {
      const line = lines.shift();
      if (line === undefined) waiting.push(resolve);
      else resolve(line);
    });
}

async function terminalDialogue(channel: ServerChannel, store: PasswordStore): Promise<number> {
  const read = lineReader(channel);
  const ask = async (text: string, note = ''): Promise<string> => {
    if (note !== '') channel.write(`${note}\r\n`);
    channel.write(text);
    const answer = await read();
    channel.write('\r\n');
    return answer;
  };
  channel.write('Changing password for ubuntu.\r\n');
  const current = await ask('Current password: ');
  if (store.login('ubuntu', current) === 'wrong') {
    channel.write('passwd: Authentication token manipulation error\r\npasswd: password unchanged\r\n');
    return 10;
  }
  if (await askNewPassword(ask, (next) => store.change(current, next))) {
    channel.write('passwd: password updated successfully\r\n');
    return 0;
  }
  channel.write('passwd: Have exhausted maximum number of retries for service\r\npasswd: password unchanged\r\n');
  return 11;
}

/** The dialogue `passwd` has on a terminal; closes the channel at its end. */
export function changePasswordDialogue(channel: ServerChannel, store: PasswordStore): void {
  const finish = (exitCode: number): void => {
    channel.exit(exitCode);
    channel.end();
  };
  terminalDialogue(channel, store).then(finish, () => finish(1));
}
