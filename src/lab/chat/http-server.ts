import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { answerApi, refuse } from './api/http.ts';
import type { Lab } from './lab.ts';
import { createPersonRouter, sendFile } from './person-http.ts';

const pageFolder = fileURLToPath(new URL('./page/', import.meta.url));

/** Nothing from elsewhere: no script, style, picture or connection but the lab's own. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The one HTTP server: Web API, response_url, uploads, Socket Mode upgrade, person API and page. */
export function createLabServer(lab: Lab): Server {
  const server = createServer(createApp(lab));
  server.on('upgrade', (request, socket, head) => {
    const isLink = (request.url ?? '').startsWith('/link/');
    if (lab.faults.down !== undefined || !isLink || !lab.sockets.accept(request, socket, head)) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    }
  });
  return server;
}

function createApp(lab: Lab): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set('x-content-type-options', 'nosniff').set('cache-control', 'no-store');
    next();
  });
  const bodies = [express.urlencoded({ extended: false, limit: '4mb' }), express.json({ limit: '4mb' })];
  app.all(/^\/api\/./, bodies, (request: Request, response: Response) => answerApi(lab, request, response));
  app.post(/^\/actions\//, bodies, (request: Request, response: Response) => {
    answerHook(lab, request, response);
  });
  app.post(
    /^\/upload\/v1\//,
    express.raw({ type: () => true, limit: '64mb' }),
    (request: Request, response: Response) => receiveUpload(lab, request, response),
  );
  app.get(/^\/files-pri\//, (request, response) => {
    sendPrivateFile(lab, request, response);
  });
  app.use('/lab/chat', createPersonRouter(lab));
  app.use(answerError);
  app.use((_request, response, next) => {
    response.set('content-security-policy', contentSecurityPolicy);
    next();
  });
  app.use(express.static(pageFolder, { cacheControl: false }));
  return app;
}

/** What cannot be read is the caller's mistake, the rest is a bug of the lab; neither shows a stack in the answer. */
function answerError(error: unknown, request: Request, response: Response, _next: NextFunction): void {
  const isUnreadable = error instanceof Error && 'status' in error && error.status === 400;
  if (request.path.startsWith('/api/') && isUnreadable) {
    response.json({ ok: false, error: 'invalid_json' });
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  response
    .status(isUnreadable ? 400 : 500)
    .json({ ok: false, error: isUnreadable ? 'invalid-json' : 'lab-bug', message });
}

function answerHook(lab: Lab, request: Request, response: Response): void {
  if (lab.faults.down !== undefined) {
    refuse(lab.faults.down, response);
    return;
  }
  const answer = lab.responseUrls.post(lab, request.path, request.body);
  if (typeof answer.body === 'string') {
    response.status(answer.status).type('text').send(answer.body);
  } else {
    response.status(answer.status).json(answer.body);
  }
}

/** Bytes of an upload: raw, or as the first file of a form, which is how @slack/web-api sends them. */
async function receiveUpload(lab: Lab, request: Request, response: Response): Promise<void> {
  const body: unknown = request.body;
  const raw = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  const type = request.get('content-type') ?? '';
  const bytes = type.startsWith('multipart/form-data') ? await firstFileOf(raw, type) : raw;
  if (lab.faults.down !== undefined) {
    refuse(lab.faults.down, response);
    return;
  }
  if (lab.faults.take('api-error', 'upload') !== undefined) {
    response.status(503).type('text').send('Service Unavailable');
    return;
  }
  const isTaken = lab.files.receive(request.path, bytes);
  if (lab.faults.take('lost-reply', 'upload') !== undefined) {
    response.socket?.destroy();
    return;
  }
  if (!isTaken) {
    response.status(400).type('text').send('bad upload');
    return;
  }
  response.type('text').send(`OK - ${bytes.length}`);
}

async function firstFileOf(raw: Buffer, contentType: string): Promise<Buffer> {
  const form = await new globalThis.Response(new Uint8Array(raw), {
    headers: { 'content-type': contentType },
  }).formData();
  for (const value of form.values()) {
    return typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer());
  }
  return Buffer.alloc(0);
}

function sendPrivateFile(lab: Lab, request: Request, response: Response): void {
  const id = /^\/files-pri\/[^/]+-(F[^/]+)\//.exec(request.path)?.[1] ?? '';
  if (request.get('authorization') !== `Bearer ${lab.tokens.bot}`) {
    response.status(403).type('text').send('invalid_auth');
    return;
  }
  sendFile(lab, id, response);
}
