import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import type { CardUseFacts } from '../../../src/facts/card-use-judge.ts';
import { judgeCardUse } from '../../../src/facts/card-use-judge.ts';
import {
  parseBridges,
  parseDisks,
  parseDrivers,
  parseNetLinks,
  parseRootMount,
  parseRouteDevices,
  parseSshConnection,
  parseSysfsLinks,
} from '../../../src/facts/card-use-parse.ts';
import { readCardUse } from '../../../src/facts/card-use.ts';
import { fixture } from '../../support/fixture.ts';
import { codeOf } from '../../support/code-of.ts';

const { signal } = new AbortController();
const card = '0000:e1:00.0';

/** Outputs by the words of the command; overrides come first. */
function hostOf(overrides: readonly (readonly [string, string])[] = []): HostReader {
  const outputs: readonly (readonly [string, string])[] = [
    ...overrides,
    ['SSH_CONNECTION', '192.0.2.77 50000 192.0.2.9 22\n'],
    ['route get', fixture('ip/route-get.over-nic.txt')],
    ['-6 route show', fixture('ip/route-default6.bridge-over-card-port.txt')],
    ['route show', fixture('ip/route-default.bridge-over-card-port.txt')],
    ['link show', fixture('ip/link.bridge-over-card-port.txt')],
    ['addr show', fixture('ip/addr.bridge-over-card-port.txt')],
    ['/sys/bus/pci/devices', fixture('sysfs/pci.card-in-slot.txt')],
    ['/sys/bus/pci/drivers', '/sys/bus/pci/drivers/nvme 0000:c2:00.0\n'],
    ['/sys/class/net', fixture('sysfs/net.card-in-slot.txt')],
    ['/sys/class/block', fixture('sysfs/block.card-in-slot.txt')],
    ['lspci', ''],
    ['findmnt', '{"filesystems":[{"source":"/dev/mapper/vg-root[/@]","fstype":"btrfs","options":"rw"}]}'],
    ['lsblk', fixture('lsblk/lvm-over-two-disks.txt')],
  ];
  return {
    name: 'as7',
    read: ({ argv }): Promise<CommandResult> => {
      const line = argv.join(' ');
      const stdout = outputs.find(([words]) => line.includes(words))?.[1];
      if (stdout === undefined) throw new Error(`unexpected: ${line}`);
      return Promise.resolve({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
    },
  };
}

async function factsOf(change: Partial<CardUseFacts> = {}): Promise<CardUseFacts> {
  return { ...(await readCardUse(hostOf(), card, signal)), ...change };
}

describe('card-use: what is read', () => {
  it('joins real output of ip, find, findmnt and lsblk', async () => {
    const facts = await readCardUse(hostOf(), card, signal);

    expect(facts.wayDevices).toEqual(['eno1']);
    expect(facts.defaultDevices).toEqual(['eno1']);
    expect(facts.root).toEqual({ kind: 'disks', names: ['nvme0n1', 'sda'] });
    expect(facts.links.find((link) => link.name === 'ens3f0np0')).toEqual({
      name: 'ens3f0np0',
      master: 'br0',
      lower: 'peer0',
      kind: 'veth',
      addresses: [],
    });
    expect(facts.links.find((link) => link.name === 'br0')?.addresses).toEqual(['10.4.2.9/24']);
    expect(facts.netDevices.map((device) => device.name)).not.toContain('bonding_masters');
  });

  it('asks for the route to the file server of a root file system on NFS', async () => {
    const mount = '{"filesystems":[{"source":"10.4.2.77:/r","fstype":"nfs4","options":"rw,addr=10.4.2.77"}]}';
    const host = hostOf([
      ['findmnt', mount],
      ['from', fixture('ip/route-get.over-nic.txt')],
      ['route get 10.4.2.77', fixture('ip/route-get.over-bridge.txt')],
    ]);

    expect((await readCardUse(host, card, signal)).root).toEqual({ kind: 'network', devices: ['br0'] });
  });

  it('takes the device of a link-local address from its zone', async () => {
    const host = hostOf([['SSH_CONNECTION', 'fe80::1%eno1 50000 fe80::2%eno1 22\n']]);

    expect((await readCardUse(host, card, signal)).wayDevices).toEqual(['eno1']);
  });

  it('does not go on with a list whose middle was dropped', async () => {
    const host = hostOf();
    const cut: HostReader = {
      name: 'as7',
      read: async (command, options) => ({ ...(await host.read(command, options)), truncated: true }),
    };

    await expect(readCardUse(cut, card, signal)).rejects.toMatchObject({ code: 'output-unreadable' });
  });

  it('reads captures of a virtual machine', () => {
    const drivers = parseDrivers('vm', fixture('sysfs/drivers.virtual-machine.txt'));
    const net = parseSysfsLinks('vm', 'net', fixture('sysfs/net.virtual-machine.txt'));

    expect([...drivers.values()]).toContain('virtio-pci');
    expect(net.find((device) => device.name === 'lo')?.path).toBe('virtual/net/lo');
    expect(parseDisks('vm', fixture('lsblk/one-disk.txt'))).toEqual(['vda']);
    expect(parseRootMount('vm', fixture('findmnt/root-on-disk.txt'))).toMatchObject({ source: '/dev/vda' });
  });

  it.each<readonly [string, () => unknown]>([
    ['a link that leads elsewhere', () => parseSysfsLinks('h', 's', 'eth0 /etc/passwd\n')],
    ['a driver line of another form', () => parseDrivers('h', 'find: permission denied')],
    ['a bridge line of another form', () => parseBridges('h', '0000:01:00.0 0200: 15b3:a2dc')],
    ['ip output that is no JSON', () => parseRouteDevices('h', 'default via 192.0.2.1')],
    ['links without names', () => parseNetLinks('h', '[{"mtu":1}]', '[]')],
    ['an empty SSH_CONNECTION', () => parseSshConnection('h', '')],
    ['an SSH_CONNECTION with a name in it', () => parseSshConnection('h', 'localhost 1 127.0.0.1 22')],
    ['no disk at all', () => parseDisks('h', '{"blockdevices":[]}')],
    ['no root file system', () => parseRootMount('h', '{"filesystems":[]}')],
  ])('refuses %s', (_title, work) => {
    expect(codeOf(work)).toBe('output-unreadable');
  });

  it('never reads anything but words that the catalogue has for unreadable text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const parse of [
          () => parseSysfsLinks('h', 's', text),
          () => parseDrivers('h', text),
          () => parseBridges('h', text),
          () => parseRouteDevices('h', text),
          () => parseNetLinks('h', text, text),
          () => parseSshConnection('h', text),
          () => parseDisks('h', text),
          () => parseRootMount('h', text),
        ])
          expect(['no error', 'output-unreadable']).toContain(codeOf(parse));
      }),
    );
  });

  it('accepts every IPv4 and IPv6 address as an end of the session', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.oneof(fc.ipV4(), fc.ipV6()), (client, server) => {
        expect(parseSshConnection('h', `${client} 50000 ${server} 22\n`)).toEqual({ client, server });
      }),
    );
  });
});

describe('card-use: what it means', () => {
  it('finds addresses on what stands on the card, and the disk it provides', async () => {
    const use = judgeCardUse(await factsOf());

    expect(use.vital).toEqual([]);
    expect(use.unknown).toEqual([]);
    expect(use.services).toEqual([
      'ens3f0np0 is a port of br0',
      'br0 has 10.4.2.9/24',
      'the disk nvme1n1 is provided by the card',
    ]);
  });

  it('finds nothing on a card that nobody uses', async () => {
    const use = judgeCardUse(
      await factsOf({ links: [{ name: 'ens3f0np0', addresses: [] }], blockDevices: [], root: { kind: 'memory' } }),
    );

    expect(use).toEqual({ vital: [], unknown: [], services: [] });
  });

  it.each<readonly [string, Partial<CardUseFacts>, string]>([
    ['the way of the worker over a bridge on a port', { wayDevices: ['br0'] }, 'the way of the worker'],
    ['the way over a port itself', { wayDevices: ['ens3f1np1'] }, 'the way of the worker'],
    [
      'a tunnel that the default route carries over the card',
      { wayDevices: ['tailscale0'], defaultDevices: ['br0'] },
      'goes over tailscale0',
    ],
    ['a root disk that the card emulates', { root: { kind: 'disks', names: ['nvme1n1'] } }, 'the root disk nvme1n1'],
    ['a root file system over the network of the card', { root: { kind: 'network', devices: ['br0'] } }, 'root file'],
  ])('takes %s for vital', async (_title, change, words) => {
    const use = judgeCardUse(await factsOf(change));

    expect(use.vital).toEqual([expect.stringContaining(words)]);
  });

  it.each<readonly [string, Partial<CardUseFacts>]>([
    ['a tunnel carried by another network card', { wayDevices: ['tailscale0'] }],
    ['a session on the host itself', { wayDevices: ['lo'] }],
    ['a root disk behind another port, with a hidden path', { root: { kind: 'disks', names: ['nvme0n1'] } }],
  ])('does not take %s for vital', async (_title, change) => {
    const use = judgeCardUse(await factsOf(change));

    expect([use.vital, use.unknown]).toEqual([[], []]);
  });

  it.each<readonly [string, Partial<CardUseFacts>]>([
    ['a tunnel without a default route', { wayDevices: ['tailscale0'], defaultDevices: [] }],
    ['an iSCSI root disk', { root: { kind: 'disks', names: ['sdb'] } }],
    ['a root disk that is not in the list', { root: { kind: 'disks', names: ['sdz'] } }],
    [
      'a root file system of another kind',
      { root: { kind: 'unknown', problem: 'its root file system is rpool (zfs)' } },
    ],
  ])('does not guess about %s', async (_title, change) => {
    const use = judgeCardUse(await factsOf(change));

    expect(use.unknown).toHaveLength(1);
  });

  it('follows bonds, VLANs on them and switches over several levels, also in a circle', async () => {
    const links = [
      { name: 'ens3f0np0', master: 'bond0', addresses: [] },
      { name: 'ens3f1np1', master: 'ovs-system', addresses: [] },
      { name: 'bond0', kind: 'bond', lower: 'bond0.42', addresses: [] },
      { name: 'bond0.42', kind: 'vlan', lower: 'bond0', addresses: ['10.1.1.1/24'] },
      { name: 'br-ex', kind: 'openvswitch', addresses: ['10.2.2.2/24'] },
    ];
    const use = judgeCardUse(await factsOf({ links, wayDevices: ['br-ex'], defaultDevices: ['bond0.42'] }));

    expect(use.vital).toHaveLength(1);
    expect(use.services).toEqual(
      expect.arrayContaining([
        'ens3f0np0 is a port of bond0',
        'bond0.42 has 10.1.1.1/24',
        'br-ex has 10.2.2.2/24',
        'the default route goes over bond0.42',
      ]),
    );
  });

  it('names functions that a virtual machine or a container has', async () => {
    const drivers = new Map([
      ['0000:e1:00.0', 'mlx5_core'],
      ['0000:e1:00.3', 'vfio-pci'],
      ['0000:e1:00.4', 'mlx5_core'],
      ['0000:c1:00.0', 'vfio-pci'],
    ]);
    const { services } = judgeCardUse(await factsOf({ drivers }));

    expect(services).toContain('0000:e1:00.3 is handed to a virtual machine or program (vfio-pci)');
    expect(services).toContain('0000:e1:00.4 has no network device here (a container may have it)');
    expect(services.join()).not.toContain('0000:c1');
    expect(services.join()).not.toContain('0000:e1:00.0 has no');
  });

  it('counts what sits behind other ports of a PCIe switch that the card emulates', async () => {
    const top = 'pci0000:e0/0000:e0:01.1/0000:e1:00.0';
    const change: Partial<CardUseFacts> = {
      pciAddress: '0000:e3:00.0',
      bridges: ['0000:e1:00.0', '0000:e2:00.0', '0000:e2:01.0'],
      pci: [{ name: '0000:e3:00.0', path: `${top}/0000:e2:00.0/0000:e3:00.0` }],
      blockDevices: [{ name: 'vda', path: `${top}/0000:e2:01.0/0000:e4:00.0/virtio3/block/vda` }],
      root: { kind: 'disks', names: ['vda'] },
    };

    expect(judgeCardUse(await factsOf(change)).vital).toEqual(['the root disk vda is provided by the card']);
  });

  it('keeps to bus and device number where the card sits on the root bus, as in a virtual machine', async () => {
    const change: Partial<CardUseFacts> = {
      pciAddress: '0000:00:05.0',
      pci: [
        { name: '0000:00:05.0', path: 'pci0000:00/0000:00:05.0' },
        { name: '0000:00:06.0', path: 'pci0000:00/0000:00:06.0' },
      ],
      netDevices: [
        { name: 'ens5', path: 'pci0000:00/0000:00:05.0/net/ens5' },
        { name: 'ens6', path: 'pci0000:00/0000:00:06.0/virtio1/net/ens6' },
      ],
      blockDevices: [],
      root: { kind: 'memory' },
      links: [],
    };

    expect(judgeCardUse(await factsOf({ ...change, wayDevices: ['ens6'] })).vital).toEqual([]);
    expect(judgeCardUse(await factsOf({ ...change, wayDevices: ['ens5'] })).vital).toHaveLength(1);
  });
});
