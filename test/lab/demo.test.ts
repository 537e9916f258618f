import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const demo = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const Runs = z.array(z.object({ run: z.number(), state: z.string(), simulated: z.boolean(), tookMs: z.number() }));

let folder = '';
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dpubot-demo-test-'));
});
afterEach(() => {
  // The guards end everything else when their demo is gone.
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Demo {
  readonly process: ChildProcess;
  /** Everything printed so far, both streams. */
  readonly output: () => string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

/** A demo with a private Redis of its own and temporary files below the test's folder. */
function startDemo(args: readonly string[]): Demo {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder };
  const child = spawn(process.execPath, [demo, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'lost'));
  });
  return { process: child, output: () => output, ended };
}

async function waitUntil(what: string, isTrue: () => boolean, limitMs: number): Promise<void> {
  const deadlineMs = Date.now() + limitMs;
  while (!isTrue()) {
    if (Date.now() > deadlineMs) throw new Error(`${what} did not happen within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the summary at the end says of each card, run by run. */
function cardsOf(output: string): readonly (readonly string[])[] {
  return output.split('\n').flatMap((line) => {
    const [, card, outcome] = /^ {2}(as\d+-dpu\d): (.*)$/.exec(line) ?? [];
    return card === undefined || outcome === undefined ? [] : [[card, outcome]];
  });
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

describe('the scripted demo', () => {
  it(
    'provisions rack1 from its boxes with a second person, finds nothing to do right after, and tells of each card of rack2',
    { timeout: 300_000 },
    async () => {
      const json = join(folder, 'runs.json');
      const say = (line: string): readonly string[] => ['--say', line];
      const rack1 = say('/dpu provision rack1');
      const rack2 = say('/dpu provision rack2');

      const { ended, output } = startDemo([...rack1, '--approve', ...rack1, ...rack2, '--exit', '--json', json]);

      // Cards of rack2 are refused, as they should be.
      expect(await ended, output()).toBe(1);
      const shown = output();
      expect(shown).toMatch(/^ready in \d+\.\d s\. SIMULATED: .* 120 times faster/m);
      expect(shown).toMatch(/ana +\/dpu provision rack1/);
      expect(shown).toMatch(/ben +presses \[Approve\]/);
      expect(shown).toMatch(
        /^ended after .*: run 1 done; run 2 satisfied; run 3 refused .*\. SIMULATED\. Exit code 1\.$/m,
      );
      const runs = Runs.parse(JSON.parse(readFileSync(json, 'utf8')));
      expect(runs.map(({ run, state, simulated }) => [run, state, simulated])).toEqual([
        [1, 'done', true],
        [2, 'satisfied', true],
        [3, 'refused', true],
      ]);
      expect(runs[0]?.tookMs).toBeLessThan(90_000);
      expect(runs[1]?.tookMs).toBeLessThan(10_000);
      expect(cardsOf(shown)).toEqual([
        ['as7-dpu0', 'done'],
        ['as8-dpu0', 'done'],
        ['as7-dpu0', 'right already'],
        ['as8-dpu0', 'right already'],
        ['as11-dpu0', 'done'],
        ['as11-dpu1', expect.stringMatching(/^done; warning: .*no crypto engines/)],
        ['as12-dpu0', expect.stringMatching(/^refused: .*B3220SH.* Next: Use a networking DPU/)],
        ['as13-dpu0', expect.stringMatching(/^refused: .*NIC mode.* Next: .*--set-mode/)],
        ['as14-dpu0', expect.stringMatching(/^refused: .*16 GT\/s.* Next: Move the card/)],
        ['as15-dpu0', expect.stringMatching(/^refused: .*set up by somebody else.* Next: Import its password/)],
      ]);
    },
  );

  it('ends with 1 when a line is refused, and shows why', async () => {
    const { ended, output } = startDemo(['--say', '/dpu provison rack1', '--exit']);

    expect(await ended, output()).toBe(1);
    expect(output()).toContain('Did you mean "provision"?');
    expect(output()).toMatch(/: refused \(ana\)\. SIMULATED\. Exit code 1\.$/m);
  });

  it('ends with 1 when a plan asks and nobody answers, or somebody says no', async () => {
    const ask = ['--say', '/dpu provision as7'];

    const { ended, output } = startDemo([...ask, ...ask, '--reject', '--exit']);

    expect(await ended, output()).toBe(1);
    expect(output()).toMatch(/ben +presses \[Reject\]/);
    expect(output()).toMatch(/run 1 waits for an approval that nobody gives; run 2 rejected/);
  });

  it('ends with 2 on wrong usage, before anything is started', async () => {
    const { ended, output } = startDemo(['--aprove']);

    expect(await ended).toBe(2);
    expect(output()).toMatch(/Unknown option '--aprove'/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(!isLinux)('a demo that is told to end, or killed', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGKILL', 'SIGKILL'],
  ] as const)('leaves no process behind after %s', async (signal, code) => {
    const { process: child, ended, output } = startDemo([]);
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
    const left = readdirSync(folder).filter((name) => name.startsWith('dpubot-'));
    if (signal !== 'SIGKILL') expect(left).toEqual([]);
  });

  it('does not disturb another one beside it', async () => {
    const one = startDemo([]);
    const other = startDemo(['--say', '/dpu help', '--exit']);
    await waitUntil('ready', () => one.output().includes('until Ctrl-C'), 60_000);

    one.process.kill('SIGINT');

    expect(await one.ended).toBe(130);
    expect(await other.ended, other.output()).toBe(0);
  });
});
