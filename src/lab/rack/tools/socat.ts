/**
 * `socat` between its own input and output and a file, a device or a TCP connection.
 *
 * Source: socat 1.7.4 run for real (messages, exit codes, half-closing); socat(1) for addresses, options, -t, -T, -u, -U.
 */
import { FileError } from '../files/nodes.ts';
import { complain, openFile, out, Pipe } from '../shell/descriptors.ts';
import type { Descriptor, Frame, Program, Steps } from '../shell/types.ts';
import { dateText } from './dates.ts';
import { at } from './file-tools.ts';
import { reachedArm } from './reached-arm.ts';

/** How long it goes on after one side has ended, unless `-t` says otherwise. */
const lingerMs = 500;
/** What SYN packets to nobody take. */
const noRouteMs = 3_000;

const version =
  'socat by Gerhard Rieger and contributors - see www.dest-unreach.org\n' +
  'socat version 1.7.4.1 on 20 Feb 2022 14:17:07\n' +
  '   running on Linux version #134-Ubuntu SMP Fri Sep 27 20:20:17 UTC 2024, release 5.15.0-124-generic, machine x86_64\n' +
  'features:\n  #define WITH_STDIO 1\n  #define WITH_FDNUM 1\n  #define WITH_FILE 1\n  #define WITH_TCP 1\n';

/** Options of an address that need a terminal. */
const terminalOptions =
  /^(raw|rawer|cfmakeraw|sane|echo|icanon|isig|ixon|ixoff|opost|icrnl|onlcr|clocal|crtscts|cs[5-8]|b\d+|ispeed|ospeed|hupcl|min|time|parenb|cstopb)$/;
const otherOptions =
  /^(nonblock|o-nonblock|ndelay|rdonly|o-rdonly|rdwr|o-rdwr|wronly|append|creat|noctty|trunc|sync|ignoreeof|crnl|cr|escape|connect-timeout|nodelay|keepalive|forever|retry|interval)$/;
const withNumber = new Set(['echo', 'icanon', 'min', 'time', 'nonblock', 'ndelay', 'connect-timeout']);

interface Address {
  kind: 'stdio' | 'file' | 'tcp';
  /** Path of a file, or host of a connection. */
  place: string;
  port: number;
  options: Map<string, string>;
}

function parseOptions(words: readonly string[]): Map<string, string> | string {
  const options = new Map<string, string>();
  for (const word of words) {
    const [name = '', value = ''] = word.split('=');
    if (!terminalOptions.test(name) && !otherOptions.test(name)) return `parseopts_table(): unknown option "${name}"`;
    if (withNumber.has(name) && value !== '' && !/^\d/.test(value))
      return `parseopts(): missing numerical value of option "${word}"`;
    options.set(name, value);
  }
  return options;
}

/** An address, or the complaint about it. */
function parseAddress(text: string): Address | string {
  const [head = '', ...rest] = text.split(',');
  const options = parseOptions(rest);
  if (typeof options === 'string') return options;
  const [keyword = '', ...parameters] = head.split(':');
  // A word with a slash before any colon is the name of a file.
  if (keyword.includes('/')) return { kind: 'file', place: head, port: 0, options };
  if (head === '-' || /^std(io|in|out)$/i.test(head)) return { kind: 'stdio', place: '', port: 0, options };
  if (/^(file|g?open)$/i.test(keyword)) return { kind: 'file', place: parameters.join(':'), port: 0, options };
  if (/^tcp4?(-connect)?$/i.test(keyword))
    return { kind: 'tcp', place: parameters[0] ?? '', port: Number(parameters[1]), options };
  return `unknown device/address "${keyword}"`;
}

interface Flow {
  /** Does its own input go to the other side, and the other side to its own output? */
  sends: boolean;
  receives: boolean;
  lingerMs: number;
  /** Without any byte for so long it ends. */
  idleMs: number;
}

interface Order {
  flow: Flow;
  addresses: [Address, Address];
}

/** What the words ask for, or the complaint. */
function parseWords(args: readonly string[]): Order | string {
  const flow: Flow = { sends: true, receives: true, lingerMs, idleMs: Infinity };
  const words: string[] = [];
  let oneWay = '';
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const timed = /^-([tT])(.*)$/.exec(word);
    if (word === '-' || !word.startsWith('-')) words.push(word);
    else if (timed !== null) {
      if (timed[2] === '') index += 1;
      const ms = Number(timed[2] === '' ? args[index] : timed[2]) * 1000;
      if (timed[1] === 't') flow.lingerMs = ms;
      else flow.idleMs = ms;
    } else if (word === '-u' || word === '-U') oneWay = word;
    else if (word === '-b') index += 1;
    else if (!/^-(d+|D|v|x|s|ly|lf|ls|lu|lh)$/.test(word)) return `unknown option "${word}"; use option "-h" for help`;
  }
  if (words.length !== 2) return `exactly 2 addresses required (there are ${words.length}); use option "-h" for help`;
  const [first, second] = words.map(parseAddress);
  if (typeof first === 'string') return first;
  if (typeof second === 'string') return second;
  if (first === undefined || second === undefined) return 'missing address';
  if (oneWay !== '') {
    const toOther = (oneWay === '-u') === (first.kind === 'stdio');
    flow.sends = toOther;
    flow.receives = !toOther;
  }
  return { flow, addresses: [first, second] };
}

/** Copy between its own input and output and something else until one of them ends. */
function* relay(frame: Frame, other: Descriptor, flow: Flow): Steps<number> {
  const own = flow.sends ? frame.descriptors.get(0) : undefined;
  let endMs = Infinity;
  let fromOwn: string | null | undefined;
  let fromOther: string | null | undefined;
  const readBoth = (): boolean => {
    if (endMs === Infinity) fromOwn ??= own?.read();
    if (flow.receives) fromOther ??= other.read();
    return fromOwn !== undefined || fromOther !== undefined;
  };
  for (;;) {
    if (!readBoth()) {
      const untilMs = Math.min(endMs, frame.rack.nowMs() + flow.idleMs);
      yield { ready: readBoth, ...(untilMs !== Infinity && { untilMs }) };
    }
    if (typeof fromOwn === 'string') other.write(fromOwn);
    if (typeof fromOther === 'string') out(frame, fromOther);
    if (fromOther === null) return 0;
    const nowMs = frame.rack.nowMs();
    const isIdle = fromOwn === undefined && fromOther === undefined;
    // One side has ended: the other one gets its time, and that is all.
    if (fromOwn === null) endMs = nowMs + (flow.receives ? flow.lingerMs : 0);
    if (nowMs >= endMs || (isIdle && flow.idleMs !== Infinity)) return 0;
    fromOwn = undefined;
    fromOther = undefined;
  }
}

function fail(frame: Frame, text: string): number {
  const stamp = dateText(frame.rack.nowMs(), '%Y/%m/%d %T');
  complain(frame, `${stamp} socat[${frame.process.pid}] E ${text}\n`);
  return 1;
}

function* dial(frame: Frame, { place, port }: Address, flow: Flow): Steps<number> {
  const card = reachedArm(frame, place);
  const pipe = new Pipe();
  const connection =
    card === null || port !== 22
      ? null
      : frame.rack.outside.dialArm(card, { data: (bytes) => void pipe.write(bytes), close: () => pipe.end() });
  if (connection === null) {
    yield { untilMs: frame.rack.nowMs() + (card === null ? noRouteMs : 10) };
    return fail(
      frame,
      `connect(5, AF=2 ${place}:${port}, 16): ${card === null ? 'No route to host' : 'Connection refused'}`,
    );
  }
  const other: Descriptor = {
    read: () => pipe.read(),
    unread: (text) => pipe.unread(text),
    write: (text) => {
      connection.write(text);
      return null;
    },
    tty: false,
  };
  try {
    return yield* relay(frame, other, flow);
  } finally {
    connection.close();
  }
}

/** Flags of open(2) in octal, as the complaint shows them. */
function openFlags({ options }: Address, flow: Flow): string {
  const access = options.has('rdonly') || !flow.sends ? 0 : flow.receives ? 2 : 1;
  const waits = !['nonblock', 'o-nonblock', 'ndelay'].some((name) => options.has(name));
  return `0${((waits ? 0 : 0o4000) | access).toString(8)}`;
}

function* onFile(frame: Frame, address: Address, flow: Flow): Steps<number> {
  const path = at(frame, address.place);
  const { files } = frame.machine;
  const failOpen = (reason: string): number =>
    fail(frame, `open("${address.place}", ${openFlags(address, flow)}, 0666): ${reason}`);
  let device: Descriptor;
  try {
    if (files.find(path) === null) return failOpen('No such file or directory');
    const operator = flow.sends ? '<>' : '<';
    device = openFile(files, path, frame, operator, (each) => frame.rack.openStream(frame.machine, each));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return failOpen(error.message);
  }
  const terminal = [...address.options.keys()].some((name) => terminalOptions.test(name));
  if (terminal && !device.tty) return fail(frame, 'tcgetattr(5, 0x55b13d64e3c0): Inappropriate ioctl for device');
  return yield* relay(frame, device, flow);
}

/** The program. */
export const socat: Program = function* program(frame, args) {
  if (args.includes('-V')) {
    out(frame, version);
    return 0;
  }
  const order = parseWords(args);
  if (typeof order === 'string') return fail(frame, order);
  const { flow, addresses } = order;
  const other = addresses.find(({ kind }) => kind !== 'stdio');
  if (other === undefined || addresses.every(({ kind }) => kind !== 'stdio'))
    return fail(frame, 'one of both addresses must be the standard input and output here');
  return yield* other.kind === 'tcp' ? dial(frame, other, flow) : onFile(frame, other, flow);
};
