/** A network device as data. */
import type { MadeLink } from '../network-state.ts';
import type { CardState } from '../state.ts';

export interface Address {
  local: string;
  prefix: number;
  /** Set by whoever configured the system, not by hand. */
  configured: boolean;
}

export interface Netdev {
  index: number;
  name: string;
  altNames: string[];
  mac: string;
  mtu: number;
  maxMtu: number;
  up: boolean;
  carrier: boolean;
  speedMbps: number;
  addresses: Address[];
  /** PCI address of the device under it, if any. */
  pci: string | null;
  driver: string;
  /** Name of its port in the eSwitch, and the eSwitch it belongs to. */
  portName: string | null;
  switchId: string | null;
  master: string | null;
  /** Kind as `ip -details` tells it: of a tap device or a made one. */
  kind: 'tun' | 'openvswitch' | 'vxlan' | MadeLink['kind'] | null;
  made: MadeLink | null;
}

/** Number of the embedded switch that all its ports tell. */
export function switchId({ hardware: { baseMac } }: CardState): string {
  return `${baseMac.replaceAll(':', '').slice(6)}0003${baseMac.slice(0, 8).replaceAll(':', '')}`;
}

const cardMaxMtu = 9978;

/** A device with what most have. */
export function device(index: number, name: string, mac: string, rest: Partial<Netdev>): Netdev {
  return {
    index,
    name,
    altNames: [],
    mac,
    mtu: 1500,
    maxMtu: cardMaxMtu,
    up: true,
    carrier: true,
    speedMbps: 1000,
    addresses: [],
    pci: null,
    driver: 'mlx5_core',
    portName: null,
    switchId: null,
    master: null,
    kind: null,
    made: null,
    ...rest,
  };
}
