import { describe, expect, it } from 'vitest';
import { changeCard, rack1 } from '../../../src/lab/rack/layouts.ts';
import { ends, ipsecWire, iperf3, link, plainWire, protectedWire, testpmd, tunedWire } from './wire-helpers.ts';
import type { TestWire } from './wire-helpers.ts';

function gen4(): TestWire {
  return tunedWire(changeCard(rack1(), 'as8-dpu0', (card) => (card.pcie.slotGen = 4)));
}

describe('a tuned wire', () => {
  it('carries about 390 Gb/s of raw frames either way, and loses none', () => {
    const wire = tunedWire();

    for (const back of [false, true]) {
      const { receivedGbps, sentGbps } = testpmd(wire, { frame: 9000, back });
      expect(receivedGbps).toBeGreaterThan(380);
      expect(receivedGbps).toBeLessThan(392);
      expect(Math.abs(receivedGbps / sentGbps - 1)).toBeLessThan(0.01);
    }
  });

  it('carries about 193 Gb/s in SAs that the hardware holds', () => {
    const { receivedGbps } = testpmd(protectedWire(), { frame: 8900 });

    expect(receivedGbps).toBeGreaterThan(185);
    expect(receivedGbps).toBeLessThan(200);
  });

  it('carries the same again from the same seed, and a little else from another', () => {
    const first = testpmd(tunedWire(rack1(), 7)).receivedGbps;

    expect(testpmd(tunedWire(rack1(), 7)).receivedGbps).toBe(first);
    expect(testpmd(tunedWire(rack1(), 8)).receivedGbps).not.toBe(first);
  });

  it('is never the same in two measurements one after the other, whatever limits it', () => {
    for (const wish of [{}, { queues: 4 }, { frame: 64 }]) {
      const wire = tunedWire();
      const [first, second] = [testpmd(wire, wish).receivedGbps, testpmd(wire, wish).receivedGbps];

      expect(first).not.toBe(second);
      expect(Math.abs(first / second - 1)).toBeLessThan(0.01);
    }
  });

  it('loses small frames that the receiver cannot take, and counts them as missed', () => {
    const { received } = testpmd(tunedWire(), { frame: 64 });

    const missed = [...received.matchAll(/RX-missed: (\d+)/g)].map((match) => Number(match[1]));
    expect(Math.max(...missed)).toBeGreaterThan(1_000_000);
  });
});

describe('each single mis-setting of raw frames', () => {
  const cases: [string, (wire: TestWire) => void, number, number][] = [
    ['without hw-offload', (wire) => noOffload(wire, true), 0, 10],
    ['with hw-offload and no restart of Open vSwitch', (wire) => noOffload(wire, false), 0, 10],
    ['with p0 out of the bridge', (wire) => void wire.arm('as8-dpu0', 'sudo -n ovs-vsctl del-port ovsbr1 p0'), 0, 0],
    ['with a link that is down', (wire) => void wire.arm('as8-dpu0', 'sudo -n ip link set p0 down'), 0, 0],
    ['with the cable out', (wire) => wire.rack.injectFault('link-down', { target: 'as7-dpu0' }), 0, 0],
    ['with the eswitch in legacy mode', (wire) => legacy(wire), 0, 0],
    [
      'with Open vSwitch stopped',
      (wire) => void wire.arm('as7-dpu0', 'sudo -n systemctl stop openvswitch-switch'),
      0,
      0,
    ],
    ['on a storage controller', (wire) => wire.rack.injectFault('controller-sku', { target: 'as7-dpu0' }), 80, 100],
    ['in a slot at 8 GT/s', (wire) => wire.rack.injectFault('pcie-downgraded', { target: 'as8-dpu0' }), 115, 127],
  ];

  it.each(cases)('%s', (_title, spoil, low, high) => {
    const wire = tunedWire();
    spoil(wire);

    const { receivedGbps } = testpmd(wire);

    expect(receivedGbps).toBeGreaterThanOrEqual(low);
    expect(receivedGbps).toBeLessThanOrEqual(high);
  });

  it('in a Gen4 slot is 252 Gb/s, of which the sender knows nothing', () => {
    const { receivedGbps, sentGbps } = testpmd(gen4());

    expect(receivedGbps).toBeGreaterThan(240);
    expect(receivedGbps).toBeLessThan(253);
    expect(sentGbps).toBeGreaterThan(370);
  });

  it('with one queue is less than 110 Gb/s', () => {
    expect(testpmd(tunedWire(), { queues: 1 }).receivedGbps).toBeLessThan(110);
  });

  it('with one flow is less than 110 Gb/s, however many queues there are', () => {
    expect(testpmd(tunedWire(), { multiFlow: false, frame: 9000 }).receivedGbps).toBeLessThan(115);
  });

  it('with cores of the other NUMA node is about half', () => {
    const { receivedGbps } = testpmd(tunedWire(), { cores: '0-8' });

    expect(receivedGbps).toBeGreaterThan(150);
    expect(receivedGbps).toBeLessThan(240);
  });

  it('with frames longer than the MTU of an uplink is nothing', () => {
    const wire = tunedWire();
    wire.arm('as8-dpu0', 'sudo -n ip link set p0 mtu 1500');

    expect(testpmd(wire, { frame: 9000 }).receivedGbps).toBe(0);
    expect(testpmd(wire, { frame: 1500 }).receivedGbps).toBeGreaterThan(370);
  });
});

describe('each single mis-setting of IPsec', () => {
  it.each([
    ['crypto offload on one side', 'crypto', 3, 6],
    ['no offload on one side', 'no', 0.5, 4],
  ])('%s leaves it to the cores of the Arm', (_title, offload, low, high) => {
    const { receivedGbps } = testpmd(protectedWire([{ offload }, {}]), { frame: 8900 });

    expect(receivedGbps).toBeGreaterThan(low);
    expect(receivedGbps).toBeLessThan(high);
  });

  it('an MTU of the uplink without room for VXLAN and ESP passes small frames only', () => {
    const wire = protectedWire();
    for (const { card } of ends) wire.arm(card, 'sudo -n ip link set p0 mtu 9000');

    expect(testpmd(wire, { frame: 9000 }).receivedGbps).toBe(0);
    expect(testpmd(wire, { frame: 1500 }).receivedGbps).toBeGreaterThan(170);
  });

  it('without an SA the tunnel is clear, and as fast as the cable lets it', () => {
    expect(testpmd(ipsecWire(), { frame: 8900 }).receivedGbps).toBeGreaterThan(370);
  });

  it('software paths keep cores of the Arm busy, hardware does not', () => {
    const idle = (offload: string): number => {
      const wire = protectedWire([{ offload }, { offload }]);
      const row = (): number[] =>
        wire.arm('as7-dpu0', 'head -1 /proc/stat').stdout.trim().split(/\s+/).slice(1).map(Number);
      const before = row();
      testpmd(wire, { frame: 8900 });
      const delta = row().map((value, index) => value - (before[index] ?? 0));
      return (delta[3] ?? 0) / delta.reduce((sum, each) => sum + each, 0);
    };

    expect(idle('packet')).toBeGreaterThan(0.97);
    expect(idle('no')).toBeLessThan(0.9);
  });
});

describe('iperf3', () => {
  it('carries with jumbo packets what its processes can, until the wire is full', () => {
    const wire = tunedWire();

    const [one, four, sixteen] = [iperf3(wire, 1), iperf3(wire, 4), iperf3(wire, 16)];

    expect(one).toBeGreaterThan(33);
    expect(one).toBeLessThan(39);
    expect(four / one).toBeGreaterThan(3.8);
    expect(sixteen).toBeGreaterThan(330);
    expect(sixteen).toBeLessThan(391);
  });

  it('carries half of it with an MTU of 1500, and less from the other NUMA node', () => {
    const wire = tunedWire();
    const jumbo = iperf3(wire, 4);
    expect(iperf3(wire, 4, '', 'numactl --cpunodebind=0')).toBeLessThan(jumbo * 0.75);
    for (const { host } of ends) wire.host(host, `sudo -n ip link set ${link} mtu 1500`);

    expect(iperf3(wire, 4)).toBeLessThan(jumbo / 2);
  });

  it('stalls where full packets do not pass and pings do', () => {
    const wire = tunedWire();
    wire.arm('as8-dpu0', 'sudo -n ip link set p0 mtu 1500');

    expect(wire.host('as7', 'ping -c 1 192.168.60.2').exitCode).toBe(0);
    expect(iperf3(wire, 1)).toBe(0);
  });

  it('gets a few Gb/s through the software of an Arm, with many retransmits', () => {
    const wire = tunedWire();
    noOffload(wire, true);

    expect(iperf3(wire, 4)).toBeLessThan(10);
    const report = wire.host('as7', 'cat /tmp/5201.json').stdout;
    expect(
      Number(/"retransmits":\s*(\d+),\s*"sender":\s*true\s*\},\s*"sum_received"/.exec(report)?.[1]),
    ).toBeGreaterThan(300);
  });
});

function noOffload(wire: TestWire, setting: boolean): void {
  const card = 'as8-dpu0';
  wire.arm(card, 'sudo -n ovs-vsctl set Open_vSwitch . other_config:hw-offload=false');
  wire.arm(card, 'sudo -n systemctl restart openvswitch-switch');
  if (!setting) wire.arm(card, 'sudo -n ovs-vsctl set Open_vSwitch . other_config:hw-offload=true');
}

function legacy(wire: TestWire): void {
  wire.arm('as7-dpu0', 'sudo -n devlink dev eswitch set pci/0000:03:00.0 mode legacy');
}

it('an untouched rack has no huge pages, no addresses, and MTUs of 1500', () => {
  const wire = plainWire();

  expect(wire.host('as7', 'grep HugePages_Total /proc/meminfo').stdout.trim()).toMatch(/ 0$/);
  expect(wire.host('as7', 'ping -c 1 192.168.60.2')).toMatchObject({
    exitCode: 2,
    stderr: 'ping: connect: Network is unreachable\n',
  });
  expect(wire.host('as7', `cat /sys/class/net/${link}/mtu`).stdout).toBe('1500\n');
});
