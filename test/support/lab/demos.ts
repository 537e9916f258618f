import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const demo = fileURLToPath(new URL('../../../scripts/demo.mjs', import.meta.url));

export interface Demo {
  readonly process: ChildProcess;
  /** Everything printed so far, both streams. */
  readonly output: () => string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

/** Demos of one test, each with a private Redis, and a folder for the temporary files of all. */
export class Demos {
  readonly folder = mkdtempSync(join(tmpdir(), 'dpubot-demo-test-'));
  readonly #started: ChildProcess[] = [];

  /** @param programs  `sources` starts bot, worker and lab as a person's `npm run demo` does; `compiled` is quicker. */
  start(args: readonly string[], programs: 'compiled' | 'sources' = 'compiled'): Demo {
    const { PATH, HOME, DPUBOT_PROGRAMS } = process.env;
    const env = { PATH, HOME, TMPDIR: this.folder, ...(programs === 'compiled' && { DPUBOT_PROGRAMS }) };
    const child = spawn(process.execPath, [demo, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#started.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const ended = new Promise<number | string>((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'lost'));
    });
    return { process: child, output: () => output, ended };
  }

  /** The guards end everything else when their demo is gone. */
  end(): void {
    for (const child of this.#started.splice(0)) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
