/**
 * Connections from a host to its Arms and consoles: socat, screen, ssh-keyscan, ping.
 *
 * Source: socat 1.7.4, OpenSSH 8.9 ssh-keyscan, iputils messages; tmfifo addresses of NVIDIA's images.
 */
import { armStage } from '../card-clock.ts';
import { complain, openFile, out, Pipe } from '../shell/descriptors.ts';
import { FileError } from '../files/nodes.ts';
import { simply } from '../shell/programs.ts';
import type { Descriptor, Frame, Program, Steps } from '../shell/types.ts';
import { cardFault } from '../state.ts';
import type { CardState } from '../state.ts';
import { at } from './file-tools.ts';
import { rshimDevices, tmfifoHasPeer } from './rshim.ts';

const armAddress = '192.168.100.2';
const hostAddress = '192.168.100.1';

/** The Arm that answers at an address from this network namespace, or null. */
export function reachedArm(frame: Pick<Frame, 'rack' | 'machine' | 'network'>, address: string): CardState | null {
  const { rack, machine, network } = frame;
  const { host } = machine;
  if (host === null) return null;
  for (const [index, card] of rshimDevices(rack, host).entries()) {
    const link = host.network.links[`tmfifo_net${index}`];
    if (link === undefined) continue;
    const peer = cardFault(rack, card, 'tmfifo-reversed') ? hostAddress : armAddress;
    const own = link.addresses.map((each) => each.split('/')[0]);
    const usable =
      link.namespace === network &&
      link.up &&
      own.some((each) => each?.startsWith('192.168.100.') === true && each !== peer);
    if (usable && address === peer && !cardFault(rack, card, 'tmfifo-no-ip') && tmfifoHasPeer(rack, card)) return card;
  }
  if (network !== '') return null;
  return (
    machine.cards.find((card) => card.hardware.arm.address === address && armStage(rack, card) === 'OsIsRunning') ??
    null
  );
}

/** Copy between the program's own input and output and something else until that ends. */
function* relay(frame: Frame, input: Descriptor, write: (text: string) => void, endsWithInput: boolean): Steps<number> {
  const own = frame.descriptors.get(0);
  let ownEnded = own === undefined;
  let pendingOwn: string | null | undefined;
  let pendingOther: string | null | undefined;
  for (;;) {
    pendingOwn ??= ownEnded ? undefined : own?.read();
    pendingOther ??= input.read();
    if (typeof pendingOwn === 'string') write(pendingOwn);
    if (pendingOwn === null) {
      ownEnded = true;
      if (endsWithInput) return 0;
    }
    if (typeof pendingOther === 'string') out(frame, pendingOther);
    if (pendingOther === null) return 0;
    pendingOwn = undefined;
    pendingOther = undefined;
    yield {
      ready: () => {
        pendingOwn ??= ownEnded ? undefined : own?.read();
        pendingOther ??= input.read();
        return pendingOwn !== undefined || pendingOther !== undefined;
      },
    };
  }
}

function* dial(frame: Frame, address: string, port: number): Steps<number> {
  const card = reachedArm(frame, address);
  const where = `AF=2 ${address}:${port}, 16`;
  const pipe = new Pipe();
  const connection =
    card === null || port !== 22
      ? null
      : frame.rack.outside.dialArm(card, { data: (bytes) => void pipe.write(bytes), close: () => pipe.end() });
  if (connection === null) {
    yield { untilMs: frame.rack.nowMs() + (card === null ? 3000 : 10) };
    complain(
      frame,
      `socat[${frame.process.pid}] E connect(5, ${where}): ${card === null ? 'No route to host' : 'Connection refused'}\n`,
    );
    return 1;
  }
  try {
    return yield* relay(frame, pipe, (text) => connection.write(text), false);
  } finally {
    connection.close();
  }
}

function* onDevice(frame: Frame, path: string, endsWithInput: boolean): Steps<number> {
  try {
    const device = openFile(frame.machine.files, at(frame, path), frame, '<>', (each) =>
      frame.rack.openStream(frame.machine, each),
    );
    return yield* relay(frame, device, (text) => void device.write(text), endsWithInput);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    complain(frame, `socat[${frame.process.pid}] E open("${path}", 02, 0666): ${error.message}\n`);
    return 1;
  }
}

const socatVersion =
  'socat by Gerhard Rieger and contributors - see www.dest-unreach.org\n' +
  'socat version 1.7.4.1 on 20 Feb 2022 14:17:07\n' +
  '   running on Linux version #134-Ubuntu SMP Fri Sep 27 20:20:17 UTC 2024, release 5.15.0-124-generic, machine x86_64\n' +
  'features:\n  #define WITH_STDIO 1\n  #define WITH_FDNUM 1\n  #define WITH_FILE 1\n  #define WITH_TCP 1\n';

const socat: Program = function* program(frame, args) {
  if (args.includes('-V')) {
    out(frame, socatVersion);
    return 0;
  }
  const words = args.filter(
    (arg, index) => arg === '-' || (!arg.startsWith('-') && !/^-[tT]$/.test(args[index - 1] ?? '')),
  );
  const other = words.find((word) => word !== '-' && !/^STDIO/i.test(word)) ?? '';
  const tcp = /^TCP4?(?:-CONNECT)?:([^:,]+):(\d+)/i.exec(other);
  if (tcp?.[1] !== undefined) return yield* dial(frame, tcp[1], Number(tcp[2]));
  const path = other.replace(/^(FILE|OPEN|GOPEN):/i, '').split(',')[0] ?? '';
  return yield* onDevice(frame, path, true);
};

const keyscan: Program = function* program(frame, args) {
  const wanted = args.indexOf('-t');
  const types = wanted === -1 ? 'rsa,ecdsa,ed25519' : (args[wanted + 1] ?? '');
  const valued = new Set(['-t', '-p', '-T', '-f']);
  const names = args.filter((arg, index) => !arg.startsWith('-') && !valued.has(args[index - 1] ?? ''));
  for (const name of names) {
    yield { untilMs: frame.rack.nowMs() + 300 };
    const card = reachedArm(frame, name);
    if (card === null) {
      yield { untilMs: frame.rack.nowMs() + 5000 };
      complain(frame, `${name}: Connection timed out\n`);
      continue;
    }
    complain(frame, `# ${name}:22 SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10\n`);
    const { outside } = frame.rack;
    if (types.split(',').includes('ed25519'))
      out(frame, `${name} ${outside.hostKey(card.name, card.armOs.hostKeyGeneration)}\n`);
  }
  return 0;
};

/** Name -> program. */
export const connectionPrograms: Record<string, Program> = {
  socat,
  'ssh-keyscan': keyscan,
  screen: (frame, args) => onDevice(frame, args.find((arg) => arg.startsWith('/dev/')) ?? '', true),
  microcom: (frame, args) => onDevice(frame, args.find((arg) => arg.startsWith('/dev/')) ?? '', true),
  ping: simply((frame, args) => {
    const address = args.at(-1) ?? '';
    const reached = reachedArm(frame, address) !== null;
    out(
      frame,
      `PING ${address} (${address}) 56(84) bytes of data.\n\n--- ${address} ping statistics ---\n1 packets transmitted, ${reached ? 1 : 0} received, ${reached ? 0 : 100}% packet loss, time 0ms\n`,
    );
    return reached ? 0 : 1;
  }),
};
