import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** One rule that is switched on. */
export interface FaultRequest {
  readonly name: string;
  /** Card or host; left out: every one. */
  readonly target?: string;
  /** How often it strikes; left out: the fault's own default. */
  readonly uses?: number;
}

/** What the control can look at and switch. Functions may throw an Error whose message is for the caller. */
export interface Controlled {
  /** The rack's saved state, passwords of the pretend devices included. */
  readonly state: () => unknown;
  /** The same without what changes by looking: equal before and after anything that only read. */
  readonly comparable: () => unknown;
  /** Command lines that came over SSH, the newest last. */
  readonly lines: () => unknown;
  readonly faults: () => unknown;
  readonly setFault: (fault: FaultRequest) => void;
  /** For one card or host, or wherever it is on. */
  readonly clearFault: (name: string, target: string | undefined) => void;
  /** What a person at the machine does: restart it, or take its power away for a moment. */
  readonly rebootHost: (name: string) => void;
  readonly powerCycleHost: (name: string) => void;
  /** Its network cable is out until the fault `link-lost` is cleared. */
  readonly unplugHost: (name: string) => void;
}

export interface RunningControl {
  readonly url: string;
  close(): Promise<void>;
}

const bodyLimitBytes = 64 * 1024;

/** Serves the lab's switches as JSON over HTTP on a free port of the loopback address. */
export async function startControl(controlled: Controlled): Promise<RunningControl> {
  const server = createServer((request, response) => {
    answer(controlled, request)
      .then((value) => send(response, 200, value))
      .catch((error: unknown) => {
        const status = error instanceof NotFound ? 404 : 400;
        send(response, status, { error: error instanceof Error ? error.message : String(error) });
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

class NotFound extends Error {}

async function answer(controlled: Controlled, request: IncomingMessage): Promise<unknown> {
  // A web page in somebody's browser can send requests here; it cannot fake this header, nor send JSON unasked.
  if (!/^(127\.0\.0\.1|localhost):\d+$/.test(request.headers.host ?? '')) throw new Error('The host name is not ours.');
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const action = `${request.method} ${path}`;
  if (action === 'GET /rack/state') return controlled.state();
  if (action === 'GET /rack/comparable') return controlled.comparable();
  if (action === 'GET /rack/lines') return controlled.lines();
  if (action === 'GET /faults') return controlled.faults();
  if (action === 'POST /faults') {
    controlled.setFault(faultOf(await jsonBody(request)));
    return controlled.faults();
  }
  const name = /^DELETE \/faults\/([\w-]+)$/.exec(action)?.[1];
  if (name !== undefined) {
    controlled.clearFault(name, searchParams.get('target') ?? undefined);
    return controlled.faults();
  }
  const [, host, act] = /^POST \/hosts\/([\w-]+)\/(reboot|power-cycle|unplug)$/.exec(action) ?? [];
  if (host !== undefined) {
    if (act === 'reboot') controlled.rebootHost(host);
    else if (act === 'unplug') controlled.unplugHost(host);
    else controlled.powerCycleHost(host);
    return {};
  }
  throw new NotFound(`There is no ${action}.`);
}

function faultOf(body: unknown): FaultRequest {
  if (typeof body !== 'object' || body === null || !('name' in body) || typeof body.name !== 'string')
    throw new Error('A fault needs a name: {"name": "...", "target"?: "...", "uses"?: 1}.');
  const target = 'target' in body ? body.target : undefined;
  const uses = 'uses' in body ? body.uses : undefined;
  if (target !== undefined && typeof target !== 'string') throw new Error('The target is the name of a card or host.');
  if (uses !== undefined && typeof uses !== 'number') throw new Error('The number of uses is a whole number.');
  return { name: body.name, ...(target !== undefined && { target }), ...(uses !== undefined && { uses }) };
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-type'] !== 'application/json') throw new Error('The body has to be application/json.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > bodyLimitBytes) throw new Error('The body is too large.');
    chunks.push(piece);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(value)}\n`);
}
