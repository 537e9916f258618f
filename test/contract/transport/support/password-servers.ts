import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
// ssh2 is CommonJS: plain Node finds its Server only on the default export.
import ssh2 from 'ssh2';
import type { AuthContext, Connection, KeyboardAuthContext, ServerChannel } from 'ssh2';
import { hostKeyFingerprint } from '../../../../src/transport/ssh/pins.ts';
import { destroySocket, ed25519, freePort, sshdPath } from './ssh-servers.ts';

/** An SSH server with one account, `ubuntu`. */
export interface PasswordServer {
  readonly port: number;
  readonly hostKey: string;
  /** The password that opens it now; undefined where only the server itself knows. */
  password(): string | undefined;
  /** Passwords it was sent, the answers of a dialogue included. */
  readonly heard: string[];
  stop(): Promise<void>;
}

/** When the first login demands a change, and how it is carried out. */
export type Style =
  /** No change is demanded. */
  | 'settled'
  /** As OpenSSH with `password` and PAM: the login succeeds, then passwd(1) runs in place of every command. */
  | 'terminal'
  /** As OpenSSH with keyboard-interactive and PAM: the change belongs to the login. */
  | 'keyboard-interactive'
  /** RFC 4252 section 8: SSH_MSG_USERAUTH_PASSWD_CHANGEREQ. */
  | 'change-request'
  /** Keys only. */
  | 'no-password'
  /** Asks for something that is no password. */
  | 'one-time-code'
  /** Cuts the connection when it has got the new password. */
  | 'dies';

const shortest = 12;
const tooShort = 'BAD PASSWORD: The password is shorter than 12 characters';

/** In this process; the texts are those of OpenSSH 9.2 and Linux-PAM 1.5, captured with `chage -d 0`. */
export async function startPasswordServer(style: Style, first = 'ubuntu'): Promise<PasswordServer> {
  const key = ed25519();
  const live = new Set<Connection>();
  const heard: string[] = [];
  const account = { password: first, expired: style !== 'settled' };
  const set = (next: string): boolean => {
    if (next.length < shortest) return false;
    Object.assign(account, { password: next, expired: false });
    return true;
  };
  const server = new ssh2.Server({ hostKeys: [key.private] }, (connection) => {
    live.add(connection);
    connection.on('close', () => live.delete(connection));
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => authenticate(context, style, account, heard, set));
    connection.on('session', (accept) => {
      const session = accept();
      let hasTerminal = false;
      session.on('pty', (acceptPty) => {
        hasTerminal = true;
        acceptPty?.();
      });
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on('error', () => undefined);
        if (!account.expired) return runCommand(channel, command);
        if (hasTerminal) return runPasswd(channel, style, account, heard, set, () => destroySocket(connection));
        channel.stderr.write('WARNING: Your password has expired.\nPassword change required but no TTY available.\n');
        end(channel, 1);
      });
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  return {
    port,
    hostKey: hostKeyFingerprint(Buffer.from(key.public.split(' ')[1] ?? '', 'base64')),
    password: () => account.password,
    heard,
    stop: () =>
      new Promise((resolve) => {
        live.forEach((connection) => destroySocket(connection));
        server.close(() => resolve());
      }),
  };
}

interface Account {
  password: string;
  expired: boolean;
}

/** The one way of logging in that is offered. */
function wayOf(style: Style): 'publickey' | 'keyboard-interactive' | 'password' {
  if (style === 'no-password') return 'publickey';
  return style === 'keyboard-interactive' || style === 'one-time-code' ? 'keyboard-interactive' : 'password';
}

function authenticate(
  context: AuthContext,
  style: Style,
  account: Account,
  heard: string[],
  set: (next: string) => boolean,
): void {
  const offered = wayOf(style);
  if (context.method !== offered) return context.reject([offered]);
  if (context.method === 'keyboard-interactive') return ask(context, style, account, heard, set);
  if (context.method !== 'password') return context.reject([offered]);
  heard.push(context.password);
  if (context.password !== account.password) return context.reject(['password']);
  if (style !== 'change-request' || !account.expired) return context.accept();
  const demand = (said: string): void =>
    context.requestChange(said, (next) => {
      heard.push(next);
      if (set(next)) context.accept();
      else demand(tooShort);
    });
  demand('Your password has expired.');
}

function ask(
  context: KeyboardAuthContext,
  style: Style,
  account: Account,
  heard: string[],
  set: (next: string) => boolean,
): void {
  const question = (prompt: string, then: (answer: string) => void): void =>
    context.prompt([{ prompt, echo: false }], (answers) => {
      heard.push(answers[0] ?? '');
      then(answers[0] ?? '');
    });
  const renew = (before: string): void =>
    question(`${before}New password: `, (next) =>
      question('Retype new password: ', (again) => {
        if (next === again && set(next)) context.accept();
        else renew(`${tooShort}\n`);
      }),
    );
  if (style === 'one-time-code') return question('Verification code: ', () => context.reject());
  question('Password: ', (password) => {
    if (password !== account.password) return context.reject(['keyboard-interactive']);
    if (!account.expired) return context.accept();
    const notice = 'You are required to change your password immediately (administrator enforced).\n';
    question(`${notice}Changing password for ubuntu.\nCurrent password: `, (current) => {
      if (current === account.password) renew('');
      else context.reject(['keyboard-interactive']);
    });
  });
}

/** passwd(1) at a terminal: no echo, CR LF. */
function runPasswd(
  channel: ServerChannel,
  style: Style,
  account: Account,
  heard: string[],
  set: (next: string) => boolean,
  die: () => void,
): void {
  const answers: string[] = [];
  let typed = '';
  channel.write('WARNING: Your password has expired.\r\nYou must change your password now and login again!\r\n');
  channel.write('Changing password for ubuntu.\r\nCurrent password: ');
  channel.on('data', (chunk: Buffer) => {
    typed += chunk.toString();
    const [line, rest] = typed.split('\r', 2);
    if (rest === undefined || line === undefined) return;
    typed = rest;
    heard.push(line);
    answers.push(line);
    channel.write('\r\n');
    if (answers[0] !== account.password && answers.length === 1) {
      channel.write('passwd: Authentication token manipulation error\r\npasswd: password unchanged\r\n');
      return end(channel, 10);
    }
    if (answers.length === 1) return void channel.write('New password: ');
    if (answers.length === 2) return void channel.write('Retype new password: ');
    if (style === 'dies') return die();
    if (set(line)) {
      channel.write('passwd: password updated successfully\r\n');
      return end(channel, 0);
    }
    answers.pop();
    answers.pop();
    channel.write(`${tooShort}\r\nNew password: `);
  });
}

function runCommand(channel: ServerChannel, command: string): void {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', command]);
  channel.write(stdout);
  end(channel, status ?? 1);
}

function end(channel: ServerChannel, code: number): void {
  channel.exit(code);
  channel.end();
}

/** Runs a program in a mount namespace of its own. */
export const unsharePath = '/usr/bin/unshare';

/** Can OpenSSH with PAM be started with an account of its own? Only root can, in a private copy of /etc. */
export function canStartPamSshd(): boolean {
  if (
    userInfo().uid !== 0 ||
    spawnSync('sh', ['-c', `[ -x ${sshdPath} ] && command -v useradd chpasswd chage ${unsharePath}`]).status !== 0
  )
    return false;
  const probe =
    'mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc';
  return spawnSync(unsharePath, ['-m', 'sh', '-c', probe]).status === 0;
}

/**
 * OpenSSH's sshd with PAM and an account `ubuntu` whose password `ubuntu` has expired, as on a fresh image. It sees an /etc of
 * its own: the machine's accounts are not touched.
 */
export async function startPamSshd(method: 'password' | 'keyboard-interactive'): Promise<PasswordServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-pam-'));
  const key = ed25519();
  const port = await freePort();
  writeFileSync(join(folder, 'host_key'), key.private);
  chmodSync(join(folder, 'host_key'), 0o600);
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${folder}/host_key`,
    `PidFile ${folder}/pid`,
    'UsePAM yes',
    `PasswordAuthentication ${method === 'password' ? 'yes' : 'no'}`,
    `KbdInteractiveAuthentication ${method === 'password' ? 'no' : 'yes'}`,
  ];
  writeFileSync(join(folder, 'sshd_config'), config.join('\n'));
  mkdirSync('/run/sshd', { recursive: true });
  const script = [
    'set -e',
    `mkdir ${folder}/etc && mount -t tmpfs none ${folder}/etc && mkdir ${folder}/etc/up ${folder}/etc/work`,
    `mount -t overlay etc -o lowerdir=/etc,upperdir=${folder}/etc/up,workdir=${folder}/etc/work /etc`,
    'useradd -M -d /tmp -s /bin/sh ubuntu',
    'echo ubuntu:ubuntu | chpasswd && chage -d 0 ubuntu',
    `exec ${sshdPath} -D -e -f ${folder}/sshd_config`,
  ];
  const daemon = spawn(unsharePath, ['-m', 'sh', '-c', script.join('\n')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const stopped = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    daemon.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Server listening')) resolve();
    });
    daemon.once('exit', () => reject(new Error(`sshd ended: ${said}`)));
  });
  return {
    port,
    hostKey: hostKeyFingerprint(Buffer.from(key.public.split(' ')[1] ?? '', 'base64')),
    password: () => undefined,
    heard: [],
    async stop() {
      daemon.kill('SIGTERM');
      await stopped;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
