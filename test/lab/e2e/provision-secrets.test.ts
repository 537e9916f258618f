import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { keyLineOf, readEscrow } from '../../support/lab/escrow.ts';
import { sampleProcesses, SecretSearch } from '../../support/lab/secret-search.ts';
import { Stack } from '../../support/lab/stack.ts';
import { order, resume } from '../../support/lab/troubled-provision.ts';

const sampleEveryMs = 100;
const Rack = z.object({
  hosts: z.array(z.object({ name: z.string(), log: z.array(z.string()), files: z.record(z.string(), z.unknown()) })),
  cards: z.array(z.object({ name: z.string(), armOs: z.object({ passwordHash: z.string() }) })),
});

const startedMs = Date.now();
let stack: Stack;
let rack: z.infer<typeof Rack>;
let secrets: Readonly<Record<string, string>> = {};
/** Command lines and environments seen while the runs went on. */
const processes = new Map<string, string>();

beforeAll(async () => {
  // The BMC of as7 is spoken to directly, the one of as8 through its host.
  stack = await Stack.start({ hosts: 2, whole: true, timeFactor: 240, logLevel: 'trace' });
  const bot = stack.processes.groupOf('bot');
  const sampler = setInterval(() => sampleProcesses(processes, bot), sampleEveryMs);
  try {
    const well = await order(stack, 'as7');
    const badly = await order(stack, 'as8');
    await stack.rack.fault('installer-critical', 'as8-dpu0');
    await stack.approve(well.id);
    await stack.approve(badly.id);
    await stack.records.waitForRun(badly.id, ['failed'], 60_000);
    await resume(badly);
    for (const { id } of [well, badly]) await stack.records.waitForRun(id, ['done'], 60_000);
    for (const { id } of [well, badly]) await stack.finishedThread(id);
  } finally {
    clearInterval(sampler);
  }
  rack = Rack.parse(await stack.rack.snapshot());
  secrets = await allSecrets();
}, 180_000);
afterAll(async () => stack.stop());

describe('what the search starts from', () => {
  it('is every secret of a whole provision', () => {
    const hashes = rack.cards.map(({ armOs }) => armOs.passwordHash);

    expect(hashes).toEqual([expect.stringMatching(/^\$6\$/), expect.stringMatching(/^\$6\$/)]);
    expect(Object.keys(secrets).toSorted()).toEqual(
      [
        'ageIdentity',
        'appToken',
        'as7_as7-dpu0_arm',
        'as7_as7-dpu0_bmc',
        'as7-dpu0-hash',
        'as8_as8-dpu0_arm',
        'as8_as8-dpu0_bmc',
        'as8-dpu0-hash',
        'botToken',
        'host-bmc',
        'ipsec-psk',
        'keyLine',
        'privateKey',
        'tailscale',
      ].toSorted(),
    );
  });
});

describe('after a whole provision, one of them with a failure, no secret', () => {
  it('is in Redis in clear, journals and snippets included', async () => {
    const search = new SecretSearch(secrets);

    await search.lookInRedis(stack.records.space.client);

    expect(search.texts).toBeGreaterThan(20);
    expect(search.finds).toEqual([]);
  });

  it('is in a log at trace level, in a file of dpubot, or in a temporary file of the machine', () => {
    const search = new SecretSearch(secrets);
    const elsewhere = new SecretSearch(Object.fromEntries(Object.entries(secrets).filter(([name]) => !isLabs(name))));
    const { folder, identityFile } = stack.places;

    search.lookInFiles(folder, (path) => path === identityFile || path === join(folder, 'lab', 'rack'));
    elsewhere.lookInFiles(tmpdir(), (path) => path === folder || statSync(path).mtimeMs < startedMs);

    expect(search.texts).toBeGreaterThan(6);
    // It tells them to who starts it, and has two of them in its source, which is kept here in compiled form.
    const own = search.finds.filter(({ place, secret }) => isLabs(secret) && /lab-1\.log$|\/tsx-\d+\//.test(place));
    expect(search.finds.filter((find) => !own.includes(find))).toEqual([]);
    expect(elsewhere.finds).toEqual([]);
  });

  it('was shown to anybody in the chat', () => {
    const search = new SecretSearch(secrets);

    for (const [index, event] of stack.people.everything.entries()) search.look(`event ${index}`, event);

    expect(search.texts).toBeGreaterThan(50);
    expect(search.finds).toEqual([]);
  });

  it('was on a command line of this machine, or in an environment other than that of the bot', () => {
    const search = new SecretSearch(secrets);

    for (const [text, place] of processes) search.look(place, text);

    expect(search.texts).toBeGreaterThan(3);
    expect(search.finds).toEqual([]);
  });

  it('was on a command line of a host or an Arm', async () => {
    const search = new SecretSearch(secrets);
    const lines = await stack.rack.lines();

    for (const line of lines) search.look(line.slice(0, 60), line);

    expect(lines.filter((line) => line.startsWith('as7:')).length).toBeGreaterThan(100);
    expect(lines.filter((line) => line.startsWith('as7-dpu0:')).length).toBeGreaterThan(10);
    expect(lines.filter((line) => line.includes('tailscale up'))).not.toEqual([]);
    expect(search.finds).toEqual([]);
  });

  it('is left in a file or in the journal of a host', () => {
    const search = new SecretSearch(secrets);

    for (const { name, files, log } of rack.hosts) {
      for (const [path, node] of Object.entries(files))
        search.look(`${name}:${path}`, `${path}\n${JSON.stringify(node)}`);
      search.look(`${name}: journal`, log.join('\n'));
    }

    expect(search.texts).toBeGreaterThan(100);
    expect(search.finds).toEqual([]);
  });
});

/** What the lab's pretend Slack and its pretend devices take. */
function isLabs(secret: string): boolean {
  return ['botToken', 'appToken', 'host-bmc', 'ipsec-psk', 'tailscale'].includes(secret);
}

async function allSecrets(): Promise<Record<string, string>> {
  const { ageIdentity, privateKey, botToken, appToken } = stack.secrets;
  const hashes = Object.fromEntries(rack.cards.map(({ name, armOs }) => [`${name}-hash`, armOs.passwordHash]));
  const keyLine = keyLineOf(privateKey);
  const own = { ageIdentity, privateKey, keyLine, botToken, appToken };
  return { ...own, ...stack.lab.credentials, ...hashes, ...(await readEscrow(stack)) };
}
