/**
 * `swanctl`: loads, brings up, ends and lists.
 *
 * Source: strongSwan 5.9.8 on a real system (texts, exit codes: 1 for a wrong command line and what could not be done, 22
 * for a connection that was discarded, the error number where the daemon cannot be reached).
 */
import type { CardState } from '../state.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program } from '../shell/types.ts';
import { advanceWire } from '../wire/advance.ts';
import { connectingOf } from './charon.ts';
import {
  connectingRaw,
  connectingText,
  connectionRaw,
  connectionText,
  ikeRaw,
  ikeText,
  policyRaw,
  policyText,
} from './sas-text.ts';
import { bringUp, rekey, terminate, trap } from './swanctl-sas.ts';
import { load } from './swanctl-load.ts';
import { commandOf, optionsOf, strongSwanVersion, usageText } from './swanctl-options.ts';
import type { SwanctlCall } from './swanctl-options.ts';

const socket = 'unix:///var/run/charon.vici';

function misused(frame: Frame, command: string | null, problem: string, reason: string): number {
  complain(frame, `${problem}\nError: ${reason}\n${usageText(command)}`);
  return 1;
}

function unreachable(frame: Frame, command: string, reason: string, status: number): number {
  complain(frame, `connecting to '${socket}' failed: ${reason}\n`);
  complain(frame, `Error: connecting to 'default' URI failed: ${reason}\n${usageText(command)}`);
  return status;
}

function listSas(frame: Frame, card: CardState, { values }: SwanctlCall, raw: boolean): void {
  const nowMs = frame.rack.nowMs();
  const fits = (each: { name: string; id: number }, kind: 'ike' | 'child'): boolean =>
    (values.get(kind) ?? each.name) === each.name && (values.get(`${kind}-id`) ?? String(each.id)) === String(each.id);
  const asksChild = values.has('child') || values.has('child-id');
  const shown = card.armOs.dataPath.charon.sas
    .filter((each) => fits(each, 'ike'))
    .map((each) => ({ ...each, children: each.children.filter((child) => fits(child, 'child')) }))
    .filter(({ children }) => !asksChild || children.length > 0);
  out(frame, shown.map((each) => (raw ? ikeRaw(each, nowMs) : ikeText(each, nowMs))).join(''));
  if (asksChild) return;
  const asking = connectingOf(frame.rack, card).filter((each) => fits(each, 'ike'));
  out(frame, asking.map((each) => (raw ? connectingRaw(each) : connectingText(each))).join(''));
}

function list(frame: Frame, card: CardState, call: SwanctlCall): number {
  advanceWire(frame.rack);
  const { connections, traps } = card.armOs.dataPath.charon;
  const raw = call.values.has('raw') || call.values.has('pretty');
  if (call.command === 'list-sas') {
    listSas(frame, card, call, raw);
    if (raw) out(frame, 'list-sas reply {}\n');
  } else if (call.command === 'list-conns') {
    out(frame, connections.map((each) => (raw ? connectionRaw(each) : connectionText(each))).join(''));
    if (raw) out(frame, 'list-conns reply {}\n');
  } else if (call.command === 'list-pols') {
    for (const { name, children } of connections)
      for (const each of children.filter((child) => traps.includes(child.name)))
        out(frame, raw ? policyRaw(name, each) : policyText(name, each));
    if (raw) out(frame, 'list-policies reply {}\n');
  }
  return 0;
}

function statistics({ charon }: CardState['armOs']['dataPath'], connecting: number): string {
  const total = charon.sas.length + connecting;
  return (
    'uptime: 2 hours, since Nov 10 09:00:00 2025\nworker threads: 16 total, 11 idle, working: 4/0/1/0\n' +
    `job queues: 0/0/0/0\njobs scheduled: ${total * 3}\nIKE_SAs: ${total} total, ${connecting} half-open\n` +
    'mallinfo: sbrk 3244032, mmap 0, used 1266576, free 1977456\n' +
    'loaded plugins: charon-systemd aes sha2 sha1 random nonce x509 pubkey pem openssl pkcs8 gmp curve25519 hmac kdf gcm kernel-netlink socket-default vici updown\n'
  );
}

/** The program. */
export const swanctl: Program = function* program(frame, args) {
  const [first = ''] = args;
  const { card } = frame.machine;
  if (args.length === 0 || first === '--help' || first === '-h') {
    out(frame, usageText(null));
    return 0;
  }
  const command = commandOf(args);
  if (command === null) return misused(frame, null, `swanctl: unrecognized option '${first}'`, 'invalid operation');
  if (!frame.root || card === null) return unreachable(frame, command, 'Permission denied', 13);
  // The socket outlives the daemon.
  if (!card.armOs.dataPath.charon.active) return unreachable(frame, command, 'Connection refused', 111);
  const call = optionsOf(command, args.slice(1));
  if (typeof call === 'string') return misused(frame, command, call, 'invalid options');
  if (call.values.has('help')) {
    out(frame, usageText(command));
    return 0;
  }
  if (command.startsWith('load-')) return load(frame, card, call);
  switch (command) {
    case 'version':
      out(frame, `strongSwan swanctl ${strongSwanVersion}\n`);
      return 0;
    case 'stats':
      out(frame, statistics(card.armOs.dataPath, connectingOf(frame.rack, card).length));
      return 0;
    case 'initiate':
      return yield* bringUp(frame, card, call);
    case 'terminate':
      return yield* terminate(frame, card, call);
    case 'rekey':
      return rekey(frame, card, call);
    case 'install':
    case 'uninstall':
      return trap(frame, card, call);
    default:
      return list(frame, card, call);
  }
};
