/**
 * SAs and connections as swanctl prints them, and as it prints what the daemon sent with `--raw`.
 *
 * Source: strongSwan src/swanctl/commands/list_sas.c and list_conns.c; a captured `--list-sas --raw` of 5.9.8.
 */
import type { ChildConfig, ChildSa, ConnectingSa, ConnectionConfig, IkeSa } from '../data-path.ts';
import { selectorText } from './child-sa.ts';

const childRekeySeconds = 3_300;
const childLifeSeconds = 3_960;

function since(nowMs: number, atMs: number): number {
  return Math.max(0, Math.floor((nowMs - atMs) / 1000));
}

function portOf(ike: IkeSa): number {
  return ike.children.some(({ encap }) => encap) ? 4500 : 500;
}

function childText(child: ChildSa, nowMs: number): string {
  const age = since(nowMs, child.installedAtMs);
  const { cipher } = child;
  const count = (value: number, width: number): string => String(Math.floor(value)).padStart(width);
  const mode = `${child.mode}${child.encap ? '-in-UDP' : ''}`;
  // When it was last used is asked for with its traffic only.
  const used = (packets: number): string => (packets >= 1 ? ',     0s ago' : '');
  return (
    `  ${child.name}: #${child.id}, reqid ${child.reqid}, INSTALLED, ${mode}, ESP:${cipher.name}-${cipher.bits}${cipher.esn ? '/ESN' : ''}\n` +
    `    installed ${age}s ago, rekeying in ${childRekeySeconds - age}s, expires in ${childLifeSeconds - age}s\n` +
    `    in  ${child.spiIn}, ${count(child.bytesIn, 6)} bytes, ${count(child.packetsIn, 5)} packets${used(child.packetsIn)}\n` +
    `    out ${child.spiOut}, ${count(child.bytesOut, 6)} bytes, ${count(child.packetsOut, 5)} packets${used(child.packetsOut)}\n` +
    `    local  ${child.localTs.map(selectorText).join(' ')}\n` +
    `    remote ${child.remoteTs.map(selectorText).join(' ')}\n`
  );
}

/** `--list-sas` of one IKE SA. */
export function ikeText(ike: IkeSa, nowMs: number): string {
  const port = portOf(ike);
  const age = since(nowMs, ike.establishedAtMs);
  const own = (isOwn: boolean): string => (isOwn ? '*' : '');
  return (
    `${ike.name}: #${ike.id}, ESTABLISHED, IKEv2, ${ike.initiatorSpi}_i${own(ike.initiator)} ${ike.responderSpi}_r${own(!ike.initiator)}\n` +
    `  local  '${ike.local.id}' @ ${ike.local.host}[${port}]\n` +
    `  remote '${ike.remote.id}' @ ${ike.remote.host}[${port}]\n` +
    `  ${ike.proposal.join('/')}\n` +
    `  established ${age}s ago, rekeying in ${ike.rekeySeconds - age}s\n` +
    ike.children.map((each) => childText(each, nowMs)).join('')
  );
}

function algorithms(words: string[]): string {
  const [cipher = '', ...rest] = words;
  const [, name = cipher, bits] = /^(\w+?)-(\d+)$/.exec(cipher) ?? [];
  const named = rest.map((word) => {
    const key = word.startsWith('HMAC') ? 'integ-alg' : word.startsWith('PRF') ? 'prf-alg' : 'dh-group';
    return `${key}=${word}`;
  });
  return [`encr-alg=${name}`, ...(bits === undefined ? [] : [`encr-keysize=${bits}`]), ...named].join(' ');
}

function childRaw(child: ChildSa, nowMs: number): string {
  const age = since(nowMs, child.installedAtMs);
  const { cipher } = child;
  const fields = [
    `name=${child.name} uniqueid=${child.id} reqid=${child.reqid} state=INSTALLED mode=${child.mode} protocol=ESP`,
    ...(child.encap ? ['encap=yes'] : []),
    `spi-in=${child.spiIn} spi-out=${child.spiOut} encr-alg=${cipher.name} encr-keysize=${cipher.bits}`,
    ...(cipher.esn ? ['esn=1'] : []),
    `bytes-in=${Math.floor(child.bytesIn)} packets-in=${Math.floor(child.packetsIn)}`,
    ...(child.packetsIn >= 1 ? ['use-in=0'] : []),
    `bytes-out=${Math.floor(child.bytesOut)} packets-out=${Math.floor(child.packetsOut)}`,
    ...(child.packetsOut >= 1 ? ['use-out=0'] : []),
    `rekey-time=${childRekeySeconds - age} life-time=${childLifeSeconds - age} install-time=${age}`,
    `local-ts=[${child.localTs.map(selectorText).join(' ')}] remote-ts=[${child.remoteTs.map(selectorText).join(' ')}]`,
  ];
  return `${child.name}-${child.id} {${fields.join(' ')}}`;
}

/** `--list-sas --raw` of one IKE SA. */
export function ikeRaw(ike: IkeSa, nowMs: number): string {
  const port = portOf(ike);
  const age = since(nowMs, ike.establishedAtMs);
  const fields = [
    `uniqueid=${ike.id} version=2 state=ESTABLISHED`,
    `local-host=${ike.local.host} local-port=${port} local-id=${ike.local.id}`,
    `remote-host=${ike.remote.host} remote-port=${port} remote-id=${ike.remote.id}`,
    ...(ike.initiator ? ['initiator=yes'] : []),
    `initiator-spi=${ike.initiatorSpi} responder-spi=${ike.responderSpi}`,
    algorithms(ike.proposal),
    `established=${age} rekey-time=${ike.rekeySeconds - age}`,
    `child-sas {${ike.children.map((each) => childRaw(each, nowMs)).join(' ')}}`,
  ];
  return `list-sa event {${ike.name} {${fields.join(' ')}}}\n`;
}

const noSpi = '0'.repeat(16);

/** `--list-sas` of an IKE SA whose peer has not answered. */
export function connectingText({ name, id, local, remote, initiatorSpi }: ConnectingSa): string {
  return (
    `${name}: #${id}, CONNECTING, IKEv2, ${initiatorSpi}_i* ${noSpi}_r\n` +
    `  local  '%any' @ ${local}[500]\n  remote '%any' @ ${remote}[500]\n` +
    '  active:  IKE_VENDOR IKE_INIT IKE_NATD IKE_CERT_PRE IKE_AUTH IKE_CERT_POST IKE_CONFIG IKE_AUTH_LIFETIME CHILD_CREATE\n'
  );
}

/** `--list-sas --raw` of the same. */
export function connectingRaw({ name, id, local, remote, initiatorSpi }: ConnectingSa): string {
  return (
    `list-sa event {${name} {uniqueid=${id} version=2 state=CONNECTING local-host=${local} local-port=500 local-id=%any ` +
    `remote-host=${remote} remote-port=500 remote-id=%any initiator=yes initiator-spi=${initiatorSpi} responder-spi=${noSpi} ` +
    'tasks-active=[IKE_VENDOR IKE_INIT IKE_NATD IKE_CERT_PRE IKE_AUTH IKE_CERT_POST IKE_CONFIG IKE_AUTH_LIFETIME CHILD_CREATE] child-sas {}}}\n'
  );
}

const classes: Record<string, string> = { psk: 'pre-shared key', pubkey: 'public key' };
const versions = ['IKEv1/2', 'IKEv1', 'IKEv2'];

function selectors({ localTs, remoteTs }: ChildConfig): string {
  return `local-ts=[${localTs.map(selectorText).join(' ')}] remote-ts=[${remoteTs.map(selectorText).join(' ')}]`;
}

function selectorLines({ localTs, remoteTs }: ChildConfig, indent: string): string {
  return `${indent}local:  ${localTs.map(selectorText).join(' ')}\n${indent}remote: ${remoteTs.map(selectorText).join(' ')}\n`;
}

function addresses(list: string[]): string {
  return list.length === 0 ? '%any' : list.join(' ');
}

/** `--list-conns` of one connection. */
export function connectionText(connection: ConnectionConfig): string {
  const { name, version, rekeySeconds, localAddresses, remoteAddresses } = connection;
  const side = (which: 'local' | 'remote'): string => {
    const { auth, id } = connection[which];
    return `  ${which} ${classes[auth] ?? auth} authentication:\n${id === '%any' ? '' : `    id: ${id}\n`}`;
  };
  const children = connection.children.map(
    (child) => `  ${child.name}: ${child.mode}, rekeying every ${child.rekeySeconds}s\n${selectorLines(child, '    ')}`,
  );
  return (
    `${name}: ${versions[version] ?? ''}, no reauthentication, rekeying every ${rekeySeconds}s\n` +
    `  local:  ${addresses(localAddresses)}\n  remote: ${addresses(remoteAddresses)}\n` +
    `${side('local')}${side('remote')}${children.join('')}`
  );
}

/** `--list-conns --raw` of one connection. */
export function connectionRaw(connection: ConnectionConfig): string {
  const { localAddresses, remoteAddresses, rekeySeconds, name, version } = connection;
  const side = (which: 'local' | 'remote'): string => {
    const { auth, id } = connection[which];
    return `${which}-1 {${id === '%any' ? '' : `id=${id} `}class=${classes[auth] ?? auth} groups=[] cert_policy=[] certs=[] cacerts=[]}`;
  };
  const children = connection.children.map(
    (child) =>
      `${child.name} {mode=${child.mode} rekey_time=${child.rekeySeconds} rekey_bytes=0 rekey_packets=0 dpd_action=none close_action=none ${selectors(child)}}`,
  );
  return (
    `list-conn event {${name} {local_addrs=[${addresses(localAddresses)}] remote_addrs=[${addresses(remoteAddresses)}] version=${versions[version] ?? ''} ` +
    `reauth_time=0 rekey_time=${rekeySeconds} unique=UNIQUE_NO ${side('local')} ${side('remote')} children {${children.join(' ')}}}}\n`
  );
}

/** `--list-pols` of a policy that asks for an SA. */
export function policyText(connection: string, child: ChildConfig): string {
  return `${connection}/${child.name}, ${child.mode}\n${selectorLines(child, '  ')}`;
}

/** `--list-pols --raw` of the same. */
export function policyRaw(connection: string, child: ChildConfig): string {
  return `list-policy event {${connection}/${child.name} {child=${child.name} ike=${connection} mode=${child.mode} ${selectors(child)}}}\n`;
}
