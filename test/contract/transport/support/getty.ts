import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from './arm-world.ts';
import { canStartPamSshd, unsharePath } from './password-servers.ts';

/** What is behind a console of rshim. */
export interface Getty {
  /** Address for socat. */
  readonly address: string;
  /** Everything typed, as it came in. */
  readonly typed: string[];
  stop(): Promise<void>;
}

/** The texts are those of agetty 2.38, login(1) and Linux-PAM 1.5, captured with `chage -d 0`. */
export interface GettyAccount {
  password: string;
  expired: boolean;
  /** Says this before anything is typed: what was on the line since somebody last read it. */
  readonly backlog?: string;
  /** Somebody's shell is open. */
  readonly inShell?: boolean;
  /** Answers nothing. */
  readonly mute?: boolean;
}

const notice = 'You are required to change your password immediately (administrator enforced).\r\n';
const prompt = '\u001b[?2004hubuntu@localhost:~$ ';

/** A getty in this process, on a unix socket. */
export async function startGetty(account: GettyAccount): Promise<Getty> {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-getty-'));
  const path = join(folder, 'console');
  const typed: string[] = [];
  const live = new Set<Socket>();
  const server: Server = createServer((socket) => {
    live.add(socket);
    socket.on('error', () => undefined);
    if (account.backlog !== undefined) socket.write(account.backlog);
    talk(socket, account, typed);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    address: `UNIX-CONNECT:${path}`,
    typed,
    async stop() {
      live.forEach((socket) => socket.destroy());
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Place = 'login' | 'password' | 'current' | 'fresh' | 'retype' | 'shell';

function talk(socket: Socket, account: GettyAccount, typed: string[]): void {
  let place: Place = account.inShell === true ? 'shell' : 'login';
  let line = '';
  let first = '';
  const to = (next: Place, text: string): void => {
    place = next;
    socket.write(text);
  };
  const answer = (text: string): void => {
    switch (place) {
      case 'login':
        return text === '' ? to('login', '\r\n\r\nlocalhost login: ') : to('password', '\r\nPassword: ');
      case 'password':
        if (text !== account.password) return to('login', '\r\n\r\nLogin incorrect\r\nlocalhost login: ');
        if (account.expired) return to('current', `\r\n${notice}Changing password for ubuntu.\r\nCurrent password: `);
        return to('shell', `\r\nWelcome to Ubuntu 22.04.4 LTS\r\n${prompt}`);
      case 'current':
        return to('fresh', '\r\nNew password: ');
      case 'fresh':
        first = text;
        return to('retype', '\r\nRetype new password: ');
      case 'retype':
        if (text !== first || text.length < 12)
          return to('fresh', '\r\nBAD PASSWORD: The password is shorter than 12 characters\r\nNew password: ');
        Object.assign(account, { password: text, expired: false });
        return to('shell', `\r\nWelcome to Ubuntu 22.04.4 LTS\r\n${prompt}`);
      case 'shell':
        if (text === 'exit') return to('login', '\u001b[?2004l\r\nlogout\r\n\r\nlocalhost login: ');
        return to(
          'shell',
          `\r\n${text === '' ? '' : spawnSync('/bin/sh', ['-c', text]).stdout.toString().replaceAll('\n', '\r\n')}${prompt}`,
        );
    }
  };
  socket.on('data', (chunk: Buffer) => {
    if (account.mute === true) return;
    typed.push(chunk.toString());
    for (const character of chunk.toString()) {
      if (character === '\u0003') {
        line = '';
        to('login', '\r\n\r\nlocalhost login: ');
      } else if (character === '\r') {
        const whole = line;
        line = '';
        answer(whole);
      } else {
        line += character;
        if (place === 'login' || place === 'shell') socket.write(character);
      }
    }
  });
}

/** Are agetty, login and socat here, and may they be given an account of their own? */
export function canStartRealGetty(): boolean {
  return ['socat', 'agetty', 'login', 'fuser'].every(isInstalled) && canStartPamSshd();
}

/** agetty and login(1) at a terminal made by socat, with the account `ubuntu` of a fresh image in a private /etc. */
export async function startRealGetty(): Promise<Getty> {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-getty-'));
  const script = [
    'set -e',
    `mkdir ${folder}/etc && mount -t tmpfs none ${folder}/etc && mkdir ${folder}/etc/up ${folder}/etc/work`,
    `mount -t overlay etc -o lowerdir=/etc,upperdir=${folder}/etc/up,workdir=${folder}/etc/work /etc`,
    'useradd -M -d /tmp -s /bin/bash ubuntu',
    'echo ubuntu:ubuntu | chpasswd && chage -d 0 ubuntu',
    // The terminal stays when a login ends, as that of rshim does.
    `exec socat PTY,link=${folder}/console,raw,echo=0 EXEC:${folder}/respawn,pty,setsid,ctty,stderr`,
  ];
  const respawn = ['#!/bin/sh', 'while :; do setsid -c -w agetty -L 115200 - vt220; sleep 0.2; done', ''];
  spawnSync('sh', ['-c', `printf '%s' "$1" >${folder}/respawn; chmod 755 ${folder}/respawn`, 'sh', respawn.join('\n')]);
  const child = spawn(unsharePath, ['-m', 'sh', '-c', script.join('\n')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let tries = 0; tries < 100 && !existsSync(join(folder, 'console')); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    address: `${folder}/console,raw,echo=0`,
    typed: [],
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
