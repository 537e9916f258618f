/**
 * The password of the UEFI menu: changed over Redfish in two boots, brought back by a capsule in one.
 *
 * Source: BlueField BMC manual ("Changing Default UEFI Password Using Redfish": takes effect at the second reboot), the
 * quest's appendix (EnrollKeysCap, default `bluefield`), Mellanox/bfscripts bfrec (the capsule waits in the EFI partition).
 */
import type { CardState } from './state.ts';

/** As the factory set it. */
export const defaultUefiPassword = 'bluefield';
/** Longest password that UEFI takes. Source: BiosAttributeRegistry of BF-24.10. */
export const longestUefiPassword = 64;

/** What UEFI shows when it is reached. */
export const countdownText =
  '\r\nPress ESC twice to enter UEFI Menu.\r\nPress ENTER to skip countdown.\r\n\r\n3  seconds remaining...\r\n';

/** UEFI reached, with the BMC's web server there or not: what waited for this boot happens, what is new is fetched. */
export function runUefiPassword(card: CardState, bmcAnswers: boolean): void {
  const { uefi, bios } = card;
  if (uefi.capsule) Object.assign(uefi, { password: defaultUefiPassword, capsule: false, wish: null });
  // A wrong current password is no error that anybody is told about: nothing changes.
  if (uefi.wish?.current === uefi.password) uefi.password = uefi.wish.next;
  uefi.wish = null;
  if (!bmcAnswers) return;
  const { CurrentUefiPassword: current, UefiPassword: next, ...rest } = bios.pending;
  bios.pending = rest;
  if (typeof current === 'string' && typeof next === 'string' && next !== '') uefi.wish = { current, next };
}
