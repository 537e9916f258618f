import { describe, expect, it } from 'vitest';
import { answerPasswordChange, questionIn, refusalIn } from '../../../src/domain/password-change.ts';
import { Secret } from '../../../src/domain/secret.ts';

describe('prompts of a password change', () => {
  it.each([
    ['Current password: ', 'current'],
    ['(current) UNIX password: ', 'current'],
    ["Enter root@10.1.2.3's old password: ", 'current'],
    ['New password: ', 'fresh'],
    ['Enter new UNIX password:', 'fresh'],
    ["Enter root@10.1.2.3's new password: ", 'fresh'],
    ['Retype new password: ', 'retype'],
    ['Retype new UNIX password: ', 'retype'],
    ['New password (again): ', 'retype'],
    ['BAD PASSWORD: The password is shorter than 12 characters\nNew password: ', 'fresh'],
    ['You are required to change your password immediately (administrator enforced).', undefined],
    ['You must change your password now and login again!', undefined],
    ['WARNING: Your password has expired.', undefined],
    ['Password: ', undefined],
    ['localhost login: ', undefined],
  ])('%j asks for %s', (text, question) => {
    expect(questionIn(text)).toBe(question);
  });

  it('leaves the reason of a refusal', () => {
    const text = '\nBAD PASSWORD: The password fails the dictionary check - it is based on a word\nNew password: ';
    expect(refusalIn(text)).toBe('BAD PASSWORD: The password fails the dictionary check - it is based on a word');
  });
});

describe('answering a password change', () => {
  const passwords = { current: new Secret('old-one'), fresh: new Secret('new-one') };

  /** Says one line after each answer. */
  function scripted(lines: readonly string[]) {
    const left = [...lines];
    const answers: string[] = [];
    return {
      answers,
      send: (line: string | Secret) => {
        answers.push(line instanceof Secret ? line.reveal() : line);
        return Promise.resolve();
      },
      expect: (patterns: readonly RegExp[]) => {
        const text = left.shift() ?? '';
        const index = patterns.findIndex((pattern) => pattern.test(text));
        return index < 0 ? Promise.reject(new Error(`silent: ${text}`)) : Promise.resolve({ index, text });
      },
    };
  }
  const run = async (lines: readonly string[]) => {
    const dialogue = scripted(lines);
    const done = [/updated successfully/, /\$ $/];
    const change = await answerPasswordChange(dialogue, passwords, { asked: 'current', done, timeoutMs: 1_000 });
    return { change, answers: dialogue.answers };
  };

  it('gives the old one once and the new one twice', async () => {
    const { change, answers } = await run(['\nNew password: ', '\nRetype new password: ', '\nubuntu@localhost:~$ ']);
    expect(answers).toEqual(['old-one', 'new-one', 'new-one']);
    expect(change).toEqual({ state: 'changed', index: 1 });
  });

  it('stops when the new one is asked for again', async () => {
    const { change, answers } = await run([
      '\nNew password: ',
      '\nRetype new password: ',
      '\nYou must choose a longer password.\nNew password: ',
    ]);
    expect(answers).toHaveLength(3);
    expect(change).toEqual({ state: 'rejected', reason: 'You must choose a longer password.' });
  });

  it('stops when the old one is wrong', async () => {
    const { change } = await run(['\npasswd: Authentication token manipulation error']);
    expect(change).toEqual({ state: 'rejected', reason: 'passwd: Authentication token manipulation error' });
  });
});
