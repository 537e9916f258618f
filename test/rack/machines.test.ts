import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../scripts/lib/children.mjs';
import { judgeCardUse } from '../../src/facts/card-use-judge.ts';
import { readCardUse } from '../../src/facts/card-use.ts';
import { readMachine } from '../../src/facts/arm-machine.ts';
import { readHostSystem } from '../../src/facts/host-system.ts';
import { readLinks } from '../../src/facts/links.ts';
import { readPciCards } from '../../src/facts/pci-cards.ts';
import { eventually } from '../support/lab/eventually.ts';
import { cards, machineNames } from './support/layout.ts';
import { Rack } from './support/rack.ts';
import { Sessions } from './support/sessions.ts';

const { signal } = new AbortController();

/** What shows that a rack is there: its link here, its processes, its folder. */
function tracesOf({ link, folder }: Pick<Rack, 'link' | 'folder'>): readonly string[] {
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && commandLine(entry).includes(folder));
  return [
    ...(existsSync(`/sys/class/net/${link}`) ? [link] : []),
    ...(existsSync(folder) ? [folder] : []),
    ...processes.map((pid) => `process ${pid}`),
  ];
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('a rack', () => {
  it('leaves nothing behind when it is told to end', async () => {
    const rack = await Rack.start();
    const before = tracesOf(rack);

    await rack.stop();

    expect(before.length).toBeGreaterThanOrEqual(6);
    expect(tracesOf(rack)).toEqual([]);
  });

  it('goes with whoever started it, also when that is killed outright', async () => {
    const program = `
      const { Rack } = await import('./test/rack/support/rack.ts');
      const { link, folder } = await Rack.start();
      console.log(JSON.stringify({ link, folder }));
      setInterval(() => {}, 1000);`;
    const argv = ['--import', 'tsx', '--input-type=module', '-e', program];
    const starter = spawn(process.execPath, argv, { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve) => starter.stdout.once('data', (data) => resolve(String(data))));
    const rack = JSON.parse(line) as Pick<Rack, 'link' | 'folder'>;
    expect(tracesOf(rack).length).toBeGreaterThanOrEqual(6);

    starter.kill('SIGKILL');

    await eventually(
      'the end of the rack',
      () => (tracesOf(rack).length === 0 ? true : undefined),
      10_000,
      () => tracesOf(rack).join(', '),
    );
  });
});

describe('two racks side by side', () => {
  let racks: readonly Rack[];
  beforeAll(async () => {
    racks = await Promise.all([Rack.start(), Rack.start()]);
  });
  afterAll(async () => {
    await Promise.all(racks.map(async (rack) => rack.stop()));
  });

  it('do not meet', async () => {
    const [one, other] = racks as [Rack, Rack];

    await one.sh('dpu-a', 'ip addr add 10.0.0.1/30 dev p0; ovs-vsctl add-br only-here; touch /etc/only-here');

    expect(one.subnet).not.toBe(other.subnet);
    expect(await other.sh('dpu-a', 'ip -br addr show dev p0; ovs-vsctl list-br; ls /etc')).not.toMatch(
      /10\.0\.0\.1|only-here/,
    );
    expect(existsSync('/etc/only-here')).toBe(false);
    const reached = await one.run('host-a', ['ping', '-c', '1', '-W', '1', other.address('host-a')]);
    expect(reached.exitCode).not.toBe(0);
  });
});

describe('the machines of a rack, over real SSH', () => {
  let rack: Rack;
  let sessions: Sessions;
  beforeAll(async () => {
    rack = await Rack.start();
    sessions = await Sessions.open(rack);
  });
  afterAll(async () => {
    await sessions.close();
    await rack.stop();
  });

  it('are machines of their own: name, processes, files, network', async () => {
    const names = await Promise.all(machineNames.map(async (name) => rack.sh(name, 'hostname; cat /etc/hostname')));

    expect(names).toEqual(machineNames.map((name) => `${name}\n${name}\n`));
    const processes = await rack.sh('host-a', 'ps -e -o args=');
    expect(processes).toContain('sshd');
    expect(processes).not.toContain('ovs-vswitchd');
  });

  it('show dpubot a host with one card that nobody uses', async () => {
    const host = await sessions.host('host-a');

    const system = await readHostSystem(host, signal);
    const [card, ...others] = await readPciCards(host, signal);
    const use = judgeCardUse(await readCardUse(host, '0000:e1:00.0', signal));

    expect(system.machine).toBe('x86_64');
    expect(others).toEqual([]);
    expect(card).toMatchObject({
      pciAddress: '0000:e1:00.0',
      serial: cards['dpu-a'].serial,
      partNumber: '900-9D3B6-00CV-AA0',
      link: { gtPerS: 32, width: 16 },
    });
    expect(use).toEqual({ vital: [], services: [], unknown: [] });
  });

  it('show dpubot a card with its uplinks and representors, as an Arm', async () => {
    const arm = await sessions.card('dpu-b');

    expect(await readMachine(arm, signal)).toBe('aarch64');
    const names = (await readLinks(arm, signal)).map((link) => link.name);
    expect(names).toEqual(expect.arrayContaining(['p0', 'p1', 'pf0hpf', 'pf1hpf']));
  });
});
