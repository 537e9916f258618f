/**
 * HTTPS front of one pretend BMC on loopback. All behaviour is in the model; this only carries bytes, or breaks them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { RedfishAnswer, RedfishReply, RedfishRequest } from '../redfish/types.ts';
import type { Certificate } from './keys.ts';
import { listenOnLoopback } from './listen.ts';
import type { Endpoint } from './listen.ts';

const maxBodyBytes = 1_048_576;

/** A web service to carry. */
interface RedfishDevice {
  answer: (request: RedfishRequest) => RedfishAnswer;
  isUp: () => boolean;
  /** Changes when the device restarts. */
  incarnation: () => string;
}

interface RedfishServerOptions {
  device: RedfishDevice;
  certificates: { first: Certificate; second: Certificate };
  showsSecondCertificate: () => boolean;
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > maxBodyBytes) return null;
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

function send(response: ServerResponse, reply: RedfishReply): void {
  if (reply.fault === 'hang') return;
  if (reply.fault === 'drop') {
    response.socket?.destroy();
    return;
  }
  response.writeHead(reply.status, reply.headers);
  if (reply.fault !== 'truncate') {
    response.end(reply.body);
    return;
  }
  response.write(reply.body.slice(0, Math.floor(reply.body.length / 2)), () => response.socket?.destroy());
}

async function answer(device: RedfishDevice, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  if (body === null) {
    response.writeHead(413, { Connection: 'close' }).end();
    return;
  }
  const reply = device.answer({
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: plainHeaders(request),
    body,
    remote: request.socket.remoteAddress ?? '127.0.0.1',
  });
  if ('refused' in reply) request.socket.destroy();
  else send(response, reply);
}

function createTlsServer(device: RedfishDevice, certificate: Certificate): HttpsServer {
  const server = createHttpsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    answer(device, request, response).catch(() => request.socket.destroy());
  });
  // A client that leaves in the middle of a handshake is its own affair.
  server.on('tlsClientError', () => undefined);
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

/** Start the HTTPS service of a BMC on a free loopback port. */
export async function startRedfishServer(options: RedfishServerOptions): Promise<Endpoint> {
  const { device, certificates } = options;
  const first = createTlsServer(device, certificates.first);
  const second = createTlsServer(device, certificates.second);
  const server = createServer((socket: Socket) => {
    if (!device.isUp()) {
      socket.resetAndDestroy();
      return;
    }
    (options.showsSecondCertificate() ? second : first).emit('connection', socket);
  });
  return listenOnLoopback(
    server,
    () => device.incarnation(),
    () => device.isUp(),
  );
}
