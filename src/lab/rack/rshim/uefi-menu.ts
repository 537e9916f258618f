/**
 * The way into the UEFI menu on the console: Esc twice while UEFI counts down, then the password.
 *
 * Source: the quest's appendix (Esc twice, default `bluefield`), BlueField manual "Default Passwords and Policies" (who
 * comes in with the default password has to give a new one first). The words on the screen are ours: no log of it is public.
 */
import { armStage } from '../card-clock.ts';
import type { CardState, Rack } from '../state.ts';
import { defaultUefiPassword } from '../uefi.ts';

/** Where somebody stands on the way into the menu. */
export interface MenuState {
  phase: 'countdown' | 'password' | 'new-password' | 'menu';
  escapes: number;
  typed: string;
}

const escape = '\u001b';

const menuText =
  '\r\n BlueField UEFI Menu\r\n\r\n > Continue\r\n   Device Manager\r\n   Boot Manager\r\n   Boot Maintenance Manager\r\n   Reset\r\n';

/** Somebody at the console who has done nothing yet. */
export function newMenu(): MenuState {
  return { phase: 'countdown', escapes: 0, typed: '' };
}

/** Is UEFI at work on the way to a system, or held by somebody in its menu? */
export function inUefi(rack: Rack, card: CardState, menu: MenuState): boolean {
  if (card.install !== null || card.mode.current === 'nic' || card.arm.uefiShell) return false;
  if (menu.phase !== 'countdown') return true;
  return card.arm.lastStage === 'OsIsRunning' && armStage(rack, card) === 'UEFI';
}

function takePassword(card: CardState, menu: MenuState): string {
  const given = menu.typed;
  menu.typed = '';
  if (given !== card.uefi.password) return '\r\nIncorrect password\r\nEnter password: ';
  menu.phase = given === defaultUefiPassword ? 'new-password' : 'menu';
  return menu.phase === 'menu' ? menuText : '\r\nThe default password must be changed.\r\nEnter new password: ';
}

/** One key; gives what appears on the screen. */
export function menuKey(card: CardState, menu: MenuState, key: string): string {
  if (menu.phase === 'countdown') {
    menu.escapes = key === escape ? menu.escapes + 1 : 0;
    if (menu.escapes < 2) return '';
    menu.phase = 'password';
    // From here on only a reset leads to the system.
    card.arm.lastStage = 'UEFI';
    card.events = card.events.filter((event) => event.kind !== 'arm-ready');
    return '\r\nEnter password: ';
  }
  if (menu.phase !== 'password') return '';
  if (key === '\r' || key === '\n') return takePassword(card, menu);
  menu.typed += key;
  return '*';
}
