import type { ReadCommand, ReadTemplate } from '../domain/commands.ts';
import { defineRead } from '../domain/commands.ts';
import type { CommandResult, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import type { CardUseFacts, RootFacts } from './card-use-judge.ts';
import {
  parseBridges,
  parseDisks,
  parseDrivers,
  parseNetLinks,
  parseRootMount,
  parseRouteDevices,
  parseSshConnection,
  parseSysfsLinks,
} from './card-use-parse.ts';
import { expectSuccess } from './read-helpers.ts';

/** Set by sshd for every session. Source: ssh(1). */
export const sshConnection = defineRead({ name: 'SSH_CONNECTION', argv: ['printenv', 'SSH_CONNECTION'] });
/** The way back for a packet of this very session, rules by source address included. Source: ip-route(8). */
export const routeGet = defineRead({
  name: 'ip route get',
  argv: ['ip', '-json', 'route', 'get', '{to}', 'from', '{from}'],
  holes: { to: /[0-9A-Fa-f:][0-9A-Fa-f.:]*/, from: /[0-9A-Fa-f:][0-9A-Fa-f.:]*/ },
});
export const routeTo = defineRead({
  name: 'ip route get to a file server',
  argv: ['ip', '-json', 'route', 'get', '{to}'],
  holes: { to: /[0-9A-Fa-f:][0-9A-Fa-f.:]*/ },
});
export const defaultRoutes = defineRead({ name: 'ip route', argv: ['ip', '-json', 'route', 'show', 'default'] });
export const defaultRoutes6 = defineRead({
  name: 'ip -6 route',
  argv: ['ip', '-json', '-6', 'route', 'show', 'default'],
});
export const netLinks = defineRead({ name: 'ip link', argv: ['ip', '-json', '-details', 'link', 'show'] });
export const netAddresses = defineRead({ name: 'ip addr', argv: ['ip', '-json', 'addr', 'show'] });

const listLinks = ['-mindepth', '1', '-maxdepth', '1', '-printf', '%f %l\\n'];
/** Links in sysfs say where a device sits on PCIe. Source: sysfs(5), find(1). */
export const pciDevices = defineRead({ name: 'PCI devices', argv: ['find', '/sys/bus/pci/devices', ...listLinks] });
export const netDevices = defineRead({ name: 'network devices', argv: ['find', '/sys/class/net', ...listLinks] });
export const blockDevices = defineRead({ name: 'block devices', argv: ['find', '/sys/class/block', ...listLinks] });
export const pciDrivers = defineRead({
  name: 'PCI drivers',
  argv: ['find', '/sys/bus/pci/drivers', '-mindepth', '2', '-maxdepth', '2', '-name', '*:*', '-printf', '%h %f\\n'],
});
/** Bridges (class 0604) of NVIDIA's networking cards: one that emulates a PCIe switch has its disks behind other ports. */
export const cardBridges = defineRead({ name: 'bridges of cards', argv: ['lspci', '-D', '-n', '-d', '15b3::0604'] });
export const rootMount = defineRead({
  name: 'root file system',
  argv: ['findmnt', '-J', '-o', 'SOURCE,FSTYPE,OPTIONS', '/'],
});
const deviceHole = /\/dev\/(?:mapper\/|disk\/by-[a-z]+\/)?[A-Za-z0-9_][A-Za-z0-9_.:+-]*/;
export const disksBelow = defineRead({
  name: 'disks below a device',
  argv: ['lsblk', '-J', '-s', '-o', 'KNAME', '{device}'],
  holes: { device: deviceHole },
});

/**
 * Reads all that `judgeCardUse` needs about a host and the card at `pciAddress`. Nothing is guessed: output that is not
 * understood is an error. Errors: command-failed, output-unreadable and those of the transport.
 */
export async function readCardUse(host: HostReader, pciAddress: string, signal: AbortSignal): Promise<CardUseFacts> {
  const { name } = host;
  const read = (command: ReadTemplate<never>): Promise<string> => textOf(host, command.bind({}), signal);
  const way = await readWay(host, signal);
  const routes = [await read(defaultRoutes), await read(defaultRoutes6)];
  return {
    pciAddress,
    pci: parseSysfsLinks(name, 'the list of PCI devices', await read(pciDevices)),
    drivers: parseDrivers(name, await read(pciDrivers)),
    bridges: parseBridges(name, await read(cardBridges)),
    netDevices: parseSysfsLinks(name, 'the list of network devices', await read(netDevices)),
    blockDevices: parseSysfsLinks(name, 'the list of block devices', await read(blockDevices)),
    links: parseNetLinks(name, await read(netLinks), await read(netAddresses)),
    wayDevices: way,
    defaultDevices: [...new Set(routes.flatMap((text) => parseRouteDevices(name, text)))],
    root: await readRoot(host, signal),
  };
}

/** Devices by which the host answers this SSH session. */
async function readWay(host: HostReader, signal: AbortSignal): Promise<readonly string[]> {
  const ends = parseSshConnection(host.name, await textOf(host, sshConnection.bind({}), signal));
  if (ends.zone !== undefined) return [ends.zone];
  const text = await textOf(host, routeGet.bind({ to: ends.client, from: ends.server }), signal);
  return someDevice(host.name, text);
}

async function readRoot(host: HostReader, signal: AbortSignal): Promise<RootFacts> {
  const { source, fstype, options } = parseRootMount(host.name, await textOf(host, rootMount.bind({}), signal));
  if (['tmpfs', 'ramfs', 'rootfs'].includes(fstype)) return { kind: 'memory' };
  const server = /(?:^|,)addr=([0-9A-Fa-f.:]+)(?:,|$)/.exec(options)?.[1];
  if (/^(nfs4?|cifs)$/.test(fstype) && server !== undefined) {
    const text = await textOf(host, routeTo.bind({ to: server }), signal);
    return { kind: 'network', devices: someDevice(host.name, text) };
  }
  if (!new RegExp(`^${deviceHole.source}$`).test(source))
    return { kind: 'unknown', problem: `its root file system is ${source.slice(0, 80)} (${fstype})` };
  return {
    kind: 'disks',
    names: parseDisks(host.name, await textOf(host, disksBelow.bind({ device: source }), signal)),
  };
}

function someDevice(hostName: string, text: string): readonly string[] {
  const devices = parseRouteDevices(hostName, text);
  if (devices.length > 0) return devices;
  throw errors.outputUnreadable({
    target: hostName,
    source: 'ip route get',
    problem: 'it names no device',
    evidence: text,
  });
}

async function textOf(host: HostReader, command: ReadCommand, signal: AbortSignal): Promise<string> {
  const result: CommandResult = await host.read(command, { timeoutMs: 15_000, signal, maxBytes: 2_000_000 });
  expectSuccess(host.name, command.name, result);
  if (!result.truncated) return result.stdout;
  throw errors.outputUnreadable({ target: host.name, source: command.name, problem: 'it is not complete' });
}
