/**
 * The data path of an Arm as plain JSON: links that somebody set, Open vSwitch, the embedded switch, strongSwan.
 *
 * Source: mlnx-tools mlnx_bf_configure and its defaults (mlnx-bf.conf, mlnx-ovs.conf); Open vSwitch's database.
 */
import type { NetworkState } from './network-state.ts';

/** An interface of a bridge besides the bridge's own. */
export interface OvsPort {
  name: string;
  /** '' for a network device, or `vxlan`, `internal` ... */
  type: string;
  options: Record<string, string>;
}

export interface OvsBridge {
  name: string;
  datapathType: string;
  failMode: string | null;
  ports: OvsPort[];
}

export interface OvsState {
  active: boolean;
  otherConfig: Record<string, string>;
  /** What the daemon took when it started. */
  running: { hwOffload: boolean; docaInit: boolean };
  bridges: OvsBridge[];
}

/** What an SA leaves to the hardware. */
export type Offload = 'packet' | 'crypto' | 'no';

/** One half of a selector: a network with a protocol and a port, or all of them. */
export interface Selector {
  network: string;
  protocol: string | null;
  port: number | null;
}

export interface ChildSa {
  id: number;
  name: string;
  reqid: number;
  mode: 'TUNNEL' | 'TRANSPORT';
  encap: boolean;
  spiIn: string;
  spiOut: string;
  /** `AES_GCM_16-128` as a name and a key length. */
  cipher: { name: string; bits: number; esn: boolean };
  offload: Offload;
  localTs: Selector[];
  remoteTs: Selector[];
  bytesIn: number;
  packetsIn: number;
  bytesOut: number;
  packetsOut: number;
  installedAtMs: number;
}

export interface IkeSa {
  id: number;
  name: string;
  local: { host: string; id: string };
  remote: { host: string; id: string };
  initiator: boolean;
  initiatorSpi: string;
  responderSpi: string;
  proposal: string[];
  rekeySeconds: number;
  establishedAtMs: number;
  children: ChildSa[];
}

/** A child as its configuration says it. */
export interface ChildConfig {
  name: string;
  mode: 'TUNNEL' | 'TRANSPORT';
  localTs: Selector[];
  remoteTs: Selector[];
  espProposals: string[];
  hwOffload: 'packet' | 'crypto' | 'no' | 'auto';
  startAction: string;
  rekeySeconds: number;
}

export interface ConnectionConfig {
  name: string;
  /** 0: either version of IKE. */
  version: 0 | 1 | 2;
  localAddresses: string[];
  remoteAddresses: string[];
  local: { auth: string; id: string };
  remote: { auth: string; id: string };
  proposals: string[];
  encap: boolean;
  rekeySeconds: number;
  children: ChildConfig[];
}

export interface SharedSecret {
  name: string;
  ids: string[];
  secret: string;
}

/** An IKE SA whose peer has not answered yet; the daemon goes on asking after whoever wished it has left. */
export interface ConnectingSa {
  id: number;
  name: string;
  local: string;
  remote: string;
  initiatorSpi: string;
  /** When it gives up. */
  untilMs: number;
}

export interface CharonState {
  active: boolean;
  connections: ConnectionConfig[];
  secrets: SharedSecret[];
  sas: IkeSa[];
  connecting: ConnectingSa[];
  /** Names of children with a trap policy. */
  traps: string[];
  next: { ike: number; child: number; reqid: number };
}

/** How the embedded switch of a port works; `fdb` is the steering its tables were made with. */
export interface EswitchState {
  mode: 'switchdev' | 'legacy';
  inlineMode: string;
  encapMode: string;
  steering: 'dmfs' | 'smfs';
  fdb: 'dmfs' | 'smfs';
  ipsecMode: 'none' | 'full';
}

export interface ArmDataPath {
  network: NetworkState;
  ovs: OvsState;
  charon: CharonState;
  /** By port number. */
  eswitches: EswitchState[];
  /** What somebody set with sysctl: name with dots -> value. */
  sysctl: Record<string, string>;
}

/** What an image brings in /etc/mellanox. */
export const dataPathFiles: Record<string, string> = {
  '/etc/mellanox/mlnx-bf.conf':
    '# Set the following parameter to "yes" to enable IPsec full offload\nIPSEC_FULL_OFFLOAD="no"\n' +
    'ALLOW_SHARED_RQ="no"\nLAG_HASH_MODE="yes"\nENABLE_ESWITCH_MULTIPORT="no"\n',
  '/etc/mellanox/mlnx-ovs.conf':
    'CREATE_OVS_BRIDGES="yes"\nOVS_BRIDGE1="ovsbr1"\nOVS_BRIDGE1_PORTS="p0 pf0hpf en3f0pf0sf0"\n' +
    'OVS_BRIDGE2="ovsbr2"\nOVS_BRIDGE2_PORTS="p1 pf1hpf en3f1pf1sf0"\nOVS_HW_OFFLOAD="yes"\nOVS_DOCA="no"\n' +
    'OVS_START_TIMEOUT=30\nOVS_BR_PORTS_TIMEOUT=30\n',
  '/etc/swanctl/swanctl.conf': '# Include config snippets\ninclude conf.d/*.conf\n',
  '/etc/strongswan.conf': 'charon-systemd {\n  journal {\n    default = 1\n  }\n}\n',
};

/** Directories for them. */
export const dataPathFolders = [
  '/etc/mellanox',
  '/etc/swanctl',
  ...['conf.d', 'x509', 'x509ca', 'private', 'rsa', 'ecdsa', 'pkcs8'].map((name) => `/etc/swanctl/${name}`),
  '/opt/mellanox',
  '/opt/mellanox/iproute2',
  '/opt/mellanox/iproute2/sbin',
];

/** Programs outside of the search path. */
export const dataPathPrograms = ['/opt/mellanox/iproute2/sbin/ip', '/opt/mellanox/iproute2/sbin/devlink'];

function freshEswitch(): EswitchState {
  return {
    mode: 'switchdev',
    inlineMode: 'none',
    encapMode: 'basic',
    steering: 'smfs',
    fdb: 'smfs',
    ipsecMode: 'none',
  };
}

function freshCharon(): CharonState {
  const next = { ike: 1, child: 1, reqid: 1 };
  return { active: true, connections: [], secrets: [], sas: [], connecting: [], traps: [], next };
}

/** Bridges of a fresh image: one a port, none on a storage controller, where the script stops before it makes any. */
function freshBridges(ports: number, controller: boolean): OvsBridge[] {
  if (controller) return [];
  return Array.from({ length: ports }, (_each, index) => ({
    name: `ovsbr${index + 1}`,
    datapathType: '',
    failMode: null,
    ports: [`p${index}`, `pf${index}hpf`, `en3f${index}pf${index}sf0`].map((name) => ({ name, type: '', options: {} })),
  }));
}

/** The data path of a system that has just booted for the first time. */
export function freshDataPath(ports: number, controller: boolean): ArmDataPath {
  return {
    network: { namespaces: [], links: {} },
    ovs: {
      active: true,
      otherConfig: controller ? {} : { 'hw-offload': 'true' },
      running: { hwOffload: !controller, docaInit: false },
      bridges: freshBridges(ports, controller),
    },
    charon: freshCharon(),
    eswitches: Array.from({ length: ports }, freshEswitch),
    sysctl: {},
  };
}

/** Everything that lived in memory is gone; what lies in the database of Open vSwitch stays. */
export function forgetDataPath(path: ArmDataPath): void {
  path.network = { namespaces: [], links: {} };
  path.charon = freshCharon();
  path.eswitches = path.eswitches.map(freshEswitch);
  path.sysctl = {};
}

/** Values of a file of shell assignments. */
export function shellSettings(text: string): Record<string, string> {
  const found = [...text.matchAll(/^\s*([A-Z_0-9]+)=("?)([^"\n]*)\2/gm)];
  return Object.fromEntries(found.map((match) => [match[1] ?? '', (match[3] ?? '').trim()]));
}

/** The daemon of Open vSwitch starts: its settings count from now on. */
export function startOvs(ovs: OvsState): void {
  const on = (name: string): boolean => ovs.otherConfig[name] === 'true';
  ovs.active = true;
  ovs.running = { hwOffload: on('hw-offload') || on('doca-init'), docaInit: on('doca-init') };
}
