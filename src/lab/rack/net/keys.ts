/**
 * Host keys and certificates of the pretend machines, made once and kept in the state directory.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import ssh2 from 'ssh2';

export interface Certificate {
  key: string;
  cert: string;
}

/** Everything secret that must survive a restart of the lab. `second` ones are shown by "changed" faults. */
export interface RackKeys {
  hostKeys: Record<string, { first: string; second: string }>;
  certificates: Record<string, { first: Certificate; second: Certificate }>;
}

const validDays = 3650;
const dayMs = 86_400_000;

/** ssh2 1.17 writes about one ed25519 key in 300 so that it cannot read it itself; then another one is made. */
function newHostKey(): string {
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync('ed25519').private;
    if (!(ssh2.utils.parseKey(key) instanceof Error)) return key;
  }
}

async function newCertificate(name: string): Promise<Certificate> {
  const attributes = [
    { name: 'commonName', value: name },
    { name: 'organizationName', value: 'OpenBMC' },
  ];
  const made = await generate(attributes, {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + validDays * dayMs),
  });
  return { key: made.private, cert: made.cert };
}

/** `SHA256:...` of a private host key's public half, as `ssh-keygen -lf` prints it. */
export function hostKeySha256(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/** Lower-case hex SHA-256 of a certificate's DER form. */
export function certSha256(certificate: Certificate): string {
  return createHash('sha256').update(new X509Certificate(certificate.cert).raw).digest('hex');
}

/** Replace a file so that readers see the old or the new one, never half of it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}

/** Read a JSON file, or null when there is none. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Make the state directory, readable by its owner only. */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
}

/** Load the keys of these machines from the state directory, making those that are missing. */
export async function loadKeys(
  directory: string,
  hosts: string[],
  cards: string[],
  controllers: string[] = [],
): Promise<RackKeys> {
  const path = join(directory, 'keys.json');
  const stored = (await readJson(path)) as RackKeys | null;
  const keys: RackKeys = { hostKeys: { ...stored?.hostKeys }, certificates: { ...stored?.certificates } };
  for (const name of [...hosts, ...cards]) {
    keys.hostKeys[name] ??= { first: newHostKey(), second: newHostKey() };
  }
  for (const name of cards) {
    const known = keys.certificates[name];
    if (known !== undefined) continue;
    keys.certificates[name] = { first: await newCertificate('dpu-bmc'), second: await newCertificate('dpu-bmc') };
  }
  for (const name of controllers) {
    keys.certificates[`${name} bmc`] ??= {
      first: await newCertificate(`idrac-${name}`),
      second: await newCertificate(`idrac-${name}`),
    };
  }
  await replaceFile(path, JSON.stringify(keys));
  return keys;
}

/** Public half of a private host key as a line of known_hosts has it: `ssh-ed25519 AAAA...`. */
export function publicHostKey(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`;
}

/** Host keys of a machine's present system: each flash makes new ones, which are kept as well. */
export function hostKeysOfGeneration(
  directory: string,
  keys: RackKeys,
  name: string,
  generation: number,
): { first: string; second: string } {
  const id = generation === 0 ? name : `${name}#${generation}`;
  const known = keys.hostKeys[id];
  if (known !== undefined) return known;
  const made = { first: newHostKey(), second: newHostKey() };
  keys.hostKeys[id] = made;
  const path = join(directory, 'keys.json');
  writeFileSync(`${path}.new`, JSON.stringify(keys), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return made;
}
