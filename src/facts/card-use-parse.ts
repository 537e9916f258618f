import { z } from 'zod';
import { errors } from '../errors.ts';

/** One symbolic link of sysfs: a device by its name, and where it sits (`pci0000:e0/0000:e0:01.1/0000:e1:00.0/net/x`). */
export interface SysfsLink {
  readonly name: string;
  /** Path below /sys/devices, without a leading slash. */
  readonly path: string;
}

/** A network device of the host, as far as it matters for who sits on whom. */
export interface NetLink {
  readonly name: string;
  /** The bond, bridge or switch it is a port of. */
  readonly master?: string;
  /** The device a VLAN, macvlan or vxlan is built on. */
  readonly lower?: string;
  /** `bond`, `bridge`, `vlan`, `openvswitch`, `tun` ... */
  readonly kind?: string;
  readonly addresses: readonly string[];
}

function unreadable(target: string, source: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 600) });
}

function parseJson<T>(schema: z.ZodType<T>, target: string, source: string, text: string): T {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw unreadable(target, source, 'it is not JSON', text);
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw unreadable(target, source, problem.slice(0, 300), text);
}

/** Parses `find ... -printf '%f %l\n'` over links into /sys/devices; plain files (bonding_masters) have no target. */
export function parseSysfsLinks(target: string, source: string, text: string): readonly SysfsLink[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', link = '', ...rest] = line.trimEnd().split(' ');
    if (line.trim() === '' || (link === '' && rest.length === 0 && name !== '')) return [];
    const path = /^(?:\.\.\/)+devices\/(\S+)$/.exec(link)?.[1];
    if (name === '' || path === undefined || rest.length > 0)
      throw unreadable(target, source, `a line that is no link into /sys/devices: ${line.slice(0, 120)}`, text);
    return [{ name, path }];
  });
}

/** Parses `find /sys/bus/pci/drivers ... -printf '%h %f\n'`: the driver of every PCI function that has one. */
export function parseDrivers(target: string, text: string): ReadonlyMap<string, string> {
  const drivers = new Map<string, string>();
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const match = /^\/sys\/bus\/pci\/drivers\/(.+) ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/.exec(
      line.trimEnd(),
    );
    const [, driver, address] = match ?? [];
    if (driver === undefined || address === undefined)
      throw unreadable(target, 'the list of PCI drivers', `a line of another form: ${line.slice(0, 120)}`, text);
    drivers.set(address, driver);
  }
  return drivers;
}

/** Parses `lspci -D -n -d 15b3::0604`: the PCIe bridges made by NVIDIA, which are parts of its cards. */
export function parseBridges(target: string, text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const address = /^([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) 0604: 15b3:/.exec(line)?.[1];
      if (address === undefined) throw unreadable(target, 'lspci', 'a line that is no bridge of NVIDIA', text);
      return address;
    });
}

const Link = z.object({
  ifname: z.string(),
  master: z.string().optional(),
  link: z.string().nullish(),
  linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
});
const Address = z.object({
  ifname: z.string(),
  addr_info: z.array(
    z.object({
      local: z.string().optional(),
      prefixlen: z.number().optional(),
      scope: z.string().optional(),
      temporary: z.boolean().optional(),
    }),
  ),
});
// Some versions of iproute2 print empty objects for what a filter left out.
const orEmpty = <T>(schema: z.ZodType<T>): z.ZodType<(T | Record<string, never>)[]> =>
  z.array(z.union([schema, z.strictObject({})]));

/**
 * Joins `ip -json -details link` and `ip -json addr`. Addresses that every port has by itself (link-local) or that change
 * by themselves (temporary) are left out: they say nothing about use.
 */
export function parseNetLinks(target: string, links: string, addresses: string): readonly NetLink[] {
  const known = parseJson(orEmpty(Address), target, 'ip addr', addresses).flatMap((one) =>
    'ifname' in one ? [one] : [],
  );
  return parseJson(orEmpty(Link), target, 'ip link', links).flatMap((one) => {
    if (!('ifname' in one)) return [];
    const { ifname: name, master, link, linkinfo } = one;
    const own = known.find((entry) => entry.ifname === name)?.addr_info ?? [];
    return [
      {
        name,
        ...(master !== undefined && { master }),
        ...(link !== undefined && link !== null && { lower: link }),
        ...(linkinfo?.info_kind !== undefined && { kind: linkinfo.info_kind }),
        addresses: own.flatMap(({ local, prefixlen, scope, temporary }) =>
          local === undefined || prefixlen === undefined || scope === 'link' || temporary === true
            ? []
            : [`${local}/${prefixlen}`],
        ),
      },
    ];
  });
}

const Route = z.object({
  dst: z.string().optional(),
  dev: z.string().optional(),
  nexthops: z.array(z.object({ dev: z.string() })).optional(),
});

/** Devices of the routes that `ip -json route` lists; routes without one (unreachable, blackhole) lead nowhere. */
export function parseRouteDevices(target: string, text: string): readonly string[] {
  const routes = parseJson(orEmpty(Route), target, 'ip route', text);
  return [
    ...new Set(
      routes.flatMap((route) => [
        ...(route.dev === undefined ? [] : [route.dev]),
        ...(route.nexthops ?? []).map((hop: { readonly dev: string }) => hop.dev),
      ]),
    ),
  ];
}

/** Both ends of an SSH session, from SSH_CONNECTION: `client port server port`. A zone stands behind `%`. */
export function parseSshConnection(
  target: string,
  text: string,
): { readonly client: string; readonly server: string; readonly zone?: string } {
  const [client = '', , server = '', , ...rest] = text.trim().split(/\s+/);
  const match = /^([0-9A-Fa-f.:]+)(?:%([A-Za-z0-9_.-]+))?$/.exec(client);
  const serverAddress = /^([0-9A-Fa-f.:]+)(?:%\S+)?$/.exec(server)?.[1];
  const [, address, zone] = match ?? [];
  if (address === undefined || serverAddress === undefined || rest.length > 0 || text.trim().split(/\s+/).length !== 4)
    throw unreadable(target, 'SSH_CONNECTION', 'it is not client, port, server and port', text);
  return { client: address, server: serverAddress, ...(zone !== undefined && { zone }) };
}

const Mounts = z.object({
  filesystems: z.array(z.object({ source: z.string(), fstype: z.string(), options: z.string().optional() })).length(1),
});

/** What `findmnt -J -o SOURCE,FSTYPE,OPTIONS /` says about the root file system. `[/sub]` of a subvolume is cut off. */
export function parseRootMount(
  target: string,
  text: string,
): { readonly source: string; readonly fstype: string; readonly options: string } {
  const mounts = parseJson(Mounts, target, 'findmnt', text).filesystems;
  const [mount] = mounts;
  if (mount === undefined) throw unreadable(target, 'findmnt', 'there is no root file system', text);
  return { source: mount.source.replace(/\[.*\]$/, ''), fstype: mount.fstype, options: mount.options ?? '' };
}

interface Block {
  readonly kname: string;
  readonly children?: readonly Block[] | undefined;
}
const Block: z.ZodType<Block> = z.lazy(() => z.object({ kname: z.string(), children: z.array(Block).optional() }));
const Blocks = z.object({ blockdevices: z.array(Block).min(1) });

/** Parses the inverse tree of `lsblk -J -s -o KNAME DEVICE`: the disks at its ends, by kernel name. */
export function parseDisks(target: string, text: string): readonly string[] {
  const ends = (block: Block): readonly string[] =>
    block.children === undefined || block.children.length === 0 ? [block.kname] : block.children.flatMap(ends);
  return [...new Set(parseJson(Blocks, target, 'lsblk', text).blockdevices.flatMap(ends))];
}
