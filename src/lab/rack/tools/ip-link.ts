/**
 * `ip link add|set|del`.
 *
 * Source: answers of iproute2 6.1 to the same requests; bond_enslave of the kernel for a device that is up.
 */
import { macPlus } from '../identity.ts';
import { complain } from '../shell/descriptors.ts';
import type { Frame } from '../shell/types.ts';
import type { LinkSettings, MadeLink } from '../network-state.ts';
import { linkOf, netdevs, networkOf } from './netdevs.ts';
import type { Netdev } from './netdevs.ts';

function refuse(frame: Frame, text: string, status = 2): number {
  complain(frame, `${text}\n`);
  return status;
}

const notPermitted = 'RTNETLINK answers: Operation not permitted';

function found(frame: Frame, name: string): Netdev | undefined {
  return netdevs(frame.rack, frame.machine, frame.network).find(
    (each) => each.name === name || each.altNames.includes(name),
  );
}

function setMtu(frame: Frame, device: Netdev, link: LinkSettings, value: string): number {
  if (!/^\d+$/.test(value)) return refuse(frame, `Error: argument "${value}" is wrong: Invalid "mtu" value\n`, 255);
  const mtu = Number(value);
  if (mtu < 68) return refuse(frame, 'Error: mtu less than device minimum.');
  if (device.maxMtu > 0 && mtu > device.maxMtu) return refuse(frame, 'Error: mtu greater than device maximum.');
  link.mtu = mtu;
  const { card } = frame.machine;
  if (card !== null) card.armOs.mtus[device.name] = mtu;
  return 0;
}

function setMaster(frame: Frame, device: Netdev, link: LinkSettings, value: string): number {
  const master = found(frame, value);
  if (master === undefined) return refuse(frame, `Error: argument "${value}" is wrong: Device does not exist\n`, 255);
  if (master.kind !== 'bond' && master.kind !== 'bridge')
    return refuse(frame, 'RTNETLINK answers: Operation not supported');
  if (master.kind === 'bond' && device.up) return refuse(frame, 'Error: Device can not be enslaved while up.');
  link.master = master.name;
  if (master.kind === 'bond') link.up = true;
  return 0;
}

function setNamespace(frame: Frame, link: LinkSettings, value: string): number {
  const known = value === '1' || frame.machine.host?.network.namespaces.includes(value) === true;
  if (!known) return refuse(frame, `Error: argument "${value}" is wrong: Invalid "netns" value\n`, 255);
  delete link.master;
  Object.assign(link, { namespace: value === '1' ? '' : value, addresses: [], up: false });
  return 0;
}

/** `ip link set [dev] NAME ...`. */
export function setLink(frame: Frame, args: string[]): number {
  const [name = '', ...rest] = args[0] === 'dev' ? args.slice(1) : args;
  const device = found(frame, name);
  if (device === undefined) return refuse(frame, `Cannot find device "${name}"`, 1);
  if (!frame.root) return refuse(frame, notPermitted);
  const link = linkOf(frame.machine, device.name);
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? '';
    if (word === 'up' || word === 'down') {
      link.up = word === 'up';
      continue;
    }
    if (word === 'nomaster') {
      delete link.master;
      continue;
    }
    at += 1;
    const value = rest[at] ?? '';
    let status = 0;
    if (word === 'mtu') status = setMtu(frame, device, link, value);
    else if (word === 'master') status = setMaster(frame, device, link, value);
    else if (word === 'netns') status = setNamespace(frame, link, value);
    if (status !== 0) return status;
  }
  return 0;
}

const kinds = ['bond', 'bridge', 'vlan', 'dummy', 'macvlan'] as const;

/** `ip link add [link LOWER] [name] NAME type KIND [id N] [mode M]`. */
export function addLink(frame: Frame, args: string[]): number {
  const at = args.indexOf('type');
  const before = at === -1 ? args : args.slice(0, at);
  const [kindName = '', ...details] = at === -1 ? [] : args.slice(at + 1);
  const after = (words: string[], word: string): string | undefined =>
    words.includes(word) ? words[words.indexOf(word) + 1] : undefined;
  const lower = after(before, 'link');
  const name =
    after(before, 'name') ?? before.filter((word, index) => word !== 'link' && before[index - 1] !== 'link').at(-1);
  if (at === -1) return refuse(frame, 'Not enough information: "type" argument is required', 255);
  if (name === undefined || !/^[^\s/]{1,15}$/.test(name))
    return refuse(frame, `Error: argument "${name ?? ''}" is wrong: "name" not a valid ifname\n`, 255);
  if (!frame.root) return refuse(frame, notPermitted);
  const network = networkOf(frame.machine);
  const kind = kinds.find((each) => each === kindName);
  if (kind === undefined) return refuse(frame, 'Error: Unknown device type.');
  if (found(frame, name) !== undefined) return refuse(frame, 'RTNETLINK answers: File exists');
  const needsLower = kind === 'vlan' || kind === 'macvlan';
  const below = lower === undefined ? undefined : found(frame, lower);
  if (lower !== undefined && below === undefined) return refuse(frame, `Cannot find device "${lower}"`, 1);
  if (needsLower && below === undefined) return refuse(frame, 'RTNETLINK answers: No such device');
  const id = after(details, 'id');
  if (kind === 'vlan' && id === undefined) return refuse(frame, 'Error: 8021q: VLAN properties not specified.');
  const mode = after(details, 'mode');
  const count = Object.values(network.links).filter((link) => link.made !== undefined).length;
  const made: MadeLink = {
    kind,
    index: 20 + count,
    mac: kind === 'vlan' && below !== undefined ? below.mac : macPlus('16:c5:2b:a7:d4:00', count + 1),
    ...(needsLower && below !== undefined && { lower: below.name }),
    ...(id !== undefined && { vlanId: Number(id) }),
    ...(mode !== undefined && { mode }),
  };
  network.links[name] = { namespace: frame.network, addresses: [], up: false, mtu: null, made };
  return 0;
}

/** `ip link del [dev] NAME`. */
export function deleteLink(frame: Frame, args: string[]): number {
  const name = (args[0] === 'dev' ? args[1] : args[0]) ?? '';
  const device = found(frame, name);
  const network = networkOf(frame.machine);
  if (device === undefined) return refuse(frame, `Cannot find device "${name}"`, 1);
  if (!frame.root) return refuse(frame, notPermitted);
  if (device.made === null) return refuse(frame, 'RTNETLINK answers: Operation not supported');
  delete network.links[device.name];
  for (const [other, link] of Object.entries(network.links)) {
    if (link.master === device.name) delete link.master;
    if (link.made?.lower === device.name) delete network.links[other];
  }
  return 0;
}
