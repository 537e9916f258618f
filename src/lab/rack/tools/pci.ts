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
  card: CardState | null;
  functionNumber: number;
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

function hostBridge(address: string, numaNode: number): PciDevice {
  return {
    address,
    classId: '0600',
    className: 'Host bridge',
    vendorId: '1022',
    vendorName: 'Advanced Micro Devices, Inc. [AMD]',
    deviceId: '14a4',
    deviceName: 'Device 14a4',
    revision: '01',
    numaNode,
    driver: null,
    card: null,
    functionNumber: 0,
  };
}

function managementNic(): PciDevice {
  return {
    address: '0000:41:00.0',
    classId: '0200',
    className: 'Ethernet controller',
    vendorId: '8086',
    vendorName: 'Intel Corporation',
    deviceId: '1533',
    deviceName: 'I210 Gigabit Network Connection',
    revision: '03',
    numaNode: 0,
    driver: 'igb',
    card: null,
    functionNumber: 0,
  };
}

function cardFunction(card: CardState, functionNumber: number): PciDevice {
  const management = functionNumber === 2;
  return {
    address: `${card.hardware.pcie.address}.${functionNumber}`,
    classId: management ? '0801' : '0200',
    className: management ? 'DMA controller' : 'Ethernet controller',
    vendorId: '15b3',
    vendorName: 'Mellanox Technologies',
    deviceId: management ? 'c2d5' : 'a2dc',
    deviceName: management
      ? 'MT43244 BlueField-3 SoC Management Interface'
      : 'MT43244 BlueField-3 integrated ConnectX-7 network controller',
    revision: '01',
    numaNode: card.hardware.pcie.numaNode,
    driver: management ? null : 'mlx5_core',
    card,
    functionNumber,
  };
}

/** All devices of a host, by address. */
export function pciDevices(rack: Rack, host: HostState): PciDevice[] {
  const cards = cardsOfHost(rack, host.name).flatMap((card) => [0, 1, 2].map((number) => cardFunction(card, number)));
  return [hostBridge('0000:00:00.0', 0), managementNic(), ...cards].sort((left, right) =>
    left.address < right.address ? -1 : 1,
  );
}

/** The vital product data of one function: keyword, label, value. */
export function vitalProductData(
  rack: Rack,
  device: PciDevice,
): { product: string; fields: [string, string, string][] } | null {
  if (device.card === null || device.functionNumber > 1) return null;
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
