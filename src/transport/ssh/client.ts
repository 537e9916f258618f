import type { Duplex } from 'node:stream';
import { Client, type ConnectConfig } from 'ssh2';
import type { SshEndpoint } from '../../domain/inventory.ts';
import type { Secret } from '../../domain/secret.ts';
import { errors, type OpsError } from '../../errors.ts';
import { bareAddress } from '../address-guard.ts';
import { createHostKeyCheck, type HostKeyAlgorithm, hostKeyFamilies, type HostKeyFamily } from './pins.ts';

/** One SSH server on the way: `host` is its name in messages. */
export interface Hop {
  readonly host: string;
  readonly endpoint: SshEndpoint;
  /** How it is reached where that is not by TCP from here or from the hop before. */
  readonly way?: Way;
}

/** A stream to an SSH server that something else carries. */
export interface Way {
  /** Tells ways apart: hops with the same id share a connection. */
  readonly id: string;
  open(signal: AbortSignal): Promise<Duplex>;
  /** What a failed login really came from, where the carrier knows more; else the error itself. */
  explain(failure: unknown): Promise<unknown>;
}

/** What is sent after the host key was found right: the options of ssh2 for it, and the answers to what the server asks. */
export interface LoginMethod {
  readonly config: Pick<ConnectConfig, 'privateKey' | 'password' | 'authHandler' | 'tryKeyboard'>;
  attach?(client: Client): void;
}

/** Login with a private key and nothing else. */
export function keyLogin(key: Secret): LoginMethod {
  return { config: { privateKey: key.reveal(), authHandler: ['publickey'], tryKeyboard: false } };
}

/** Wall-clock limits of a connection. */
export interface ConnectLimits {
  /** From the first packet to a finished login. */
  readonly readyTimeoutMs: number;
  readonly keepaliveIntervalMs: number;
  /** Keepalives that may stay unanswered before the connection counts as dead. */
  readonly keepaliveCount: number;
}

/**
 * Connects and logs in to one hop. `openStream` gives the connection through a jump host; without it a TCP connection is
 * made. A server has several host keys and shows one: when it is not pinned the other types are asked for before it
 * counts as changed. Throws `ssh-host-key-changed` (no login was tried), `ssh-auth-failed`, `ssh-key-unusable` or
 * `ssh-unreachable`.
 */
export async function connectHop(
  hop: Hop,
  login: LoginMethod,
  limits: ConnectLimits,
  openStream?: () => Promise<Duplex>,
): Promise<Client> {
  let families: readonly HostKeyFamily[] = hostKeyFamilies;
  let firstRefused: string | undefined;
  while (families.length > 0) {
    const stream = await openStream?.();
    const attempt = await tryConnect(hop, login, limits, families.flat(), stream);
    if (attempt.kind === 'connected') return attempt.client;
    if (attempt.kind === 'no-such-key' && firstRefused !== undefined) break;
    if (attempt.kind !== 'refused') throw attempt.error;
    const { seen, keyType } = attempt;
    firstRefused ??= seen;
    families = families.filter((family) => !family.some((name) => name === keyType || name === rsaName(keyType)));
  }
  throw errors.sshHostKeyChanged({ host: hop.host, seen: firstRefused ?? 'no key' });
}

/** RSA keys carry the name of the old signature scheme. */
function rsaName(keyType: string): string {
  return keyType === 'ssh-rsa' ? 'rsa-sha2-512' : keyType;
}

type Attempt =
  | { readonly kind: 'connected'; readonly client: Client }
  | { readonly kind: 'refused'; readonly seen: string; readonly keyType: string }
  | { readonly kind: 'no-such-key'; readonly error: OpsError }
  | { readonly kind: 'failed'; readonly error: OpsError };

function tryConnect(
  hop: Hop,
  login: LoginMethod,
  limits: ConnectLimits,
  hostKeyTypes: readonly HostKeyAlgorithm[],
  stream: Duplex | undefined,
): Promise<Attempt> {
  const check = createHostKeyCheck(hop.endpoint.hostKeys);
  let keyType = '';
  let banner = '';
  const config: ConnectConfig = {
    ...connectOptions(hop.endpoint, limits, hostKeyTypes),
    ...(stream && { sock: stream }),
    ...login.config,
    hostVerifier: (shown: Buffer) => {
      keyType = shown.subarray(4, 4 + shown.readUInt32BE(0)).toString('latin1');
      return check.verify(shown);
    },
  };
  return new Promise((resolve) => {
    const client = new Client();
    const fail = (error: Error & { level?: string }): void => {
      client.destroy();
      stream?.destroy();
      const seen = check.refused();
      if (seen !== undefined) resolve({ kind: 'refused', seen, keyType });
      else if (/no matching host key/i.test(error.message))
        resolve({ kind: 'no-such-key', error: connectError(hop, error) });
      else resolve({ kind: 'failed', error: connectError(hop, error) });
    };
    client.once('ready', () => {
      // Commands are small and answered at once: waiting to fill packets costs 40 ms and more per command (measured).
      client.setNoDelay(true);
      resolve({ kind: 'connected', client });
    });
    // Stays for the life of the client: an error without a listener would end the process.
    client.on('error', fail);
    client.once('close', () => fail(new Error(`the connection was closed during the login${banner}`)));
    // As OpenSSH tells it to users while a machine starts up or shuts down, before it hangs up.
    client.on('banner', (text) => (banner = `: ${text.trim().replace(/\s+/g, ' ').slice(0, 200)}`));
    login.attach?.(client);
    try {
      client.connect(config);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      client.destroy();
      stream?.destroy();
      const unusable = errors.sshKeyUnusable({ host: hop.host, key: hop.endpoint.key, problem });
      resolve({ kind: 'failed', error: unusable });
    }
  });
}

function connectOptions(
  endpoint: SshEndpoint,
  limits: ConnectLimits,
  hostKeyTypes: readonly HostKeyAlgorithm[],
): ConnectConfig {
  return {
    host: bareAddress(endpoint.address),
    port: endpoint.port,
    username: endpoint.user,
    agentForward: false,
    readyTimeout: limits.readyTimeoutMs,
    keepaliveInterval: limits.keepaliveIntervalMs,
    keepaliveCountMax: limits.keepaliveCount,
    algorithms: {
      serverHostKey: [...hostKeyTypes],
      // ssh2 still offers SHA-1 by default.
      hmac: { remove: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'], append: [], prepend: [] },
    },
  };
}

function connectError(hop: Hop, error: Error & { level?: string }): OpsError {
  const { host, endpoint } = hop;
  if (error.level === 'client-authentication')
    return errors.sshAuthFailed({ host, user: endpoint.user, key: endpoint.key });
  return errors.sshUnreachable({ host, address: `${endpoint.address}:${endpoint.port}`, cause: error });
}
