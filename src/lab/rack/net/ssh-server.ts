/**
 * An OpenSSH-like server of one pretend machine on loopback: logins, exec with two streams, forwarding, limits.
 *
 * Source: OpenSSH 8.9/9.2 behaviour (MaxSessions 10, open failures, messages about expired passwords).
 */
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, ServerChannel, Session } from 'ssh2';
import type { Files } from '../files/files.ts';
import type { ProgramOutput, RunningProgram } from '../shell/session.ts';
import type { ExecResult } from '../shell/types.ts';
import { listenOnLoopback } from './listen.ts';
import type { Endpoint } from './listen.ts';
import { changePasswordDialogue, keyboardLogin } from './password-dialogue.ts';
import type { PasswordStore } from './password-dialogue.ts';
import { publicKeyAllowed } from './public-key.ts';
import { serveSftp } from './sftp-server.ts';
import { runShell } from './shell-session.ts';

/** What `MaxSessions` allows on one connection. */
const maxSessions = 10;

/** Wall time between the end of a password dialogue and of its connection. */
const hangUpAfterMs = 50;

/** Wall time between looks at whether a program has ended. */
const lookEveryMs = 5;

/** No real command ends in the same instant in which it was accepted. */
const shortestRunMs = 2;

export interface SshMachine {
  name: string;
  /** Users that may log in. */
  users: string[];
  authorizedKeys: () => string[];
  /** Passwords, where the machine takes them. */
  passwords: PasswordStore | null;
  exec(user: string, line: string, stdin: string): ExecResult;
  /** Start a program that goes on with the device clock; null when the machine is gone. */
  start(user: string, line: string, to: ProgramOutput, terminal: boolean): RunningProgram | null;
  files: Files;
  tick(): void;
  /** Is the fault active? Uses it up. */
  takesFault(name: 'ssh-hang' | 'ssh-drop'): boolean;
  incarnation(): string;
  isUp(): boolean;
  refuses(): boolean;
  showsSecondKey(): boolean;
  /** Where a forwarded connection may go: local port, or null. */
  forwardPort(address: string, port: number): number | null;
  prompt(user: string): string;
}

interface SshServerOptions {
  machine: SshMachine;
  /** Private host keys as they are now: a new system has new ones. */
  hostKeys: () => { first: string; second: string };
}

interface Login {
  user: string;
  expired: boolean;
  sessions: number;
}

function authenticate(machine: SshMachine, context: AuthContext, login: Login): void {
  const methods: ('publickey' | 'password' | 'keyboard-interactive')[] =
    machine.passwords === null ? ['publickey'] : ['publickey', 'password', 'keyboard-interactive'];
  const refuse = (): void => context.reject(methods);
  login.user = context.username;
  if (context.method === 'publickey' && machine.users.includes(context.username)) {
    login.expired = machine.passwords?.expired() ?? false;
    if (publicKeyAllowed(context, machine.authorizedKeys())) context.accept();
    else refuse();
    return;
  }
  if (machine.passwords === null) {
    refuse();
  } else if (context.method === 'password') {
    const outcome = machine.passwords.login(context.username, context.password);
    login.expired = outcome === 'expired';
    if (outcome === 'wrong') refuse();
    else context.accept();
  } else if (context.method === 'keyboard-interactive') {
    keyboardLogin(context, machine.passwords, refuse);
  } else {
    refuse();
  }
}

const socketOf = new WeakMap<Connection, Socket>();

function dropConnection(connection: Connection): void {
  socketOf.get(connection)?.destroy();
}

interface ExecRequest {
  options: SshServerOptions;
  connection: Connection;
  login: Login;
  channel: ServerChannel;
  line: string;
  terminal: boolean;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function runExec({ options, connection, login, channel, line, terminal }: ExecRequest): void {
  const { machine } = options;
  if (machine.takesFault('ssh-hang')) {
    channel.resume();
    return;
  }
  const drops = machine.takesFault('ssh-drop');
  const startedAtMs = performance.now();
  const to = {
    stdout: (bytes: string): void => void (drops || channel.write(bytesOf(bytes))),
    stderr: (bytes: string): void => void (drops || channel.stderr.write(bytesOf(bytes))),
  };
  const program = machine.start(login.user, line, to, terminal);
  if (program === null) {
    dropConnection(connection);
    return;
  }
  channel.on('data', (chunk: Buffer) => {
    program.write(chunk.toString('latin1'));
    machine.tick();
  });
  channel.once('end', () => {
    program.endInput();
    machine.tick();
  });
  let over = false;
  channel.once('close', () => {
    if (!over) program.hangUp();
    over = true;
  });
  const look = (): void => {
    if (over) return;
    const end = program.ended();
    if (end === null || performance.now() - startedAtMs < shortestRunMs) {
      setTimeout(look, lookEveryMs);
      return;
    }
    over = true;
    if (drops) {
      dropConnection(connection);
      return;
    }
    if (end.signal === null) channel.exit(end.exitCode);
    else channel.exit(end.signal);
    channel.end();
  };
  machine.tick();
  setTimeout(look, shortestRunMs);
}

const expiredBanner = 'WARNING: Your password has expired.\n';

function serveExpired(channel: ServerChannel, hasTerminal: boolean, machine: SshMachine, connection: Connection): void {
  if (!hasTerminal || machine.passwords === null) {
    channel.stderr.write(`${expiredBanner}Password change required but no TTY available.\n`);
    channel.exit(1);
    channel.end();
    return;
  }
  channel.write(`${expiredBanner.trimEnd()}\r\nYou must change your password now and login again!\r\n`);
  // The last words must reach the client before the connection goes.
  const hangUp = (): void => void setTimeout(() => connection.end(), hangUpAfterMs);
  channel.once('close', hangUp);
  changePasswordDialogue(channel, machine.passwords);
}

function serveSession(options: SshServerOptions, connection: Connection, login: Login, session: Session): void {
  const { machine } = options;
  let hasTerminal = false;
  let counted = true;
  const release = (): void => {
    if (counted) login.sessions -= 1;
    counted = false;
  };
  session.on('close', release);
  session.on('pty', (accept) => {
    hasTerminal = true;
    (accept as (() => void) | undefined)?.();
  });
  session.on('env', (_accept, reject) => (reject as (() => void) | undefined)?.());
  session.on('exec', (accept, _reject, { command }) => {
    const channel = accept();
    channel.once('close', release);
    channel.on('error', () => undefined);
    if (login.expired) serveExpired(channel, hasTerminal, machine, connection);
    else runExec({ options, connection, login, channel, line: command, terminal: hasTerminal });
  });
  session.on('sftp', (accept) => {
    const stream = accept();
    if (login.expired) stream.end();
    else serveSftp(stream, machine.files, { user: login.user, root: login.user === 'root' }, () => machine.tick());
  });
  session.on('shell', (accept) => {
    const channel = accept();
    channel.once('close', release);
    channel.on('error', () => undefined);
    if (login.expired) serveExpired(channel, hasTerminal, machine, connection);
    else
      runShell(
        channel,
        machine.prompt(login.user),
        (line) => machine.exec(login.user, line, ''),
        () => dropConnection(connection),
      );
  });
}

function serveForwarding(machine: SshMachine, connection: Connection): void {
  connection.on('tcpip', (accept, reject, info) => {
    const port = machine.forwardPort(info.destIP, info.destPort);
    if (port === null) {
      reject();
      return;
    }
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => reject());
    socket.once('connect', () => {
      const channel = accept();
      socket.on('error', () => channel.destroy());
      channel.on('error', () => socket.destroy());
      socket.once('close', () => channel.destroy());
      channel.once('close', () => socket.destroy());
      socket.pipe(channel).pipe(socket);
    });
  });
}

function serveConnection(options: SshServerOptions, connection: Connection): void {
  const { machine } = options;
  const login: Login = { user: '', expired: false, sessions: 0 };
  connection.on('error', () => undefined);
  connection.on('authentication', (context) => authenticate(machine, context, login));
  connection.on('ready', () => {
    connection.on('session', (accept, reject) => {
      if (login.sessions >= maxSessions) {
        reject();
        return;
      }
      login.sessions += 1;
      serveSession(options, connection, login, accept());
    });
    serveForwarding(machine, connection);
  });
}

function createSshServer(options: SshServerOptions, hostKey: string): ssh2.Server {
  return new ssh2.Server({ hostKeys: [hostKey], ident: 'OpenSSH_8.9p1 Ubuntu-3ubuntu0.10' }, (connection) =>
    serveConnection(options, connection),
  );
}

/** Start the SSH server of a machine on a free loopback port. */
export async function startSshServer(options: SshServerOptions): Promise<Endpoint> {
  const { machine } = options;
  const servers = new Map<string, ssh2.Server>();
  const serverWith = (hostKey: string): ssh2.Server => {
    const known = servers.get(hostKey);
    if (known !== undefined) return known;
    const made = createSshServer(options, hostKey);
    made.on('connection', (connection: Connection) => {
      const socket = (connection as unknown as { _sock?: Socket })._sock;
      if (socket) socketOf.set(connection, socket);
    });
    servers.set(hostKey, made);
    return made;
  };
  const server = createServer((socket) => {
    if (machine.refuses() || !machine.isUp()) {
      socket.resetAndDestroy();
      return;
    }
    // As sshd does for every session (OpenSSH packet.c, ssh_packet_set_interactive).
    socket.setNoDelay(true);
    const { first, second } = options.hostKeys();
    const chosen = serverWith(machine.showsSecondKey() ? second : first);
    (chosen as unknown as { injectSocket(socket: Socket): void }).injectSocket(socket);
  });
  return listenOnLoopback(
    server,
    () => machine.incarnation(),
    () => machine.isUp(),
  );
}
