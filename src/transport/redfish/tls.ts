import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { limitText } from '../../domain/limit-text.ts';
import { errors, OpsError } from '../../errors.ts';
import { bareAddress } from '../address-guard.ts';
import { type Call, orAbort, withCall } from '../call.ts';

/** Where a BMC is. `openStream` gives the way through its host's SSH; without it a TCP connection is made. */
export interface BmcDial {
  /** Name of the card in messages. */
  readonly target: string;
  readonly address: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly openStream?: ((call: Call) => Promise<Duplex>) | undefined;
}

/**
 * A TLS connection to a BMC whose leaf certificate has the SHA-256 `pin` (64 lower-case hex digits). BMC certificates are
 * self-signed, so the chain proves nothing and is not looked at; the fingerprint is compared before the socket is handed
 * out, so no byte of a request reaches another server. Throws `bmc-cert-changed` or `bmc-unreachable`.
 */
export async function connectPinned(dial: BmcDial, pin: string, call: Call): Promise<TLSSocket> {
  const { socket, sha256 } = await handshake(dial, call);
  if (sha256 === pin) return socket;
  socket.destroy();
  throw errors.bmcCertChanged({ target: dial.target, seen: sha256, pinned: pin });
}

/** SHA-256 of the certificate the BMC shows; sends nothing but a handshake. Throws `bmc-unreachable`. */
export async function readFingerprint(dial: BmcDial, call: Call): Promise<string> {
  const { socket, sha256 } = await handshake(dial, call);
  socket.destroy();
  return sha256;
}

async function handshake(dial: BmcDial, call: Call): Promise<{ readonly socket: TLSSocket; readonly sha256: string }> {
  const timeoutMs = Math.min(dial.connectTimeoutMs, call.remainingMs());
  const tooSlow = (): OpsError => unreachable(dial, new Error(`no TLS connection within ${limitText(timeoutMs)}`));
  return withCall({ timeoutMs, signal: call.signal }, tooSlow, async (limited) => {
    try {
      const stream = await dial.openStream?.(limited);
      const socket = connect(tlsOptions(dial, stream));
      return { socket, sha256: await peerFingerprint(socket, stream, limited.signal) };
    } catch (error) {
      limited.signal.throwIfAborted();
      throw error instanceof OpsError ? error : unreachable(dial, error);
    }
  });
}

function tlsOptions(dial: BmcDial, stream: Duplex | undefined): ConnectionOptions {
  const host = bareAddress(dial.address);
  return {
    ...(stream === undefined ? { host, port: dial.port } : { socket: stream }),
    // A name is sent as SNI; an address must not be.
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    // The pin decides, see above.
    rejectUnauthorized: false,
  };
}

async function peerFingerprint(socket: TLSSocket, stream: Duplex | undefined, signal: AbortSignal): Promise<string> {
  const secure = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed during the TLS handshake')));
  });
  try {
    await orAbort(secure, signal);
    // An empty object when the server showed none.
    const { raw } = socket.getPeerCertificate();
    if (!Buffer.isBuffer(raw)) throw new Error('the server showed no certificate');
    return createHash('sha256').update(raw).digest('hex');
  } catch (error) {
    // A late error of a socket that nobody uses any more must not end the process.
    socket.on('error', () => undefined);
    socket.destroy();
    stream?.destroy();
    throw error;
  }
}

function unreachable(dial: BmcDial, cause: unknown): OpsError {
  return errors.bmcUnreachable({ target: dial.target, address: `${dial.address}:${dial.port}`, cause });
}
