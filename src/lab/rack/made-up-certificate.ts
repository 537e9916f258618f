/**
 * The certificate of a BMC for a model without servers: no key belongs to it, everything else can be read from it.
 */
import { createHash } from 'node:crypto';

/** What `openssl ca -selfsign` made: P-256, CN=dpu-bmc, O=OpenBMC, 2024 to 2043, a serial number of twenty bytes. */
const template =
  'MIIBQzCB6QIUQAAAAAAAAAAAAAAAAAAAAAAAAAAwCgYIKoZIzj0EAwIwJDEQMA4G' +
  'A1UEAwwHZHB1LWJtYzEQMA4GA1UECgwHT3BlbkJNQzAeFw0yNDAxMDEwMDAwMDBa' +
  'Fw00MzEyMjcwMDAwMDBaMCQxEDAOBgNVBAMMB2RwdS1ibWMxEDAOBgNVBAoMB09w' +
  'ZW5CTUMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASHDYaI4reajF2bOIAq/HlW' +
  'GjSxLFsVrNGHA6pyUAZvs3qxuFDUlgAISPNVPScXpiabVrLzaJoFGkfMY5Sn0wTH' +
  'MAoGCCqGSM49BAMCA0kAMEYCIQDw2YcLv4RGUAicz7JGfEmE6Gi1m/fjfKpDFp40' +
  'VZyVbAIhAOH7zdRNyTueJeFzSwTV5JxEyT18T82Mo8Qq3QKP7zr0';

/** Where the serial number lies in it; the first byte stays, so that the number stays positive and as long. */
const serialAt = 10;
const serialBytes = 19;

/** A certificate as PEM text, 64 characters a line. */
export function certificatePem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** The certificate of this name: always the same one, and another one for each other name. */
export function madeUpCertificate(name: string): string {
  const der = Buffer.from(template, 'base64');
  createHash('sha256').update(name).digest().copy(der, serialAt, 0, serialBytes);
  return certificatePem(der);
}
