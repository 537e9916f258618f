/**
 * `ip`: what changes links, addresses and namespaces; looking is in net.ts.
 *
 * Source: iproute2 5.15 (ip netns, ip link set, ip address add) and its RTNETLINK answers.
 */
import { showXfrm } from '../ipsec/xfrm.ts';
import { complain, out } from '../shell/descriptors.ts';
import { runProgram } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { addressNumber, inNetwork } from '../wire/addresses.ts';
import { addLink, deleteLink, setLink } from './ip-link.ts';
import { showIp } from './net.ts';
import { linkOf, netdevs, networkOf } from './netdevs.ts';

function* netns(frame: Frame, args: string[]): ReturnType<Program> {
  const [verb = 'list', name = '', ...rest] = args;
  const state = frame.machine.host?.network;
  if (state === undefined) return 1;
  if (verb === 'list' || verb === 'show') {
    out(frame, state.namespaces.map((each) => `${each}\n`).join(''));
    return 0;
  }
  if (!frame.root) {
    complain(
      frame,
      verb === 'exec'
        ? 'setting the network namespace failed: Operation not permitted\n'
        : 'mkdir /run/netns failed: Permission denied\n',
    );
    return 1;
  }
  const known = state.namespaces.includes(name);
  if (verb === 'add') {
    if (known) {
      complain(frame, `Cannot create namespace file "/run/netns/${name}": File exists\n`);
      return 1;
    }
    state.namespaces.push(name);
    return 0;
  }
  if (!known) {
    complain(
      frame,
      verb === 'exec'
        ? `Cannot open network namespace "${name}": No such file or directory\n`
        : `Cannot remove namespace file "/run/netns/${name}": No such file or directory\n`,
    );
    return verb === 'exec' ? 255 : 1;
  }
  if (verb === 'del' || verb === 'delete') {
    state.namespaces = state.namespaces.filter((each) => each !== name);
    // Devices of a dead namespace come back to the first one, without their addresses.
    for (const link of Object.values(state.links))
      if (link.namespace === name) Object.assign(link, { namespace: '', addresses: [], up: false });
    return 0;
  }
  if (verb !== 'exec') {
    complain(frame, `Command "${verb}" is unknown, try "ip netns help".\n`);
    return 1;
  }
  return yield* runProgram({ ...frame, network: name }, rest, (word) =>
    complain(frame, `exec of "${word}" failed: No such file or directory\n`),
  );
}

/** What a change by `ip` needs to say when it cannot be done. */
function refused(frame: Frame, name: string): number | null {
  if (!netdevs(frame.rack, frame.machine, frame.network).some((each) => each.name === name)) {
    complain(frame, `Cannot find device "${name}"\n`);
    return 1;
  }
  if (frame.root) return null;
  complain(frame, 'RTNETLINK answers: Operation not permitted\n');
  return 2;
}

function refuse(frame: Frame, text: string, status: number): number {
  complain(frame, `${text}\n`);
  return status;
}

const wildcard = (address: string): string =>
  'Warning: Executing wildcard deletion to stay compatible with old scripts.\n' +
  `         Explicitly specify the prefix length (${address}) to avoid this warning.\n` +
  '         This special behaviour is likely to disappear in further releases,\n         fix your scripts!\n';

/** `ip addr add|replace|del|flush [ADDRESS] dev DEVICE`. */
function changeAddress(frame: Frame, verb: string, args: string[]): number {
  const isFlush = verb === 'flush';
  const given = isFlush ? '' : (args[0] ?? '');
  const [local = '', prefix] = given.split('/');
  const isV4 = addressNumber(local) !== null;
  const isV6 = /^[\da-f:]*:[\da-f:]*$/i.test(local);
  const fits = prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= (isV4 ? 32 : 128));
  if (!isFlush && !((isV4 || isV6) && fits))
    return refuse(frame, `Error: any valid prefix is expected rather than "${given}".`, 1);
  const at = args.indexOf('dev');
  if (at === -1) return refuse(frame, 'Not enough information: "dev" argument is required.', 1);
  const name = args[at + 1] ?? '';
  const problem = refused(frame, name);
  if (problem !== null) return problem;
  const link = linkOf(frame.machine, name);
  if (isFlush) {
    link.addresses = [];
    return 0;
  }
  const address = prefix === undefined ? `${local}/${isV4 ? 32 : 128}` : given;
  const device = netdevs(frame.rack, frame.machine, frame.network).find((each) => each.name === name);
  const isThere = device?.addresses.some((each) => `${each.local}/${each.prefix}` === address) === true;
  if (verb.startsWith('del')) {
    if (!link.addresses.includes(address))
      return refuse(frame, 'RTNETLINK answers: Cannot assign requested address', 2);
    if (prefix === undefined) complain(frame, wildcard(address));
    link.addresses = link.addresses.filter((each) => each !== address);
    return 0;
  }
  if (isThere) return verb === 'add' ? refuse(frame, 'RTNETLINK answers: File exists', 2) : 0;
  link.addresses = [...link.addresses, address];
  return 0;
}

/** What `ip route` was told of a route, or what is wrong with it. */
function routeOf(
  frame: Frame,
  args: string[],
): { dst: string; gateway?: string; dev: string } | { text: string; status: number } {
  const [given = ''] = args;
  const after = (word: string): string | undefined => (args.includes(word) ? args[args.indexOf(word) + 1] : undefined);
  const [network = '', prefix = '32'] = given.split('/');
  const size = 2 ** (32 - Number(prefix));
  const first = addressNumber(network);
  if (given !== 'default' && (first === null || !/^\d+$/.test(prefix) || Number(prefix) > 32))
    return { text: `Error: any valid prefix is expected rather than "${given}".`, status: 1 };
  if (given !== 'default' && (first ?? 0) % size !== 0)
    return { text: 'Error: Invalid prefix for given prefix length.', status: 2 };
  const devices = netdevs(frame.rack, frame.machine, frame.network);
  const [gateway, named] = [after('via'), after('dev')];
  if (named !== undefined && devices.every(({ name }) => name !== named))
    return { text: `Cannot find device "${named}"`, status: 1 };
  const near = devices.find(
    ({ name, up, addresses }) =>
      up &&
      (named ?? name) === name &&
      addresses.some((each) => !each.local.includes(':') && inNetwork(`${each.local}/${each.prefix}`, gateway ?? '')),
  );
  const dst = given === 'default' || given.includes('/') ? given : `${given}/32`;
  if (gateway !== undefined)
    return near === undefined
      ? { text: 'Error: Nexthop has invalid gateway.', status: 2 }
      : { dst, gateway, dev: near.name };
  return named === undefined ? { text: 'RTNETLINK answers: No such device', status: 2 } : { dst, dev: named };
}

/** `ip route add|replace|del DST [via GATEWAY] [dev DEVICE]`. */
function changeRoute(frame: Frame, verb: string, args: string[]): number {
  if (!frame.root) return refuse(frame, 'RTNETLINK answers: Operation not permitted', 2);
  const network = networkOf(frame.machine);
  const routes = network.routes ?? [];
  if (verb.startsWith('del')) {
    const [given = ''] = args;
    const dst = given === 'default' || given.includes('/') ? given : `${given}/32`;
    const fits = (word: 'via' | 'dev', own: string | undefined): boolean =>
      !args.includes(word) || args[args.indexOf(word) + 1] === own;
    const gone = routes.find((each) => each.dst === dst && fits('via', each.gateway) && fits('dev', each.dev));
    if (gone === undefined) return refuse(frame, 'RTNETLINK answers: No such process', 2);
    network.routes = routes.filter((each) => each !== gone);
    return 0;
  }
  const route = routeOf(frame, args);
  if ('text' in route) return refuse(frame, route.text, route.status);
  const isThere = routes.some(({ dst }) => dst === route.dst);
  if (verb === 'add' && isThere) return refuse(frame, 'RTNETLINK answers: File exists', 2);
  network.routes = [...routes.filter(({ dst }) => dst !== route.dst), route];
  return 0;
}

function* run(frame: Frame, args: string[], newer: boolean): ReturnType<Program> {
  let inner = frame;
  const words = [...args];
  const at = words.findIndex((word) => word === '-n' || word === '-netns');
  if (at !== -1 && words.slice(0, at).every((word) => word.startsWith('-'))) {
    const [, name = ''] = words.splice(at, 2);
    if (frame.machine.host?.network.namespaces.includes(name) !== true) {
      complain(frame, `Cannot open network namespace "${name}": No such file or directory\n`);
      return 255;
    }
    inner = { ...frame, network: name };
  }
  const [object = '', verb = '', ...rest] = words.filter((word, index) => !(word.startsWith('-') && index < 3));
  if (object.length > 0 && 'xfrm'.startsWith(object)) {
    const statistics = words.some((word) => ['-s', '-statistics', '-stats'].includes(word));
    return showXfrm(inner, [verb, ...rest], { statistics, newer });
  }
  if (object === 'netns') return yield* netns(inner, [verb || 'list', ...rest]);
  // The model finds neighbours when a packet is sent; it keeps no list of them.
  if (object.length > 0 && 'neighbour'.startsWith(object) && ['', 'show', 'list'].includes(verb)) {
    out(inner, words.some((word) => /^-{1,2}j/.test(word)) ? '[]\n' : '');
    return 0;
  }
  const isLink = object !== '' && 'link'.startsWith(object);
  if (isLink && verb === 'set') return setLink(inner, rest);
  if (isLink && verb === 'add') return addLink(inner, rest);
  if (isLink && (verb === 'del' || verb === 'delete')) return deleteLink(inner, rest);
  if (object !== '' && 'route'.startsWith(object) && ['add', 'replace', 'del', 'delete'].includes(verb))
    return changeRoute(inner, verb, rest);
  if (object !== '' && 'address'.startsWith(object) && ['add', 'del', 'delete', 'replace', 'flush'].includes(verb))
    return changeAddress(inner, verb, rest);
  const { rack, machine, user, root, env } = inner;
  const result = showIp({ rack, machine, user, root, env, stdin: '' }, words, inner.network);
  complain(inner, result.stderr);
  out(inner, result.stdout);
  return result.exitCode ?? 0;
}

/** The program of the system. */
export const ip: Program = (frame, args) => run(frame, args, false);

/** The one that DOCA brings in a directory of its own. */
export const docaIp: Program = (frame, args) => run(frame, args, true);
