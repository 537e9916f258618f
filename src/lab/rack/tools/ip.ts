/**
 * `ip`: what changes links, addresses and namespaces; looking is in net.ts.
 *
 * Source: iproute2 5.15 (ip netns, ip link set, ip address add) and its RTNETLINK answers.
 */
import { complain, out } from '../shell/descriptors.ts';
import { runProgram } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { linkOf, netdevs, showIp } from './net.ts';

const missing = 'Cannot find device';

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

function has(frame: Frame, name: string): boolean {
  return netdevs(frame.rack, frame.machine, frame.network).some((each) => each.name === name);
}

function setLink(frame: Frame, args: string[]): number {
  const words = args[0] === 'dev' ? args.slice(1) : args;
  const [name = '', ...rest] = words;
  if (!has(frame, name)) {
    complain(frame, `${missing} "${name}"\n`);
    return 1;
  }
  if (!frame.root) {
    complain(frame, 'RTNETLINK answers: Operation not permitted\n');
    return 2;
  }
  const link = linkOf(frame.machine, name);
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? '';
    const value = rest[at + 1] ?? '';
    if (word === 'up' || word === 'down') link.up = word === 'up';
    else if (word === 'mtu') {
      if (!/^\d+$/.test(value) || Number(value) < 68 || Number(value) > 9978) {
        complain(
          frame,
          Number(value) > 9978
            ? 'Error: mtu greater than device maximum.\n'
            : `Error: argument "${value}" is wrong: Invalid "mtu" value\n`,
        );
        return 2;
      }
      link.mtu = Number(value);
      const { card } = frame.machine;
      if (card !== null) card.armOs.mtus[name] = Number(value);
      at += 1;
    } else if (word === 'netns') {
      if (value !== '1' && frame.machine.host?.network.namespaces.includes(value) !== true) {
        complain(frame, `Error: argument "${value}" is wrong: Invalid "netns" value\n`);
        return 255;
      }
      Object.assign(link, { namespace: value === '1' ? '' : value, addresses: [], up: false });
      at += 1;
    } else at += 1;
  }
  return 0;
}

function changeAddress(frame: Frame, verb: string, args: string[]): number {
  const at = args.indexOf('dev');
  const name = args[at + 1] ?? '';
  const [address = ''] = args;
  if (!has(frame, name)) {
    complain(frame, `${missing} "${name}"\n`);
    return 1;
  }
  if (!frame.root) {
    complain(frame, 'RTNETLINK answers: Operation not permitted\n');
    return 2;
  }
  const link = linkOf(frame.machine, name);
  if (verb === 'flush') {
    link.addresses = [];
    return 0;
  }
  if (!/^\d+(\.\d+){3}\/\d+$/.test(address)) {
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
  link.addresses = verb.startsWith('del')
    ? link.addresses.filter((each) => each !== address)
    : [...link.addresses.filter((each) => each !== address), address];
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
  if (object === 'netns') return yield* netns(inner, [verb || 'list', ...rest]);
  if (object !== '' && 'link'.startsWith(object) && verb === 'set') return setLink(inner, rest);
  if (object !== '' && 'address'.startsWith(object) && ['add', 'del', 'delete', 'replace', 'flush'].includes(verb))
    return changeAddress(inner, verb, rest);
  const { rack, machine, user, root, env } = inner;
  const result = showIp({ rack, machine, user, root, env, stdin: '' }, words, inner.network);
  complain(inner, result.stderr);
  out(inner, result.stdout);
  return result.exitCode ?? 0;
};
