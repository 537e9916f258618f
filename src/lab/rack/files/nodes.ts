/**
 * Files of a pretend machine as plain JSON. Contents are binary strings: one character a byte.
 */

/** A file too big to hold: only its size and hash are known. Source of the bytes is its id. */
interface VirtualBytes {
  id: string;
  /** Bytes that are here. */
  size: number;
  /** Bytes of the whole. */
  totalSize: number;
  /** SHA-256 of the whole, lower-case hex. */
  sha256: string;
}

interface NodeBase {
  mode: number;
  owner: string;
  group: string;
  modifiedAtMs: number;
}

export type StoredNode = NodeBase &
  (
    | { kind: 'dir' }
    | { kind: 'link'; target: string }
    | { kind: 'file'; text: string }
    | { kind: 'virtual'; bytes: VirtualBytes }
  );

/** Absolute path -> node. */
export type StoredFiles = Record<string, StoredNode>;

/** A device or a file of /proc and /sys: its text is made when it is read. */
export interface LiveFile {
  text: string;
  /** Only root may read it. */
  rootOnly?: boolean;
  device?: boolean;
  /** A block device instead of a character device. */
  block?: boolean;
  /** A symbolic link to this, as sysfs has many. */
  link?: string;
  /** A directory, which may be empty. */
  directory?: boolean;
  executable?: boolean;
  /** What writing does; the name of an error, or null. */
  write?: (text: string) => ErrorName | null;
}

export type LiveFiles = Map<string, LiveFile>;

/** What lies at a path: stored or live. */
export type FoundNode =
  StoredNode | { kind: 'live'; file: LiveFile; mode: number; owner: string; group: string; modifiedAtMs: number };

/** Who looks. */
export interface Who {
  user: string;
  root: boolean;
}

/** Error names of open(2) and friends with their texts. */
const errorTexts = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EEXIST: 'File exists',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  ENOTEMPTY: 'Directory not empty',
  ENOSPC: 'No space left on device',
  EINVAL: 'Invalid argument',
  EPERM: 'Operation not permitted',
  EBUSY: 'Device or resource busy',
  ENODEV: 'No such device',
  ETIMEDOUT: 'Connection timed out',
  EROFS: 'Read-only file system',
  ELOOP: 'Too many levels of symbolic links',
  EIO: 'Input/output error',
} as const;
export type ErrorName = keyof typeof errorTexts;

/** A failed file operation. */
export class FileError extends Error {
  readonly code: ErrorName;
  constructor(code: ErrorName) {
    super(errorTexts[code]);
    this.code = code;
  }
}

/** Text as a binary string of its UTF-8 bytes. */
export function toBytes(text: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is what it asks for, control characters and all
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** A binary string read as UTF-8. */
export function fromBytes(bytes: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is what it asks for, control characters and all
  return /^[\x00-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
