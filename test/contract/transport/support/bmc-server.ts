import { createHash, X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { generate } from 'selfsigned';

export interface BmcRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What the server does with one request; the default is a 404. `cut` ends the connection without a reply. */
export interface BmcReply {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cut?: boolean;
  readonly hang?: boolean;
}
export type BmcHandler = (request: BmcRequest) => BmcReply;

export interface BmcServer {
  readonly port: number;
  readonly sha256: string;
  readonly requests: BmcRequest[];
  handler: BmcHandler;
  stop(): Promise<void>;
  /** Listens again on the same port with the same certificate. */
  restart(): Promise<void>;
}

let madeOnce: Promise<{ readonly key: string; readonly cert: string }> | undefined;

/** A self-signed certificate; the same one again unless `fresh`. */
export async function certificate(fresh = false): Promise<{ readonly key: string; readonly cert: string }> {
  const make = async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'bmc' }], { algorithm: 'sha256' });
    return { key, cert };
  };
  if (fresh) return make();
  madeOnce ??= make();
  return madeOnce;
}

/** SHA-256 of a PEM certificate, 64 lower-case hex digits. */
export function sha256Of(cert: string): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
}

/** An HTTPS server on loopback that records every request and answers as `handler` says. */
export async function startBmc(
  handler: BmcHandler = () => ({ status: 404 }),
  options: { readonly port?: number; readonly freshCertificate?: boolean } = {},
): Promise<BmcServer> {
  const { key, cert } = await certificate(options.freshCertificate);
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert });
  const bmc: BmcServer = {
    port: 0,
    sha256: sha256Of(cert),
    requests: [],
    handler,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        if (!server.listening) return resolve();
        server.close(() => resolve());
      }),
    restart: () => new Promise((resolve) => server.listen(bmc.port, '127.0.0.1', () => resolve())),
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => void answer(bmc, request, response));
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', () => resolve()));
  return Object.assign(bmc, { port: (server.address() as AddressInfo).port });
}

async function answer(bmc: BmcServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = '', url: path = '', headers } = request;
  const seen = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
  bmc.requests.push(seen);
  const { status = 200, body, headers: more = {}, cut, hang } = bmc.handler(seen);
  if (cut === true) return void request.socket.destroy();
  if (hang === true) return;
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', ...more }).end(text);
}

/** A Redfish error body with one message. */
export function redfishMessage(id: string, message: string): object {
  const MessageId = `Base.1.18.1.${id}`;
  return {
    error: {
      code: MessageId,
      message,
      '@Message.ExtendedInfo': [{ MessageId, Message: message, MessageSeverity: 'Critical' }],
    },
  };
}
