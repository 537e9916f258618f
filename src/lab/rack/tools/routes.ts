/**
 * `ip route` for looking: `show` and `get`.
 *
 * Source: output of iproute2 6.1 for both verbs, both families and both answers of a lookup.
 */
import type { CommandContext, ExecResult } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import type { LookOptions } from './ip-options.ts';
import { networkOf as networkState } from './netdevs.ts';
import type { Netdev } from './netdevs.ts';

interface Route {
  dst: string;
  gateway?: string;
  dev: string;
  protocol?: string;
  scope?: string;
  prefsrc?: string;
  metric?: number;
  flags: string[];
  pref?: string;
}

function numberOf(address: string): number | null {
  const bytes = address.split('.').map(Number);
  const good = /^\d+(\.\d+){3}$/.test(address) && bytes.every((byte) => byte <= 255);
  return good ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : null;
}

function networkOf(local: string, prefix: number): string {
  const size = 2 ** (32 - prefix);
  const first = Math.floor((numberOf(local) ?? 0) / size) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${prefix}`;
}

function contains(network: string, address: string): boolean {
  if (network === 'default') return true;
  const [, prefix = '32'] = network.split('/');
  return networkOf(address, Number(prefix)) === networkOf(network.split('/')[0] ?? '', Number(prefix));
}

/** The main table of IPv4. */
function routes(context: CommandContext, devices: Netdev[]): Route[] {
  const { rack, machine } = context;
  const found: Route[] = [];
  const { gateway } = rack.state.management;
  for (const netdev of devices) {
    const v4 = netdev.addresses.filter(({ local }) => !local.includes(':'));
    const main = v4.find(({ configured }) => configured);
    if (main !== undefined && netdev.driver !== 'virtio_net')
      found.unshift({ dst: 'default', gateway, dev: netdev.name, protocol: 'static', metric: 100, flags: [] });
    if (!netdev.up) continue;
    const flags = netdev.carrier ? [] : ['linkdown'];
    for (const { local, prefix } of v4)
      if (prefix < 32)
        found.push({
          dst: networkOf(local, prefix),
          dev: netdev.name,
          protocol: 'kernel',
          scope: 'link',
          prefsrc: local,
          flags,
        });
  }
  for (const route of networkState(machine).routes ?? [])
    if (devices.some(({ name, up }) => name === route.dev && up))
      found.push({ ...route, ...(route.gateway === undefined && { scope: 'link' }), flags: [] });
  return found;
}

function routes6(devices: Netdev[]): Route[] {
  const rest = { protocol: 'kernel', metric: 256, flags: [], pref: 'medium' };
  const linked = devices.filter(({ addresses, up }) => up && addresses.some(({ local }) => local.startsWith('fe80:')));
  return [{ dst: '::1', dev: 'lo', ...rest }, ...linked.map(({ name }) => ({ dst: 'fe80::/64', dev: name, ...rest }))];
}

function routeText(route: Route): string {
  return [
    route.dst,
    ...(route.gateway === undefined ? [] : ['via', route.gateway]),
    'dev',
    route.dev,
    ...(route.protocol === undefined ? [] : ['proto', route.protocol]),
    ...(route.scope === undefined ? [] : ['scope', route.scope]),
    ...(route.prefsrc === undefined ? [] : ['src', route.prefsrc]),
    ...(route.metric === undefined ? [] : ['metric', String(route.metric)]),
    ...(route.pref === undefined ? [] : ['pref', route.pref]),
    ...route.flags,
    '\n',
  ].join(' ');
}

function ordered({ dst, gateway, dev, protocol, scope, prefsrc, metric, flags, pref }: Route, named: boolean): unknown {
  // What is asked for by its device is shown without it.
  const device = named ? {} : { dev };
  return { dst, gateway, ...device, protocol, scope, prefsrc, metric, flags, pref };
}

function show(context: CommandContext, devices: Netdev[], options: LookOptions, words: string[]): ExecResult {
  let dst = '';
  let device = '';
  let below = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === 'dev') {
      at += 1;
      device = words[at] ?? '';
      if (!devices.some(({ name }) => name === device)) return failed(1, `Cannot find device "${device}"\n`);
    } else if (word === 'table') at += 1;
    else if (word === 'root') below = true;
    else if (!['to', 'exact', 'match'].includes(word)) dst = word;
  }
  const all = options.family === 6 ? routes6(devices) : routes(context, devices);
  const fits = (route: Route): boolean =>
    below ? route.dst !== 'default' && contains(dst, route.dst.split('/')[0] ?? '') : route.dst === dst;
  const wanted = all.filter((route) => (dst === '' || fits(route)) && (device === '' || route.dev === device));
  return ok(
    options.json
      ? `${JSON.stringify(wanted.map((route) => ordered(route, device !== '')))}\n`
      : wanted.map(routeText).join(''),
  );
}

const unreachable = failed(2, 'RTNETLINK answers: Network is unreachable\n');

function get(context: CommandContext, devices: Netdev[], options: LookOptions, words: string[]): ExecResult {
  const [address, ...rest] = words[0] === 'to' ? words.slice(1) : words;
  const option = (name: string): string | undefined => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
  if (address === undefined) return failed(1, 'need at least a destination address\n');
  if (address.includes(':') || options.family === 6) return unreachable;
  const from = option('from');
  for (const each of [address, from])
    if (each !== undefined && numberOf(each.split('/')[0] ?? '') === null)
      return failed(1, `Error: any valid prefix is expected rather than "${each}".\n`);
  const uid = context.root ? 0 : 1000;
  const own = devices.flatMap(({ addresses }) => addresses.map(({ local }) => local));
  const isOwn = (local: string): boolean => local.startsWith('127.') || own.includes(local);
  if (from !== undefined && !isOwn(from)) return unreachable;
  const source = from === undefined ? {} : { from };
  const answer = (
    route: { type?: string; gateway?: string; dev: string; prefsrc: string },
    cache: string[],
  ): ExecResult => {
    const { type, gateway, dev, prefsrc } = route;
    if (options.json) {
      const preferred = from === undefined ? { prefsrc } : {};
      return ok(
        `${JSON.stringify([{ type, dst: address, ...source, gateway, dev, ...preferred, flags: [], uid, cache }])}\n`,
      );
    }
    const start = `${type === undefined ? '' : `${type} `}${address}${from === undefined ? '' : ` from ${from}`}`;
    const via = gateway === undefined ? '' : ` via ${gateway}`;
    const text = `${start}${via} dev ${dev}${from === undefined ? ` src ${prefsrc}` : ''} uid ${uid} \n`;
    return ok(`${text}    cache ${cache.map((each) => `<${each}> `).join('')}\n`);
  };
  if (isOwn(address)) return answer({ type: 'local', dev: 'lo', prefsrc: address }, ['local']);
  const length = ({ dst }: Route): number => (dst === 'default' ? -1 : Number(dst.split('/')[1] ?? 32));
  const [best] = routes(context, devices)
    .filter(({ dst, dev }) => contains(dst, address) && (option('oif') ?? dev) === dev)
    .sort((left, right) => length(right) - length(left) || (left.metric ?? 0) - (right.metric ?? 0));
  if (best === undefined) return unreachable;
  const { gateway, dev } = best;
  const v4 = (devices.find(({ name }) => name === dev)?.addresses ?? []).filter(({ local }) => !local.includes(':'));
  const first = v4.find(({ local, prefix }) => contains(`${local}/${prefix}`, gateway ?? address)) ?? v4[0];
  return answer({ ...(gateway !== undefined && { gateway }), dev, prefsrc: best.prefsrc ?? first?.local ?? '' }, []);
}

/** `ip route`, with the words after it. */
export function showRoutes(
  context: CommandContext,
  devices: Netdev[],
  options: LookOptions,
  [verb = 'show', ...words]: string[],
): ExecResult {
  if (verb === 'get') return get(context, devices, options, words);
  if (['show', 'list', 'sh', 'ls'].includes(verb)) return show(context, devices, options, words);
  return failed(255, `Command "${verb}" is unknown, try "ip route help".\n`);
}
