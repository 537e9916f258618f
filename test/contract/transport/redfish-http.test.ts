import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createBmcHttp } from '../../../src/transport/redfish/http.ts';
import type { BmcDial } from '../../../src/transport/redfish/tls.ts';
import { type BmcServer, certificate, sha256Of, startBmc } from './support/bmc-server.ts';
import { freePort } from './support/ssh-servers.ts';
import { call, failureOfCall } from './support/slices.ts';

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function serve(handler?: BmcServer['handler']): Promise<BmcServer> {
  const bmc = await startBmc(handler);
  cleanUps.push(() => bmc.stop());
  return bmc;
}

function dialTo(port: number, more: Partial<BmcDial> = {}): BmcDial {
  return { target: 'host-01-dpu0', address: '127.0.0.1', port, connectTimeoutMs: 2_000, ...more };
}

const get = { method: 'GET', path: '/redfish/v1' } as const;
const patch = {
  method: 'PATCH',
  path: '/redfish/v1/Systems/Bluefield/SecureBoot',
  body: () => '{"SecureBootEnable":false}',
} as const;

describe('pinned HTTPS', () => {
  it('speaks to the server whose certificate has the pinned fingerprint', async () => {
    const bmc = await serve(() => ({ body: { Product: 'BlueField-3 DPU' }, headers: { ETag: '"1"' } }));
    const reply = await createBmcHttp(dialTo(bmc.port), bmc.sha256, createRedactor()).send(get, call);
    expect(reply).toMatchObject({ status: 200, text: '{"Product":"BlueField-3 DPU"}', headers: { etag: '"1"' } });
  });

  it('sends not one byte of the request to a server with another certificate', async () => {
    const received: Buffer[] = [];
    let connections = 0;
    const { key, cert } = await certificate();
    const server = createTlsServer({ key, cert }, (socket) => {
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    server.on('connection', () => (connections += 1));
    await once(server, 'listening');
    cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const pinned = sha256Of((await certificate(true)).cert);
    const http = createBmcHttp(dialTo(port), pinned, createRedactor());
    const secret = { ...patch, headers: { 'X-Auth-Token': 'very-secret-token' } };
    const failure = await failureOfCall(http.send(secret, call));
    const afterWrong = Buffer.concat(received).toString();
    const right = createBmcHttp(dialTo(port), sha256Of(cert), createRedactor());
    await failureOfCall(right.send(secret, { timeoutMs: 500 }));
    expect(failure.code).toBe('bmc-cert-changed');
    expect(failure.text).toContain(sha256Of(cert).slice(0, 16));
    expect(afterWrong).toBe('');
    expect(connections).toBe(2);
    // The same request to the same server, with its own pin, does arrive: the test would see a byte.
    expect(Buffer.concat(received).toString()).toMatch(/^PATCH [^]*very-secret-token/);
  });

  it('does not follow a redirect', async () => {
    const bmc = await serve(() => ({ status: 302, headers: { Location: 'https://192.0.2.1/redfish/v1' } }));
    const reply = await createBmcHttp(dialTo(bmc.port), bmc.sha256, createRedactor()).send(get, call);
    expect(reply.status).toBe(302);
    expect(bmc.requests).toHaveLength(1);
  });

  it('reports a refused connection as unreachable: nothing was sent', async () => {
    const port = await freePort();
    const http = createBmcHttp(dialTo(port), 'ab'.repeat(32), createRedactor());
    const failure = await failureOfCall(http.send(patch, call));
    expect(failure).toMatchObject({ code: 'bmc-unreachable', state: 'unchanged' });
    expect(failure.text).toContain('ECONNREFUSED');
  });

  it('reports a server that never finishes the TLS handshake as unreachable, at its own limit', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    cleanUps.push(() => new Promise((resolve) => silent.close(resolve)));
    const http = createBmcHttp(dialTo(port, { connectTimeoutMs: 100 }), 'ab'.repeat(32), createRedactor());
    const failure = await failureOfCall(http.send(patch, call));
    expect(failure).toMatchObject({ code: 'bmc-unreachable', state: 'unchanged' });
  });

  it('reports a connection cut after a write as a lost reply with unknown outcome, and sends the write once', async () => {
    const bmc = await serve(() => ({ cut: true }));
    const http = createBmcHttp(dialTo(bmc.port), bmc.sha256, createRedactor());
    const failure = await failureOfCall(http.send(patch, call));
    expect(failure).toMatchObject({ code: 'bmc-reply-lost', state: 'unknown' });
    expect(bmc.requests.map(({ method }) => method)).toEqual(['PATCH']);
  });

  it('times out a write that is never answered as unknown, a read as unchanged', async () => {
    const bmc = await serve(() => ({ hang: true }));
    const http = createBmcHttp(dialTo(bmc.port), bmc.sha256, createRedactor());
    const [write, read] = await Promise.all(
      [patch, get].map((request) => failureOfCall(http.send(request, { timeoutMs: 250 }))),
    );
    expect(write).toMatchObject({ code: 'bmc-timeout', state: 'unknown' });
    expect(read).toMatchObject({ code: 'bmc-timeout', state: 'unchanged' });
  });

  it('rejects with the reason of the caller when the caller aborts', async () => {
    const bmc = await serve(() => ({ hang: true }));
    const controller = new AbortController();
    const reason = new Error('lease lost');
    const http = createBmcHttp(dialTo(bmc.port), bmc.sha256, createRedactor());
    const sent = http.send(get, { ...call, signal: controller.signal });
    await expect.poll(() => bmc.requests.length).toBe(1);
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });

  it('refuses a reply that is too large', async () => {
    const bmc = await serve(() => ({ body: 'x'.repeat(9 * 1024 * 1024) }));
    const failure = await failureOfCall(createBmcHttp(dialTo(bmc.port), bmc.sha256, createRedactor()).send(get, call));
    expect(failure.code).toBe('redfish-unexpected');
  });

  it('refuses what is not HTTP', async () => {
    const { key, cert } = await certificate();
    const server = createTlsServer({ key, cert }, (socket) => socket.resume().end('220 smtp ready\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const failure = await failureOfCall(createBmcHttp(dialTo(port), sha256Of(cert), createRedactor()).send(get, call));
    expect(failure.code).toBe('redfish-unexpected');
  });

  it('keeps body and headers of the request out of every error', async () => {
    const redactor = createRedactor();
    const password = new Secret('Wq3!secret-pass');
    redactor.add(password);
    const bmc = await serve(() => ({ cut: true }));
    const http = createBmcHttp(dialTo(bmc.port), bmc.sha256, redactor);
    const request = {
      ...patch,
      headers: { 'X-Auth-Token': 'token-123456789' },
      body: () => JSON.stringify({ Password: password.reveal() }),
    };
    const { inspect } = await import('node:util');
    const shown = await http.send(request, call).then(
      () => '',
      (error: unknown) => inspect(error, { depth: 9, showHidden: true }),
    );
    expect(shown).toContain('bmc-reply-lost');
    expect(shown).not.toMatch(/Wq3!secret-pass|token-123456789/);
  });

  it('refuses a path outside of /redfish, such as another host', async () => {
    const http = createBmcHttp(dialTo(1), 'ab'.repeat(32), createRedactor());
    const paths = ['@evil.example/redfish', '//evil/redfish', 'https://evil/redfish', '/redfish/v1\r\nX: y', '/login'];
    const results = await Promise.allSettled(paths.map((path) => http.send({ method: 'GET', path }, call)));
    expect(results.map((one) => (one.status === 'rejected' ? String(one.reason) : 'sent'))).toEqual(
      paths.map(() => 'RangeError: a Redfish path begins with /redfish'),
    );
  });

  it('goes through a stream that somebody else opened, with the same check of the certificate', async () => {
    const bmc = await serve(() => ({ body: { ok: true } }));
    const { connect } = await import('node:net');
    const openStream = () => Promise.resolve(connect(bmc.port, '127.0.0.1'));
    const through = dialTo(1, { address: '192.168.100.2', openStream });
    const right = await createBmcHttp(through, bmc.sha256, createRedactor()).send(get, call);
    const wrong = await failureOfCall(createBmcHttp(through, 'cd'.repeat(32), createRedactor()).send(get, call));
    expect(right.text).toBe('{"ok":true}');
    expect(wrong.code).toBe('bmc-cert-changed');
    expect(bmc.requests).toHaveLength(1);
  });
});
