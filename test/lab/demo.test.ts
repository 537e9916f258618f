import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Demos } from '../support/lab/demos.ts';

let demos: Demos;
beforeEach(() => {
  demos = new Demos();
});
afterEach(() => demos.end());

async function waitUntil(what: string, isTrue: () => boolean, limitMs: number): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  while (!isTrue()) {
    if (Date.now() > deadlineMs) throw new Error(`${what} did not happen within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Processes below this one, however deep. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const below = [...parents].filter(([, parent]) => parent === pid).map(([child]) => child);
  return below.flatMap((child) => [child, ...descendantsOf(child)]);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended; whoever adopted it has only not asked yet.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const isLinux = process.platform === 'linux';

describe('the end of a scripted demo', () => {
  it('ends with 1 when a line is refused, and shows why', async () => {
    const { ended, output } = demos.start(['--say', '/dpu provison rack1', '--exit']);

    expect(await ended, output()).toBe(1);
    expect(output()).toContain('Did you mean "provision"?');
    expect(output()).toMatch(/: refused \(ana\)\. SIMULATED\. Exit code 1\.$/m);
  });

  it('ends with 1 when a plan asks and nobody answers, or somebody says no', async () => {
    const ask = ['--say', '/dpu provision as7'];

    const { ended, output } = demos.start([...ask, ...ask, '--reject', '--exit']);

    expect(await ended, output()).toBe(1);
    expect(output()).toMatch(/ben +presses \[Reject\]/);
    expect(output()).toMatch(/run 1 waits for an approval that nobody gives; run 2 rejected/);
  });

  it('ends with 2 on wrong usage, before anything is started', async () => {
    const { ended, output } = demos.start(['--aprove']);

    expect(await ended).toBe(2);
    expect(output()).toMatch(/Unknown option '--aprove'/);
    expect(readdirSync(demos.folder)).toEqual([]);
  });
});

describe.skipIf(!isLinux)('a demo that is told to end, or killed', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGKILL', 'SIGKILL'],
  ] as const)('leaves no process behind after %s', async (signal, code) => {
    const { process: child, ended, output } = demos.start([]);
    await waitUntil('ready', () => output().includes('until Ctrl-C'), 60_000).catch((error: unknown) => {
      throw new Error(output(), { cause: error });
    });
    const below = descendantsOf(child.pid ?? 0);

    child.kill(signal);

    expect(await ended).toBe(code);
    // Redis, lab, bot and worker, each with its guard; tsx may have started helpers of its own.
    expect(below.length).toBeGreaterThanOrEqual(8);
    await waitUntil('the end of all processes', () => !below.some(isAlive), 15_000);
    // Nobody is left to remove the folder after SIGKILL; it is private, and its keys open nothing that still runs.
    const left = readdirSync(demos.folder).filter((name) => name.startsWith('dpubot-'));
    if (signal !== 'SIGKILL') expect(left).toEqual([]);
  });

  it('does not disturb another one beside it', async () => {
    const one = demos.start([]);
    const other = demos.start(['--say', '/dpu help', '--exit']);
    await waitUntil('ready', () => one.output().includes('until Ctrl-C'), 60_000);

    one.process.kill('SIGINT');

    expect(await one.ended).toBe(130);
    expect(await other.ended, other.output()).toBe(0);
  });
});
