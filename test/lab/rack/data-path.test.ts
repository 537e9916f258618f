import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { ends, fullOffload, link, plainWire, testpmd, tunedWire } from './wire-helpers.ts';
import type { TestWire } from './wire-helpers.ts';

const card = 'as7-dpu0';
const vsctl = (wire: TestWire, words: string): ReturnType<TestWire['arm']> =>
  wire.arm(card, `sudo -n ovs-vsctl ${words}`);

function flows(wire: TestWire, words: string, of = card): string {
  wire.host(
    'as7',
    `sudo -n sh -c 'timeout -s INT 9 dpdk-testpmd -l 16-24 --socket-mem=0,2048 -a 0000:e1:00.0 -- --forward-mode=txonly --txpkts=1500 --stats-period 1 > /dev/null 2>&1 &'`,
  );
  wire.host('as7', 'sleep 4');
  return wire.arm(of, `sudo -n ovs-appctl dpctl/dump-flows ${words}`).stdout;
}

describe('ovs-vsctl', () => {
  it('makes, lists and removes bridges and ports', () => {
    const wire = plainWire();

    vsctl(
      wire,
      '--may-exist add-br br9 -- set bridge br9 datapath_type=netdev fail-mode=standalone -- add-port br9 pf0hpf2',
    );
    expect(vsctl(wire, 'list-br').stdout).toBe('br9\novsbr1\novsbr2\n');
    expect(vsctl(wire, 'get bridge br9 datapath_type').stdout).toBe('netdev\n');
    expect(vsctl(wire, 'list-ports br9').stdout).toBe('pf0hpf2\n');
    expect(vsctl(wire, 'del-port br9 pf0hpf2 -- del-br br9').exitCode).toBe(0);

    expect(vsctl(wire, 'br-exists br9').exitCode).toBe(2);
  });

  it.each([
    [
      'add-port ovsbr2 p0',
      'ovs-vsctl: cannot create a port named p0 because a port named p0 already exists on bridge ovsbr1\n',
    ],
    [
      '--may-exist add-port ovsbr2 p0',
      'ovs-vsctl: "--may-exist add-port ovsbr2 p0" but p0 is actually attached to bridge ovsbr1\n',
    ],
    ['add-br ovsbr1', 'ovs-vsctl: cannot create a bridge named ovsbr1 because a bridge named ovsbr1 already exists\n'],
    ['del-port ovsbr1 nope', 'ovs-vsctl: no port named nope\n'],
    ['list-ports nope', 'ovs-vsctl: no bridge named nope\n'],
    [
      'get Open_vSwitch . other_config:doca-init',
      'ovs-vsctl: no key "doca-init" in Open_vSwitch record "." column other_config\n',
    ],
    ['frobnicate', "ovs-vsctl: unknown command 'frobnicate'; use --help for help\n"],
  ])('%s is refused', (words, stderr) => {
    expect(vsctl(plainWire(), words)).toEqual({ stdout: '', stderr, exitCode: 1 });
  });

  it('does all commands of a call or none', () => {
    const wire = plainWire();

    expect(vsctl(wire, 'del-port ovsbr1 p0 -- add-port nope p0').exitCode).toBe(1);

    expect(vsctl(wire, 'port-to-br p0').stdout).toBe('ovsbr1\n');
  });

  it('is content with --may-exist and --if-exists', () => {
    const wire = plainWire();

    for (const words of [
      '--may-exist add-br ovsbr1',
      '--may-exist add-port ovsbr1 p0',
      '--if-exists del-port ovsbr1 nope',
      '--if-exists del-br nope',
    ])
      expect(vsctl(wire, words)).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  });

  it('keeps settings in maps, and quotes what looks like no word', () => {
    const wire = plainWire();

    vsctl(wire, 'set Open_vSwitch . other_config:tc-policy=none other_config:max-idle=10000');
    expect(vsctl(wire, 'get Open_vSwitch . other_config').stdout).toBe(
      '{hw-offload="true", max-idle="10000", tc-policy=none}\n',
    );
    vsctl(wire, 'remove Open_vSwitch . other_config tc-policy max-idle=9');

    expect(vsctl(wire, 'get open . other_config').stdout).toBe('{hw-offload="true", max-idle="10000"}\n');
    expect(vsctl(wire, '--if-exists get Open_vSwitch . other_config:nope').stdout).toBe('\n');
  });

  it('takes a port whose device is not there, says so, and shows it', () => {
    const wire = plainWire();

    expect(vsctl(wire, 'add-port ovsbr1 p7')).toMatchObject({
      exitCode: 0,
      stderr: "ovs-vsctl: Error detected while setting up 'p7'.  See ovs-vswitchd log for details.\n",
    });
    expect(vsctl(wire, 'show').stdout).toContain(
      '                error: "could not open network device p7 (No such device)"\n',
    );
  });

  it('keeps its database over a reboot', () => {
    const wire = plainWire();
    vsctl(
      wire,
      'del-port ovsbr1 p0 -- add-port ovsbr1 vxlan0 -- set interface vxlan0 type=vxlan options:remote_ip=192.168.50.2 options:key=7',
    );
    wire.rack.card(card).resetArm();
    wire.advance(120_000);

    expect(vsctl(wire, 'list-ports ovsbr1').stdout).toBe('pf0hpf\nen3f0pf0sf0\nvxlan0\n');
    expect(vsctl(wire, 'get interface vxlan0 options').stdout).toBe('{key="7", remote_ip="192.168.50.2"}\n');
    expect(wire.arm(card, 'ip -d link show vxlan_sys_4789').stdout).toContain('master ovs-system');
  });
});

describe('flows of the datapath', () => {
  it('tell with -m that the hardware has them, and without it nothing of that', () => {
    const wire = tunedWire();

    const more = flows(wire, '-m type=offloaded');

    expect(more).toMatch(
      /^ufid:[\da-f-]{36}, .*in_port\(pf0hpf\),.*, packets:\d+, bytes:\d+, used:\d\.\d{3}s, offloaded:yes, dp:tc, actions:p0\n$/,
    );
    const plain = wire.arm(card, 'sudo -n ovs-appctl dpctl/dump-flows type=offloaded').stdout;
    expect(plain).toMatch(/^recirc_id\(0\),in_port\(\d+\),eth\(src=a0:88:c2:46:a7:00,/);
    expect(plain).not.toContain('offloaded');
  });

  it('are none of the hardware when Open vSwitch was not restarted', () => {
    const wire = tunedWire();
    wire.rack.injectFault('ovs-not-restarted', { target: card });

    expect(flows(wire, '-m type=offloaded')).toBe('');
    expect(wire.arm(card, 'sudo -n ovs-appctl dpctl/dump-flows -m').stdout).toMatch(/, dp:ovs, actions:p0\n$/);
    expect(vsctl(wire, 'get Open_vSwitch . other_config:hw-offload').stdout).toBe('"true"\n');
    wire.arm(card, 'sudo -n systemctl restart openvswitch-switch');

    expect(testpmd(wire).receivedGbps).toBeGreaterThan(370);
    expect(wire.rack.faults().flatMap(({ active }) => active)).toEqual([]);
  });

  it('are forgotten some time after the last packet', () => {
    const wire = tunedWire();
    flows(wire, '-m');
    wire.host('as7', 'sleep 10');
    expect(wire.arm(card, 'sudo -n ovs-appctl dpctl/dump-flows').stdout).not.toBe('');

    wire.host('as7', 'sleep 15');

    expect(wire.arm(card, 'sudo -n ovs-appctl dpctl/dump-flows').stdout).toBe('');
  });
});

describe('devlink', () => {
  it('shows and sets the eSwitch, as text and as JSON', () => {
    const wire = plainWire();
    const show = 'sudo -n devlink dev eswitch show pci/0000:03:00.0';
    expect(wire.arm(card, show).stdout).toBe('pci/0000:03:00.0: mode switchdev inline-mode none encap-mode basic\n');

    wire.arm(card, 'sudo -n devlink dev eswitch set pci/0000:03:00.0 mode legacy');

    expect(JSON.parse(wire.arm(card, show.replace('devlink', 'devlink -j')).stdout)).toEqual({
      dev: { 'pci/0000:03:00.0': { mode: 'legacy', 'inline-mode': 'none', 'encap-mode': 'basic' } },
    });
    expect(wire.arm(card, 'ip link show pf0hpf').exitCode).toBe(1);
    expect(wire.arm(card, 'ip link show pf1hpf').exitCode).toBe(0);
  });

  it('refuses software steering in switchdev mode, and the host of a DPU anything', () => {
    const wire = plainWire();
    const set = (value: string): string =>
      `sudo -n devlink dev param set pci/0000:03:00.0 name flow_steering_mode value ${value} cmode runtime`;

    expect(wire.arm(card, set('dmfs')).exitCode).toBe(0);
    expect(wire.arm(card, set('smfs')).stderr).toContain('not supported when eswitch offloads enabled');
    expect(wire.arm(card, set('fast')).exitCode).toBe(1);
    expect(wire.arm(card, 'sudo -n devlink dev param show pci/0000:03:00.0 name flow_steering_mode').stdout).toMatch(
      /cmode runtime value dmfs\n$/,
    );
    expect(wire.host('as7', 'sudo -n devlink dev eswitch set pci/0000:e1:00.0 mode switchdev').exitCode).toBe(1);
  });
});

describe('mlnx_bf_configure', () => {
  it('with IPSEC_FULL_OFFLOAD sets device-managed steering for good', () => {
    const wire = plainWire();
    fullOffload(wire, card);
    const seen = (): string =>
      wire.arm(card, 'cat /sys/class/net/p0/compat/devlink/steering_mode /sys/class/net/p0/compat/devlink/ipsec_mode')
        .stdout;
    expect(seen()).toBe('dmfs\nfull\n');

    wire.rack.card(card).resetArm();
    wire.advance(120_000);

    expect(seen()).toBe('dmfs\nfull\n');
  });

  it('without it takes steering that was set by hand back at the next boot', () => {
    const wire = plainWire();
    const folder = '/sys/class/net/p0/compat/devlink';
    wire.arm(
      card,
      `for each in mode:legacy steering_mode:dmfs mode:switchdev; do echo \${each#*:} | sudo -n tee ${folder}/\${each%:*}; done`,
    );
    expect(wire.arm(card, `cat ${folder}/steering_mode`).stdout).toBe('dmfs\n');

    wire.rack.card(card).resetArm();
    wire.advance(120_000);

    expect(wire.arm(card, `cat ${folder}/steering_mode`).stdout).toBe('smfs\n');
  });

  it('makes the bridges of its file when they are gone, and says which port is missing', () => {
    const wire = plainWire();
    vsctl(wire, 'del-br ovsbr1 -- del-br ovsbr2');
    wire.arm(card, "sudo -n sed -i 's/p1 pf1hpf/p9 pf1hpf/' /etc/mellanox/mlnx-ovs.conf");

    const { stdout } = wire.arm(card, 'sudo -n mlnx_bf_configure');

    expect(stdout).toContain('Created bridge: ovsbr1\nbridge ovsbr1: added port p0\n');
    expect(stdout).toContain('port device p9 for bridge ovsbr2 is missing.\nSkipping ovsbr2 configuration.\n');
  });

  it('does nothing on a storage controller', () => {
    const wire = plainWire(variations.controllerSku());

    expect(wire.arm(card, 'sudo -n mlnx_bf_configure; sudo -n ovs-vsctl list-br').stdout).toBe('');
  });
});

describe('addresses and routes of Arms', () => {
  it('carry packets from host to host where forwarding is on, and say where they are too long', () => {
    const wire = tunedWire();
    for (const { card: name, host, number } of ends) {
      const other = 3 - number;
      wire.arm(
        name,
        `sudo -n ovs-vsctl del-port p0 -- del-port pf0hpf && sudo -n ip addr add 192.168.50.${number}/24 dev p0 && sudo -n ip addr add 10.${number}.0.1/24 dev pf0hpf`,
      );
      wire.arm(name, `sudo -n ip route add 10.${other}.0.0/24 via 192.168.50.${other} dev p0`);
      wire.host(
        host,
        `sudo -n ip addr add 10.${number}.0.2/24 dev ${link} && sudo -n ip route add 10.${other}.0.0/24 via 10.${number}.0.1 dev ${link}`,
      );
    }
    expect(wire.host('as7', 'ping -c 1 -W 1 10.2.0.2').exitCode).toBe(1);
    for (const { card: name } of ends) wire.arm(name, 'sudo -n sysctl -w net.ipv4.ip_forward=1');

    expect(wire.host('as7', 'ping -c 1 10.2.0.2').exitCode).toBe(0);
    wire.arm('as7-dpu0', 'sudo -n ip link set p0 mtu 1500');

    expect(wire.host('as7', 'ping -c 1 -M do -s 4000 10.2.0.2').stdout).toContain(
      'icmp_seq=1 Frag needed and DF set (mtu = 1500)\n',
    );
    expect(wire.arm('as7-dpu0', 'cat /proc/sys/net/ipv4/ip_forward; sysctl -n net.ipv4.ip_forward').stdout).toBe(
      '1\n1\n',
    );
  });

  it('are gone after a boot', () => {
    const wire = plainWire();
    wire.arm(card, 'sudo -n ip addr add 192.168.50.1/24 dev p0');
    wire.rack.card(card).resetArm();
    wire.advance(120_000);

    expect(wire.arm(card, 'ip -4 -o addr show dev p0').stdout).toBe('');
  });
});
