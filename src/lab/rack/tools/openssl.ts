/**
 * `openssl s_client`, `openssl x509` and `openssl version`, as far as a certificate is looked at.
 *
 * Source: OpenSSL 3.0 run for real (texts, order of the fields, exit codes); the version is that of Ubuntu 22.04.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { FileError } from '../files/nodes.ts';
import { certificatePem } from '../made-up-certificate.ts';
import { complain, out, readAll } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { at } from './file-tools.ts';
import { nameText, sClient } from './s-client.ts';

const version = 'OpenSSL 3.0.2 15 Mar 2022 (Library: OpenSSL 3.0.2 15 Mar 2022)\n';

const digests = new Set(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']);

function fail(frame: Frame, text: string): number {
  complain(frame, text);
  return 1;
}

/** The first certificate in a text, or null. */
function readCertificate(text: string): X509Certificate | null {
  const block = /-----BEGIN CERTIFICATE-----\n[\s\S]*?-----END CERTIFICATE-----/.exec(text);
  if (block === null) return null;
  try {
    return new X509Certificate(block[0]);
  } catch {
    return null;
  }
}

/** Digest in upper-case hex with colons, as `-fingerprint` prints it; the name is as it was typed. */
function fingerprint(certificate: X509Certificate, digest: string | null): string {
  const hex = createHash(digest ?? 'sha1')
    .update(certificate.raw)
    .digest('hex')
    .toUpperCase();
  return `${digest ?? 'SHA1'} Fingerprint=${(hex.match(/../g) ?? []).join(':')}\n`;
}

/** Fields that can be asked for. */
const fields: Record<string, (certificate: X509Certificate, digest: string | null) => string> = {
  fingerprint,
  subject: ({ subject }) => `subject=${nameText(subject)}\n`,
  issuer: ({ issuer }) => `issuer=${nameText(issuer)}\n`,
  serial: ({ serialNumber }) => `serial=${serialNumber}\n`,
  startdate: ({ validFrom }) => `notBefore=${validFrom}\n`,
  enddate: ({ validTo }) => `notAfter=${validTo}\n`,
};

interface X509Order {
  shown: string[];
  digest: string | null;
  file: string | null;
  printsPem: boolean;
}

/** What the words ask for, or the complaint. */
function parseX509(args: readonly string[]): X509Order | string {
  const order: X509Order = { shown: [], digest: null, file: null, printsPem: true };
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const name = word.replace(/^--?/, '');
    if (!word.startsWith('-')) return `x509: Use -help for summary.\n`;
    if (name === 'noout') order.printsPem = false;
    else if (digests.has(name)) order.digest = name;
    else if (name === 'dates') order.shown.push('startdate', 'enddate');
    else if (Object.hasOwn(fields, name)) order.shown.push(name);
    else if (name === 'in' || name === 'inform') {
      index += 1;
      const value = args[index];
      if (value === undefined) return `x509: Option -${name} needs a value\nx509: Use -help for summary.\n`;
      if (name === 'in') order.file = value;
    } else return `Unknown digest\nx509: Use -help for summary.\n`;
  }
  return order;
}

function* readInput(frame: Frame, file: string | null): Steps<string> {
  return file === null ? yield* readAll(frame) : frame.machine.files.read(at(frame, file), frame);
}

function* x509(frame: Frame, args: readonly string[]): Steps<number> {
  const order = parseX509(args);
  if (typeof order === 'string') return fail(frame, order);
  let text: string;
  try {
    text = yield* readInput(frame, order.file);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return fail(
      frame,
      `Could not open file or uri for loading certificate from ${order.file ?? ''}\nUnable to load certificate\n`,
    );
  }
  const certificate = readCertificate(text);
  if (certificate === null)
    return fail(frame, `Could not read certificate from ${order.file ?? '<stdin>'}\nUnable to load certificate\n`);
  for (const name of order.shown) out(frame, fields[name]?.(certificate, order.digest) ?? '');
  if (order.printsPem) out(frame, certificatePem(certificate.raw));
  return 0;
}

/** The program. */
export const openssl: Program = function* program(frame, args) {
  const [command = '', ...rest] = args;
  if (command === 's_client') return yield* sClient(frame, rest);
  if (command === 'x509') return yield* x509(frame, rest);
  if (command !== 'version') return fail(frame, `Invalid command '${command}'; type "help" for a list.\n`);
  out(frame, version);
  return 0;
};
