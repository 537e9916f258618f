import { createServer } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { errors } from './errors.ts';

/**
 * Serves `/metrics` (Prometheus text) and `/healthz` on all interfaces of the container. `healthy` says in one word what
 * is wrong, or undefined. Returns how to stop it. Errors: config-invalid when the port cannot be listened on.
 */
export async function serveMetrics(port: number, healthy: () => string | undefined): Promise<() => Promise<void>> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      const problem = healthy();
      response.writeHead(problem === undefined ? 200 : 503, { 'content-type': 'text/plain' }).end(problem ?? 'ok');
      return;
    }
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const problem = `METRICS_PORT ${port} cannot be listened on: ${error.code ?? error.message}`;
      reject(errors.configInvalid({ problems: [problem] }));
    });
    server.listen(port, resolve);
  });
  return async () => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  };
}
