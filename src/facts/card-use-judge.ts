import type { NetLink, SysfsLink } from './card-use-parse.ts';

/** Where the root file system lives. */
export type RootFacts =
  | { readonly kind: 'memory' }
  | { readonly kind: 'network'; readonly devices: readonly string[] }
  | { readonly kind: 'disks'; readonly names: readonly string[] }
  | { readonly kind: 'unknown'; readonly problem: string };

/** What was read of the host: see `readCardUse`. */
export interface CardUseFacts {
  readonly pciAddress: string;
  readonly pci: readonly SysfsLink[];
  /** Driver by PCI address. */
  readonly drivers: ReadonlyMap<string, string>;
  readonly bridges: readonly string[];
  readonly netDevices: readonly SysfsLink[];
  readonly blockDevices: readonly SysfsLink[];
  readonly links: readonly NetLink[];
  /** Devices by which the host answers the worker. */
  readonly wayDevices: readonly string[];
  readonly defaultDevices: readonly string[];
  readonly root: RootFacts;
}

export interface CardUse {
  /** Sentences: the host itself hangs on the card (the worker's way, the root disk). */
  readonly vital: readonly string[];
  /** Why that could not be found out. */
  readonly unknown: readonly string[];
  /** Sentences: something is in service on it. */
  readonly services: readonly string[];
}

type OnCard = (path: string) => boolean;

/** Who uses the card: worked out from what was read, nothing else. */
export function judgeCardUse(facts: CardUseFacts): CardUse {
  const onCard = cardTest(facts);
  const own = facts.netDevices.filter((device) => onCard(device.path)).map((device) => device.name);
  const above = devicesAbove(own, facts.links);
  const vital: string[] = [];
  const unknown: string[] = [];
  const note = (subject: string, devices: readonly string[]): void => {
    for (const device of devices) {
      const through = leadsThrough(device, above, facts);
      if (through === 'unknown') unknown.push(`${subject} goes over ${device}, and what that stands on is not known`);
      else if (through) vital.push(`${subject} goes over ${device}, which is the card or stands on it`);
    }
  };
  note('the way of the worker to this host', facts.wayDevices);
  if (facts.root.kind === 'network') note('the root file system', facts.root.devices);
  if (facts.root.kind === 'unknown') unknown.push(facts.root.problem);
  if (facts.root.kind === 'disks')
    for (const disk of facts.root.names) {
      const place = placeOfDisk(disk, facts, onCard);
      if (place === 'card') vital.push(`the root disk ${disk} is provided by the card`);
      if (place === 'unknown') unknown.push(`where the root disk ${disk} comes from is not known`);
    }
  return { vital: [...new Set(vital)], unknown, services: servicesOf(facts, onCard, own, above) };
}

/**
 * Tells what sits on the card: everything below the topmost PCIe bridge of the card itself, else below the port it is
 * plugged into (functions, virtual functions and emulated devices), else functions with its bus and device number.
 */
function cardTest({ pci, pciAddress, bridges }: CardUseFacts): OnCard {
  const path = pci.find((device) => device.name === pciAddress)?.path;
  const parts = path?.split('/') ?? [pciAddress];
  const bridge = parts.findIndex((part) => bridges.includes(part));
  const port = parts.length - 2;
  const end = bridge >= 0 ? bridge : /^[0-9a-f]{4}:/.test(parts[port] ?? '') ? port : -1;
  if (end < 0) {
    const ownFunctions = pciAddress.replace(/\.[0-7]$/, '.');
    return (candidate) => candidate.split('/').some((part) => part.startsWith(ownFunctions));
  }
  const top = `${parts.slice(0, end + 1).join('/')}/`;
  return (candidate) => `${candidate}/`.startsWith(top);
}

/** The devices themselves, and all that stand on them: bonds, bridges, VLANs, switches, and what stands on those. */
function devicesAbove(own: readonly string[], links: readonly NetLink[]): ReadonlySet<string> {
  const above = new Set(own);
  // A set is walked in the order of insertion, also over what is added meanwhile.
  for (const name of above)
    for (const link of links) {
      if (link.name === name && link.master !== undefined) above.add(link.master);
      if (link.lower === name) above.add(link.name);
      // Every port of Open vSwitch hangs on one device; which bridge it belongs to only its own database knows.
      if (name === 'ovs-system' && link.kind === 'openvswitch') above.add(link.name);
    }
  return above;
}

/**
 * Does a packet that leaves by `device` go through the card? A tunnel (tailscale0, wg0) says nothing about what carries it:
 * then the default routes count.
 */
function leadsThrough(device: string, above: ReadonlySet<string>, facts: CardUseFacts): boolean | 'unknown' {
  if (above.has(device)) return true;
  if (device === 'lo' || standsOnHardware(device, facts)) return false;
  const carriers = facts.defaultDevices.filter((carrier) => carrier !== device);
  if (carriers.some((carrier) => above.has(carrier))) return true;
  return carriers.some((carrier) => standsOnHardware(carrier, facts)) ? false : 'unknown';
}

/** True when the device, or one below it, is a piece of hardware. */
function standsOnHardware(device: string, { links, netDevices }: CardUseFacts): boolean {
  const below = new Set([device]);
  for (const name of below)
    for (const link of links) {
      if (link.name === name && link.lower !== undefined) below.add(link.lower);
      if (link.master === name) below.add(link.name);
      if (link.name === name && link.kind === 'openvswitch') below.add('ovs-system');
    }
  return netDevices.some((one) => below.has(one.name) && !one.path.startsWith('virtual/'));
}

function placeOfDisk(disk: string, { blockDevices }: CardUseFacts, onCard: OnCard): 'card' | 'elsewhere' | 'unknown' {
  // The paths of a multipath NVMe disk (nvme0n1) are hidden disks of their own (nvme0c0n1).
  const [, subsystem, namespace] = /^nvme(\d+)n(\d+)(?:p\d+)?$/.exec(disk) ?? [];
  const paths = blockDevices
    .filter(({ name, path }) => {
      const [, one, other] = /^nvme(\d+)c\d+n(\d+)$/.exec(name) ?? [];
      const isPath = one !== undefined && one === subsystem && other === namespace;
      return isPath || (name === disk && !path.startsWith('virtual/nvme-subsystem/'));
    })
    .map(({ path }) => path);
  if (paths.some(onCard)) return 'card';
  // iSCSI, NVMe over fabrics, network block devices: which card carries them is not to be seen there.
  const isFar = paths.some((path) => path.startsWith('virtual/') || /\/session\d+\//.test(path));
  return paths.length === 0 || isFar ? 'unknown' : 'elsewhere';
}

function servicesOf(
  facts: CardUseFacts,
  onCard: OnCard,
  own: readonly string[],
  above: ReadonlySet<string>,
): readonly string[] {
  const { links, drivers, pci, netDevices, blockDevices, defaultDevices } = facts;
  const members = links.filter((link) => own.includes(link.name) && link.master !== undefined);
  const addressed = links.filter((link) => above.has(link.name) && link.addresses.length > 0);
  const functions = pci.filter((device) => onCard(device.path)).map((device) => device.name);
  const withNet = (address: string): boolean => netDevices.some(({ path }) => path.split('/').includes(address));
  return [
    ...members.map((link) => `${link.name} is a port of ${link.master}`),
    ...addressed.map((link) => `${link.name} has ${link.addresses.join(', ')}`),
    ...defaultDevices.filter((device) => above.has(device)).map((device) => `the default route goes over ${device}`),
    ...functions.flatMap((address) => {
      const driver = drivers.get(address) ?? '';
      if (/vfio|pciback|^uio|igb_uio/.test(driver))
        return [`${address} is handed to a virtual machine or program (${driver})`];
      const isAway = driver === 'mlx5_core' && !withNet(address);
      return isAway ? [`${address} has no network device here (a container may have it)`] : [];
    }),
    ...blockDevices
      .filter(({ path }) => onCard(path) && /\/block\/[^/]+$|\/nvme\d+\/nvme[^/]+$/.test(path))
      .map(({ name }) => `the disk ${name} is provided by the card`),
  ];
}
