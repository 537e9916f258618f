import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { serveMetrics } from '../../src/serve-metrics.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const { port, close } = await occupiedPort();
  await close();
  return port;
}

async function occupiedPort(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const close = async (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { port: (server.address() as AddressInfo).port, close };
}

test('a port that is taken is named as the setting to correct', async () => {
  const { port, close } = await occupiedPort();
  ends.push(close);

  const serving = serveMetrics(port, () => undefined);

  await expect(serving).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(serving).rejects.toThrow(`METRICS_PORT ${port} cannot be listened on: EADDRINUSE`);
});

test('shows figures of the process and its health, and nothing else', async () => {
  const port = await freePort();
  let problem: string | undefined;
  ends.push(await serveMetrics(port, () => problem));
  const get = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);

  const metrics = await (await get('/metrics')).text();
  const well = await get('/healthz');
  problem = 'no connection to Slack';
  const ill = await get('/healthz');

  const names = metrics.split('\n').flatMap((line) => /^([a-z_]+)/.exec(line)?.[1] ?? []);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !/^(process|nodejs)_/.test(name))).toEqual([]);
  expect([well.status, await well.text()]).toEqual([200, 'ok']);
  expect([ill.status, await ill.text()]).toEqual([503, 'no connection to Slack']);
  expect((await get('/')).status).toBe(404);
});
