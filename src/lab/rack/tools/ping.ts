/**
 * `ping`: to neighbours on the data path, to Arms over tmfifo and the management network.
 *
 * Source: iputils 20211215 (Ubuntu 22.04): texts, exit codes, how `-M do` fails on the own device and on the way.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { bothWays, isOwnAddress } from '../wire/ip-path.ts';
import type { BothWays } from '../wire/ip-path.ts';
import { lookAt } from '../wire/look.ts';
import { pathMtu } from '../wire/path.ts';
import type { Path } from '../wire/path.ts';
import { noise } from '../wire/wire.ts';
import { parseOptions } from './options.ts';
import type { Options } from './options.ts';
import { reachedArm } from './reached-arm.ts';

/** What becomes of one request. */
type Fate =
  | { kind: 'reply' }
  | { kind: 'silence' }
  | { kind: 'no-neighbour'; from: string }
  | { kind: 'too-long'; mtu: number }
  | { kind: 'too-long-on-the-way'; from: string; mtu: number };

const headersBytes = 28;
/** How long the kernel looks for a neighbour. */
const neighbourMs = 3_060;

/** An Arm that routes answers what it cannot pass on; bridges drop it in silence. */
function onTheWay({ there, hop }: BothWays, bytes: number): Fate {
  const crossing = there?.crossings.find(({ kind }) => kind === 'route');
  if (there === null || crossing === undefined) return { kind: 'silence' };
  const before = there.links.findIndex(({ machine }) => machine === crossing.card.name);
  const bridged = there.links.slice(0, before + 1).some(({ mtu, overheadBytes }) => bytes > mtu - overheadBytes);
  return bridged ? { kind: 'silence' } : { kind: 'too-long-on-the-way', from: hop.next, mtu: pathMtu(there) };
}

function fateOf(ways: BothWays, bytes: number, dontFragment: boolean): Fate {
  const { hop, there, back, from } = ways;
  const own = hop.device.mtu;
  if (dontFragment && bytes > own) return { kind: 'too-long', mtu: own };
  if (there === null) return { kind: 'no-neighbour', from };
  if (there.lost || back === null || back.lost) return { kind: 'silence' };
  const fits = (path: Path): boolean => Math.min(bytes, own) <= pathMtu(path);
  if (!fits(there)) return dontFragment ? onTheWay(ways, bytes) : { kind: 'silence' };
  return fits(back) ? { kind: 'reply' } : { kind: 'silence' };
}

function fate(frame: Frame, to: string, options: Options, bytes: number): { fate: Fate; title: string } | null {
  const { rack, machine } = frame;
  const wish = options.values['I'];
  const isAddress = wish !== undefined && /^\d+(\.\d+){3}$/.test(wish);
  const look = lookAt(rack);
  if (isOwnAddress(look, machine, to) || reachedArm(frame, to) !== null) return { fate: { kind: 'reply' }, title: '' };
  const ways = bothWays(look, machine, to, { [isAddress ? 'from' : 'device']: wish });
  if (ways === null) return null;
  const title = wish === undefined ? '' : `from ${ways.from} ${isAddress ? '' : wish}`.trimEnd();
  return { fate: fateOf(ways, bytes, options.values['M'] === 'do'), title: title === '' ? '' : `${title}: ` };
}

interface Tally {
  sent: number;
  received: number;
  errors: number;
  times: number[];
}

/** How one request goes; `quiet` says nothing of it. */
interface Request {
  to: string;
  bytes: number;
  waitMs: number;
  quiet: boolean;
}

function* oneRequest(frame: Frame, now: Fate, tally: Tally, { to, bytes, waitMs, quiet }: Request): Steps<void> {
  const sequence = tally.sent;
  const say = (text: string): void => void (quiet || out(frame, text));
  switch (now.kind) {
    case 'reply': {
      const timeMs = 0.04 + noise(frame.rack.wire.seed, frame.process.pid, sequence) * 0.05;
      tally.received += 1;
      tally.times.push(timeMs);
      say(`${bytes - 20} bytes from ${to}: icmp_seq=${sequence} ttl=64 time=${timeMs.toFixed(3)} ms\n`);
      return;
    }
    case 'too-long':
      tally.errors += 1;
      if (!quiet) complain(frame, `ping: local error: message too long, mtu=${now.mtu}\n`);
      return;
    case 'too-long-on-the-way':
      tally.errors += 1;
      say(`From ${now.from} icmp_seq=${sequence} Frag needed and DF set (mtu = ${now.mtu})\n`);
      return;
    case 'no-neighbour':
      if (waitMs >= neighbourMs) {
        yield { untilMs: frame.rack.nowMs() + neighbourMs };
        tally.errors += 1;
        say(`From ${now.from} icmp_seq=${sequence} Destination Host Unreachable\n`);
        return;
      }
      yield { untilMs: frame.rack.nowMs() + waitMs };
      return;
    case 'silence':
      yield { untilMs: frame.rack.nowMs() + waitMs };
  }
}

function statistics(to: string, { sent, received, errors, times }: Tally, tookMs: number): string {
  const lost = sent === 0 ? 0 : ((sent - received) / sent) * 100;
  const wrong = errors > 0 ? ` +${errors} errors,` : '';
  const head = `\n--- ${to} ping statistics ---\n${sent} packets transmitted, ${received} received,${wrong} ${Number(lost.toFixed(4))}% packet loss, time ${Math.round(tookMs)}ms\n`;
  if (times.length === 0) return `${head}\n`;
  const mean = times.reduce((sum, each) => sum + each, 0) / times.length;
  const deviation = Math.sqrt(times.reduce((sum, each) => sum + (each - mean) ** 2, 0) / times.length);
  const shown = [Math.min(...times), mean, Math.max(...times), deviation].map((each) => each.toFixed(3));
  return `${head}rtt min/avg/max/mdev = ${shown.join('/')} ms\n`;
}

/** What is wrong with the device or address that a call asks for. */
function wrongSource(frame: Frame, wish: string | undefined): string | null {
  if (wish === undefined) return null;
  const look = lookAt(frame.rack);
  if (/^\d/.test(wish))
    return isOwnAddress(look, frame.machine, wish) ? null : 'ping: bind: Cannot assign requested address\n';
  const known = wish === 'lo' || look.devicesOf(frame.machine).some(({ name }) => name === wish);
  return known ? null : `ping: SO_BINDTODEVICE ${wish}: No such device\n`;
}

function* requests(frame: Frame, to: string, options: Options, tally: Tally): Steps<void> {
  const { rack } = frame;
  const { values } = options;
  const count = Number(values['c'] ?? 5);
  const everyMs = Number(values['i'] ?? 1) * 1000;
  const waitMs = Number(values['W'] ?? 10) * 1000;
  const untilMs = values['w'] === undefined ? Infinity : rack.nowMs() + Number(values['w']) * 1000;
  const bytes = Number(values['s'] ?? 56) + headersBytes;
  const quiet = options.flags.has('q');
  let learnt: number | null = null;
  while (tally.sent < count && rack.nowMs() < untilMs) {
    tally.sent += 1;
    let now = fate(frame, to, options, bytes)?.fate ?? { kind: 'silence' };
    // The kernel remembers what a router said of the way.
    if (now.kind === 'too-long-on-the-way') {
      if (learnt !== null) now = { kind: 'too-long', mtu: learnt };
      else learnt = now.mtu;
    }
    const isLast = tally.sent === count;
    const most = Math.min(isLast ? waitMs : Math.min(everyMs, waitMs), untilMs - rack.nowMs());
    yield* oneRequest(frame, now, tally, { to, bytes, waitMs: most, quiet });
    if (!isLast && (now.kind === 'reply' || now.kind.startsWith('too-long')))
      yield { untilMs: Math.min(rack.nowMs() + everyMs, untilMs) };
  }
}

/** The program. */
export const ping: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'ping', args, {
    flags: 'q n 4 D v A f b O R U V',
    values: 'c W s M I i w t l p Q S T m',
  });
  if (options === null) return 2;
  const to = options.rest.at(-1);
  if (to === undefined) {
    complain(frame, 'ping: usage error: Destination address required\n');
    return 1;
  }
  if (!/^\d+(\.\d+){3}$/.test(to)) {
    complain(frame, `ping: ${to}: Name or service not known\n`);
    return 2;
  }
  const problem = wrongSource(frame, options.values['I']);
  const bytes = Number(options.values['s'] ?? 56) + headersBytes;
  const first = problem === null ? fate(frame, to, options, bytes) : null;
  if (first === null) {
    complain(frame, problem ?? 'ping: connect: Network is unreachable\n');
    return 2;
  }
  const startMs = frame.rack.nowMs();
  const tally: Tally = { sent: 0, received: 0, errors: 0, times: [] };
  out(frame, `PING ${to} (${to}) ${first.title}${bytes - headersBytes}(${bytes}) bytes of data.\n`);
  yield* requests(frame, to, options, tally);
  out(frame, statistics(to, tally, frame.rack.nowMs() - startMs));
  // With a deadline all that were asked for have to come back.
  const { c: wanted, w: deadline } = options.values;
  const least = wanted !== undefined && deadline !== undefined ? Number(wanted) : 1;
  return tally.received >= least ? 0 : 1;
};
