import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Inventory } from '../../src/domain/inventory.ts';
import type { OpsError } from '../../src/errors.ts';
import type { InventoryWatch } from '../../src/inventory-file.ts';
import { checkInventoryText, inventoryJsonSchema, loadInventory, watchInventory } from '../../src/inventory-file.ts';
import { sampleText } from './commands/sample-inventory.ts';

/** Problems of the sample after a replacement that must apply. */
function problemsAfter(...changes: readonly (readonly [string, string])[]): readonly string[] {
  let text = sampleText;
  for (const [from, to] of changes) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  const result = checkInventoryText(text);
  return result.ok ? [] : result.problems;
}

describe('checkInventoryText', () => {
  test('accepts the sample and fills in defaults', () => {
    const result = checkInventoryText(sampleText);

    expect(result).toMatchObject({
      ok: true,
      inventory: { hosts: { 'host-a': { ssh: { port: 22 }, dpus: [{ bmc: { port: 443, via: 'direct' } }] } } },
    });
  });

  test.each([
    [
      'an unknown site',
      ['site: lab\n    rack: rack1', 'site: labb\n    rack: rack1'],
      '7:11 hosts.host-a.site: there is no site "labb"; did you mean lab?',
    ],
    [
      'an unknown profile',
      ['profile: quick', 'profile: quik'],
      '23:14 hosts.host-c.profile: there is no profile "quik"; did you mean quick?',
    ],
    [
      'a jump host that does not exist',
      ['jump: host-a', 'jump: host-x'],
      'hosts.host-b.ssh.jump: there is no host "host-x"',
    ],
    ['a host that jumps through itself', ['jump: host-a', 'jump: host-b'], 'a host cannot be its own jump host'],
    ['a card name used twice', ['name: dpu-b1', 'name: dpu-a'], 'dpu-a is also the name of a DPU of host-a'],
    ['a card named like a host', ['name: dpu-c', 'name: host-a'], 'host-a is also the name of host host-a'],
    ['a host named like a rack', ['rack: rack2', 'rack: host-a'], 'host-a is also the name of the rack of host-c'],
    ['two cards without serial', ['serial: MT0001, ', ''], 'dpu-b0 needs serial or pciAddress: host-b has 2 cards'],
    ['a serial used twice', ['serial: MT0002', 'serial: MT0001'], 'dpu-b1 and dpu-b0 have the same serial'],
    ['a BMC address used twice', ['address: 10.0.1.3', 'address: 10.0.1.2'], 'dpu-b1 and dpu-b0 have the same bmc'],
    [
      'a cable to an unknown card',
      ['dpu-b0/p0', 'dpu-x/p0'],
      'links.0.1: there is no DPU "dpu-x"; did you mean dpu-a?',
    ],
    ['a cable to a port that no card has', ['dpu-b0/p0', 'dpu-b0/p2'], 'dpu-b0/p2 is not of the form DPU/p0 or DPU/p1'],
    ['a cable from a port to itself', ['dpu-b0/p0', 'dpu-a/p0'], 'dpu-a/p0 has two cables'],
    [
      'an unknown role in the policy',
      ['administer: [admins]', 'administer: [admin]'],
      'policy.administer.0: there is no role "admin"; did you mean admins?',
    ],
    [
      'an unknown approver role',
      ['disruptive: { role: approvers', 'disruptive: { role: bosses'],
      'there is no role "bosses"',
    ],
    [
      'a channel that is neither id nor name',
      ["'#fleet'", 'fleet'],
      'fleet is neither a channel id (C0123ABCD) nor a #name',
    ],
    ['a misspelt setting', ['user: ops, key', 'usr: ops, key'], '9:31 hosts.host-a.ssh.usr: is not a known setting'],
    ['a missing setting', ['recipient: age1', 'recipiend: age1'], 'sites.lab.recipient: is missing'],
    ['a host key that is no fingerprint', ['SHA256:AAAA', 'AAAA'], "as `ssh-keygen -lf` prints it: 'SHA256:...'"],
    ['a host name in capitals', ['host-c:', 'Host-C:'], 'hosts.Host-C: the name does not fit: use lower-case letters'],
    ['a key given twice', ['channels:', 'version: 1\nchannels:'], 'Map keys must be unique'],
    ['text that is no YAML', ['version: 1', 'version: [1'], '3:1'],
  ] as const)('finds %s and points at it', (_what, change, expected) => {
    const problems = problemsAfter(change);

    expect(problems.join('\n')).toContain(expected);
    for (const problem of problems) expect(problem).toMatch(/^\d+:\d+ /);
  });

  test('reports all problems at once, in the order of the file', () => {
    const problems = problemsAfter(
      ['site: lab\n    rack: rack1', 'site: labb\n    rack: rack1'],
      ['profile: quick', 'profile: quik'],
      ['votes: 2', 'votes: 9'],
      ['user: ops, key', 'usr: ops, key'],
    );

    const lines = problems.map((problem) => Number(problem.split(':')[0]));
    expect(problems.length).toBeGreaterThanOrEqual(4);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });

  test('one broken host does not hide what is wrong with another', () => {
    const problems = problemsAfter(['key: ssh-ops', 'key: 17'], ['profile: quick', 'profile: quik']).join('\n');

    expect(problems).toContain('hosts.host-a.ssh.key');
    expect(problems).toContain('hosts.host-c.profile');
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('a simulated site may have %s', (address) => {
    const simulated = { ...fleet('lab: { simulated: true, recipient', address) };

    expect(checkInventoryText(simulated.text)).toMatchObject({ ok: true });
  });

  test('a simulated site with an address of the real world is refused at each such address', () => {
    const problems = problemsAfter(['lab: { recipient', 'lab: { simulated: true, recipient']).join('\n');

    expect(problems).toContain(
      'hosts.host-a.ssh.address: 10.0.0.1 is not a loopback address, but site lab is simulated',
    );
    expect(problems).toContain('hosts.host-b.dpus.1.bmc.address: 10.0.1.3 is not a loopback address');
    expect(problems).not.toContain('auto is not');
  });

  test.each(['', 'null', '[]', '42', 'hosts: 7', '? [a, b]\n: c', 'a: &a [*a]'])(
    'refuses "%s" without falling over',
    (text) => {
      expect(checkInventoryText(text).ok).toBe(false);
    },
  );

  test('never throws, whatever the text', () => {
    const lines = sampleText.split('\n');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.shuffledSubarray(lines).map((some) => some.join('\n')),
        ),
        (text) => {
          expect(typeof checkInventoryText(text).ok).toBe('boolean');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a bomb of aliases is refused', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg'].map((pair) => [pair[0], pair[1]]))
      bomb.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(', ')}]`);

    expect(checkInventoryText(bomb.join('\n')).ok).toBe(false);
  });
});

function fleet(site: string, address: string): { readonly text: string } {
  const text = sampleText
    .replace('lab: { recipient', site)
    .replaceAll(/address: (10[\d.]+)/g, () => `address: "${address}"`)
    .replaceAll(/bmc: \{ address: "/g, 'bmc: { port: 1, address: "');
  let port = 5000;
  return { text: text.replaceAll('port: 1,', () => `port: ${port++},`) };
}

describe('loadInventory', () => {
  test('names a file that is not there', async () => {
    await expect(loadInventory('/nowhere/inventory.yaml')).rejects.toThrow('the file cannot be read');
  });

  test('loads the example of the repository', async () => {
    const inventory = await loadInventory(new URL('../../examples/inventory.yaml', import.meta.url).pathname);

    expect(Object.keys(inventory.hosts).length).toBeGreaterThan(1);
  });
});

test('the JSON Schema lets editors leave out what has a default', () => {
  const schema = JSON.stringify(inventoryJsonSchema());

  expect(schema).toContain('"hostKeys"');
  expect(schema).toContain('"required":["address","key","hostKeys"]');
});

describe('watchInventory', () => {
  let directory = '';
  let path = '';
  let watching: InventoryWatch | undefined;
  const good: Inventory[] = [];
  const bad: OpsError[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dpubot-inventory-'));
    path = join(directory, 'inventory.yaml');
    await writeFile(path, sampleText);
    good.length = 0;
    bad.length = 0;
  });

  afterEach(async () => {
    watching?.stop();
    await rm(directory, { recursive: true });
  });

  async function start(file = path): Promise<void> {
    const known = await loadInventory(file);
    watching = watchInventory(
      file,
      (inventory) => good.push(inventory),
      (error) => bad.push(error),
      { known, pollMs: 50, debounceMs: 10 },
    );
  }

  const channelsOf = (name: string): string => sampleText.replace("'#fleet'", `'#${name}'`);
  const lastChannels = (): readonly string[] | undefined => good.at(-1)?.channels;

  test('tells of a changed file', async () => {
    await start();

    await writeFile(path, channelsOf('other'));

    await vi.waitFor(() => expect(lastChannels()).toEqual(['C0FLEET1', '#other']), 5000);
  });

  test('tells of a broken file once and of the next good state, and of nothing where only comments changed', async () => {
    await start();

    await writeFile(path, 'version: 2');
    await vi.waitFor(() => expect(bad).toHaveLength(1), 5000);
    await writeFile(path, `# a comment\n${channelsOf('third')}`);
    await vi.waitFor(() => expect(lastChannels()).toEqual(['C0FLEET1', '#third']), 5000);
    await writeFile(path, `# another comment\n${channelsOf('third')}`);
    await writeFile(join(directory, 'probe'), '');
    await rename(join(directory, 'probe'), join(directory, 'probe2'));
    await writeFile(path, channelsOf('fourth'));
    await vi.waitFor(() => expect(lastChannels()).toEqual(['C0FLEET1', '#fourth']), 5000);

    expect(good).toHaveLength(2);
    expect(bad[0]?.code).toBe('inventory-invalid');
  });

  test('goes on seeing changes after the file was replaced by rename, twice', async () => {
    await start();

    for (const name of ['one', 'two']) {
      await writeFile(`${path}.new`, channelsOf(name));
      await rename(`${path}.new`, path);
      await vi.waitFor(() => expect(lastChannels()).toEqual(['C0FLEET1', `#${name}`]), 5000);
    }
  });

  test('sees the switch of a symlink, as ConfigMaps do it', async () => {
    const link = join(directory, 'current.yaml');
    await writeFile(join(directory, 'v2.yaml'), channelsOf('v2'));
    await symlink(path, link);
    await start(link);

    await symlink(join(directory, 'v2.yaml'), `${link}.new`);
    await rename(`${link}.new`, link);

    await vi.waitFor(() => expect(lastChannels()).toEqual(['C0FLEET1', '#v2']), 5000);
  });

  test('a deleted file is a broken one', async () => {
    await start();

    await rm(path);

    await vi.waitFor(() => expect(bad).toHaveLength(1), 5000);
    expect(await readFile(join(directory, 'inventory.yaml'), 'utf8').catch(() => 'gone')).toBe('gone');
  });
});
