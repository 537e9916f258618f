/**
 * `ovs-vsctl`: looks at the database and changes it, several commands at once or none of them.
 *
 * Source: ovs-vsctl(8) and utilities/ovs-vsctl.c of Open vSwitch 2.17 (texts, exit codes, transactions).
 */
import type { OvsState } from '../data-path.ts';
import type { Command, CommandContext } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { netdevs } from '../tools/netdevs.ts';
import type { Netdev } from '../tools/netdevs.ts';
import { ovsVersion, recordOf, tableOf } from './records.ts';
import type { OvsRecord } from './records.ts';
import { mapText, stringText, unquoted } from './values.ts';

/** A command that cannot be done: everything of the call is left undone. */
class Refused extends Error {}

/** A call under way. */
interface Call {
  ovs: OvsState;
  devices: Netdev[];
  /** Options in front of the command. */
  flags: Set<string>;
  output: string;
  warnings: string;
  exitCode: number;
}

function bridgeNamed(call: Call, name: string): OvsState['bridges'][number] {
  const found = call.ovs.bridges.find((each) => each.name === name);
  if (found === undefined) throw new Refused(`no bridge named ${name}`);
  return found;
}

function bridgeWith(call: Call, port: string): OvsState['bridges'][number] | undefined {
  return call.ovs.bridges.find(({ ports }) => ports.some(({ name }) => name === port));
}

function show({ ovs, devices }: Call): string {
  const portText = ({ name, type, options }: OvsState['bridges'][number]['ports'][number]): string[] => [
    `        Port ${stringText(name)}`,
    `            Interface ${stringText(name)}`,
    ...(type === '' ? [] : [`                type: ${type}`]),
    ...(Object.keys(options).length === 0 ? [] : [`                options: ${mapText(options)}`]),
    ...(type === '' && !devices.some((each) => each.name === name)
      ? [`                error: "could not open network device ${name} (No such device)"`]
      : []),
  ];
  const lines = ovs.bridges.flatMap(({ name, ports, datapathType, failMode }) => [
    `    Bridge ${stringText(name)}`,
    ...(failMode === null ? [] : [`        fail_mode: ${failMode}`]),
    ...(datapathType === 'netdev' ? ['        datapath_type: netdev'] : []),
    ...[...ports, { name, type: 'internal', options: {} }].flatMap(portText),
  ]);
  return ['bb2dd3a6-6f4a-4f0b-8a35-1c1b4a0b8a51', ...lines, `    ovs_version: "${ovsVersion}"`, ''].join('\n');
}

function addBridge(call: Call, [name = '']: string[]): void {
  const known = call.ovs.bridges.some((each) => each.name === name);
  if (known && call.flags.has('--may-exist')) return;
  if (known) throw new Refused(`cannot create a bridge named ${name} because a bridge named ${name} already exists`);
  if (bridgeWith(call, name) !== undefined)
    throw new Refused(
      `cannot create a bridge named ${name} because a port named ${name} already exists on bridge ${bridgeWith(call, name)?.name ?? ''}`,
    );
  call.ovs.bridges.push({ name, datapathType: '', failMode: null, ports: [] });
}

function addPort(call: Call, [bridgeName = '', name = '', ...settings]: string[]): void {
  const bridge = bridgeNamed(call, bridgeName);
  const owner = bridgeWith(call, name);
  if (owner !== undefined) {
    if (call.flags.has('--may-exist') && owner === bridge) return;
    throw new Refused(
      call.flags.has('--may-exist')
        ? `"--may-exist add-port ${bridgeName} ${name}" but ${name} is actually attached to bridge ${owner.name}`
        : `cannot create a port named ${name} because a port named ${name} already exists on bridge ${owner.name}`,
    );
  }
  bridge.ports.push({ name, type: '', options: {} });
  for (const each of settings) setColumn(call, 'port', name, each);
}

function deletePort(call: Call, words: string[]): void {
  const [bridgeName, name = ''] = words.length > 1 ? words : [undefined, words[0]];
  const owner = bridgeWith(call, name);
  if (owner === undefined) {
    if (call.flags.has('--if-exists')) return;
    throw new Refused(`no port named ${name}`);
  }
  if (bridgeName !== undefined && bridgeNamed(call, bridgeName) !== owner)
    throw new Refused(
      `bridge ${bridgeName} does not have a port ${name} (although its parent bridge ${owner.name} does)`,
    );
  owner.ports = owner.ports.filter((each) => each.name !== name);
}

function record(call: Call, tableWord: string, name: string): OvsRecord | null {
  const table = tableOf(tableWord);
  if (table === null) throw new Refused(`unknown table "${tableWord}"`);
  const found = recordOf(call.ovs, table, name, (each) => call.devices.find((device) => device.name === each));
  if (found !== null || call.flags.has('--if-exists')) return found;
  throw new Refused(`no row "${name}" in table ${table.charAt(0).toUpperCase()}${table.slice(1)}`);
}

function column(from: OvsRecord, name: string, tableWord: string): OvsRecord[string] {
  const found = from[name.replaceAll('-', '_')];
  if (found === undefined) throw new Refused(`${tableWord} does not contain a column whose name matches "${name}"`);
  return found;
}

/** `options:remote_ip` as a column and a key. */
function columnAndKey(text: string): [string, string | undefined] {
  const at = text.indexOf(':');
  return at === -1 ? [text, undefined] : [text.slice(0, at), unquoted(text.slice(at + 1))];
}

function setColumn(call: Call, table: string, name: string, assignment: string): void {
  const [, left = '', value = ''] = /^([\w-]+(?::(?:"[^"]*"|[^=]+))?)=(.*)$/s.exec(assignment) ?? [];
  if (left === '') throw new Refused(`${assignment}: argument does not end in "=" followed by a value.`);
  const [columnName, key] = columnAndKey(left);
  const row = record(call, table, name);
  if (row === null) return;
  const found = column(row, columnName, table);
  if (key === undefined) {
    if (found.set === undefined) throw new Refused(`cannot modify read-only column ${columnName} in table ${table}`);
    found.set(value);
  } else if (found.map === undefined) throw new Refused(`cannot specify key to set for non-map column ${columnName}`);
  else found.map[key] = unquoted(value);
}

function getColumns(call: Call, [table = '', name = '', ...wanted]: string[]): void {
  const row = record(call, table, name);
  for (const each of wanted) {
    if (row === null) {
      call.output += '\n';
      continue;
    }
    const [columnName, key] = columnAndKey(each);
    const found = column(row, columnName, table);
    if (key === undefined) call.output += `${found.text}\n`;
    else if (found.map?.[key] !== undefined) call.output += `${stringText(found.map[key])}\n`;
    else if (call.flags.has('--if-exists')) call.output += '\n';
    else throw new Refused(`no key "${key}" in ${table} record "${name}" column ${columnName}`);
  }
}

function removeKeys(call: Call, [table = '', name = '', columnName = '', ...keys]: string[]): void {
  const row = record(call, table, name);
  if (row === null) return;
  const { map } = column(row, columnName, table);
  if (map === undefined) throw new Refused(`cannot remove from column ${columnName}`);
  for (const each of keys) {
    const [key = '', value] = each.split('=');
    if (value === undefined || map[unquoted(key)] === unquoted(value)) delete map[unquoted(key)];
  }
}

function listRecords(call: Call, [table = '', ...names]: string[]): void {
  const { ovs } = call;
  const kind = tableOf(table);
  const all =
    kind === 'switch'
      ? ['.']
      : kind === 'bridge'
        ? ovs.bridges.map(({ name }) => name)
        : ovs.bridges.flatMap((each) => [...each.ports.map(({ name }) => name), each.name]);
  const texts = (names.length === 0 ? all : names).flatMap((name) => {
    const row = record(call, table, name);
    return row === null
      ? []
      : [
          Object.entries(row)
            .map(([key, { text }]) => `${key.padEnd(20)}: ${text}\n`)
            .join(''),
        ];
  });
  call.output += texts.join('\n');
}

const commands: Record<string, (call: Call, words: string[]) => void> = {
  init: () => undefined,
  show: (call) => void (call.output += show(call)),
  'list-br': (call) =>
    void (call.output += call.ovs.bridges
      .map(({ name }) => `${name}\n`)
      .sort()
      .join('')),
  'list-ports': (call, [name = '']) =>
    void (call.output += bridgeNamed(call, name)
      .ports.map((port) => `${port.name}\n`)
      .join('')),
  'list-ifaces': (call, [name = '']) =>
    void (call.output += bridgeNamed(call, name)
      .ports.map((port) => `${port.name}\n`)
      .join('')),
  'br-exists': (call, [name = '']) => {
    if (!call.ovs.bridges.some((each) => each.name === name)) call.exitCode = 2;
  },
  'port-to-br': (call, [name = '']) => {
    const found = bridgeWith(call, name);
    if (found === undefined) throw new Refused(`no port named ${name}`);
    call.output += `${found.name}\n`;
  },
  'add-br': addBridge,
  'del-br': (call, [name = '']) => {
    if (!call.flags.has('--if-exists')) bridgeNamed(call, name);
    call.ovs.bridges = call.ovs.bridges.filter((each) => each.name !== name);
  },
  'add-port': addPort,
  'del-port': deletePort,
  get: getColumns,
  set: (call, [table = '', name = '', ...settings]) => {
    for (const each of settings) setColumn(call, table, name, each);
  },
  remove: removeKeys,
  clear: (call, [table = '', name = '', columnName = '']) => {
    const row = record(call, table, name);
    if (row !== null) column(row, columnName, table).set?.('{}');
  },
  list: listRecords,
};
commands['iface-to-br'] = (call, words) => commands['port-to-br']?.(call, words);

/** Commands of a call: what stands between `--`. */
function parts(args: string[]): string[][] {
  const found: string[][] = [[]];
  for (const arg of args) {
    if (arg === '--') found.push([]);
    else found.at(-1)?.push(arg);
  }
  return found.filter((each) => each.length > 0);
}

/** Options of the whole call go; those with a value take it along. */
function withoutGlobals(args: string[]): string[] {
  const rest = [...args];
  while (
    /^-(-no-wait|-timeout(=.*)?|t|-db=.*|-oneline|-no-headings|-format=.*|f|-columns=.*|-verbose.*|v.*)$/.test(
      rest[0] ?? '',
    )
  ) {
    const word = rest.shift() ?? '';
    if (word === '-t' || word === '-f' || word === '--timeout') rest.shift();
  }
  return rest;
}

/** What adding a port says of a device that is not there; the port is in the database all the same. */
function complaints({ rack, machine }: CommandContext, before: OvsState, after: OvsState): string {
  const names = (ovs: OvsState): string[] =>
    ovs.bridges.flatMap(({ ports }) => ports.flatMap(({ name, type }) => (type === '' ? [name] : [])));
  const known = netdevs(rack, machine).map(({ name }) => name);
  return names(after)
    .filter((name) => !names(before).includes(name) && !known.includes(name))
    .map((name) => `ovs-vsctl: Error detected while setting up '${name}'.  See ovs-vswitchd log for details.\n`)
    .join('');
}

/** The command. */
export const ovsVsctl: Command = (context, args) => {
  const socket = 'ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed';
  const { card } = context.machine;
  if (!context.root || card === null) return failed(1, `${socket} (Permission denied)\n`);
  const { dataPath } = card.armOs;
  if (args.includes('--version') || args.includes('-V'))
    return ok(`ovs-vsctl (Open vSwitch) ${ovsVersion}\nDB Schema 8.3.0\n`);
  if (!dataPath.ovs.active) return failed(1, `${socket} (No such file or directory)\n`);
  const call: Call = {
    ovs: structuredClone(dataPath.ovs),
    devices: netdevs(context.rack, context.machine),
    flags: new Set(),
    output: '',
    warnings: '',
    exitCode: 0,
  };
  for (const words of parts(withoutGlobals(args))) {
    const at = words.findIndex((word) => !word.startsWith('--'));
    const verb = words[at] ?? '';
    const run = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
    if (run === undefined) return failed(1, `ovs-vsctl: unknown command '${verb}'; use --help for help\n`);
    call.flags = new Set(words.slice(0, at));
    try {
      run(call, words.slice(at + 1));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return failed(1, `ovs-vsctl: ${error.message}\n`);
    }
  }
  const warnings = complaints(context, dataPath.ovs, call.ovs);
  dataPath.ovs = call.ovs;
  return { stdout: call.output, stderr: warnings, exitCode: call.exitCode };
};
