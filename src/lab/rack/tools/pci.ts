/**
 * The PCI devices of a host, as data.
 *
 * Source: PCI IDs 15b3:a2dc (BlueField-3 integrated ConnectX-7) and 15b3:c2d5 (BlueField-3 SoC management); VPD layout
 * from published lspci dumps of BlueField-2 and ConnectX-7 cards.
 */
import { createHash } from 'node:crypto';
import type { CardState, HostState, Rack } from '../state.ts';
import { cardFault, cardsOfHost, shownHardware } from '../state.ts';

export interface PciDevice {
  /** Full address: 0000:e1:00.0 */
  address: string;
  classId: string;
  className: string;
  vendorId: string;
  vendorName: string;
  deviceId: string;
  deviceName: string;
  revision: string;
  numaNode: number;
  driver: string | null;
  /** The module that knows it, whatever drives it. */
  module: string | null;
  card: CardState | null;
  functionNumber: number;
  /** Of a virtual function: the address of its physical one, and its number there. */
  virtual: { of: string; number: number } | null;
}

export interface LinkState {
  capableGts: number;
  speedGts: number;
  capableWidth: number;
  width: number;
}

const gtsOfGen = { 3: 8, 4: 16, 5: 32 } as const;

/** What the card can do and what it trained at in this slot. */
export function linkState(rack: Rack, card: CardState): LinkState {
  const { slotGen, slotWidth } = card.hardware.pcie;
  const downgraded = cardFault(rack, card, 'pcie-downgraded');
  return {
    capableGts: 32,
    speedGts: downgraded ? 8 : gtsOfGen[slotGen],
    capableWidth: 16,
    width: slotWidth,
  };
}

const amd = { vendorId: '1022', vendorName: 'Advanced Micro Devices, Inc. [AMD]' };

function device(address: string, is: Partial<PciDevice>): PciDevice {
  return {
    address,
    ...amd,
    classId: '0600',
    className: 'Host bridge',
    deviceId: '14a4',
    deviceName: 'Device 14a4',
    revision: '01',
    numaNode: 0,
    driver: null,
    module: is.driver ?? null,
    card: null,
    functionNumber: 0,
    virtual: null,
    ...is,
  };
}

const managementNic = device('0000:41:00.0', {
  classId: '0200',
  className: 'Ethernet controller',
  vendorId: '8086',
  vendorName: 'Intel Corporation',
  deviceId: '1533',
  deviceName: 'I210 Gigabit Network Connection',
  revision: '03',
  driver: 'igb',
});

/** The drive with the root file system. */
export const rootDrive = device('0000:61:00.0', {
  classId: '0108',
  className: 'Non-Volatile memory controller',
  vendorId: '144d',
  vendorName: 'Samsung Electronics Co Ltd',
  deviceId: 'a80a',
  deviceName: 'NVMe SSD Controller PM9A1/PM9A3/980PRO',
  revision: '00',
  driver: 'nvme',
});

/** PCI address from its parts. */
function addressOf(domain: string, bus: number, slot: number, functionNumber: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `${domain}:${hex(bus)}:${hex(slot)}.${functionNumber}`;
}

/** The port of the processor a bus hangs on; null for a bus of the processor itself. */
function rootPort(address: string): string | null {
  const [domain = '0000', bus = '00'] = address.split(':');
  const number = Number.parseInt(bus, 16);
  const root = number & 0xe0;
  return number === root ? null : addressOf(domain, root, number - root, 1);
}

/** Where a device lies in sysfs. */
export function pciFolder(address: string): string {
  const port = rootPort(address);
  const complex = `/sys/devices/pci${(port ?? address).slice(0, 7)}`;
  return port === null ? `${complex}/${address}` : `${complex}/${port}/${address}`;
}

const cardVendor = { vendorId: '15b3', vendorName: 'Mellanox Technologies' };
const ethernet = { classId: '0200', className: 'Ethernet controller' };

function cardFunction(card: CardState, functionNumber: number): PciDevice {
  const management = functionNumber === 2;
  return device(`${card.hardware.pcie.address}.${functionNumber}`, {
    ...cardVendor,
    ...(management ? { classId: '0801', className: 'DMA controller' } : ethernet),
    deviceId: management ? 'c2d5' : 'a2dc',
    deviceName: management
      ? 'MT43244 BlueField-3 SoC Management Interface'
      : 'MT43244 BlueField-3 integrated ConnectX-7 network controller',
    numaNode: card.hardware.pcie.numaNode,
    driver: management ? null : 'mlx5_core',
    card,
    functionNumber,
  });
}

/** Functions 0 to 2 are physical; the virtual ones of a port follow in one piece. */
const firstVirtual = 3;

function virtualFunctions(host: HostState, card: CardState, port: number): PciDevice[] {
  const of = `${card.hardware.pcie.address}.${port}`;
  const [domain = '', bus = ''] = of.split(':');
  const most = Number(card.nvconfig.current['NUM_OF_VFS'] ?? 0);
  const count = host.network.functions?.[of]?.virtualFunctions ?? 0;
  return Array.from({ length: count }, (_each, number) => {
    const at = firstVirtual + port * most + number;
    return device(addressOf(domain, Number.parseInt(bus, 16), at >> 3, at & 7), {
      ...cardVendor,
      ...ethernet,
      deviceId: '101e',
      deviceName: 'ConnectX Family mlx5Gen Virtual Function',
      numaNode: card.hardware.pcie.numaNode,
      driver: 'mlx5_core',
      card,
      functionNumber: at & 7,
      virtual: { of, number },
    });
  });
}

function rootPorts(devices: PciDevice[]): PciDevice[] {
  const ports = new Map<string, PciDevice>();
  for (const { address, numaNode } of devices) {
    const port = rootPort(address);
    if (port === null) continue;
    const is = { classId: '0604', className: 'PCI bridge', deviceId: '14ab', deviceName: 'Device 14ab' };
    ports.set(port, device(port, { ...is, numaNode, driver: 'pcieport' }));
  }
  return [...ports.values()];
}

/** All devices of a host, by address. */
export function pciDevices(rack: Rack, host: HostState): PciDevice[] {
  const cards = cardsOfHost(rack, host.name).flatMap((card) => [
    ...[0, 1, 2].map((number) => cardFunction(card, number)),
    ...[0, 1].flatMap((port) => virtualFunctions(host, card, port)),
  ]);
  const ends = [managementNic, rootDrive, ...cards];
  return [device('0000:00:00.0', {}), ...rootPorts(ends), ...ends]
    .map((each) => {
      const set = host.network.functions?.[each.address]?.driver;
      return set === undefined ? each : { ...each, driver: set };
    })
    .sort((left, right) => (left.address < right.address ? -1 : 1));
}

/** The vital product data of one function: keyword, label, value. */
export function vitalProductData(
  rack: Rack,
  device: PciDevice,
): { product: string; fields: [string, string, string][] } | null {
  if (device.card === null || device.virtual !== null || device.functionNumber > 1) return null;
  const { partNumber, serial, description } = shownHardware(rack, device.card);
  const model = createHash('sha256').update(serial).digest('hex').slice(0, 32);
  const [product = description] = description.split('; Dual-port');
  return {
    product,
    fields: [
      ['PN', 'Part number', partNumber],
      ['EC', 'Engineering changes', 'A5'],
      ['V2', 'Vendor specific', partNumber],
      ['SN', 'Serial number', serial],
      ['V3', 'Vendor specific', model],
      [
        'VA',
        'Vendor specific',
        `MLX:MN=MLNX:CSKU=V2:UUID=V3:PCI=V0:MODL=${partNumber.slice(4, 14).replaceAll('-', '')}`,
      ],
      ['V0', 'Vendor specific', 'PCIeGen5 x16'],
      ['VU', 'Vendor specific', `${serial}MLNXS0D0F${device.functionNumber}`],
      ['RV', 'Reserved', 'checksum good, 1 byte(s) reserved'],
    ],
  };
}
