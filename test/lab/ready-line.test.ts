import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { waitForLine, type Child } from '../../scripts/lib/children.mjs';

const folder = mkdtempSync(join(tmpdir(), 'dpubot-ready-line-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function child(text: string): Child {
  const log = join(folder, `${text.length}.log`);
  writeFileSync(log, text);
  return { name: 'lab', pid: 0, log, exited: Promise.resolve(0), running: () => true };
}

const ready = /^\{"ready":.*$/;

describe('waiting for a line of a program that starts', () => {
  it('does not take the half of it that is written so far', async () => {
    const lab = child('hello\n{"ready":true,"hosts":[{"na');

    await expect(waitForLine(lab, ready, 0)).rejects.toThrow('lab was not ready');

    appendFileSync(lab.log, 'me":"as7"}]}\n');
    expect((await waitForLine(lab, ready, 0))[0]).toBe('{"ready":true,"hosts":[{"name":"as7"}]}');
  });

  it('says that the program has ended when it has', async () => {
    const lab = { ...child('no room\n'), exited: Promise.resolve(3), running: () => false };

    await expect(waitForLine(lab, ready, 1_000)).rejects.toThrow('lab ended (exit code 3) before it was ready');
  });
});
