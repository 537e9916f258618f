/** How an Arm looks at the certificate of its BMC. Texts were taken from OpenSSL 3.0 run for real. */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openedRack } from './helpers.ts';
import type { TestRack } from './helpers.ts';
import { startTestServers } from './server-helpers.ts';
import type { TestServers } from './server-helpers.ts';

const ask = 'timeout 20 openssl s_client -connect 192.168.240.1:443 </dev/null';
const fingerprintLine = `${ask} 2>/dev/null | openssl x509 -noout -fingerprint -sha256`;
const shape = /^sha256 Fingerprint=([0-9A-F]{2}:){31}[0-9A-F]{2}\n$/;
const unreadable = 'Could not read certificate from <stdin>\nUnable to load certificate\n';
const noRoute = /BIO_connect:No route to host:.*\n.*BIO_connect:connect error:.*\nconnect:errno=113\n$/;

interface Said {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

function arm(test: TestRack, line: string, name = 'as7-dpu0'): Said {
  const { stdout, stderr, exitCode, takesMs = 0 } = test.rack.card(name).armExec('ubuntu', line);
  test.advance(takesMs);
  return { stdout, stderr, exitCode };
}

function factoryReset(test: TestRack): void {
  arm(test, 'sudo -n ipmitool raw 0x32 0x66');
  arm(test, 'sudo -n ipmitool mc reset cold');
}

describe('the certificate of a BMC, seen from inside its card', () => {
  it('has a fingerprint of its own that stays over a restart', () => {
    const test = openedRack();
    const before = arm(test, fingerprintLine);
    test.card.resetBmc();
    test.advance(101_000);

    expect(before).toEqual({ stdout: expect.stringMatching(shape) as string, stderr: '', exitCode: 0 });
    expect(arm(test, fingerprintLine)).toEqual(before);
    expect(arm(test, fingerprintLine, 'as8-dpu0').stdout).not.toBe(before.stdout);
  });

  it('is another one after each factory reset, and nobody answers before that', () => {
    const test = openedRack();
    const seen = [arm(test, fingerprintLine).stdout];

    for (let count = 0; count < 2; count += 1) {
      factoryReset(test);
      expect(arm(test, ask)).toMatchObject({
        stdout: '',
        stderr: expect.stringMatching(noRoute) as string,
        exitCode: 1,
      });
      expect(arm(test, fingerprintLine)).toEqual({ stdout: '', stderr: unreadable, exitCode: 1 });
      test.advance(101_000);
      seen.push(arm(test, fingerprintLine).stdout);
    }

    expect(new Set(seen).size).toBe(3);
  });

  it('is another one under bmc-cert-changed', () => {
    const test = openedRack();
    const before = arm(test, fingerprintLine).stdout;

    test.rack.injectFault('bmc-cert-changed', { target: 'as7-dpu0' });

    expect(arm(test, fingerprintLine).stdout).toMatch(shape);
    expect(arm(test, fingerprintLine).stdout).not.toBe(before);
  });

  it('is not seen when VLAN 4040 is down, and then still at the address of the management network', () => {
    const test = openedRack();
    const outside = fingerprintLine.replace('192.168.240.1', test.card.addresses.bmc);
    const before = arm(test, fingerprintLine).stdout;

    test.rack.injectFault('vlan4040-down', { target: 'as7-dpu0' });

    expect(arm(test, ask).stderr).toMatch(noRoute);
    expect(arm(test, outside).stdout).toBe(before);
  });

  it('is not at that address for the host', () => {
    const test = openedRack();

    expect(test.rack.host('as7').exec('root', ask)).toMatchObject({ stdout: '', exitCode: 1 });
  });
});

describe('openssl s_client', () => {
  it('prints the certificate among its other lines', () => {
    const { stdout, stderr, exitCode } = arm(openedRack(), ask);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^CONNECTED\(00000003\)\n---\nCertificate chain\n 0 s:CN = dpu-bmc, O = OpenBMC\n/);
    expect(stdout).toMatch(/\n---\nServer certificate\n-----BEGIN CERTIFICATE-----\n([\w+/=]{1,64}\n)+-----END CERT/);
    expect(stdout).toMatch(/\nVerify return code: 18 \(self-signed certificate\)\n---\n$/);
    expect(stderr).toBe(
      "Can't use SSL_get_servername\n" +
        'depth=0 CN = dpu-bmc, O = OpenBMC\nverify error:num=18:self-signed certificate\nverify return:1\n' +
        'depth=0 CN = dpu-bmc, O = OpenBMC\nverify return:1\nDONE\n',
    );
  });

  it('waits for the end of its input until timeout ends it', () => {
    const { stdout, exitCode } = arm(openedRack(), 'sleep 60 | timeout 20 openssl s_client -connect 192.168.240.1:443');

    expect(stdout).toContain('END CERTIFICATE');
    expect(exitCode).toBe(124);
  });

  it.each([
    ['s_client -connect 192.168.240.1:444', 'connect:errno=111\n'],
    ['s_client -connect 192.168.100.2:443', 'connect:errno=113\n'],
    ['s_client', 'connect:errno=111\n'],
    ['s_client -connect nobody.example:443', 'Name or service not known\nconnect:errno=0\n'],
    ['s_client -bogus', 's_client: Unknown option: -bogus\ns_client: Use -help for summary.\n'],
    ['s_client -connect', 's_client: Option -connect needs a value\ns_client: Use -help for summary.\n'],
    ['bogus', 'Invalid command \'bogus\'; type "help" for a list.\n'],
    ['x509 -in /nope -noout', 'loading certificate from /nope\nUnable to load certificate\n'],
    ['x509 -noout -bogus', 'x509: Use -help for summary.\n'],
  ])('openssl %s fails', (words, complaint) => {
    const { stdout, stderr, exitCode } = arm(openedRack(), `openssl ${words} </dev/null`);

    expect([stdout, exitCode]).toEqual(['', 1]);
    expect(stderr).toContain(complaint);
  });
});

describe('openssl x509', () => {
  it('prints the fields in the order of its words and the certificate itself without -noout', () => {
    const test = openedRack();
    arm(test, `${ask} 2>/dev/null > /tmp/shown`);

    const fields = arm(test, 'openssl x509 -in /tmp/shown -noout -subject -fingerprint -dates -serial').stdout;
    const pem = arm(test, 'openssl x509 < /tmp/shown').stdout;

    const { fingerprint, serialNumber } = new X509Certificate(pem);
    expect(fields).toBe(
      `subject=CN = dpu-bmc, O = OpenBMC\nSHA1 Fingerprint=${fingerprint}\n` +
        `notBefore=Jan  1 00:00:00 2024 GMT\nnotAfter=Dec 27 00:00:00 2043 GMT\nserial=${serialNumber}\n`,
    );
    expect(arm(test, 'cat /tmp/shown').stdout).toContain(pem);
  });

  it.each(['', 'junk', '-----BEGIN CERTIFICATE-----\nMIIX\n-----END CERTIFICATE-----'])('does not take %j', (text) => {
    expect(arm(openedRack(), `printf '%s' '${text}' | openssl x509 -noout -fingerprint`)).toEqual({
      stdout: '',
      stderr: unreadable,
      exitCode: 1,
    });
  });
});

describe('with real servers', () => {
  let servers: TestServers;

  beforeAll(async () => {
    servers = await startTestServers();
  });

  afterAll(() => servers.stop());

  function shownOverTls(): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: servers.dpu.bmc.port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  function shownToTheArm(): string {
    return servers.rack.model.card('as7-dpu0').armExec('ubuntu', fingerprintLine).stdout;
  }

  it('the Arm sees what the BMC shows over TLS, before and after a factory reset', async () => {
    const first = await shownOverTls();
    expect(shownToTheArm()).toBe(`sha256 Fingerprint=${first}\n`);

    const { model } = servers.rack;
    model.card('as7-dpu0').armExec('ubuntu', 'sudo -n ipmitool raw 0x32 0x66; sudo -n ipmitool mc reset cold');
    await expect.poll(() => model.card('as7-dpu0').bmcIsUp(), { timeout: 20_000 }).toBe(true);

    const second = await shownOverTls();
    expect(second).not.toBe(first);
    expect(shownToTheArm()).toBe(`sha256 Fingerprint=${second}\n`);
  });
});
