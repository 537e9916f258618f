/** Ports to the Arm of a card, as types only. Implemented by transport. */
import type { CallOptions, CardRef, HostSession } from './device-ports.ts';
import type { Failure } from './outcome.ts';
import type { Secret } from './secret.ts';

/**
 * How the SSH server of a card's Arm is reached. `oob`: the address of the inventory, directly or forwarded by the host.
 * `tmfifo`: 192.168.100.2 in a network namespace of the host that holds the `tmfifo_net` of this card's rshim alone.
 */
export type ArmRoute = { readonly kind: 'oob' } | { readonly kind: 'tmfifo'; readonly namespace: string };

export type ArmLogin =
  | { readonly state: 'in'; readonly session: HostSession }
  /** No host key is pinned for this card: nothing is sent to it. */
  | { readonly state: 'unpinned' }
  /** It answers with the pinned key and refuses the login key. */
  | { readonly state: 'refused' }
  | { readonly state: 'unreachable'; readonly failure: Failure };

export interface PasswordTry {
  readonly route: ArmRoute;
  readonly user: string;
  /** `SHA256:...`, learnt over a path that belongs to the card; another key = ssh-host-key-changed, nothing is sent. */
  readonly hostKey: string;
  readonly password: Secret;
  /** Given when the server demands a change. */
  readonly newPassword: Secret;
}

export type PasswordLogin =
  | { readonly state: 'in'; readonly session: HostSession }
  /** The server demanded a new password and took it; it ends the connection then. */
  | { readonly state: 'changed' }
  | { readonly state: 'refused' };

/** SSH to the Arm. The host key is pinned under the name of the card (kind `ssh-host-key`). */
export interface ArmAccess {
  /** Logs in with user and key of the profile; default route: `oob` when the inventory has an address, else `tmfifo`. */
  login(card: CardRef, options: CallOptions & { readonly route?: ArmRoute }): Promise<ArmLogin>;
  /** Logs in with a password, over keyboard-interactive or `password`, and answers a forced change (also a PTY dialogue). */
  loginWithPassword(card: CardRef, attempt: PasswordTry, options: CallOptions): Promise<PasswordLogin>;
  /** Public half of the profile's key, one line as in authorized_keys. Errors: credential-missing, ssh-key-unusable. */
  publicKey(card: CardRef): Promise<string>;
  /** Opens the serial console that rshim gives (`/dev/rshim0/console` on the host); one at a time. */
  console(card: CardRef, device: string, options: CallOptions): Promise<ConsoleDialogue>;
  /** Forgets pooled connections (after a reboot or a reinstall). */
  forget(card: CardRef): void;
  close(): Promise<void>;
}

/** What a console shows: lines as a person at a terminal would see them, control codes resolved. For people only. */
export interface ConsoleScreen {
  /** Redacted; at most 2,000, the newest last, blank ones at the end left out. */
  readonly lines: readonly string[];
  /** Bytes that have come since it was opened: has it said anything since the last look? */
  readonly receivedBytes: number;
  /** Why nothing more comes, once the far end is gone. */
  readonly ended?: Error;
}

/** A dialogue with a serial console: what it said so far, and lines sent to it. */
export interface ConsoleDialogue {
  send(line: string | Secret): Promise<void>;
  /** Waits until the text since the last match matches one of the patterns; returns its index and the text up to it. */
  expect(patterns: readonly RegExp[], timeoutMs: number): Promise<{ readonly index: number; readonly text: string }>;
  /** All that has come since it was opened, whatever `expect` has matched of it. Never throws. */
  screen(): Promise<ConsoleScreen>;
  close(): Promise<void>;
}
