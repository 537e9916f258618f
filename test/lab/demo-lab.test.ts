import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { afterEach, describe, expect, it } from 'vitest';
import { Inventory, sliceOf } from '../../src/domain/inventory.ts';
import { startControl, type RunningControl } from '../../src/lab/control.ts';
import { labInventory } from '../../src/lab/inventory.ts';

const recipient = `age1${'q'.repeat(58)}`;
const repository = fileURLToPath(new URL('../..', import.meta.url));

describe('the inventory of the lab', () => {
  const host = (name: string, port: number) => ({
    name,
    rack: 'rack1',
    bmc: { address: '127.0.0.1', port: port + 3, user: 'root', certSha256: 'ab'.repeat(32) },
    ssh: { address: '127.0.0.1', port, user: 'ops', hostKeys: [`SHA256:${'A'.repeat(43)}`] },
    cards: [
      {
        name: `${name}-dpu0`,
        serial: `MT-${name}`,
        bmc: { address: '127.0.0.1', port: port + 1 },
        arm: { address: '127.0.0.1', port: port + 2 },
      },
    ],
  });
  const options = {
    recipient,
    hosts: [host('as7', 4000), host('as8', 5000)],
    links: [['as7-dpu0/p0', 'as8-dpu0/p0']],
    groups: { operators: 'S1', approvers: 'S2', admins: 'S3' },
    credentials: { ssh: 'ssh-ops', hostBmc: 'host-bmc', tailscale: 'tailscale', ipsecPsk: 'ipsec-psk' },
  } as const;
  const text = labInventory(options);

  it('is one that dpubot takes, on a simulated site', () => {
    const inventory = Inventory.parse(parse(text));

    expect(inventory.sites).toEqual({ lab: { simulated: true, testbed: false, recipient, windows: [] } });
    expect(Object.keys(inventory.hosts)).toEqual(['as7', 'as8']);
    expect(inventory.policy.approvals.disruptive.role).toBe('approvers');
    expect(inventory.roles.approvers?.userGroups).toEqual(['S2']);
  });

  it('reaches one BMC directly and the other through its host, and gives away neither serial nor pin', () => {
    const dpus = Object.values(Inventory.parse(parse(text)).hosts).flatMap((entry) => entry.dpus);

    expect(dpus.map((dpu) => dpu.bmc.via)).toEqual(['direct', 'host']);
    expect(dpus.map((dpu) => [dpu.serial, dpu.bmc.certSha256])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('wants everything of a whole rack: the unsigned image of the quest, DOCA, and activation through the host', () => {
    const whole = Inventory.parse(parse(labInventory({ ...options, whole: { imageFolder: '/images' } })));

    const slice = sliceOf(whole, 'as7');

    expect(slice.hostProfile).toMatchObject({ image: 'bf-2.9.2-patched', activation: 'host-bmc' });
    expect(slice.images['bf-2.9.2-patched']).toMatchObject({ signed: false, docaVersion: '2.9.2' });
    expect(slice.entry.bmc?.password).toBe('host-bmc');
  });

  it('has a pair for the cable, with a data path and a shared key by reference', () => {
    const whole = Inventory.parse(parse(labInventory({ ...options, whole: { imageFolder: '/images' } })));

    const slice = sliceOf(whole, 'as7', { pairAsked: 'wire1' });

    expect(slice.pair?.ends.map(({ host, card, port }) => [host, card, port])).toEqual([
      ['as7', 'as7-dpu0', 'p0'],
      ['as8', 'as8-dpu0', 'p0'],
    ]);
    expect(slice.hostProfile).toMatchObject({
      dataPath: { hwOffload: true, bridges: [{ name: 'ovsbr1', ports: ['p0', 'pf0hpf'] }] },
      ipsec: { mode: 'transport', offload: 'packet', auth: { kind: 'psk', secret: 'ipsec-psk' }, fullOffload: true },
    });
    expect(labInventory({ ...options, links: [['as7-dpu0/p1', 'as8-dpu0/p1']] })).toContain('pairs: {}');
  });
});

describe('the switches of the lab', () => {
  const running: RunningControl[] = [];
  afterEach(async () => {
    for (const control of running.splice(0)) await control.close();
  });

  async function start(): Promise<{ url: string; faults: Map<string, object>; done: string[] }> {
    const faults = new Map<string, object>();
    const done: string[] = [];
    const control = await startControl({
      state: () => ({ secret: 1 }),
      comparable: () => ({ hosts: [] }),
      lines: () => ['as7: true'],
      faults: () => [...faults.values()],
      setFault: (fault) => {
        if (fault.name === 'unknown') throw new Error('Unknown fault "unknown".');
        faults.set(fault.name, fault);
      },
      clearFault: (name, target) => {
        done.push(`clear ${name} ${target ?? 'everywhere'}`);
        faults.delete(name);
      },
      rebootHost: (name) => done.push(`reboot ${name}`),
      powerCycleHost: (name) => done.push(`power cycle ${name}`),
      unplugHost: (name) => done.push(`unplug ${name}`),
    });
    running.push(control);
    return { url: control.url, faults, done };
  }

  const json = { 'content-type': 'application/json' };

  it('switch a fault on and off, and list what is on', async () => {
    const { url } = await start();
    const fault = { name: 'redfish-503', target: 'as7-dpu0', uses: 2 };

    const set = await fetch(`${url}/faults`, { method: 'POST', headers: json, body: JSON.stringify(fault) });
    const listed: unknown = await (await fetch(`${url}/faults`)).json();
    const cleared = await fetch(`${url}/faults/redfish-503`, { method: 'DELETE' });

    expect(await set.json()).toEqual([fault]);
    expect(listed).toEqual([fault]);
    expect(await cleared.json()).toEqual([]);
  });

  it('clear a fault for one target, and restart a host, take its power away or pull its cable', async () => {
    const { url, done } = await start();

    for (const [method, path] of [
      ['DELETE', '/faults/dpkg-lock?target=as8'],
      ['DELETE', '/faults/dpkg-lock'],
      ['POST', '/hosts/as7/reboot'],
      ['POST', '/hosts/as8/power-cycle'],
      ['POST', '/hosts/as8/unplug'],
    ] as const)
      expect((await fetch(`${url}${path}`, { method })).status).toBe(200);

    expect(done).toEqual([
      'clear dpkg-lock as8',
      'clear dpkg-lock everywhere',
      'reboot as7',
      'power cycle as8',
      'unplug as8',
    ]);
  });

  it('show the whole state of the rack, the part that only a write changes, and what was run on its machines', async () => {
    const { url } = await start();

    expect(await (await fetch(`${url}/rack/state`)).json()).toEqual({ secret: 1 });
    expect(await (await fetch(`${url}/rack/comparable`)).json()).toEqual({ hosts: [] });
    expect(await (await fetch(`${url}/rack/lines`)).json()).toEqual(['as7: true']);
  });

  it.each([
    ['an unknown fault', json, JSON.stringify({ name: 'unknown' })],
    ['a fault without a name', json, '{}'],
    ['something that is not JSON', json, '{'],
    ['a form that a web page could send', { 'content-type': 'text/plain' }, JSON.stringify({ name: 'redfish-503' })],
  ])('refuse %s with a sentence', async (_title, headers, body) => {
    const { url, faults } = await start();

    const response = await fetch(`${url}/faults`, { method: 'POST', headers, body });

    expect(response.status).toBe(400);
    expect(await response.json()).toHaveProperty('error');
    expect(faults.size).toBe(0);
  });

  it('say 404 for a path they do not have', async () => {
    const { url } = await start();

    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });
});

describe('the process of the lab', () => {
  it('says in one line where everything is, and ends when the process that started it is gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dpubot-lab-'));
    const lab = spawn(
      process.execPath,
      ['--import', 'tsx', 'src/lab/main.ts', '--dir', folder, '--recipient', recipient, '--time-factor', '120'],
      { cwd: repository, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    try {
      const [line] = (await once(createInterface(lab.stdout), 'line')) as [string];
      const ready = JSON.parse(line) as { readonly inventory: string; readonly control: string };
      const inventory = Inventory.parse(parse(readFileSync(ready.inventory, 'utf8')));
      const state = await fetch(`${ready.control}/rack/comparable`);

      lab.stdin.end();
      const [code] = (await once(lab, 'exit')) as [number | null];

      const racks = Object.values(inventory.hosts).map((host) => host.rack);
      expect(racks.toSorted()).toEqual(['rack1', 'rack1', 'rack2', 'rack2', 'rack2', 'rack2', 'rack2']);
      expect(inventory.links).toEqual([['as7-dpu0/p0', 'as8-dpu0/p0']]);
      expect(state.status).toBe(200);
      expect(code).toBe(0);
    } finally {
      lab.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
