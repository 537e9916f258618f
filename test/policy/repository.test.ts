import { describe, expect, it } from 'vitest';
import {
  environmentReads,
  lineCount,
  longFunctions,
  machineTraces,
  switchedOffTests,
  undeclaredReads,
  varyingLogMessages,
  type Rule,
} from './rules.ts';
import { filesBelow, readSource, typescriptIn } from './sources.ts';

const product = typescriptIn('src', 'commands', 'jobs');
const scripts = filesBelow('scripts', /\.(ts|mjs)$/).map(readSource);
const tests = typescriptIn('test');

/** Files with a longer function, each with the reason why it is not cut. */
const longBodies: Readonly<Record<string, string>> = {
  'src/worker.ts': 'wires the rooms of a worker, read from top to bottom; no branch in it',
  'src/bot.ts': 'wires the rooms of the bot, read from top to bottom; no branch in it',
};

function caught(rule: Rule, text: string, path = 'src/engine/example.ts'): string[] {
  return rule({ path, text });
}

describe('source files', () => {
  it('read the environment in src/config.ts only', () => {
    expect(product.flatMap(environmentReads)).toEqual([]);
  });

  it.each(['const a = process.env.REDIS_URL;', 'const { HOME } = process . env;', "const a = process['env'];"])(
    'are caught when they read the environment by %s',
    (text) => {
      expect(caught(environmentReads, text)).toHaveLength(1);
      expect(caught(environmentReads, `// ${text}`)).toEqual([]);
    },
  );

  it('log constant messages', () => {
    expect(product.flatMap(varyingLogMessages)).toEqual([]);
  });

  it('are caught when a log message has a value in it', () => {
    expect(caught(varyingLogMessages, 'log.info({ run: 1 }, `run ${id} ended`);')).toHaveLength(1);
    expect(caught(varyingLogMessages, 'this.logger.warn(`lost ${name}`);')).toHaveLength(1);
    expect(caught(varyingLogMessages, "log.info({ text: title(run) }, 'run ended');")).toEqual([]);
  });

  it('declare read-only commands and resources in src/facts only', () => {
    expect(product.flatMap(undeclaredReads)).toEqual([]);
  });

  it('are caught when a step makes a read-only command of its own', () => {
    const forged = "await host.read({ kind: 'read-command', name: 'x', argv: ['reboot'] }, options);";
    expect(caught(undeclaredReads, forged)).toHaveLength(1);
    expect(caught(undeclaredReads, "const x = defineRead({ name: 'x', argv: ['reboot'] });")).toHaveLength(1);
    expect(caught(undeclaredReads, "defineRead({ name: 'x', argv: ['cat'] });", 'src/facts/x.ts')).toEqual([]);
  });

  it('are named in kebab-case', () => {
    const names = [...product, ...scripts, ...tests].map((source) => source.path);

    expect(names.filter((name) => !/^[a-z0-9./-]+$/.test(name))).toEqual([]);
  });
});

describe('sizes', () => {
  it('stay within 150 lines for a step', () => {
    const long = product.filter((source) => source.path.startsWith('src/steps/') && lineCount(source) > 150);

    expect(long.map((source) => `${source.path}: ${lineCount(source)} lines`)).toEqual([]);
  });

  it('stay within 300 lines for a file', () => {
    const long = [...product, ...scripts].filter((source) => lineCount(source) > 300);

    expect(long.map((source) => `${source.path}: ${lineCount(source)} lines`)).toEqual([]);
  });

  it('stay within 70 lines for a function', () => {
    const measured = [...product, ...scripts].filter((source) => !(source.path in longBodies));

    expect(measured.flatMap((source) => longFunctions(source, 70))).toEqual([]);
  });

  it('are measured on functions and methods', () => {
    const body = '    call();\n'.repeat(70);

    expect(
      caught((source) => longFunctions(source, 70), `export function a(\n  b: string,\n): void {\n${body}}\n`),
    ).toHaveLength(1);
    expect(
      caught((source) => longFunctions(source, 70), `class A {\n  async #b(): Promise<void> {\n${body}  }\n}\n`),
    ).toHaveLength(1);
    expect(caught((source) => longFunctions(source, 80), `function a(): void {\n${body}}\n`)).toEqual([]);
  });
});

describe('tests', () => {
  it('are never switched off or run alone', () => {
    expect(tests.flatMap(switchedOffTests)).toEqual([]);
  });

  it('are caught when switched off, and may depend on a condition', () => {
    for (const call of [
      ['it', 'skip'],
      ['describe', 'only'],
    ])
      expect(caught(switchedOffTests, `${call.join('.')}('x', () => {});`)).toHaveLength(1);
    expect(caught(switchedOffTests, "it.skipIf(!isRoot)('x', () => {});")).toEqual([]);
  });

  it('use fixtures that say whether they were captured or made up', () => {
    const unmarked = filesBelow('test/fixtures', /./)
      .map(readSource)
      .filter(({ text }) => !/\b(captured|synthetic)\b/i.test(text.split('\n').slice(0, 8).join('\n')));

    expect(unmarked.map((source) => source.path)).toEqual([]);
  });
});

describe('the repository', () => {
  const texts = filesBelow(
    '',
    /\.(ts|mjs|json|ya?ml|md|sh|conf|txt|html|css|js)$|^(\.ci\/run|Dockerfile|\.npmrc|\.env\.example)$/,
  )
    .filter((path) => !path.startsWith('src/lab/rack/capture/'))
    .map(readSource);

  it('holds no path of one machine and no address of a package registry, the lock file included', () => {
    expect(texts.map((source) => source.path)).toContain('package-lock.json');

    expect(texts.flatMap(machineTraces)).toEqual([]);
  });

  it('is searched in a way that finds them', () => {
    const path = ['', 'work', 'main', 'src'].join('/');
    const registry = ['https:/', 'registry.example.org', 'left-pad'].join('/');

    expect(caught(machineTraces, `cat ${path}`)).toHaveLength(1);
    expect(caught(machineTraces, `"resolved": "${registry}"`)).toHaveLength(1);
    const harmless = ['docs', 'work', 'notes'].join('/');
    expect(caught(machineTraces, `log in to /home/ubuntu/x or see ${harmless}`)).toEqual([]);
  });
});
