import { setTimeout as sleepMs } from 'node:timers/promises';
import type { ArmRoute } from '../../domain/arm-ports.ts';
import type { CardRef } from '../../domain/device-ports.ts';
import { tmfifoAddresses, tmfifoNamespace } from '../../domain/tmfifo.ts';
import { errors, OpsError } from '../../errors.ts';
import { guardAddress } from '../address-guard.ts';
import type { Hop, Way } from './client.ts';
import type { ProcessAccess, TunnelAccess } from './host-access.ts';
import type { RemoteProcess } from './process.ts';

/** Who logs in, and the host key that has to be shown. `key` names the credential, for messages. */
export interface ArmLoginAs {
  readonly user: string;
  readonly key: string;
  readonly hostKey: string;
}

const sshPort = 22;
/** For the host to start the carrier; the login has its own limit. */
const carrierTimeoutMs = 20_000;
/** What socat writes to stderr comes with the end of its channel, at the latest. */
const lastWordsMs = 1_000;
const namespaceName = /^dpubot-[a-z0-9][a-z0-9.-]*$/;

/** Errors of the host that say something about dpubot's own set-up, and nothing about the card being reachable. */
const ownErrors: ReadonlySet<string> = new Set([
  'ssh-host-key-changed',
  'ssh-key-unusable',
  'credential-missing',
  'credential-unreadable',
  'address-not-loopback',
]);

/** The route of the inventory: its address where it has one, else the tmfifo link of the card's rshim. */
export function defaultRoute({ dpu }: CardRef): ArmRoute {
  return dpu.arm === undefined ? { kind: 'tmfifo', namespace: tmfifoNamespace(dpu.name) } : { kind: 'oob' };
}

/** The hop to the Arm of a card. Throws `address-not-loopback` for a simulated site that points elsewhere. */
export function armHop(card: CardRef, route: ArmRoute, hosts: TunnelAccess & ProcessAccess, as: ArmLoginAs): Hop {
  const host = card.dpu.name;
  const login = { user: as.user, key: as.key, hostKeys: [as.hostKey] };
  if (route.kind === 'tmfifo') {
    if (!namespaceName.test(route.namespace))
      throw errors.bug({ detail: `no namespace of a card: ${route.namespace}` });
    const endpoint = { ...login, address: tmfifoAddresses.arm, port: sshPort };
    return { host, endpoint, way: overTmfifo(card, route.namespace, hosts) };
  }
  const { arm } = card.dpu;
  if (arm === undefined) throw errors.bug({ detail: `the inventory has no address of the Arm of ${host}` });
  guardAddress(card.slice, arm.address);
  const endpoint = { ...login, address: arm.address, port: arm.port };
  return arm.via === 'direct' ? { host, endpoint } : { host, endpoint, way: forwarded(card, arm, hosts) };
}

/** A stream that the host's SSH server makes to the address of the Arm. */
function forwarded(card: CardRef, arm: { address: string; port: number }, hosts: TunnelAccess): Way {
  const { slice, dpu } = card;
  const address = `${arm.address}:${arm.port} through ${slice.name}`;
  return {
    id: `forwarded by ${slice.name}`,
    async open(signal) {
      try {
        return await hosts.openTunnel(slice, arm.address, arm.port, { timeoutMs: carrierTimeoutMs, signal });
      } catch (error) {
        throw carrierError(dpu.name, address, error);
      }
    },
    explain: (failure) => Promise.resolve(failure),
  };
}

/** A stream that socat makes inside the namespace of the card. Never nc: bfb-install's clean-up kills every nc. */
function overTmfifo(card: CardRef, namespace: string, hosts: ProcessAccess): Way {
  const { slice, dpu } = card;
  const address = `${tmfifoAddresses.arm}:${sshPort} over tmfifo of ${slice.name}`;
  const socat = ['socat', '-', `TCP:${tmfifoAddresses.arm}:${sshPort},connect-timeout=10`];
  const argv = ['sudo', '-n', 'ip', 'netns', 'exec', namespace, ...socat];
  let carrier: RemoteProcess | undefined;
  return {
    id: `${namespace} of ${slice.name}`,
    async open(signal) {
      try {
        carrier = await hosts.openProcess(slice, argv, { timeoutMs: carrierTimeoutMs, signal });
        return carrier.stream;
      } catch (error) {
        throw carrierError(dpu.name, address, error);
      }
    },
    async explain(failure) {
      if (!(failure instanceof OpsError) || failure.code !== 'ssh-unreachable' || carrier === undefined) return failure;
      await Promise.race([carrier.ended, sleepMs(lastWordsMs, undefined, { ref: false })]);
      const said = carrier.stderr().trim();
      if (/^sudo: .*(?:password is required|not in the sudoers|not allowed)/m.test(said))
        return errors.sudoRefused({ host: slice.name, user: slice.entry.ssh.user, output: said });
      const cause = said === '' ? failure.cause : new Error(carrierReason(said), { cause: failure });
      return errors.sshUnreachable({ host: dpu.name, address, cause });
    },
  };
}

/** The reason in the last line of ip(8) or socat(1), without socat's time, pid and class. */
export function carrierReason(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return last.replace(/^\d{4}\/\d{2}\/\d{2} [\d:.]+ (socat)\[\d+\] [A-Z] /, '$1: ').slice(0, 300);
}

/** A carrier that cannot be had means that the card is not reached; the reason stays. */
function carrierError(host: string, address: string, error: unknown): unknown {
  if (error instanceof OpsError && (ownErrors.has(error.code) || error.code === 'sudo-refused')) return error;
  return errors.sshUnreachable({ host, address, cause: error });
}
