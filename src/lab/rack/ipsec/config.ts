/**
 * Connections and secrets as swanctl.conf says them.
 *
 * Source: swanctl.conf(5) and swanctl.opt: names, defaults, values of `hw_offload`; what charon answers to wrong values.
 */
import type { ChildConfig, ConnectionConfig, Selector, SharedSecret } from '../data-path.ts';
import { addressNumber } from '../wire/addresses.ts';
import { proposalWords } from './proposals.ts';
import { emptySection } from './settings.ts';
import type { Section } from './settings.ts';

/** A connection, or why charon does not take it. */
export type Loaded = { connection: ConnectionConfig } | { name: string; problem: string };

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** Seconds of `4h`, `30m`, `3600`. */
function seconds(text: string | undefined, usual: number): number {
  const [, number, unit = 's'] = /^(\d+)([smhd]?)$/.exec(text ?? '') ?? [];
  const sizes: Record<string, number> = { s: 1, '': 1, m: 60, h: 3600, d: 86_400 };
  return number === undefined ? usual : Number(number) * (sizes[unit] ?? 1);
}

/** `192.168.50.1/24[udp/4789]`; `dynamic` stands for the address of the IKE SA. Null: no selector. */
export function selectorOf(text: string, dynamic: string): Selector | null {
  const [, where = '', protocol, port] = /^(\S+?)\s*(?:\[([a-z0-9]+)(?:\/(\w+))?\])?$/.exec(text) ?? [];
  const [address = '', prefix = '32'] = (where === 'dynamic' ? dynamic || '0.0.0.0/0' : where).split('/');
  const number = addressNumber(address);
  if (number === null || !/^\d+$/.test(prefix) || Number(prefix) > 32) return null;
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(number / size) * size;
  const network = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
  return {
    network: `${network}/${prefix}`,
    protocol: protocol ?? null,
    port: port === undefined ? null : Number(port),
  };
}

const modes: Record<string, ChildConfig['mode']> = { tunnel: 'TUNNEL', transport: 'TRANSPORT' };
/** `full` is what NVIDIA's build calls `packet`, `yes` an old word for `crypto`. */
const offloads: Record<string, ChildConfig['hwOffload']> = {
  no: 'no',
  yes: 'crypto',
  crypto: 'crypto',
  packet: 'packet',
  full: 'packet',
  auto: 'auto',
};

/** Keys of swanctl.conf; any other one makes charon discard the connection. */
const connectionKeys =
  'version local_addrs remote_addrs local_port remote_port proposals vips aggressive pull dscp encap mobike dpd_delay dpd_timeout fragmentation childless send_certreq send_cert ppk_id ppk_required keyingtries unique reauth_time rekey_time over_time rand_time pools if_id_in if_id_out mediation mediated_by mediation_peer'.split(
    ' ',
  );
const childKeys =
  'ah_proposals esp_proposals sha256_96 local_ts remote_ts rekey_time life_time rand_time rekey_bytes life_bytes rand_bytes rekey_packets life_packets rand_packets updown hostaccess mode policies policies_fwd_out dpd_action ipcomp inactivity reqid priority interface mark_in mark_in_sa mark_out set_mark_in set_mark_out if_id_in if_id_out label label_mode tfc_padding replay_window hw_offload copy_df copy_ecn copy_dscp start_action close_action'.split(
    ' ',
  );
const sideKeys = 'round certs pubkeys auth id eap_id aaa_id xauth_id cacerts revocation groups cert_policy ca_id'.split(
  ' ',
);

/** What charon says of the first key that it does not know. */
function unknownIn({ values }: Section, keys: string[]): string | undefined {
  const key = Object.keys(values).find((each) => !keys.includes(each));
  return key === undefined ? undefined : `unknown option: ${key}`;
}

function childOf(name: string, section: Section, local: string, remote: string): ChildConfig | string {
  const { values } = section;
  const unknown = unknownIn(section, childKeys);
  if (unknown !== undefined) return unknown;
  const made = childValues(name, values, local, remote);
  return typeof made === 'string' ? `invalid value for: ${made}` : made;
}

function childValues(name: string, values: Section['values'], local: string, remote: string): ChildConfig | string {
  const mode = modes[values['mode'] ?? 'tunnel'];
  if (mode === undefined) return 'mode';
  const hwOffload = offloads[values['hw_offload'] ?? 'no'];
  if (hwOffload === undefined) return 'hw_offload';
  const selectors = (key: string, dynamic: string): (Selector | null)[] =>
    list(values[key] ?? 'dynamic').map((each) => selectorOf(each, dynamic));
  const localTs = selectors('local_ts', local);
  const remoteTs = selectors('remote_ts', remote);
  if (localTs.includes(null)) return 'local_ts';
  if (remoteTs.includes(null)) return 'remote_ts';
  const espProposals = list(values['esp_proposals'] ?? 'default');
  if (espProposals.some((each) => proposalWords(each) === null)) return 'esp_proposals';
  return {
    name,
    mode,
    localTs: localTs.filter((each) => each !== null),
    remoteTs: remoteTs.filter((each) => each !== null),
    espProposals,
    hwOffload,
    startAction: values['start_action'] ?? 'none',
    rekeySeconds: seconds(values['rekey_time'], 3600),
  };
}

function partOf({ sections }: Section, side: 'local' | 'remote', address: string): { auth: string; id: string } {
  const key = Object.keys(sections).find((each) => each === side || each.startsWith(`${side}-`)) ?? side;
  const { values } = sections[key] ?? emptySection();
  return { auth: values['auth'] ?? 'pubkey', id: values['id'] ?? (address === '' ? '%any' : address) };
}

function connectionOf(name: string, section: Section): Loaded {
  const { values, sections } = section;
  const refuse = (problem: string): Loaded => ({ name, problem: `${problem}, config discarded` });
  const sides = Object.entries(sections).filter(([each]) => /^(local|remote)/.test(each));
  const unknown =
    unknownIn(section, connectionKeys) ?? sides.map(([, each]) => unknownIn(each, sideKeys)).find((each) => each);
  if (unknown !== undefined) return refuse(unknown);
  const localAddresses = list(values['local_addrs']);
  const remoteAddresses = list(values['remote_addrs']);
  const [local = '', remote = ''] = [localAddresses[0], remoteAddresses[0]];
  const proposals = list(values['proposals'] ?? 'default');
  if (proposals.some((each) => proposalWords(each) === null)) return refuse('invalid value for: proposals');
  const version = ([1, 2] as const).find((each) => String(each) === values['version']) ?? 0;
  const children: ChildConfig[] = [];
  for (const [childName, child] of Object.entries(sections['children']?.sections ?? {})) {
    const made = childOf(childName, child, local, remote);
    if (typeof made === 'string') return refuse(made);
    children.push(made);
  }
  return {
    connection: {
      name,
      version,
      localAddresses,
      remoteAddresses,
      local: partOf(section, 'local', local),
      remote: partOf(section, 'remote', remote),
      proposals,
      encap: values['encap'] === 'yes',
      rekeySeconds: seconds(values['rekey_time'], 14_400),
      children,
    },
  };
}

/** All connections of a configuration. */
export function connectionsOf({ sections }: Section): Loaded[] {
  return Object.entries(sections['connections']?.sections ?? {}).map(([name, each]) => connectionOf(name, each));
}

/** All secrets for IKE. */
export function secretsOf({ sections }: Section): SharedSecret[] {
  return Object.entries(sections['secrets']?.sections ?? {})
    .filter(([name]) => name.startsWith('ike'))
    .map(([name, { values }]) => ({
      name,
      ids: Object.entries(values).flatMap(([key, value]) => (key.startsWith('id') ? [value] : [])),
      secret: values['secret'] ?? '',
    }));
}
