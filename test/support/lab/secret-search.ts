import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** A place where something was found, never with the secret itself. */
export interface Find {
  readonly place: string;
  readonly secret: string;
  readonly form: string;
}

const maxFileBytes = 64 * 1024 * 1024;

/** Searches texts for secrets in every form in which one may travel. Secrets have names; findings tell only those. */
export class SecretSearch {
  readonly #needles: readonly { readonly secret: string; readonly form: string; readonly text: string }[];
  readonly #finds = new Map<string, Find>();
  #texts = 0;

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#needles = Object.entries(secrets).flatMap(([secret, value]) => {
      if (value.length < 8) throw new Error(`${secret} is too short to be looked for`);
      return Object.entries(formsOf(value)).map(([form, text]) => ({ secret, form, text }));
    });
  }

  /** Everything found so far. */
  get finds(): readonly Find[] {
    return [...this.#finds.values()];
  }

  /** How many texts were looked at: a search that saw nothing proves nothing. */
  get texts(): number {
    return this.#texts;
  }

  look(place: string, text: string): void {
    this.#texts += 1;
    for (const { secret, form, text: needle } of this.#needles)
      if (text.includes(needle)) this.#finds.set(`${place} ${secret} ${form}`, { place, secret, form });
  }

  /** All files below a folder, as bytes and names. `leaveOut`: paths that are the lab's own or the operator's. */
  lookInFiles(folder: string, leaveOut: (path: string) => boolean): void {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      try {
        if (leaveOut(path)) continue;
        if (entry.isDirectory()) this.lookInFiles(path, leaveOut);
        else if (entry.isFile() && statSync(path).size <= maxFileBytes)
          this.look(path, `${entry.name}\n${readFileSync(path, 'latin1')}`);
      } catch (error) {
        // In a folder that others use as well, files come and go, and not all of them may be read.
        if (!isGoneOrForbidden(error)) throw error;
      }
    }
  }

  /** Every key and value of a database, whatever its type. */
  async lookInRedis(client: Redis): Promise<void> {
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, keys] = await client.scan(cursor, 'COUNT', 500);
      cursor = next;
      for (const key of keys) this.look(`redis ${key}`, `${key}\n${stringsOf(await valueOf(client, key)).join('\n')}`);
    }
  }
}

/**
 * Command lines and environments of all processes, added to `seen` as text -> place. `ownSettings`: processes whose
 * environment is the place for the secrets they have.
 */
export function sampleProcesses(seen: Map<string, string>, ownSettings: readonly number[]): void {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)))
    for (const file of ['cmdline', 'environ']) {
      if (file === 'environ' && ownSettings.includes(Number(pid))) continue;
      try {
        seen.set(readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', '\n'), `/proc/${pid}/${file}`);
      } catch {
        // Ended in between, or somebody else's process.
      }
    }
}

/** The value itself and what encoders make of it. Base64 at each of the three places where a text can begin in it. */
function formsOf(value: string): Record<string, string> {
  const bytes = Buffer.from(value, 'utf8');
  const forms: Record<string, string> = {
    plain: value,
    json: JSON.stringify(value).slice(1, -1),
    'json in json': JSON.stringify(JSON.stringify(value).slice(1, -1)).slice(1, -1),
    url: encodeURIComponent(value),
    form: new URLSearchParams({ v: value }).toString().slice(2),
    hex: bytes.toString('hex'),
  };
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The characters at both ends also hold bits of the neighbours.
    const inner = shifted.slice(shift === 0 ? 0 : shift + 1, -1);
    forms[`base64 at ${shift}`] = inner;
    forms[`base64url at ${shift}`] = inner.replaceAll('+', '-').replaceAll('/', '_');
  }
  return forms;
}

function isGoneOrForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'EACCES', 'EPERM'].includes(String(error.code));
}

/** All texts inside a reply, as they are stored. */
function stringsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, entry]) => [key, ...stringsOf(entry)]);
}

async function valueOf(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  switch (type) {
    case 'string':
      return client.get(key);
    case 'hash':
      return client.hgetall(key);
    case 'list':
      return client.lrange(key, 0, -1);
    case 'set':
      return client.smembers(key);
    case 'zset':
      return client.zrange(key, 0, '-1');
    case 'stream':
      return client.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`${key} is of a type that is not searched: ${type}`);
  }
}
