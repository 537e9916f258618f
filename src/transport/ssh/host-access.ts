import type { Duplex } from 'node:stream';
import type { CallOptions, HostAccess } from '../../domain/device-ports.ts';
import type { HostSlice } from '../../domain/inventory.ts';
import type { Secret } from '../../domain/secret.ts';
import { errors } from '../../errors.ts';
import { guardAddress } from '../address-guard.ts';
import { type TransportLog, withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import type { Hop } from './client.ts';
import { createPool, type Pool, type PoolOptions } from './pool.ts';
import { type RemoteProcess, startProcess } from './process.ts';
import { createHostSession } from './session.ts';

/** Streams through a host's SSH to an address that only the host can reach (a BMC behind it). */
export interface TunnelAccess {
  /** Throws as `open` does, and a plain Error when the host cannot connect there. */
  openTunnel(slice: HostSlice, address: string, port: number, options: CallOptions): Promise<Duplex>;
}

/** Commands on a host that stay open as a stream: what carries a connection to a card, or its console. */
export interface ProcessAccess {
  /** `timeoutMs` counts until the command has started. Throws as `run` of a session does. */
  openProcess(slice: HostSlice, argv: readonly string[], options: CallOptions): Promise<RemoteProcess>;
}

export interface HostAccessOptions {
  /** Gives the private key that the inventory names; throws `credential-missing`. */
  readonly key: (ref: string) => Promise<Secret>;
  readonly redactor: Redactor;
  readonly log?: TransportLog;
  /** Sessions at once on one connection; OpenSSH's MaxSessions is 10. */
  readonly maxChannels?: number;
  readonly limits?: Partial<Omit<PoolOptions, 'key' | 'log' | 'maxChannels'>>;
}

/** Wall-clock limits of SSH connections, unless the options say otherwise. */
export const sshLimits = {
  readyTimeoutMs: 20_000,
  keepaliveIntervalMs: 12_000,
  keepaliveCount: 3,
  channelOpenTimeoutMs: 15_000,
  idleMs: 300_000,
  maxForwards: 64,
} as const;

/** SSH to hosts: pooled, pinned, limited. Every private key it is given is known to the redactor from then on. */
export function createHostAccess(options: HostAccessOptions): HostAccess & TunnelAccess & ProcessAccess {
  const { redactor, log } = options;
  const limits = { ...sshLimits, ...options.limits };
  const key = async (ref: string): Promise<Secret> => {
    const secret = await options.key(ref);
    redactor.add(secret);
    return secret;
  };
  const pool: Pool = createPool({ ...limits, key, log, maxChannels: options.maxChannels ?? 8 });
  return {
    async open(slice) {
      const route = routeOf(slice);
      const onTimeout = (): Error => tooSlow(slice);
      await withCall({ timeoutMs: limits.readyTimeoutMs * route.length * 2 }, onTimeout, (call) =>
        pool.get(route, call.signal),
      );
      return createHostSession(slice, route, {
        pool,
        redactor,
        log,
        channelOpenTimeoutMs: limits.channelOpenTimeoutMs,
      });
    },
    openTunnel(slice, address, port, callOptions) {
      guardAddress(slice, address);
      const route = routeOf(slice);
      return withCall(
        callOptions,
        () => tooSlow(slice),
        (call) => pool.forward(route, address, port, call),
      );
    },
    openProcess(slice, argv, callOptions) {
      const { channelOpenTimeoutMs } = limits;
      return startProcess({ pool, redactor, channelOpenTimeoutMs }, routeOf(slice), argv, callOptions);
    },
    close: () => pool.close(),
  };
}

/** The hops to a host. Throws `address-not-loopback` for a simulated site that points elsewhere. */
function routeOf(slice: HostSlice): readonly Hop[] {
  const { ssh } = slice.entry;
  const hops: Hop[] = [{ host: slice.name, endpoint: ssh }];
  if (slice.jump !== undefined) hops.unshift({ host: ssh.jump ?? 'jump host', endpoint: slice.jump });
  for (const { endpoint } of hops) guardAddress(slice, endpoint.address);
  return hops;
}

function tooSlow(slice: HostSlice): Error {
  const { address, port } = slice.entry.ssh;
  return errors.sshUnreachable({
    host: slice.name,
    address: `${address}:${port}`,
    cause: new Error('no login in time'),
  });
}
