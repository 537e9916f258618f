/**
 * The state of a card's BMC as plain JSON. Times are device-clock milliseconds.
 */

export interface Session {
  id: string;
  token: string;
  user: string;
  remote: string;
  createdAtMs: number;
  lastUsedAtMs: number;
}

export interface TaskRecord {
  id: string;
  target: string;
  image: string;
  payload: { uri: string; body: string; headers: string[] };
  startedAtMs: number;
  endsAtMs: number;
  outcome: 'running' | 'completed' | 'exception';
  /** Why it fails, or will; null while nothing is known to be wrong. */
  failure: TaskFailure | null;
  /** SHA-256 of what the server sends; null while it has not said. */
  sha256: string | null;
}

/** What ends a SimpleUpdate. */
export type TaskFailure = 'unknown-host' | 'no-file' | 'no-rshim' | 'bad-package';

/** A sensor that crossed a threshold. */
export interface SelEntry {
  id: number;
  createdAtMs: number;
  sensor: string;
  direction: 'low' | 'high';
  reading: number;
  threshold: number;
}

export interface BmcState {
  firmware: string;
  /** Written, in use after the next BMC restart. */
  firmwareStaged: string | null;
  rootPassword: string;
  /** Stored longer than the BMC can check: every later login fails. Source: the ipmitool 17-20 byte trap. */
  passwordUnusable: boolean;
  failedLogins: number;
  lockedUntilMs: number;
  downUntilMs: number;
  webUpAtMs: number;
  startedAtMs: number;
  staticNameServers: string[];
  dhcpUseDns: boolean;
  sessionTimeoutSeconds: number;
  updateServiceDirty: boolean;
  /** `raw 0x32 0x66` was sent: the next restart clears the settings. */
  factoryResetWanted: boolean;
  /** Counts the certificates the web server has made for itself. */
  certificateGeneration: number;
  /** The system event log, oldest first. */
  sel: SelEntry[];
  nextSelId: number;
  nextTaskId: number;
  tasks: TaskRecord[];
  sessions: Session[];
  accounts: AccountRecord[];
}

/** What an account may do. Source: the captured AccountService/Roles. */
export type AccountRole = 'Administrator' | 'Operator' | 'ReadOnly';

/** An account somebody added besides root. */
export interface AccountRecord {
  user: string;
  password: string;
  role: AccountRole;
  enabled: boolean;
  failedLogins: number;
  lockedUntilMs: number;
}
