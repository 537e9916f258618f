/**
 * The Arm's serial console as rshim carries it: bytes to whoever reads, a login dialogue to whoever types.
 *
 * Source: rshim-user-space (one byte stream, readers share it), util-linux agetty and shadow's login messages.
 */
import { armLogin, changeArmPassword } from '../arm-login.ts';
import { armStage } from '../card-clock.ts';
import { removeFault } from '../faults.ts';
import { Pipe } from '../shell/descriptors.ts';
import type { Descriptor, Process } from '../shell/types.ts';
import { cardFault } from '../state.ts';
import { inUefi, menuKey, newMenu } from './uefi-menu.ts';
import type { MenuState } from './uefi-menu.ts';
import type { CardState, Rack } from '../state.ts';

/** What is kept while nobody reads. */
const keptBytes = 16_384;

type Phase = 'login' | 'password' | 'current' | 'new' | 'retype' | 'shell';

export interface ConsoleState {
  readers: { pipe: Pipe; owner: Process | null }[];
  /** A program that somebody left there. */
  forgotten: Process | null;
  /** Bytes nobody has read. */
  waiting: string;
  phase: Phase;
  typed: string;
  user: string;
  current: string;
  next: string;
  bootId: string;
  menu: MenuState;
}

function consoleOf(rack: Rack, card: CardState): ConsoleState {
  let state = rack.consoles.get(card.name);
  if (state === undefined || state.bootId !== card.arm.bootId) {
    state = {
      readers: state?.readers ?? [],
      forgotten: state?.forgotten ?? null,
      waiting: state?.waiting ?? '',
      phase: 'login',
      typed: '',
      user: '',
      current: '',
      next: '',
      bootId: card.arm.bootId,
      menu: newMenu(),
    };
    rack.consoles.set(card.name, state);
  }
  return state;
}

/** The Arm prints something. */
export function printOnConsole(rack: Rack, card: CardState, text: string): void {
  const state = consoleOf(rack, card);
  // A reader that has ended takes no more bytes.
  state.readers = state.readers.filter(({ owner }) => owner?.exitCode === null);
  const stolen = cardFault(rack, card, 'console-stolen');
  const shown = stolen
    ? text
        .split('')
        .filter((_char, index) => index % 3 !== 2)
        .join('')
    : text;
  if (state.readers.length === 0) state.waiting = (state.waiting + shown).slice(-keptBytes);
  else shown.split('').forEach((char, index) => state.readers[index % state.readers.length]?.pipe.write(char));
}

/** Somebody has left a terminal program on the console: it takes a share of the bytes until it is ended. */
export function forgetScreen(rack: Rack, card: CardState, path: string): void {
  const machine = rack.machines.get(card.host);
  const state = consoleOf(rack, card);
  if (machine === undefined || state.forgotten?.exitCode === null) return;
  const argv = ['screen', path, '115200'];
  state.forgotten = rack.scheduler.start(
    { machine, argv, user: 'root', detached: true, descriptors: () => [] },
    function* sits() {
      try {
        for (;;) yield { ready: () => false };
      } finally {
        removeFault(rack.state.faults, 'console-stolen', card.name);
      }
    },
  );
}

/** The forgotten program is gone. */
export function endScreen(rack: Rack, card: CardState): void {
  const { forgotten } = consoleOf(rack, card);
  if (forgotten !== null) rack.scheduler.kill(forgotten, 'HUP');
}

/** Processes that have the console open. */
export function consoleReaders(rack: Rack, card: CardState): Process[] {
  const { readers, forgotten } = consoleOf(rack, card);
  const owners = [...readers.map(({ owner }) => owner), forgotten];
  return [...new Set(owners)].filter((owner) => owner !== null).filter(({ exitCode }) => exitCode === null);
}

/** What the host says about the name on the prompt. */
function prompt(card: CardState): string {
  return `\r\nUbuntu 22.04.5 LTS ${card.armOs.hostname} hvc0\r\n\r\n${card.armOs.hostname} login: `;
}

/** The login prompt after a boot. */
export function promptOnConsole(rack: Rack, card: CardState): void {
  printOnConsole(rack, card, prompt(card));
}

function enter(rack: Rack, card: CardState, state: ConsoleState): void {
  const line = state.typed;
  state.typed = '';
  const say = (text: string): void => printOnConsole(rack, card, text);
  switch (state.phase) {
    case 'login':
      if (line === '') say(prompt(card));
      else {
        state.user = line;
        state.phase = 'password';
        say('Password: ');
      }
      return;
    case 'password': {
      const outcome = armLogin(card, state.user, line);
      state.phase = 'login';
      if (outcome === 'wrong') say(`\r\n\r\nLogin incorrect\r\n${card.armOs.hostname} login: `);
      else if (outcome === 'expired') {
        state.phase = 'current';
        say(
          `\r\nYou are required to change your password immediately (administrator enforced).\r\nChanging password for ${state.user}.\r\nCurrent password: `,
        );
      } else {
        state.phase = 'shell';
        say(
          `\r\nWelcome to Ubuntu 22.04.5 LTS (GNU/Linux ${card.armOs.kernel} aarch64)\r\n\r\n${state.user}@${card.armOs.hostname}:~$ `,
        );
      }
      return;
    }
    case 'current':
      state.current = line;
      state.phase = armLogin(card, state.user, line) === 'wrong' ? 'login' : 'new';
      say(
        state.phase === 'new'
          ? '\r\nNew password: '
          : `\r\npasswd: Authentication token manipulation error\r\n${prompt(card)}`,
      );
      return;
    case 'new':
      state.next = line;
      state.phase = 'retype';
      say('\r\nRetype new password: ');
      return;
    case 'retype': {
      const problem =
        line === state.next ? changeArmPassword(card, state.current, line) : 'Sorry, passwords do not match.';
      state.phase = problem === null ? 'shell' : 'new';
      say(problem === null ? `\r\n\r\n${state.user}@${card.armOs.hostname}:~$ ` : `\r\n${problem}\r\nNew password: `);
      return;
    }
    case 'shell':
      if (line === 'exit' || line === 'logout') {
        state.phase = 'login';
        say(prompt(card));
        return;
      }
      say(
        `\r\n${line === '' ? '' : rack.runOnArm(card, state.user, line).replaceAll('\n', '\r\n')}${state.user}@${card.armOs.hostname}:~$ `,
      );
  }
}

/** Somebody types. Nothing answers while no system runs. */
function typeOnConsole(rack: Rack, card: CardState, text: string): void {
  const state = consoleOf(rack, card);
  if (inUefi(rack, card, state.menu)) {
    for (const key of text) printOnConsole(rack, card, menuKey(card, state.menu, key));
    return;
  }
  if (card.mode.current === 'nic' || armStage(rack, card) !== 'OsIsRunning') return;
  for (const char of text) {
    if (char === '\r' || char === '\n') enter(rack, card, state);
    else if (char === '\u0003' || char === '\u0004') {
      state.phase = 'login';
      state.typed = '';
      printOnConsole(rack, card, prompt(card));
    } else {
      state.typed += char;
      if (state.phase === 'login' || state.phase === 'shell') printOnConsole(rack, card, char);
    }
  }
}

/** Open the console: bytes come until it is let go. */
export function openConsole(rack: Rack, card: CardState): Descriptor {
  const pipe = new Pipe();
  const state = consoleOf(rack, card);
  // A newcomer takes what nobody has read, and a share of what comes.
  pipe.write(state.waiting);
  state.waiting = '';
  let first = true;
  return {
    read: () => {
      if (first) consoleOf(rack, card).readers.push({ pipe, owner: rack.scheduler.current() });
      first = false;
      return pipe.read();
    },
    unread: (text) => pipe.unread(text),
    write: (text) => {
      typeOnConsole(rack, card, text);
      return null;
    },
    tty: true,
  };
}
