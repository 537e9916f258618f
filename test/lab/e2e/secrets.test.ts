import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyLineOf, readEscrow } from '../../support/lab/escrow.ts';
import { sampleProcesses, SecretSearch } from '../../support/lab/secret-search.ts';
import { Stack } from '../../support/lab/stack.ts';

const sampleEveryMs = 100;

const startedMs = Date.now();
let stack: Stack;
/** Generated passwords, as the operator reads them from the escrow. */
let passwords: Readonly<Record<string, string>> = {};
/** Command lines and environments seen while the runs went on. */
const processes = new Map<string, string>();

beforeAll(async () => {
  stack = await Stack.start({ hosts: 3, logLevel: 'trace' });
  // The bot has its tokens as settings, which is what an environment is for; nobody else may have anything.
  const bot = stack.processes.groupOf('bot');
  const sampler = setInterval(() => sampleProcesses(processes, bot), sampleEveryMs);
  try {
    await stack.provision('as7');
    await stack.rack.fault('serial-mismatch', 'as8-dpu0');
    const wrong = await stack.order('ana', '/dpu provision as8');
    await stack.approve(wrong);
    await stack.records.waitForRun(wrong, ['needs-human']);
    const refused = await stack.order('ana', '/dpu provision as9');
    await stack.rack.fault('bmc-password-wrong', 'as9-dpu0');
    await stack.approve(refused);
    await stack.records.waitForRun(refused, ['refused']);
    const again = await stack.order('ana', '/dpu provision as7');
    await stack.records.waitForRun(again, ['satisfied']);
    await stack.finishedThread(again);
  } finally {
    clearInterval(sampler);
  }
  passwords = await readEscrow(stack);
}, 120_000);
afterAll(async () => stack.stop());

describe('what the escrow holds', () => {
  it('is one generated password a card, the one that the BMC now has, and only the operator reads it', async () => {
    const current = await stack.rack.card('as7-dpu0');

    expect(Object.keys(passwords).toSorted()).toEqual(['as7_as7-dpu0_bmc', 'as8_as8-dpu0_bmc']);
    expect(passwords['as7_as7-dpu0_bmc']).toBe(current.bmc.rootPassword);
    for (const password of Object.values(passwords)) expect(Buffer.byteLength(password)).toBe(16);
  });
});

describe('no password, key or token', () => {
  it('is in Redis, in any type of value', async () => {
    const search = new SecretSearch(allSecrets());

    await search.lookInRedis(stack.records.space.client);

    expect(search.texts).toBeGreaterThan(20);
    expect(search.finds).toEqual([]);
  });

  it('is in a log at trace level, in the inventory, in a temporary file, or in the escrow', () => {
    const search = new SecretSearch(allSecrets());
    const { folder, identityFile } = stack.places;

    // The lab keeps the state of its pretend devices, and the identity file is the identity.
    search.lookInFiles(folder, (path) => path === identityFile || path === join(folder, 'lab', 'rack'));

    expect(search.texts).toBeGreaterThan(6);
    // Finer than `info`, so the level is really in force.
    expect(logText()).toContain('"level":20');
    // The lab tells whoever starts it the tokens of its own pretend Slack.
    expect(search.finds.filter((find) => !(find.place.includes('lab-1.log') && find.secret.endsWith('Token')))).toEqual(
      [],
    );
  });

  it('is in a file that appeared in the temporary folder of the machine meanwhile', () => {
    const search = new SecretSearch(allSecrets());

    const isOld = (path: string): boolean => statSync(path).mtimeMs < startedMs;
    search.lookInFiles(tmpdir(), (path) => path === stack.places.folder || isOld(path));

    expect(search.finds).toEqual([]);
  });

  it('was shown to anybody in the chat', () => {
    const search = new SecretSearch(allSecrets());

    for (const [index, event] of stack.people.everything.entries()) search.look(`event ${index}`, event);

    expect(search.texts).toBeGreaterThan(30);
    expect(search.finds).toEqual([]);
  });

  it("was on a command line, or in an environment other than the bot's own, while runs went on", () => {
    const search = new SecretSearch(allSecrets());

    for (const [text, place] of processes) search.look(place, text);

    const worker = stack.processes.groupOf('worker').map((pid) => `/proc/${pid}/environ`);
    // Guard and worker have the same environment, which is kept once.
    expect([...processes.values()].some((place) => worker.includes(place))).toBe(true);
    expect(search.finds).toEqual([]);
  });
});

describe('the search itself', () => {
  it('finds a canary in every place, and in every form', async () => {
    const canary = 'cANARY+/"\\ü 16%b';
    const search = new SecretSearch({ canary });
    const { client } = stack.records.space;
    const folder = join(stack.places.temporary, 'deep', 'down');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'file'), Buffer.from(`x${canary}yz`).toString('base64'));
    await client.xadd('canary-stream', '*', 'event', JSON.stringify({ text: JSON.stringify({ canary }) }));
    await client.hset('canary-hash', 'a', encodeURIComponent(canary));
    const child = spawn('sleep', ['60'], {
      argv0: `sleep ${canary}`,
      env: { PATH: process.env['PATH'], CANARY: canary },
    });
    await once(child, 'spawn');

    await search.lookInRedis(client);
    search.lookInFiles(stack.places.folder, () => false);
    const seen = new Map<string, string>();
    sampleProcesses(seen, []);
    for (const [text, place] of seen) search.look(place, text);
    search.look('event', JSON.stringify({ text: canary }));
    child.kill('SIGKILL');
    await client.del('canary-stream', 'canary-hash');

    const places = new Set(search.finds.map((find) => find.place));
    expect([...places].toSorted()).toEqual(
      [
        `/proc/${child.pid}/cmdline`,
        `/proc/${child.pid}/environ`,
        'event',
        'redis canary-hash',
        'redis canary-stream',
        join(folder, 'file'),
      ].toSorted(),
    );
  });
});

function allSecrets(): Record<string, string> {
  const { ageIdentity, privateKey, botToken, appToken } = stack.secrets;
  return { ageIdentity, privateKey, keyLine: keyLineOf(privateKey), botToken, appToken, ...passwords };
}

function logText(): string {
  const { logs } = stack.places;
  return readdirSync(logs)
    .filter((name) => name.startsWith('worker') || name.startsWith('bot'))
    .map((name) => readFileSync(join(logs, name), 'utf8'))
    .join('\n');
}
