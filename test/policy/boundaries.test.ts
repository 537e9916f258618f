import { describe, expect, it } from 'vitest';
import { importsOf, typescriptIn, type Import } from './sources.ts';
import { cyclesIn, libraryViolations, roomViolations } from './boundary-rules.ts';

const imports = typescriptIn('src', 'commands', 'jobs').flatMap(importsOf);

function importing(from: string, to: string, options: { readonly typeOnly?: boolean } = {}): Import {
  const isPackage = !/\.tsx?$/.test(to);
  return { from, to, isPackage, typeOnly: options.typeOnly ?? false };
}

describe('who may import whom', () => {
  it('holds for every import of src, commands and jobs', () => {
    expect(imports.length).toBeGreaterThan(20);

    expect(roomViolations(imports)).toEqual([]);
  });

  it.each([
    ['domain from errors', importing('src/domain/plan.ts', 'src/errors.ts')],
    ['a file of the catalogue from a step', importing('src/steps/identify.ts', 'src/errors/cards.ts')],
    ['the whole catalogue from a file of it', importing('src/errors/cards.ts', 'src/errors.ts')],
    ['a step from the transport', importing('src/steps/set-secure-boot.ts', 'src/transport/ssh/pool.ts')],
    ['a command from a step', importing('commands/provision.ts', 'src/steps/identify.ts')],
    ['a command from a job other than its payload', importing('commands/provision.ts', 'jobs/provision.ts')],
    ['the engine from the store', importing('src/engine/advance.ts', 'src/store/runs.ts')],
    ['product code from the lab', importing('src/transport/ssh/quote.ts', 'src/lab/rack/server.ts')],
    ['the lab from product code', importing('src/lab/rack/server.ts', 'src/domain/inventory.ts')],
    ['the lab from product code, types only', importing('src/lab/a.ts', 'src/errors.ts', { typeOnly: true })],
    ['a room from the configuration', importing('src/store/redis.ts', 'src/config.ts')],
    ['a room from a composition root', importing('src/queue/queues.ts', 'src/worker.ts')],
    ['the bot from the worker', importing('src/bot.ts', 'src/worker.ts')],
    ['a file of no known room', importing('src/helpers/util.ts', 'src/errors.ts')],
  ])('catches %s', (_title, violation) => {
    expect(roomViolations([violation])).toHaveLength(1);
  });
});

describe('libraries and their owners', () => {
  it('holds for every package imported by src, commands and jobs', () => {
    expect(libraryViolations(imports)).toEqual([]);
  });

  it.each([
    ['ssh2 in a step', importing('src/steps/identify.ts', 'ssh2')],
    ['ssh2 in the Redfish transport', importing('src/transport/redfish/client.ts', 'ssh2')],
    ['axios in the SSH transport', importing('src/transport/ssh/pool.ts', 'axios')],
    ['bullmq in the store', importing('src/store/runs.ts', 'bullmq')],
    ['ioredis in the bot', importing('src/slack/outbox.ts', 'ioredis')],
    ['Bolt in a report', importing('src/report/card.ts', '@slack/bolt')],
    ['block types of Slack at run time in a report', importing('src/report/card.ts', '@slack/types')],
    ['a package nobody has been given', importing('src/report/card.ts', 'left-pad')],
    ['the file system in a pure room', importing('src/report/card.ts', 'node:fs')],
    ['the file system in a file of the catalogue', importing('src/errors/flash.ts', 'node:fs')],
  ])('catches %s', (_title, violation) => {
    expect(libraryViolations([violation])).toHaveLength(1);
  });

  it('lets a report use the types of Slack blocks', () => {
    expect(libraryViolations([importing('src/report/card.ts', '@slack/types', { typeOnly: true })])).toEqual([]);
  });
});

describe('the import graph', () => {
  it('has no cycle', () => {
    expect(cyclesIn(imports)).toEqual([]);
  });

  it('is seen to have one when two files import each other through a third', () => {
    const cycle = cyclesIn([
      importing('src/a/1.ts', 'src/a/2.ts'),
      importing('src/a/2.ts', 'src/a/3.ts'),
      importing('src/a/3.ts', 'src/a/1.ts'),
    ]);

    expect(cycle).toEqual(['src/a/1.ts -> src/a/2.ts -> src/a/3.ts -> src/a/1.ts']);
  });
});

describe('reading imports', () => {
  it('finds plain, type, mixed, side-effect, re-exported and dynamic imports and no commented one', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from '../errors.ts';",
      "import { type C, type D } from '@slack/types';",
      "import { type E, f } from 'zod';",
      "import 'node:fs/promises';",
      "export { g } from './g.ts';",
      "// import { no } from './comment.ts';",
      'const text = "import { no } from \'./text.ts\'";',
      "const late = await import('./late.ts');",
    ].join('\n');

    const found = importsOf({ path: 'src/store/x.ts', text });

    expect(found.map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      ['src/store/a.ts', false],
      ['src/errors.ts', true],
      ['@slack/types', true],
      ['zod', false],
      ['node:fs', false],
      ['src/store/g.ts', false],
      ['src/store/late.ts', false],
    ]);
  });
});
