/** Ports to clocks, devices, secrets and pins, as types only: what steps and facts see. Implemented by transport and store. */
import type { ReadCommand, ReadResource } from './commands.ts';
import type { DpuEntry, HostSlice } from './inventory.ts';
import type { Secret } from './secret.ts';

// ---------------------------------------------------------------------------------------------- time and chance

/** Wall clock: leases, approvals, connection timeouts. Never scaled. */
export interface Clock {
  nowMs(): number;
}

/**
 * Device clock: poll intervals, step deadlines, lock-out windows. On a simulated site device time runs faster than the
 * wall by the lab's time factor, with floors of 50 ms for a poll and 2 s for a deadline; elsewhere both are the same.
 */
export interface DeviceClock {
  /** Wall time now, ms. */
  nowMs(): number;
  /** Waits for a poll interval given in device milliseconds; rejects with the signal's reason when aborted. */
  poll(deviceMs: number, signal: AbortSignal): Promise<void>;
  /** Wall milliseconds that a deadline of so many device milliseconds lasts. */
  deadlineMs(deviceMs: number): number;
  /** The same for a whole step, which has to outlast the deadlines within it. */
  stepLimitMs(deviceMs: number): number;
  /** Wall milliseconds of a lock-out window or a fixed device delay; no floor. */
  wallMs(deviceMs: number): number;
}

export interface RandomSource {
  bytes(count: number): Uint8Array;
}

// ---------------------------------------------------------------------------------------------- SSH

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** True when output went over `maxBytes` and its middle was dropped. */
  readonly truncated: boolean;
  readonly durationMs: number;
}

export interface CallOptions {
  /** Wall milliseconds for the whole call, opening the channel included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Kept of each stream; default 256 KiB. */
  readonly maxBytes?: number;
}

/** Read-only face of a host: all that facts and plans get. */
export interface HostReader {
  readonly name: string;
  /** Runs the command. A non-zero exit is a result; a dropped channel or missing exit status is `ssh-lost`. */
  read(command: ReadCommand, options: CallOptions): Promise<CommandResult>;
}

/** State of a detached command, seen from its job folder on the host. */
export type DetachedState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'running'; readonly pid: number; readonly logBytes: number }
  | { readonly kind: 'exited'; readonly exitCode: number; readonly logBytes: number }
  /** Folder without exit file, and the process is gone or the host has another boot id. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** `asRoot`: folder and command belong to root, through `sudo -n`; say it for every call about the same folder. */
export type DetachedOptions = CallOptions & { readonly asRoot?: boolean };

/** A file of the worker on its way to a host. */
export interface Upload {
  readonly localPath: string;
  /** Absolute, writable by the SSH user. Made when it is not there; bytes are appended from `fromByte` on. */
  readonly remotePath: string;
  readonly fromByte: number;
  /** Size that the local file must have. */
  readonly bytes: number;
}

export interface HostSession extends HostReader {
  /** Runs argv (quoted in one place). `stdin` is the only way a secret may travel. */
  run(argv: readonly string[], options: CallOptions & { readonly stdin?: string | Secret }): Promise<CommandResult>;
  /**
   * Starts argv detached from the connection: atomic `mkdir` of `folder`, boot id, pid, `log`, `exit`. When the folder
   * exists already nothing is started and its state is returned.
   */
  startDetached(folder: string, argv: readonly string[], options: DetachedOptions): Promise<DetachedState>;
  observeDetached(folder: string, options: DetachedOptions): Promise<DetachedState>;
  readDetachedLog(
    folder: string,
    fromByte: number,
    options: DetachedOptions,
  ): Promise<{ readonly text: string; readonly nextByte: number }>;
  /** Ends a running detached command with all its children (TERM, then KILL) and returns its state afterwards. */
  stopDetached(folder: string, options: DetachedOptions): Promise<DetachedState>;
  /**
   * Sends a file over SFTP. Errors: image-file-unreadable, upload-failed (what has arrived stays, for the next try),
   * ssh-lost and ssh-unreachable (no SFTP channel was opened), ssh-timeout.
   */
  upload(file: Upload, options: CallOptions & { readonly onProgress?: (sentBytes: number) => void }): Promise<void>;
}

/** Opens and pools SSH connections. `close` ends all of them. */
export interface HostAccess {
  open(slice: HostSlice): Promise<HostSession>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- Redfish

export interface RedfishReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** Read-only face of a DPU BMC. A status other than 200 is an OpsError (`redfish-error`), bad JSON is `redfish-unexpected`. */
export interface BmcReader {
  readonly target: string;
  get(resource: ReadResource, options: CallOptions): Promise<unknown>;
}

/** A JSON object with secrets in it. */
export interface SecretBody {
  readonly [name: string]: Secret | string | SecretBody;
}

export interface BmcSession extends BmcReader {
  patch(path: string, body: unknown, options: CallOptions): Promise<RedfishReply>;
  post(path: string, body: unknown, options: CallOptions): Promise<RedfishReply>;
  /** As `patch`, for bodies that carry a secret: values of class Secret are revealed at the socket only. */
  patchSecret(path: string, body: SecretBody, options: CallOptions): Promise<RedfishReply>;
  /** Follows a task monitor until it ends; Exception, Killed and Cancelled are `redfish-task-failed`. */
  waitTask(
    path: string,
    options: CallOptions & { readonly onProgress?: (percent: number, state: string) => void },
  ): Promise<unknown>;
}

export type CredentialSlot = 'pending' | 'current' | 'factory' | 'previous';

export type BmcLogin<S extends BmcReader = BmcSession> =
  | { readonly state: 'in'; readonly slot: CredentialSlot; readonly mustChange: boolean; readonly session: S }
  /** The certificate is not pinned and the factory password is not accepted: nothing else may be sent to it. */
  | { readonly state: 'unpinned' }
  /** Wrong-try budget used up, or the BMC says locked: no further try before `untilMs` (wall). */
  | { readonly state: 'locked'; readonly untilMs: number }
  /** Every candidate was refused. */
  | { readonly state: 'refused'; readonly tried: readonly CredentialSlot[] };

/** How a DPU BMC is reached and logged in to. Candidates are tried in the house order, within the shared budget. */
export interface BmcAccess {
  /** SHA-256 of the certificate the BMC shows now; sends nothing but a TLS handshake. */
  fingerprint(card: CardRef, options: CallOptions): Promise<string>;
  /**
   * Logs in, or reuses the session of an earlier login when it is still good. `knownOnly`: with the password that is filed as
   * current and with no other, so that nobody who only looks uses up a try; without one it is `refused`, and to a BMC that
   * is not pinned nothing is sent. `fresh`: anew. A session outlives the password that it was opened with, so only that shows
   * whether a password still works.
   */
  login(
    card: CardRef,
    options: CallOptions & { readonly knownOnly?: boolean; readonly fresh?: boolean },
  ): Promise<BmcLogin>;
  /** Forgets the pooled session (after a password change or a BMC reset). */
  forget(card: CardRef): void;
  /** The BMC is restarting for a reason known to the caller: refusals in the next three minutes count as nothing. */
  noteReset(card: CardRef): void;
  close(): Promise<void>;
}

/** A card, its host, and where its secrets are filed. `serial` is set once the host's VPD has been read. */
export interface CardRef {
  readonly slice: HostSlice;
  readonly dpu: DpuEntry;
  readonly serial?: string;
  /** What earlier steps of a recipe have learnt about it. */
  readonly learnt?: Readonly<Record<string, string>>;
}

/** Redfish of a host's own management controller, whose certificate the inventory pins. */
export interface HostBmcAccess {
  /** Undefined when the inventory names none. Errors: bmc-unreachable, bmc-cert-changed, host-bmc-login-refused. */
  open(slice: HostSlice, options: CallOptions): Promise<BmcSession | undefined>;
}

// ---------------------------------------------------------------------------------------------- secrets and pins

/**
 * Where a BMC's passwords are filed: by certificate fingerprint and address until the serial is known, then by serial.
 */
export type CredentialKey =
  | { readonly serial: string }
  | { readonly certSha256: string; readonly address: string }
  /** The password of the Arm's user, of the card with this serial. */
  | { readonly armSerial: string }
  /** The password of the UEFI menu of the card with this serial. */
  | { readonly uefiSerial: string };

export interface BmcCredential {
  readonly slot: Exclude<CredentialSlot, 'factory'>;
  readonly secret: Secret;
  readonly savedAtMs: number;
}

/** Secrets at rest (age-encrypted). Workers only. */
export interface CredentialStore {
  /** A named credential (`ssh-ops`): throws `credential-missing`. */
  named(ref: string): Promise<Secret>;
  bmc(key: CredentialKey): Promise<readonly BmcCredential[]>;
  /**
   * Files a new password as pending, encrypted to the site's recipient. Refuses (`credential-pending`) when another
   * pending one exists, unless `replace`; the same one again is fine.
   */
  savePending(
    key: CredentialKey,
    secret: Secret,
    recipient: string,
    options?: { readonly replace: boolean },
  ): Promise<void>;
  /** pending -> current, current -> previous. Idempotent. */
  promote(key: CredentialKey): Promise<void>;
  /** The device has forgotten its password: current -> previous, and what is pending goes. Idempotent. */
  retire(key: CredentialKey): Promise<void>;
  /** Moves what was filed under a fingerprint to the serial. Idempotent. */
  rekey(from: CredentialKey, to: CredentialKey): Promise<void>;
}

/** The operator's copy outside Redis: one fsynced age file per entry, before the password is sent. */
export interface Escrow {
  write(entry: {
    readonly label: string;
    readonly recipient: string;
    readonly secret: Secret;
    readonly runId: number;
  }): Promise<void>;
}

/** Wrong login tries per BMC and lock-out window, shared by all workers. */
export interface LoginBudget {
  /** Reserves one try; refused when the budget of the window is used. */
  take(
    key: string,
    windowMs: number,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly untilMs: number }>;
  /** The last reserved try was right (or proved nothing): give it back. */
  giveBack(key: string): Promise<void>;
  /** The device itself says it is locked. */
  exhaust(key: string, windowMs: number): Promise<number>;
}

/** What dpubot remembers about a card, by serial. */
export interface CardRecord {
  /**
   * `factory`: first seen with the factory BMC password. `flashed`, `adopted`: by a run of dpubot. `unknown`: something is
   * remembered about the card (the address of its BMC), and not what is on it.
   */
  readonly origin: 'factory' | 'flashed' | 'adopted' | 'unknown';
  /**
   * The image of the inventory that was written or taken over, with its SHA-256 there. `checked: 'release'`: of the card no
   * more was seen than that it runs the release of that image; nobody has compared files.
   */
  readonly image?: { readonly name: string; readonly sha256: string; readonly checked?: 'release' };
  /** Found over the Arm, where the inventory says `auto`. */
  readonly bmcAddress?: string;
  /** When the SSH host key of its Arm was last learnt. A flash after that (`atMs`) explains another key. */
  readonly armKeyAtMs?: number;
  /** When passwords of its Arm were refused lately, in whichever run: the image locks the account after some. */
  readonly armWrongTriesAtMs?: readonly number[];
  readonly runId: number;
  readonly atMs: number;
}

export interface CardRecords {
  get(serial: string): Promise<CardRecord | undefined>;
  put(serial: string, record: CardRecord): Promise<void>;
}

export type PinKind = 'bmc-certificate' | 'ssh-host-key';

export interface PinStore {
  get(kind: PinKind, target: string): Promise<string | undefined>;
  set(kind: PinKind, target: string, sha256: string, runId: number): Promise<void>;
}
