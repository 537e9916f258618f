/**
 * `openssl s_client` to the web server of a BMC.
 *
 * Source: OpenSSL 3.0 run for real against a server with a self-signed P-256 certificate, and against nobody.
 */
import { X509Certificate } from 'node:crypto';
import { complain, out, readAll } from '../shell/descriptors.ts';
import type { Frame, Steps } from '../shell/types.ts';
import { reachedArm } from './reached-arm.ts';
import { reachedBmc } from './reached-bmc.ts';

/** What a TLS handshake with a BMC takes, and what packets to nobody take. */
const handshakeMs = 300;
const noRouteMs = 3_000;

const withValue = new Set(['connect', 'servername', 'CAfile', 'verify', 'alpn', 'host', 'port']);
const withoutValue = new Set(['showcerts', 'no_ign_eof', 'tls1_2', 'tls1_3', 'noservername', '4']);

/** A name as OpenSSL 3.0 prints it: `CN = dpu-bmc, O = OpenBMC`. */
export function nameText(name: string): string {
  return name
    .split('\n')
    .map((part) => part.replace('=', ' = '))
    .join(', ');
}

interface ClientOrder {
  address: string;
  port: number;
  serverName: string | null;
}

/** What the words ask for, or the complaint. */
function parseWords(args: readonly string[]): ClientOrder | string {
  const values: Record<string, string> = { connect: 'localhost:4433' };
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const name = word.replace(/^--?/, '');
    if (!word.startsWith('-')) values['connect'] = word;
    else if (withValue.has(name)) {
      index += 1;
      const value = args[index];
      if (value === undefined) return `s_client: Option -${name} needs a value\ns_client: Use -help for summary.\n`;
      values[name] = value;
    } else if (!withoutValue.has(name)) return `s_client: Unknown option: ${word}\ns_client: Use -help for summary.\n`;
  }
  const [address = '', port = '4433'] = (values['connect'] ?? '').split(':');
  return {
    address: values['host'] ?? address,
    port: Number(values['port'] ?? port),
    serverName: values['servername'] ?? null,
  };
}

const errorId = '4097A5D0357F0000:error';

function connectError(frame: Frame, errno: 111 | 113): number {
  const [code, reason] = errno === 111 ? ['8000006F', 'Connection refused'] : ['80000071', 'No route to host'];
  complain(
    frame,
    `${errorId}:${code}:system library:BIO_connect:${reason}:../crypto/bio/bio_sock2.c:125:calling connect()\n` +
      `${errorId}:10000067:BIO routines:BIO_connect:connect error:../crypto/bio/bio_sock2.c:127:\n` +
      `connect:errno=${errno}\n`,
  );
  return 1;
}

function lookupError(frame: Frame): number {
  complain(
    frame,
    `${errorId}:10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:738:Name or service not known\n` +
      'connect:errno=0\n',
  );
  return 1;
}

/** What it says about the connection on standard output. */
function sessionText(pem: string, certificate: X509Certificate): string {
  const [subject, issuer] = [nameText(certificate.subject), nameText(certificate.issuer)];
  return [
    'CONNECTED(00000003)',
    '---',
    'Certificate chain',
    ` 0 s:${subject}`,
    `   i:${issuer}`,
    '   a:PKEY: id-ecPublicKey, 256 (bit); sigalg: ecdsa-with-SHA256',
    `   v:NotBefore: ${certificate.validFrom}; NotAfter: ${certificate.validTo}`,
    '---',
    'Server certificate',
    pem.trim(),
    `subject=${subject}`,
    `issuer=${issuer}`,
    '---',
    'No client certificate CA names sent',
    'Peer signing digest: SHA256',
    'Peer signature type: ECDSA',
    'Server Temp Key: X25519, 253 bits',
    '---',
    `SSL handshake has read ${certificate.raw.length + 371} bytes and written 377 bytes`,
    'Verification error: self-signed certificate',
    '---',
    'New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384',
    'Server public key is 256 bit',
    'Secure Renegotiation IS NOT supported',
    'Compression: NONE',
    'Expansion: NONE',
    'No ALPN negotiated',
    'Early data was not sent',
    'Verify return code: 18 (self-signed certificate)',
    '---\n',
  ].join('\n');
}

/** Run it: the certificate, then whatever comes on standard input until its end. */
export function* sClient(frame: Frame, args: readonly string[]): Steps<number> {
  const order = parseWords(args);
  if (typeof order === 'string') {
    complain(frame, order);
    return 1;
  }
  const { rack } = frame;
  const { address, port, serverName } = order;
  if (address === 'localhost' || address.startsWith('127.')) return connectError(frame, 111);
  if (!/^[\d.]+$/.test(address)) return lookupError(frame);
  const card = reachedBmc(frame, address);
  if (card === null || rack.nowMs() < card.bmc.downUntilMs) {
    if (reachedArm(frame, address) !== null) return connectError(frame, 111);
    yield { untilMs: rack.nowMs() + noRouteMs };
    return connectError(frame, 113);
  }
  if (port !== 443) return connectError(frame, 111);
  yield { untilMs: rack.nowMs() + handshakeMs };
  const pem = rack.outside.bmcCertificate(card);
  const certificate = new X509Certificate(pem);
  const subject = nameText(certificate.subject);
  const verified = `depth=0 ${subject}\n`;
  complain(
    frame,
    `${serverName === null ? "Can't use SSL_get_servername\n" : ''}${verified}verify error:num=18:self-signed certificate\n` +
      `verify return:1\n${verified}verify return:1\n`,
  );
  out(frame, sessionText(pem, certificate));
  yield* readAll(frame);
  complain(frame, 'DONE\n');
  return 0;
}
