/**
 * The network devices of a machine as data: those of its hardware, tmfifo, and those somebody made with `ip link add`.
 *
 * Source: udev's names (systemd 249 net_id), mlx5 and igb limits, rshim-user-space (tmfifo is a tap device).
 */
import { armStage } from '../card-clock.ts';
import { linkLocal, macPlus } from '../identity.ts';
import type { Machine } from '../shell/types.ts';
import { hasCable } from '../state.ts';
import type { LinkSettings, MadeLink, NetworkState } from '../network-state.ts';
import type { CardState, HostState, Rack } from '../state.ts';
import { mtuOfRules } from '../udev.ts';
import { armNetdevs } from './arm-netdevs.ts';
import { device, switchId } from './netdev.ts';
import type { Netdev } from './netdev.ts';
import { pciDevices } from './pci.ts';
import type { PciDevice } from './pci.ts';
import { rshimDevices, tmfifoHasPeer } from './rshim.ts';

export type { Netdev } from './netdev.ts';

/** Name of a host port as udev gives it: slot 3 onwards, PF number, port name. */
export function portName(cardIndex: number, port: number): string {
  return `ens${3 + cardIndex}f${port}np${port}`;
}

/** Does the port of a card lead anywhere? In DPU mode all packets pass the Arm. */
function portCarrier(rack: Rack, card: CardState, port: number): boolean {
  return hasCable(rack, card, port) && (card.mode.current === 'nic' || armStage(rack, card) === 'OsIsRunning');
}

function cardNetdev(rack: Rack, machine: Machine, pci: PciDevice, index: number): Netdev | null {
  const { card, virtual } = pci;
  if (card === null || pci.driver !== 'mlx5_core') return null;
  const port = virtual === null ? pci.functionNumber : Number(virtual.of.slice(-1));
  const speedGbps = card.hardware.ports[port]?.speedGbps;
  if (speedGbps === undefined) return null;
  const [, bus = '', slot = ''] = pci.address.split(/[:.]/);
  const place = `enp${Number.parseInt(bus, 16)}s${Number.parseInt(slot, 16)}f${pci.functionNumber}`;
  const physical = portName(machine.cards.indexOf(card), port);
  const common = { pci: pci.address, speedMbps: speedGbps * 1000 };
  if (virtual !== null) {
    const mac = macPlus(card.hardware.baseMac, 0x100 + port * 0x80 + virtual.number);
    const name = `${physical.replace(/np\d+$/, '')}v${virtual.number}`;
    return device(index, name, mac, { ...common, up: false, carrier: false });
  }
  // Whoever rules the eSwitch knows its number: in DPU mode that is the Arm.
  const rules = card.mode.current === 'nic';
  return device(index, physical, macPlus(card.hardware.baseMac, port), {
    ...common,
    altNames: [`${place}np${port}`],
    carrier: portCarrier(rack, card, port),
    portName: `p${port}`,
    switchId: rules ? switchId(card) : null,
  });
}

function hostNetdevs(rack: Rack, machine: Machine, host: HostState): Netdev[] {
  const own = { local: host.hardware.address, prefix: 24, configured: true };
  const mac = macPlus('3c:ec:ef:70:00:00', Number(host.hardware.address.split('.').at(-1) ?? 0));
  const devices = [
    device(2, 'eno1', mac, {
      altNames: ['enp65s0'],
      addresses: [own, { local: linkLocal(mac), prefix: 64, configured: true }],
      pci: '0000:41:00.0',
      driver: 'igb',
      maxMtu: 9216,
    }),
  ];
  const functions = pciDevices(rack, host).filter(({ card }) => card !== null);
  const rank = ({ card }: PciDevice): number => (card === null ? 0 : machine.cards.indexOf(card));
  for (const each of functions.sort((left, right) => rank(left) - rank(right))) {
    const made = cardNetdev(rack, machine, each, devices.length + 2);
    if (made !== null) devices.push(made);
  }
  rshimDevices(rack, host).forEach((card, index) => {
    const peerMac = `00:1a:ca:ff:ff:${(2 + index * 2).toString(16).padStart(2, '0')}`;
    const carrier = tmfifoHasPeer(rack, card);
    const rest = { carrier, up: true, speedMbps: 10, kind: 'tun', driver: 'tun', maxMtu: 65_521 } as const;
    devices.push(device(devices.length + 2, `tmfifo_net${index}`, peerMac, rest));
  });
  return devices;
}

function madeNetdev(name: string, made: MadeLink, settings: LinkSettings, others: Netdev[]): Netdev {
  const below = others.filter((each) => each.name === made.lower || each.master === name);
  return device(made.index, name, made.mac, {
    kind: made.kind,
    made,
    driver: made.kind,
    up: settings.up,
    carrier: made.kind === 'dummy' || below.some((each) => each.up && each.carrier),
    mtu: others.find((each) => each.name === made.lower)?.mtu ?? 1500,
    maxMtu: made.kind === 'dummy' ? 0 : 65_535,
    speedMbps: Math.max(-1, ...below.map((each) => each.speedMbps)),
  });
}

/** What somebody set on a machine's network; it goes with a reboot. */
export function networkOf({ host, card }: Machine): NetworkState {
  const network = host?.network ?? card?.armOs.dataPath.network;
  if (network === undefined) throw new Error('A machine is a host or an Arm.');
  return network;
}

/** What somebody set on a link by hand; made when there is nothing yet. */
export function linkOf(machine: Machine, name: string): LinkSettings {
  const { links } = networkOf(machine);
  return (links[name] ??= { namespace: '', addresses: [], up: true, mtu: null });
}

function withSettings(machine: Machine, netdev: Netdev, links: NetworkState['links']): Netdev {
  const set = links[netdev.name];
  const rules = machine.host?.network.rules ?? machine.card?.armOs.rules ?? [];
  const byRule = netdev.made === null ? mtuOfRules(rules, netdev) : null;
  const mtu = set?.mtu ?? machine.card?.armOs.mtus[netdev.name] ?? byRule ?? netdev.mtu;
  const byHand = (set?.addresses ?? []).map((each) => {
    const [local = '', prefix] = each.split('/');
    return { local, prefix: Number(prefix), configured: false };
  });
  const master = set?.master ?? netdev.master;
  const addresses = set?.namespace ? byHand : [...netdev.addresses, ...byHand];
  return { ...netdev, mtu, up: set?.up ?? netdev.up, addresses, master };
}

/** Network devices of a machine besides `lo`, in its own or another network namespace. */
export function netdevs(rack: Rack, machine: Machine, namespace = ''): Netdev[] {
  const { host, card } = machine;
  const { links } = networkOf(machine);
  const all = (host === null ? (card === null ? [] : armNetdevs(rack, card)) : hostNetdevs(rack, machine, host)).map(
    (each) => withSettings(machine, each, links),
  );
  for (const [name, settings] of Object.entries(links)) {
    if (settings.made !== undefined)
      all.push(withSettings(machine, madeNetdev(name, settings.made, settings, all), links));
  }
  return all.filter(({ name }) => (links[name]?.namespace ?? '') === namespace);
}
