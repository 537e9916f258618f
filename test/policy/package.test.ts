import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

test('a packed dpubot has the built command and its papers, and nothing of the lab, the tests or secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-pack-'));
  for (const name of ['package.json', '.gitignore', '.npmrc', 'examples', 'docs/runbooks', 'LICENSE'])
    cpSync(join(repository, name), join(folder, name), { recursive: true });
  const others = ['src/lab/main.ts', 'test/unit/a.test.ts', 'secrets/bot.env', 'worker.env'];
  for (const path of ['dist/src/cli.js', 'dist/src/bot.js', ...others]) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), '');
  }

  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  rmSync(folder, { recursive: true });
  const [packed] = JSON.parse(listing) as { readonly files: readonly { readonly path: string }[] }[];
  const paths = (packed?.files ?? []).map(({ path }) => path);

  expect(paths).toEqual(expect.arrayContaining(['dist/src/cli.js', 'dist/src/bot.js']));
  expect(paths).toContain('examples/sudoers');
  expect(paths.filter((path) => /^(src|test|scripts|secrets)\/|\.env$/.test(path))).toEqual([]);
});
