/**
 * Connections from a host to its Arms and consoles: screen, microcom, ssh-keyscan; ping and socat stand in their own files.
 *
 * Source: OpenSSH 8.9 ssh-keyscan; screen 4.9.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Program } from '../shell/types.ts';
import { ping } from './ping.ts';
import { reachedArm } from './reached-arm.ts';
import { socat } from './socat.ts';

/** A terminal program on a device: bytes go both ways until it is ended. */
const terminalProgram: Program = (frame, args) =>
  socat(frame, ['-', `${args.find((arg) => arg.startsWith('/dev/')) ?? '/dev/null'},rawer`]);

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
  screen: terminalProgram,
  microcom: terminalProgram,
  ping,
};
