import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/main.ts';
import { sampleText } from '../commands/sample-inventory.ts';
import { temporaryFiles, testIo } from './rig.ts';

let files: ReturnType<typeof temporaryFiles>;
beforeEach(() => {
  files = temporaryFiles();
});
afterEach(() => files.remove());

describe('dpubot', () => {
  test('without words shows the usage and ends with 2, with --help it ends with 0', async () => {
    const bare = testIo();
    const help = testIo();

    expect(await runCli([], bare)).toBe(2);
    expect(await runCli(['--help'], help)).toBe(0);
    expect(bare.text()).toContain('dpubot inventory check FILE');
    expect(help.text()).toBe(bare.text());
  });

  test.each([
    ['an unknown word', ['frobnicate'], 'there is no command "frobnicate"'],
    ['a typo', ['inventory', 'chek'], 'did you mean "inventory check"?'],
    ['a name every object has', ['constructor'], 'there is no command "constructor"'],
    ['a missing file', ['inventory', 'check'], 'inventory check: something is missing'],
    ['a secret on the command line', ['credentials', 'import', 'a', 'file', 'secret'], 'is one word too many'],
    ['an unknown option', ['audit', '--all'], "Unknown option '--all'"],
    ['a limit of nothing', ['audit', '--limit', '0'], '--limit is 1 to 10000'],
  ])('ends with 2 and the usage on %s', async (_what, argv, expected) => {
    const io = testIo();

    expect(await runCli(argv, io)).toBe(2);
    expect(io.errLines.join('\n')).toContain(expected);
    expect(io.errLines.join('\n')).toContain('Usage:');
  });

  test('the bot names every missing setting and ends with 1', async () => {
    const io = testIo();
    const path = files.write('bot.env', 'SLACK_APP_TOKEN=wrong\n');

    expect(await runCli(['bot', '--env-file', path], io)).toBe(1);
    expect(io.started).toEqual([]);
    expect(io.text()).toContain('SLACK_BOT_TOKEN is missing');
    expect(io.text()).toContain('SLACK_APP_TOKEN must be an app-level token');
  });

  test('the bot is started with the settings of its env file', async () => {
    const io = testIo();
    const settings = 'REDIS_URL=redis://r\nDPUBOT_INVENTORY=i.yaml\nSLACK_BOT_TOKEN=xoxb-1\nSLACK_APP_TOKEN=xapp-1\n';

    expect(await runCli(['bot', '--env-file', files.write('bot.env', settings)], io)).toBe(0);
    expect(io.started).toEqual([
      expect.objectContaining({ slack: expect.objectContaining({ apiUrl: expect.any(String) }) }),
    ]);
  });

  test('a worker with a Slack token in its env file is refused', async () => {
    const io = testIo();
    const path = files.write('worker.env', 'SLACK_BOT_TOKEN=xoxb-1\n');

    expect(await runCli(['worker', '--env-file', path], io)).toBe(1);
    expect(io.text()).toContain('a worker must not have it');
  });
});

describe('dpubot inventory', () => {
  test('check shows every card and who may do what, and ends with 0', async () => {
    const io = testIo();

    expect(await runCli(['inventory', 'check', files.write('i.yaml', sampleText)], io)).toBe(0);

    expect(io.text()).toMatch(/lab +rack1 +host-b +dpu-b1 +default +ops@10\.0\.0\.2:22 via host-a +10\.0\.1\.3:443/);
    expect(io.text()).toMatch(/approve destructive +2 of approvers \(UBEN, UCLEO, UDAN\)/);
    expect(io.text()).toMatch(/operate +operators \(UANA, UBEN, group SOPS\)/);
    expect(io.text()).not.toContain('warn');
  });

  test('check names file, line and column of each problem and ends with 1', async () => {
    const io = testIo();
    const path = files.write('i.yaml', sampleText.replace('profile: quick', 'profile: quik'));

    expect(await runCli(['inventory', 'check', path], io)).toBe(1);

    expect(io.outLines).toEqual([
      `${path}:23:14 hosts.host-c.profile: there is no profile "quik"; did you mean quick?`,
    ]);
    expect(io.errLines).toEqual(['1 problem']);
  });

  test('check warns of an approval that can never be given', async () => {
    const io = testIo();
    const path = files.write('i.yaml', sampleText.replace('[UBEN, UCLEO, UDAN]', '[UBEN]'));

    expect(await runCli(['inventory', 'check', path], io)).toBe(0);
    expect(io.text()).toContain('warn  destructive work can never be approved: it needs 2 of approvers, which has 1');
  });

  test('check of a file that is not there ends with 1', async () => {
    const io = testIo();

    expect(await runCli(['inventory', 'check', '/nowhere.yaml'], io)).toBe(1);
    expect(io.text()).toContain('the file cannot be read');
  });

  test('schema prints JSON', async () => {
    const io = testIo();

    expect(await runCli(['inventory', 'schema'], io)).toBe(0);
    expect(JSON.parse(io.text())).toMatchObject({ type: 'object', required: expect.arrayContaining(['hosts']) });
  });
});
