import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
// ssh2 is CommonJS: plain Node finds its Server only on the default export.
import ssh2 from 'ssh2';
import type { Connection, ServerChannel, SFTPWrapper } from 'ssh2';
import type { SshEndpoint } from '../../../../src/domain/inventory.ts';
import { hostKeyFingerprint } from '../../../../src/transport/ssh/pins.ts';
import { sshKeyPair } from '../../../../scripts/lib/ssh-keys.mjs';

/** A fresh key of the type servers prefer. */
export const ed25519 = () => sshKeyPair();
/** A host key of the second type in order. */
export const ecdsa = () => ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
/** The key of the operator; servers accept this one. */
export const operatorKey = ed25519();
export const otherKey = ed25519();

/** Fingerprint of a public key line. */
function fingerprintOf(publicKey: string): string {
  return hostKeyFingerprint(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'));
}

export interface SshServer {
  readonly endpoint: SshEndpoint;
  /** Cuts all connections. */
  drop(): void;
  stop(): Promise<void>;
}

/** What the in-process server does with an exec; default: real /bin/sh. */
export type ExecHandler = (channel: ServerChannel, command: string, connection: Connection) => void;

export interface FakeSshServer extends SshServer {
  authentications(): number;
  connections(): number;
  commands: string[];
}

/** ssh2's own server in this process, running commands with /bin/sh. */
export async function startFakeSsh(
  options: {
    readonly onExec?: ExecHandler;
    readonly hostKeys?: readonly { readonly private: string; readonly public: string }[];
    /** Says nothing to a request for a channel. */
    readonly muteChannels?: () => boolean;
    /** Refuses a request for a channel, as sshd does beyond MaxSessions. */
    readonly refuseChannels?: () => boolean;
    /** Folder that the commands find their programs in first. */
    readonly programs?: string;
    readonly onSftp?: (sftp: SFTPWrapper, connection: Connection) => void;
  } = {},
): Promise<FakeSshServer> {
  const hostKeys = options.hostKeys ?? [ed25519()];
  const allowed = ssh2.utils.parseKey(operatorKey.public);
  if (allowed instanceof Error) throw allowed;
  const live = new Set<Connection>();
  const commands: string[] = [];
  let authentications = 0;
  let connections = 0;
  const server = new ssh2.Server({ hostKeys: hostKeys.map((key) => key.private) }, (connection) => {
    // As sshd does; else each small answer waits 40 ms for an acknowledgement.
    (connection as unknown as { _sock: Socket })._sock.setNoDelay(true);
    live.add(connection);
    connections += 1;
    connection.on('close', () => live.delete(connection));
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => {
      authentications += 1;
      const right = context.method === 'publickey' && context.key.data.equals(allowed.getPublicSSH());
      if (right) context.accept();
      else context.reject(['publickey']);
    });
    connection.on('session', (accept, reject) => {
      if (options.muteChannels?.() === true) return;
      if (options.refuseChannels?.() === true) return reject();
      const session = accept();
      session.on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command);
        const channel = acceptExec();
        channel.on('error', () => undefined);
        if (options.onExec) options.onExec(channel, command, connection);
        else runInShell(channel, command, options.programs);
      });
      const { onSftp } = options;
      if (onSftp) session.on('sftp', (acceptSftp) => onSftp(acceptSftp(), connection));
    });
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const far = connect(destPort, destIP);
      far.once('error', () => reject());
      far.once('connect', () => {
        const stream = accept();
        far.removeAllListeners('error');
        far.on('error', () => stream.destroy());
        stream.on('error', () => far.destroy());
        stream.pipe(far).pipe(stream);
      });
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  return {
    endpoint: endpointFor(
      port,
      'ops',
      hostKeys.map((key) => fingerprintOf(key.public)),
    ),
    commands,
    authentications: () => authentications,
    connections: () => connections,
    drop: () => live.forEach((connection) => destroySocket(connection)),
    stop: () =>
      new Promise((resolve) => {
        live.forEach((connection) => destroySocket(connection));
        server.close(() => resolve());
      }),
  };
}

/** Cuts the TCP connection without a goodbye. */
export function destroySocket(connection: Connection): void {
  (connection as unknown as { _sock: Socket })._sock.destroy();
}

/** Runs a command with the real shell of this machine; `programs` is a folder where it finds its programs first. */
export function runInShell(channel: ServerChannel, command: string, programs: string | undefined): void {
  const child = spawn('/bin/sh', ['-c', command], { env: { ...process.env, PATH: searchPath(programs) } });
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on('close', () => child.kill('SIGKILL'));
  child.on('exit', (code, signal) => {
    if (signal === null) channel.exit(code ?? 0);
    else channel.exit(signal.replace(/^SIG/, ''));
  });
  child.on('close', () => channel.end());
}

function searchPath(programs: string | undefined): string {
  const path = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin';
  return programs === undefined ? path : `${programs}:${path}`;
}

/** Path of the system's sshd. */
export const sshdPath = '/usr/sbin/sshd';

/** OpenSSH's sshd on a free port of loopback, with a configuration of its own. */
export async function startSshd(options: { readonly programs?: string } = {}): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-sshd-'));
  const host = ed25519();
  const port = await freePort();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o600);
    return join(folder, name);
  };
  const config = file(
    'sshd_config',
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host_key', host.private)}`,
      `AuthorizedKeysFile ${file('authorized_keys', `${operatorKey.public}\n`)}`,
      `PidFile ${join(folder, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'LogLevel VERBOSE',
      'Subsystem sftp internal-sftp',
      ...(options.programs === undefined ? [] : [`SetEnv PATH=${searchPath(options.programs)}`]),
    ].join('\n'),
  );
  // Debian's sshd insists on its privilege separation folder.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
  const daemon = spawn(sshdPath, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(daemon);
  const stopped = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
  return {
    endpoint: endpointFor(port, userInfo().username, [fingerprintOf(host.public)]),
    drop: () => spawn('pkill', ['-KILL', '-P', String(daemon.pid)]),
    async stop() {
      daemon.kill('SIGTERM');
      await stopped;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    daemon.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Server listening')) resolve();
    });
    daemon.once('exit', () => reject(new Error(`sshd ended: ${said}`)));
  });
}

function endpointFor(port: number, user: string, hostKeys: string[]): SshEndpoint {
  return { address: '127.0.0.1', port, user, key: 'ssh-ops', hostKeys };
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
