import type { ConsoleDialogue } from './arm-ports.ts';
import type { Secret } from './secret.ts';

/** What a server or passwd(1) asks for. */
export type PasswordQuestion = 'current' | 'fresh' | 'retype';

/** Prompts of passwd(1), login(1) and PAM, at the end of what was said. `retype` stands before `fresh`, which it contains. */
const questions: readonly (readonly [PasswordQuestion, RegExp])[] = [
  ['retype', /(?:^|\n)[^\n]*(?:retype|re-enter|repeat|confirm|again)[^\n]*: ?$/i],
  ['fresh', /(?:^|\n)[^\n]*\bnew\b[^\n]*password[^\n:]*: ?$/i],
  ['current', /(?:^|\n)[^\n]*(?:\bcurrent\b|\bold\b)[^\n]*password[^\n:]*: ?$/i],
];

/** How passwd(1) and PAM end without a change. */
const failed = [/authentication token manipulation error/i, /password (?:is )?unchanged/i, /authentication failure/i];

/** The prompts as patterns of `expect`; `questionAt` turns its index back. */
export const questionPatterns: readonly RegExp[] = questions.map(([, pattern]) => pattern);

/** The question that the pattern of this index stands for. */
export function questionAt(index: number): PasswordQuestion | undefined {
  return questions[index]?.[0];
}

/** The question that a text ends with. */
export function questionIn(text: string): PasswordQuestion | undefined {
  return questions.find(([, pattern]) => pattern.test(text))?.[0];
}

/** The refusal in what was said: all lines but the prompts, in one. */
export function refusalIn(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && questionIn(line) === undefined)
    .join('; ')
    .slice(0, 300);
}

export type PasswordChange =
  /** `index` of the pattern of `done` that ended it. */
  { readonly state: 'changed'; readonly index: number } | { readonly state: 'rejected'; readonly reason: string };

/**
 * Answers a forced change of a password at a terminal, from the question that has been asked on. A new password that is asked
 * for a second time was refused the first time. Throws as `expect` does.
 */
export async function answerPasswordChange(
  dialogue: Pick<ConsoleDialogue, 'send' | 'expect'>,
  passwords: { readonly current: Secret; readonly fresh: Secret },
  options: { readonly asked: PasswordQuestion; readonly done: readonly RegExp[]; readonly timeoutMs: number },
): Promise<PasswordChange> {
  const { done, timeoutMs } = options;
  const patterns = [...questionPatterns, ...failed, ...done];
  const answered = new Set<PasswordQuestion>();
  for (let asked: PasswordQuestion = options.asked; ;) {
    answered.add(asked);
    await dialogue.send(asked === 'current' ? passwords.current : passwords.fresh);
    const { index, text } = await dialogue.expect(patterns, timeoutMs);
    const next = questionAt(index);
    if (next === undefined) {
      const ending = index - questionPatterns.length - failed.length;
      return ending < 0 ? { state: 'rejected', reason: refusalIn(text) } : { state: 'changed', index: ending };
    }
    if (answered.has(next)) return { state: 'rejected', reason: refusalIn(text) };
    asked = next;
  }
}
