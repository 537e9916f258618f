/** What somebody changed in the network and the PCI bus of a machine, as plain JSON. */
import type { MtuRule } from './udev.ts';

/** What somebody tuned on a host; a reboot takes it away. */
export interface HostTuning {
  /** NUMA node -> KiB of a page -> pages. */
  hugepages: Record<string, Record<string, number>>;
  /** What was set with sysctl: name with dots -> value. */
  sysctl: Record<string, string>;
  /** CPU frequency governor. */
  governor: string;
}

/** Tuning of a host that has just started. */
export function freshTuning(): HostTuning {
  return { hugepages: {}, sysctl: {}, governor: 'performance' };
}

/** Namespaces, addresses, links and PCI bindings that somebody set by hand; a reboot takes them away. */
export interface NetworkState {
  namespaces: string[];
  links: Record<string, LinkSettings>;
  /** The udev rules this start of the system met. */
  rules?: MtuRule[];
  routes?: { dst: string; gateway?: string; dev: string }[];
  /** PCI address -> what was written to its files in sysfs. */
  functions?: Record<string, FunctionSettings>;
}

/** A link as somebody set it. */
export interface LinkSettings {
  namespace: string;
  addresses: string[];
  up: boolean;
  mtu: number | null;
  /** The bond or bridge it belongs to. */
  master?: string;
  /** Set on a link that `ip link add` made. */
  made?: MadeLink;
}

/** What `ip link add` was told. */
export interface MadeLink {
  kind: 'bond' | 'bridge' | 'vlan' | 'dummy' | 'macvlan';
  index: number;
  mac: string;
  /** The device under a VLAN or macvlan. */
  lower?: string;
  vlanId?: number;
  mode?: string;
}

/** A PCI function as somebody set it. */
export interface FunctionSettings {
  /** Null: unbound. */
  driver?: string | null;
  override?: string;
  /** Virtual functions that were switched on. */
  virtualFunctions?: number;
}
