import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { HostAccess } from '../../../src/domain/device-ports.ts';
import type { Image } from '../../../src/domain/image.ts';
import { Profile } from '../../../src/domain/profile.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { ApplyContext } from '../../../src/domain/step.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { serveFiles, type WriteFault } from '../transport/support/sftp-files.ts';
import { cardOf, sliceFor } from '../transport/support/slices.ts';
import { type FakeSshServer, operatorKey, runInShell, startFakeSsh } from '../transport/support/ssh-servers.ts';

const onHost = '/var/lib/dpubot';

/** A host whose commands are real ones of this machine, with /var/lib/dpubot moved to a temporary folder. */
export interface StageWorld {
  readonly folder: string;
  readonly server: FakeSshServer;
  readonly access: HostAccess;
  /** Path of a file of the host on this machine. */
  at(path: string): string;
  context(signal?: AbortSignal): Promise<ApplyContext>;
  /** Names of the acts so far, and texts of the signs of life. */
  readonly acts: string[];
  readonly signs: { readonly text: string; readonly percent?: number }[];
  /** Decides over the writes of uploads. */
  writeFault: WriteFault;
  stop(): Promise<void>;
}

/** Stands in for sudo where the tests are root already, or where root is not needed below a temporary folder. */
const sudoScript = '#!/bin/sh\nshift\nexec "$@"\n';

export async function createStageWorld(): Promise<StageWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-stage-'));
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'sudo'), sudoScript, { mode: 0o755 });
  const base = join(folder, 'var');
  // It prints the path back, which has to be that of the host.
  const hash = `#!/bin/sh\nseen=$(/usr/bin/sha256sum "$@") || exit\nprintf '%s\\n' "$seen" | sed 's#${base}#${onHost}#'\n`;
  writeFileSync(join(programs, 'sha256sum'), hash, { mode: 0o755 });
  const moved = (text: string): string => text.replaceAll(onHost, base);
  const server = await startFakeSsh({
    onExec: (channel, command) => runInShell(channel, moved(command), programs),
    onSftp: (sftp, connection) =>
      serveFiles(sftp, { path: moved, fault: (total) => world.writeFault(total), cut: () => connection.end() }),
  });
  const access = createHostAccess({
    key: () => Promise.resolve(new Secret(operatorKey.private)),
    redactor: createRedactor(),
  });
  const bare = sliceFor({ ssh: server.endpoint });
  const wanted = Object.fromEntries(
    Object.keys(bare.profiles).map((dpu) => [dpu, Profile.parse({ image: 'bf-bundle-2.9.2' })]),
  );
  const slice = { ...bare, profiles: wanted };
  const acts: string[] = [];
  const signs: StageWorld['signs'] = [];
  const world: StageWorld = {
    folder,
    server,
    access,
    acts,
    signs,
    at: moved,
    writeFault: () => 'take',
    async context(signal = new AbortController().signal) {
      const parts: Partial<ApplyContext> = {
        runId: 418,
        slice,
        card: cardOf(slice),
        cards: [cardOf(slice)],
        host: await access.open(slice),
        signal,
        actions: [],
        clock: {
          nowMs: () => Date.now(),
          poll: async (_deviceMs, pollSignal) => {
            await wait(20);
            pollSignal.throwIfAborted();
          },
          deadlineMs: () => 5_000,
          stepLimitMs: () => 5_000,
          wallMs: () => 0,
        },
        act: async ({ name }, fn) => {
          acts.push(name);
          return (await fn()).value;
        },
        progress: (sign) => {
          signs.push(sign);
          return Promise.resolve();
        },
      };
      return parts as ApplyContext;
    },
    async stop() {
      await access.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** An image with this content; `source` says where it comes from. */
export function imageOf(content: Buffer, source: { readonly url: string } | { readonly file: string }): Image {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return {
    ...source,
    sha256,
    bytes: content.length,
    version: 'bf-bundle-2.9.2-32',
    docaVersion: '2.9.2',
    signed: true,
  };
}

/** What the publisher of images does with the n-th request; `from` is the first byte that was asked for. */
export type Publish = (reply: ServerResponse, from: number, request: number) => void;

export interface Publisher {
  readonly url: string;
  /** First bytes of the requests so far. */
  readonly asked: number[];
  publish: Publish;
  stop(): void;
}

export async function startPublisher(publish: Publish): Promise<Publisher> {
  const asked: number[] = [];
  const server = createServer((request: IncomingMessage, reply: ServerResponse) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push(from);
    publisher.publish(reply, from, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const publisher: Publisher = {
    url: `http://127.0.0.1:${port}/bf-bundle.bfb`,
    asked,
    publish,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return publisher;
}

/** Sends the content from a byte on, as a server that knows ranges does; `until` cuts the connection there. */
export function sendRange(reply: ServerResponse, content: Buffer, from: number, until = content.length): void {
  reply.writeHead(from === 0 ? 200 : 206, {
    'content-length': content.length - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  reply.write(content.subarray(from, until), () => {
    if (until < content.length) reply.socket?.end();
    else reply.end();
  });
}
