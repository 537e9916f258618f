import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import type { ExecResult } from '../../../src/lab/rack/shell/types.ts';
import { testRack } from './helpers.ts';
import type { Parsed, TestRack } from './helpers.ts';

function shell(test: TestRack = testRack()): {
  run: (line: string) => ExecResult;
  json: (line: string) => Parsed[];
} {
  const run = (line: string): ExecResult => test.rack.host('as7').exec('ops', line);
  const json = (line: string): Parsed[] => {
    const result = run(line);
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return JSON.parse(result.stdout) as Parsed[];
  };
  return { run, json };
}

function one(items: Parsed[], name: string): Parsed {
  const found = items.find(({ ifname }) => ifname === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe('the environment of a login', () => {
  it('tells the client and the own address, which sudo drops', () => {
    const { run } = shell();

    expect(run('printenv SSH_CONNECTION')).toMatchObject({ exitCode: 0, stdout: '10.20.7.2 50922 10.20.7.7 22\n' });
    expect(run('sudo -n printenv SSH_CONNECTION')).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run('printenv HOME NOPE USER')).toMatchObject({ exitCode: 1, stdout: '/home/ops\nops\n' });
    expect(run('printenv --foo').exitCode).toBe(2);
  });

  it('of an Arm names the address of its OOB port', () => {
    expect(testRack().card.armExec('ubuntu', 'printenv SSH_CONNECTION').stdout).toBe('10.20.7.2 50922 10.20.7.70 22\n');
  });
});

describe('ip route', () => {
  it('finds the way to a neighbour, beyond the gateway and to itself', () => {
    const { run, json } = shell();
    const end = { flags: [], uid: 1000 };

    expect(json('ip -json route get 10.20.7.2')).toEqual([
      { dst: '10.20.7.2', dev: 'eno1', prefsrc: '10.20.7.7', ...end, cache: [] },
    ]);
    expect(json('ip -j route get 10.30.0.1 from 10.20.7.7')).toEqual([
      { dst: '10.30.0.1', from: '10.20.7.7', gateway: '10.20.7.1', dev: 'eno1', ...end, cache: [] },
    ]);
    expect(json('sudo -n ip -json route get 10.20.7.7')).toEqual([
      { type: 'local', dst: '10.20.7.7', dev: 'lo', prefsrc: '10.20.7.7', flags: [], uid: 0, cache: ['local'] },
    ]);
    expect(run('ip route get 10.30.0.1').stdout).toBe(
      '10.30.0.1 via 10.20.7.1 dev eno1 src 10.20.7.7 uid 1000 \n    cache \n',
    );
  });

  it('refuses foreign sources and words that are no address', () => {
    const { run } = shell();

    expect(run('ip -json route get 10.30.0.1 from 1.2.3.4')).toMatchObject({
      exitCode: 2,
      stderr: 'RTNETLINK answers: Network is unreachable\n',
    });
    expect(run('ip route get nonsense')).toMatchObject({
      exitCode: 1,
      stderr: 'Error: any valid prefix is expected rather than "nonsense".\n',
    });
  });

  it('shows one default route of IPv4 and none of IPv6', () => {
    const { run, json } = shell();

    expect(json('ip -json route show default')).toMatchObject([{ dst: 'default', gateway: '10.20.7.1', dev: 'eno1' }]);
    expect(run('ip -json -6 route show default').stdout).toBe('[]\n');
  });
});

describe('the links of a host', () => {
  it('lie on PCI functions, with the names udev gives them', () => {
    const { json } = shell();

    const links = json('ip -json -details link show');

    expect(links.map(({ ifname, parentdev }) => [ifname, parentdev])).toEqual([
      ['lo', undefined],
      ['eno1', '0000:41:00.0'],
      ['ens3f0np0', '0000:e1:00.0'],
      ['ens3f1np1', '0000:e1:00.1'],
      ['tmfifo_net0', undefined],
    ]);
    expect(one(links, 'ens3f0np0')).toMatchObject({
      parentbus: 'pci',
      max_mtu: 9978,
      phys_port_name: 'p0',
      altnames: ['enp225s0f0np0'],
    });
    expect(one(links, 'ens3f0np0')).not.toHaveProperty('linkinfo');
    expect(one(links, 'tmfifo_net0')).toMatchObject({ linkinfo: { info_kind: 'tun' }, operstate: 'UNKNOWN' });
  });

  it('of a card have no address, and no carrier while the Arm that switches for them starts', () => {
    const test = testRack();
    const { json } = shell(test);
    const before = one(json('ip -json addr show'), 'ens3f0np0');

    test.card.resetArm();
    const during = one(json('ip -json addr show'), 'ens3f0np0');

    expect(before).toMatchObject({ operstate: 'UP', addr_info: [] });
    expect(during).toMatchObject({ operstate: 'DOWN', addr_info: [] });
    expect(during['flags']).toContain('NO-CARRIER');
  });

  it('name their eSwitch only where the host rules it', () => {
    const inNicMode = shell(testRack(variations.nicMode())).json('ip -j -d link show ens3f0np0');
    const inDpuMode = shell().json('ip -j -d link show ens3f0np0');

    expect(inNicMode[0]?.['phys_switch_id']).toMatch(/^[0-9a-f]{16}$/);
    expect(inDpuMode[0]).not.toHaveProperty('phys_switch_id');
  });

  it('come and go with rshim and a namespace', () => {
    const { run, json } = shell();
    run('sudo -n sh -c "ip netns add card; ip link set ens3f0np0 netns card; systemctl stop rshim"');

    expect(json('ip -json link').map(({ ifname }) => ifname)).toEqual(['lo', 'eno1', 'ens3f1np1']);
    expect(run('ls /sys/class/net').stdout).toBe('eno1\nens3f1np1\nlo\n');
  });
});

describe('an MTU', () => {
  const rule = 'SUBSYSTEM=="net", ACTION=="add", NAME=="NAME", ATTR{mtu}="9000"';
  const write = (name: string): string =>
    `mkdir -p /etc/udev/rules.d; echo '${rule.replace('"NAME"', `"${name}"`)}' > /etc/udev/rules.d/92-mtu.rules`;

  it('set by hand is lost at a reboot of the host, one of a udev rule begins with it', () => {
    const test = testRack();
    const host = test.rack.host('as7');
    const { run } = shell(test);
    const mtus = (): string => run('cat /sys/class/net/ens3f0np0/mtu /sys/class/net/ens3f1np1/mtu').stdout;
    host.exec('root', `${write('ens3f1*')}; ip link set ens3f0np0 mtu 4000`);
    expect(mtus()).toBe('4000\n1500\n');

    host.warmReboot();
    test.advance(400_000);

    expect(mtus()).toBe('1500\n9000\n');
  });

  it('of an Arm port follows the same rules', () => {
    const test = testRack();
    const mtus = (): string => test.card.armExec('ubuntu', 'cat /sys/class/net/p0/mtu /sys/class/net/p1/mtu').stdout;
    test.card.armExec('root', `${write('p1')}; ip link set p0 mtu 9216`);
    expect(mtus()).toBe('9216\n1500\n');

    test.card.resetArm();
    test.advance(200_000);

    expect(mtus()).toBe('1500\n9000\n');
  });
});

describe('a card in service', () => {
  it('belongs to a bond once it is down, and lends it its carrier', () => {
    const { run, json } = shell();
    run('sudo -n ip link add bond0 type bond mode 802.3ad');
    expect(run('sudo -n ip link set ens3f0np0 master bond0')).toMatchObject({
      exitCode: 2,
      stderr: 'Error: Device can not be enslaved while up.\n',
    });

    run('sudo -n sh -c "ip link set ens3f0np0 down; ip link set ens3f0np0 master bond0; ip link set bond0 up"');

    const links = json('ip -json -details link show');
    expect(one(links, 'ens3f0np0')).toMatchObject({
      master: 'bond0',
      linkinfo: { info_slave_kind: 'bond', info_slave_data: { mii_status: 'UP' } },
    });
    expect(one(links, 'bond0')).toMatchObject({
      operstate: 'UP',
      linkinfo: { info_kind: 'bond', info_data: { mode: '802.3ad' } },
    });
    expect(json('ip -j link show master bond0').map(({ ifname }) => ifname)).toEqual(['ens3f0np0']);
    expect(run('readlink /sys/class/net/ens3f0np0/master').stdout).toBe('../../../../../virtual/net/bond0\n');
    expect(run('cat /sys/class/net/bond0/bonding/slaves').stdout).toBe('ens3f0np0\n');
  });

  it('carries VLANs, bridges, addresses and routes', () => {
    const { run, json } = shell();

    run(
      'sudo -n sh -c "ip link add br0 type bridge; ip link set ens3f1np1 master br0; ' +
        'ip link add link ens3f0np0 name ens3f0np0.7 type vlan id 7; ip link set ens3f0np0.7 up; ' +
        'ip addr add 10.9.0.1/30 dev ens3f0np0.7; ip route add 10.8.0.0/16 via 10.9.0.2 dev ens3f0np0.7"',
    );

    const addresses = json('ip -json addr show');
    expect(one(addresses, 'ens3f0np0.7')).toMatchObject({
      link: 'ens3f0np0',
      addr_info: [{ family: 'inet', local: '10.9.0.1', prefixlen: 30, label: 'ens3f0np0.7' }],
    });
    expect(one(json('ip -j -d link'), 'ens3f0np0.7')).toMatchObject({
      linkinfo: { info_kind: 'vlan', info_data: { protocol: '802.1Q', id: 7 } },
    });
    expect(run('ls /sys/class/net/br0/brif').stdout).toBe('ens3f1np1\n');
    expect(json('ip -json route get 10.8.3.4')).toMatchObject([{ gateway: '10.9.0.2', dev: 'ens3f0np0.7' }]);
    expect(run('readlink -f /sys/class/net/ens3f0np0.7').stdout).toBe('/sys/devices/virtual/net/ens3f0np0.7\n');
  });

  it('is out of service after the host has been rebooted', () => {
    const test = testRack();
    const { run, json } = shell(test);
    run('sudo -n sh -c "ip addr add 10.9.0.1/24 dev ens3f0np0; ip link add br0 type bridge"');

    test.rack.host('as7').warmReboot();
    test.advance(400_000);

    const addresses = json('ip -json addr show');
    expect(addresses.map(({ ifname }) => ifname)).not.toContain('br0');
    expect(one(addresses, 'ens3f0np0')['addr_info']).toEqual([]);
  });

  it.each([
    ['ip link add br1 type bridge', 2, 'RTNETLINK answers: Operation not permitted\n'],
    ['sudo -n ip link add br1', 255, 'Not enough information: "type" argument is required\n'],
    ['sudo -n ip link add br1 type nope', 2, 'Error: Unknown device type.\n'],
    ['sudo -n ip link add eno1 type bridge', 2, 'RTNETLINK answers: File exists\n'],
    ['sudo -n ip link set ens3f0np0 master nope', 255, 'Error: argument "nope" is wrong: Device does not exist\n\n'],
    ['sudo -n ip link set ens3f0np0 master eno1', 2, 'RTNETLINK answers: Operation not supported\n'],
    ['sudo -n ip link del eno1', 2, 'RTNETLINK answers: Operation not supported\n'],
    ['sudo -n ip link del nope', 1, 'Cannot find device "nope"\n'],
  ])('`%s` ends with %i', (line, exitCode, stderr) => {
    expect(shell().run(line)).toMatchObject({ exitCode, stderr });
  });
});
