/**
 * The network devices of an Arm: tmfifo, the management port, uplinks, representors, and what Open vSwitch adds.
 *
 * Source: NVIDIA's kernel representors model (p0, pf0hpf, en3f0pf0sf0; phys_port_name of a representor that belongs to
 * another controller begins with its number); Open vSwitch's kernel datapath (ovs-system is the master of its ports).
 */
import { cardMacs, macPlus } from '../identity.ts';
import { hasCable } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { device, switchId } from './netdev.ts';
import type { Netdev } from './netdev.ts';

function portDevices(rack: Rack, card: CardState, port: number): Netdev[] {
  const { base } = cardMacs(card.hardware);
  const { name = `p${port}`, speedGbps = 0 } = card.hardware.ports[port] ?? {};
  const isSwitch = card.armOs.dataPath.eswitches[port]?.mode === 'switchdev';
  const common = {
    speedMbps: speedGbps * 1000,
    pci: `0000:03:00.${port}`,
    switchId: isSwitch ? switchId(card) : null,
  };
  const uplink = device(4 + port, name, macPlus(base, 8 + port), {
    ...common,
    carrier: hasCable(rack, card, port),
    portName: name,
  });
  if (!isSwitch) return [uplink];
  return [
    uplink,
    device(6 + port, `pf${port}hpf`, macPlus(base, 0x30 + port), { ...common, portName: `c1pf${port}` }),
    device(8 + port, `en3f${port}pf${port}sf0`, macPlus(base, 0x38 + port), { ...common, portName: `pf${port}sf0` }),
  ];
}

/** Devices that Open vSwitch makes: its datapath, a device a bridge, one for all tunnels to a port. */
function switchDevices(card: CardState, others: Netdev[]): Netdev[] {
  const { bridges, active } = card.armOs.dataPath.ovs;
  const kernel = bridges.filter(({ datapathType }) => datapathType !== 'netdev');
  if (!active || kernel.length === 0) return [];
  const common = { up: false, driver: 'openvswitch', kind: 'openvswitch', speedMbps: -1, maxMtu: 65_535 } as const;
  const mac = (index: number): string => macPlus(card.hardware.baseMac, 0x40 + index);
  const made = [device(20, 'ovs-system', mac(0), { ...common, carrier: false })];
  for (const [index, bridge] of kernel.entries()) {
    const members = others.filter(({ name }) => bridge.ports.some((port) => port.name === name));
    made.push(device(21 + index, bridge.name, mac(index + 1), { ...common, carrier: members.length > 0 }));
  }
  const tunnel = kernel.flatMap(({ ports }) => ports).find(({ type }) => type === 'vxlan');
  if (tunnel !== undefined)
    made.push(
      device(30, `vxlan_sys_${tunnel.options['dst_port'] ?? '4789'}`, mac(8), {
        kind: 'vxlan',
        driver: 'vxlan',
        speedMbps: -1,
        maxMtu: 65_535,
        mtu: 65_000,
        master: 'ovs-system',
      }),
    );
  return made;
}

/** All of them; addresses and MTUs that somebody set come on top. */
export function armNetdevs(rack: Rack, card: CardState): Netdev[] {
  const macs = cardMacs(card.hardware);
  const address = (local: string, prefix: number): Netdev['addresses'][number] => ({ local, prefix, configured: true });
  const devices = [
    device(2, 'tmfifo_net0', '00:1a:ca:ff:ff:01', { addresses: [address('192.168.100.2', 30)], driver: 'virtio_net' }),
    device(3, 'oob_net0', macs.oob, { addresses: [address(card.hardware.arm.address, 24)], driver: 'mlxbf_gige' }),
    ...card.hardware.ports.flatMap((_port, index) => portDevices(rack, card, index)),
  ].sort((left, right) => left.index - right.index);
  const added = switchDevices(card, devices);
  if (added.length === 0) return devices;
  const kernelPorts = card.armOs.dataPath.ovs.bridges
    .filter(({ datapathType }) => datapathType !== 'netdev')
    .flatMap(({ ports }) => ports.map(({ name }) => name));
  return [
    ...devices.map((each) => (kernelPorts.includes(each.name) ? { ...each, master: 'ovs-system' } : each)),
    ...added,
  ];
}
