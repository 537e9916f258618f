/**
 * Records of Open vSwitch's database as `get`, `set`, `remove`, `clear` and `list` see them.
 *
 * Source: ovs-vswitchd.conf.db(5) (tables, columns, defaults), ovs-vsctl(8).
 */
import type { OvsBridge, OvsPort, OvsState } from '../data-path.ts';
import type { Netdev } from '../tools/netdevs.ts';
import { mapOf, mapText, stringText, unquoted } from './values.ts';

/** A column: text or map, with what changes it. */
interface Column {
  text: string;
  map?: Record<string, string>;
  set?: (text: string) => void;
}

export type OvsRecord = Record<string, Column>;

function mapColumn(map: Record<string, string>): Column {
  return {
    text: mapText(map),
    map,
    set: (text) => {
      for (const key of Object.keys(map)) delete map[key];
      Object.assign(map, mapOf(text));
    },
  };
}

/** What is fixed: a version, a state. */
function plain(text: string): Column {
  return { text };
}

/** Version of the daemon in NVIDIA's image. */
export const ovsVersion = '2.17.8';

function switchRecord(ovs: OvsState): OvsRecord {
  return {
    _uuid: plain('bb2dd3a6-6f4a-4f0b-8a35-1c1b4a0b8a51'),
    other_config: mapColumn(ovs.otherConfig),
    ovs_version: plain(`"${ovsVersion}"`),
    db_version: plain('"8.3.0"'),
    doca_initialized: plain(String(ovs.running.docaInit)),
    dpdk_initialized: plain(String(ovs.running.docaInit)),
    system_type: plain('ubuntu'),
    system_version: plain('"22.04"'),
  };
}

function bridgeRecord(bridge: OvsBridge): OvsRecord {
  return {
    name: plain(stringText(bridge.name)),
    datapath_type: {
      text: stringText(bridge.datapathType),
      set: (text) => void (bridge.datapathType = unquoted(text)),
    },
    fail_mode: {
      text: bridge.failMode === null ? '[]' : bridge.failMode,
      set: (text) => void (bridge.failMode = text === '[]' ? null : unquoted(text)),
    },
    ports: plain(`[${bridge.ports.map(({ name }) => name).join(', ')}]`),
    stp_enable: plain('false'),
    other_config: mapColumn({}),
    external_ids: mapColumn({}),
  };
}

function interfaceRecord(port: OvsPort, device: Netdev | undefined): OvsRecord {
  const missing = port.type === '' && device === undefined;
  const isUp = device?.up === true && device.carrier;
  return {
    name: plain(stringText(port.name)),
    type: { text: port.type === '' ? '""' : port.type, set: (text) => void (port.type = unquoted(text)) },
    options: mapColumn(port.options),
    error: plain(missing ? `"could not open network device ${port.name} (No such device)"` : '[]'),
    mtu: plain(device === undefined ? '[]' : String(device.mtu)),
    mtu_request: { text: '[]', set: () => undefined },
    admin_state: plain(device?.up === false ? 'down' : 'up'),
    link_state: plain(isUp || port.type === 'vxlan' ? 'up' : 'down'),
    mac_in_use: plain(device === undefined ? '[]' : `"${device.mac}"`),
    ofport: plain(missing ? '-1' : '1'),
    external_ids: mapColumn({}),
    other_config: mapColumn({}),
  };
}

/** The table that a word means. */
export function tableOf(word: string): 'switch' | 'bridge' | 'interface' | 'port' | null {
  const name = word.toLowerCase().replaceAll('-', '_');
  if (name !== '' && 'open_vswitch'.startsWith(name)) return 'switch';
  for (const each of ['bridge', 'interface', 'port'] as const) if (name !== '' && each.startsWith(name)) return each;
  return null;
}

/** A record by table and name; null when there is none. */
export function recordOf(
  ovs: OvsState,
  table: 'switch' | 'bridge' | 'interface' | 'port',
  name: string,
  deviceOf: (name: string) => Netdev | undefined,
): OvsRecord | null {
  if (table === 'switch') return switchRecord(ovs);
  const bridge = ovs.bridges.find((each) => each.name === name);
  if (table === 'bridge') return bridge === undefined ? null : bridgeRecord(bridge);
  const own = bridge === undefined ? undefined : { name, type: 'internal', options: {} };
  const port = ovs.bridges.flatMap(({ ports }) => ports).find((each) => each.name === name) ?? own;
  if (port === undefined) return null;
  if (table === 'interface') return interfaceRecord(port, deviceOf(name));
  return { name: plain(stringText(name)), tag: plain('[]'), external_ids: mapColumn({}), other_config: mapColumn({}) };
}
