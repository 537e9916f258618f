import type { Duplex } from 'node:stream';
import type { AuthenticationType, AuthHandlerMiddleware, Client, NextAuthHandler, Prompt } from 'ssh2';
import type { PasswordTry } from '../../domain/arm-ports.ts';
import {
  answerPasswordChange,
  questionAt,
  questionIn,
  questionPatterns,
  refusalIn,
} from '../../domain/password-change.ts';
import { errors, OpsError } from '../../errors.ts';
import { orAbort } from '../call.ts';
import { createDialogue } from '../console/dialogue.ts';
import type { Redactor } from '../redact.ts';
import { connectHop, type ConnectLimits, type Hop, type LoginMethod } from './client.ts';
import type { RemoteProcess } from './process.ts';

/** How far a login with a password came. */
interface Progress {
  offered: readonly string[];
  /** The password has been sent: it counts as a try. */
  tried: boolean;
  /** The new one has been sent at least once. */
  changing: boolean;
  /** The server refused the new one, with these words. */
  rejected?: string;
  /** A prompt that is none of those known. */
  unclear?: string;
}

export type PasswordEntry =
  { readonly state: 'in'; readonly client: Client } | { readonly state: 'changed' } | { readonly state: 'refused' };

/**
 * Connects to a hop with a password; its pin is checked first. One try is made, over `password` when that is offered, else over
 * keyboard-interactive. A change that is demanded within the login is answered (RFC 4252 section 8, RFC 4256).
 * Throws as `connectHop` does, and arm-password-not-offered, arm-password-refused, arm-login-unclear.
 */
export async function enterWithPassword(
  hop: Hop,
  attempt: PasswordTry,
  limits: ConnectLimits,
  openStream?: () => Promise<Duplex>,
): Promise<PasswordEntry> {
  const progress: Progress = { offered: [], tried: false, changing: false };
  try {
    const client = await connectHop(hop, passwordLogin(attempt, progress), limits, openStream);
    if (!progress.changing) return { state: 'in', client };
    client.end();
    return { state: 'changed' };
  } catch (error) {
    return endOf(hop.host, attempt, progress, error);
  }
}

/** What a login that did not succeed means. */
function endOf(target: string, attempt: PasswordTry, progress: Progress, error: unknown): PasswordEntry {
  const { rejected, unclear, changing, tried, offered } = progress;
  const refused = error instanceof OpsError && error.code === 'ssh-auth-failed';
  if (unclear !== undefined) throw errors.armLoginUnclear({ target, said: unclear });
  if (rejected !== undefined || (changing && refused))
    throw errors.armPasswordRefused({ target, user: attempt.user, reason: rejected ?? '' });
  // Whether the change was made before the line went dead is not known.
  if (changing) throw errors.sshLost({ host: target, command: 'change of the password', cause: error });
  if (!refused) throw error;
  if (!tried) throw errors.armPasswordNotOffered({ target, offered });
  return { state: 'refused' };
}

function passwordLogin(attempt: PasswordTry, progress: Progress): LoginMethod {
  const { user: username } = attempt;
  const password = attempt.password.reveal();
  let hangUp = (): void => undefined;

  function answer(prompts: readonly Prompt[], finish: (answers: string[]) => void): void {
    const answers = prompts.map(({ prompt }) => answerTo(prompt, attempt, progress));
    const given = answers.filter((one) => one !== undefined);
    if (given.length === answers.length) finish(given);
    else hangUp();
  }

  const authHandler: AuthHandlerMiddleware = (left, _partial, next) => {
    const methods = left as readonly AuthenticationType[] | null;
    // Asks for nothing first: only the answer tells what is offered.
    if (methods === null) return next({ type: 'none', username });
    if (!progress.tried) {
      progress.offered = methods;
      progress.tried = methods.includes('password') || methods.includes('keyboard-interactive');
      if (methods.includes('password')) return next({ type: 'password', username, password });
      if (progress.tried)
        return next({
          type: 'keyboard-interactive',
          username,
          prompt: (_name, _instructions, _language, prompts, finish) => answer(prompts, finish),
        });
    }
    giveUp(next);
  };

  return {
    config: { password, authHandler, tryKeyboard: true },
    attach(client) {
      hangUp = () => client.end();
      client.on('change password', (said, done) => {
        if (progress.changing) {
          progress.rejected = said;
          return hangUp();
        }
        progress.changing = true;
        done(attempt.newPassword.reveal());
      });
    },
  };
}

/** No further way is tried: a second one with the same password would count as a second wrong try. */
function giveUp(next: NextAuthHandler): void {
  const nothing: unknown = false;
  next(nothing as AuthenticationType);
}

/** The answer to one prompt; undefined, with the reason noted, when there is none. */
function answerTo(prompt: string, attempt: PasswordTry, progress: Progress): string | undefined {
  const text = prompt.trimEnd();
  const question = questionIn(text);
  if (question === 'fresh' && progress.changing) {
    progress.rejected = refusalIn(text);
    return undefined;
  }
  if (question === 'fresh' || question === 'retype') {
    progress.changing = true;
    return attempt.newPassword.reveal();
  }
  if (question === 'current' || /password: ?$/i.test(text)) return attempt.password.reveal();
  progress.unclear = text.slice(-200);
  return undefined;
}

/**
 * The dialogue with passwd(1) that OpenSSH runs in place of the command when a password has expired: at a terminal, and the
 * connection is of no more use afterwards. Throws arm-password-refused, arm-login-unclear, ssh-lost.
 */
export async function changeAtTerminal(
  target: string,
  carrier: RemoteProcess,
  attempt: PasswordTry,
  deps: { readonly redactor: Redactor; readonly answerMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const dialogue = createDialogue({
    stream: carrier.stream,
    redactor: deps.redactor,
    signal: deps.signal,
    pace: { bytes: 4_096, gapMs: 0 },
    onSilent: (said) => errors.armLoginUnclear({ target, said }),
    onEnd: () => errors.sshLost({ host: target, command: 'passwd' }),
    close: async () => Promise.resolve(carrier.stop()),
  });
  try {
    const first = await dialogue.expect(questionPatterns, deps.answerMs);
    const change = await answerPasswordChange(
      dialogue,
      { current: attempt.password, fresh: attempt.newPassword },
      {
        asked: questionAt(first.index) ?? 'current',
        done: [/password updated successfully/i, /tokens updated successfully/i],
        timeoutMs: deps.answerMs,
      },
    );
    if (change.state === 'rejected')
      throw errors.armPasswordRefused({ target, user: attempt.user, reason: change.reason });
  } catch (error) {
    // An exit status of 0 says the same as its words, in every language.
    if (error instanceof OpsError && error.code === 'ssh-lost' && (await orAbort(carrier.ended, deps.signal)) === 0)
      return;
    throw error;
  } finally {
    await dialogue.close();
  }
}
