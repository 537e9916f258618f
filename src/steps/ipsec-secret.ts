import { Buffer } from 'node:buffer';
import type { Secret } from '../domain/secret.ts';
import type { IpsecSides } from './ipsec-conf.ts';
import { block, connectionName, connectionText } from './ipsec-conf.ts';

/** The connection file with the shared secret of both sides. */
export function connectionWithSecret(sides: IpsecSides, secret: Secret): Secret {
  const name = connectionName(sides.pair);
  return secret.within((value) => {
    const lines = [`id-a = ${name}-a`, `id-b = ${name}-b`, `secret = ${quoted(value.trim())}`];
    return `${connectionText(sides)}${block('secrets', block(`ike-${name}`, lines)).join('\n')}\n`;
  });
}

/**
 * A value that is read back as it is. Quotes and backslashes are escaped; what is not printable ASCII, or would be taken for
 * an encoding (`0x`, `0s`), goes as base64. Source: strongswan.conf(5); swanctl.conf(5), secrets.ike<suffix>.secret.
 */
export function quoted(value: string): string {
  if (/^[\x20-\x7e]+$/.test(value) && !/^0[xs]/i.test(value)) return `"${value.replace(/["\\]/g, String.raw`\$&`)}"`;
  return `"0s${Buffer.from(value, 'utf8').toString('base64')}"`;
}

/** A part of a PEM text; undefined where there is none of the kind. */
export function pemPart(pem: Secret, kind: 'CERTIFICATE' | 'PRIVATE KEY'): Secret | undefined {
  const part = new RegExp(`-----BEGIN ([A-Z]+ )?${kind}-----[\\s\\S]+?-----END ([A-Z]+ )?${kind}-----`);
  let isThere = false;
  const found = pem.within((text) => {
    const [match] = part.exec(text) ?? [];
    isThere = match !== undefined;
    return `${match ?? ''}\n`;
  });
  return isThere ? found : undefined;
}
