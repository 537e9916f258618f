/**
 * `ip`: what changes links, addresses and namespaces; looking is in net.ts.
 *
 * Source: iproute2 5.15 (ip netns, ip link set, ip address add) and its RTNETLINK answers.
 */
import { complain, out } from '../shell/descriptors.ts';
import { runProgram } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { addLink, deleteLink, setLink } from './ip-link.ts';
import { showXfrm } from './ip-xfrm.ts';
import { showIp } from './net.ts';
import { linkOf, netdevs } from './netdevs.ts';

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

function changeAddress(frame: Frame, verb: string, args: string[]): number {
  const [address = ''] = args;
  const name = args[args.indexOf('dev') + 1] ?? '';
  const problem = refused(frame, name);
  if (problem !== null) return problem;
  const link = linkOf(frame.machine, name);
  if (verb === 'flush') {
    link.addresses = [];
    return 0;
  }
  if (!/^(\d+(\.\d+){3}|[\da-f:]*:[\da-f:]*)\/\d+$/i.test(address)) {
    complain(frame, `Error: any valid prefix is expected rather than "${address}".\n`);
    return 1;
  }
  const present = link.addresses.includes(address);
  if (verb === 'add' && present) {
    complain(frame, 'RTNETLINK answers: File exists\n');
    return 2;
  }
  if (verb.startsWith('del') && !present) {
    complain(frame, 'RTNETLINK answers: Cannot assign requested address\n');
    return 2;
  }
  const others = link.addresses.filter((each) => each !== address);
  link.addresses = verb.startsWith('del') ? others : [...others, address];
  return 0;
}

/** `ip route add|replace|del DST [via GATEWAY] dev DEVICE`. */
function changeRoute(frame: Frame, verb: string, args: string[]): number {
  const [dst = ''] = args;
  const after = (word: string): string | undefined => (args.includes(word) ? args[args.indexOf(word) + 1] : undefined);
  const { host } = frame.machine;
  if (host === null) return 2;
  const gateway = after('via');
  const dev = after('dev') ?? host.network.routes?.find((route) => route.dst === dst)?.dev ?? '';
  const problem = refused(frame, dev);
  if (problem !== null) return problem;
  const routes = host.network.routes ?? [];
  const present = routes.some((route) => route.dst === dst);
  if (verb.startsWith('del') && !present) {
    complain(frame, 'RTNETLINK answers: No such process\n');
    return 2;
  }
  if (verb === 'add' && present) {
    complain(frame, 'RTNETLINK answers: File exists\n');
    return 2;
  }
  const others = routes.filter((route) => route.dst !== dst);
  host.network.routes = verb.startsWith('del')
    ? others
    : [...others, { dst, ...(gateway !== undefined && { gateway }), dev }];
  return 0;
}

/** The program. */
export const ip: Program = function* program(frame, args) {
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
  if (object.length > 0 && 'xfrm'.startsWith(object)) return showXfrm(inner, [verb, ...rest]);
  if (object === 'netns') return yield* netns(inner, [verb || 'list', ...rest]);
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
};
