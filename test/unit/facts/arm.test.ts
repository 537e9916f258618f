import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import { OpsError } from '../../../src/errors.ts';
import { parseBootLoaders } from '../../../src/facts/arm-boot-loaders.ts';
import { readDpubotFile } from '../../../src/facts/arm-files.ts';
import { parseHostKeys, preferredKey, readHostKeys } from '../../../src/facts/arm-host-keys.ts';
import { parseMachine } from '../../../src/facts/arm-machine.ts';
import { parseBmcLan, readBmcLan } from '../../../src/facts/bmc-lan.ts';
import { parseDriverRestart, parseSecureBootState, parseVersion, readDrivers } from '../../../src/facts/drivers.ts';
import { ownNames, parseHostname, readHostname, withOwnName } from '../../../src/facts/hostname.ts';
import { parseLinks, readFunctionLinks } from '../../../src/facts/links.ts';
import { parseClockSynchronised, parseTimeDaemon } from '../../../src/facts/ntp.ts';
import { hasSocat, parseNamespaceLinks, parseNamespaces, readNamespaceLinks } from '../../../src/facts/tmfifo.ts';
import { fixture } from '../../support/fixture.ts';

const signal = new AbortController().signal;

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof OpsError ? error.code : String(error);
  }
  return 'no error';
}

/** A machine that answers each command by its words; what it does not know ends with 127. */
function answering(answers: Readonly<Record<string, Partial<CommandResult>>>): HostReader {
  return {
    name: 'as7',
    read: async ({ argv }) => {
      const known = Object.entries(answers).find(([words]) => argv.join(' ').includes(words))?.[1];
      const answer = known ?? { exitCode: 127, stderr: `${argv[0]}: command not found\n` };
      return Promise.resolve({ stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...answer });
    },
  };
}

const noFile = { exitCode: 1, stderr: 'cat: /x: No such file or directory\n' };

describe('arm-host-keys', () => {
  it('computes the fingerprints that ssh-keygen prints, and prefers ed25519', () => {
    const keys = parseHostKeys('as7', fixture('ssh-keyscan/three-keys.txt'));

    expect(keys.map((key) => [key.type, key.fingerprint])).toEqual([
      ['ssh-rsa', 'SHA256:V1RGNe0laAnY7uh+p84GaYyEKm8pVKaP24/jVvJd7sE'],
      ['ecdsa-sha2-nistp256', 'SHA256:1S1EGN5mUnpybjavu9p6PNLIErhHYrxgoKtWncprh2c'],
      ['ssh-ed25519', 'SHA256:tUAKWZ6SpBakLsYHwOnJJ30BUpKh0MMwaXMQCU35Bdg'],
    ]);
    expect(preferredKey(keys)?.type).toBe('ssh-ed25519');
    expect(preferredKey(keys.slice(0, 2))?.type).toBe('ecdsa-sha2-nistp256');
    expect(preferredKey([])).toBeUndefined();
  });

  it('never makes a fingerprint of a key that is cut or changed in its head', () => {
    const line = fixture('ssh-keyscan/three-keys.txt').split('\n').at(-2) ?? '';
    const blobAt = line.lastIndexOf(' ') + 1;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), (kept) => {
        expect(() => parseHostKeys('as7', line.slice(0, blobAt + kept))).toThrow('could not be understood');
      }),
    );
    const other = Buffer.from('0000000b7373682d65643235353139', 'hex').toString('base64');
    expect(() => parseHostKeys('as7', `192.168.100.2 ssh-rsa ${other}AAAA`)).toThrow('could not be understood');
  });

  it('tells nobody at home from a scan that could not be done', async () => {
    const read = async (answer: Partial<CommandResult>): Promise<unknown> =>
      readHostKeys(answering({ 'ssh-keyscan': answer }), 'dpubot-as7-dpu0', signal);

    await expect(read({ exitCode: 1 })).resolves.toEqual([]);
    const stderrOfSudo = 'sudo: unable to resolve host as7: Name or service not known\n';
    await expect(read({ exitCode: 1, stderr: stderrOfSudo })).resolves.toEqual([]);
    await expect(read({ exitCode: 0, stderr: '# comment' })).resolves.toEqual([]);
    for (const stderr of [
      'exec of "ssh-keyscan" failed: No such file or directory',
      'Cannot open network namespace "dpubot-as7-dpu0": No such file or directory',
    ])
      await expect(read({ exitCode: 1, stderr })).rejects.toMatchObject({ code: 'command-failed' });
    await expect(read({ exitCode: 1, stderr: 'sudo: a password is required\n' })).rejects.toMatchObject({
      code: 'sudo-refused',
    });
    await expect(read({ stdout: 'x', truncated: true })).rejects.toMatchObject({ code: 'output-unreadable' });
  });
});

describe('tmfifo', () => {
  it('reads links, addresses and names of namespaces as ip prints them', () => {
    expect(parseNamespaceLinks('as7', fixture('ip/addr-in-namespace.txt'))).toEqual([
      { name: 'lo', isUp: false, addresses: [] },
      { name: 'tmfifo_net0', isUp: true, addresses: ['192.168.100.1/30'] },
    ]);
    expect(parseNamespaces(fixture('ip/netns-list.txt'))).toEqual(['dpubot-as7-dpu0', 'other']);
    expect(parseNamespaces('')).toEqual([]);
  });

  it('asks inside a namespace only when there is one', async () => {
    const host = answering({
      'ip netns list': { stdout: fixture('ip/netns-list.txt') },
      '-n dpubot-as7-dpu0 addr': { stdout: fixture('ip/addr-in-namespace.txt') },
    });

    await expect(readNamespaceLinks(host, 'dpubot-as7-dpu0', signal)).resolves.toHaveLength(2);
    await expect(readNamespaceLinks(host, 'dpubot-as7-dpu1', signal)).resolves.toBeUndefined();
  });

  it.each(['', '{}', '[{}]', '[{"ifname":"x","flags":[],"addr_info":[{}]}]', 'Object "addr" is unknown'])(
    'refuses %j as a list of links',
    (text) => {
      expect(() => parseNamespaceLinks('as7', text)).toThrow('could not be understood');
    },
  );

  it('knows a host without socat from one where it fails', async () => {
    await expect(hasSocat(answering({}), signal)).resolves.toBe(false);
    await expect(hasSocat(answering({ socat: { stdout: 'socat version 1.7.4.1' } }), signal)).resolves.toBe(true);
    await expect(hasSocat(answering({ socat: { exitCode: 1 } }), signal)).rejects.toMatchObject({
      code: 'command-failed',
    });
  });
});

describe('links', () => {
  it('reads names and MTUs of a machine and of an Arm', () => {
    expect(parseLinks('as7', fixture('ip/link-machine.txt')).find((link) => link.name === 'lo')?.mtuBytes).toBe(65536);
    expect(parseLinks('as7', fixture('ip/link-bluefield.txt')).map((link) => link.name)).toContain('pf1hpf');
  });

  it('never reads half a list, whatever is cut off it', () => {
    const whole = fixture('ip/link-bluefield.txt').trimEnd();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(() => parseLinks('as7', whole.slice(0, length))).toThrow('could not be understood');
      }),
    );
  });

  it('reads the links of a PCI function, and none of one that is not there', async () => {
    const host = answering({
      'e1:00.0': { stdout: 'ens3f0np0\n' },
      'e1:00.1': { exitCode: 2, stderr: "ls: cannot access '/sys/...': No such file or directory\n" },
      'e1:00.2': { exitCode: 2, stderr: 'ls: cannot open directory: Permission denied\n' },
    });

    await expect(readFunctionLinks(host, '0000:e1:00.0', signal)).resolves.toEqual(['ens3f0np0']);
    await expect(readFunctionLinks(host, '0000:e1:00.1', signal)).resolves.toEqual([]);
    await expect(codeOf(async () => readFunctionLinks(host, '0000:e1:00.2', signal))).resolves.toBe('command-failed');
  });
});

describe('bmc-lan', () => {
  const text = fixture('ipmitool/lan-print-dhcp.txt');

  it('reads the address and not its source', () => {
    expect(parseBmcLan('dpu', text)).toEqual({ state: 'address', address: '10.20.0.2' });
    expect(parseBmcLan('dpu', text.replace('10.20.0.2', '0.0.0.0'))).toEqual({ state: 'no-lease' });
  });

  it.each([
    ['the line is missing', text.replace(/^IP Address {14}.*\n/m, '')],
    ['the address is none', text.replace('10.20.0.2', '10.20.0.999')],
    ['nothing was printed', ''],
  ])('refuses output where %s', async (_what, output) => {
    await expect(codeOf(() => parseBmcLan('dpu', output))).resolves.toBe('output-unreadable');
  });

  it('reads any address back, and only whole ones', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const lan = parseBmcLan('dpu', text.replace('10.20.0.2', address));
        expect(lan).toEqual(address === '0.0.0.0' ? { state: 'no-lease' } : { state: 'address', address });
      }),
    );
  });

  it('says that the IPMI driver is not loaded', async () => {
    const stderr = 'Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: No such file or directory\n';

    await expect(readBmcLan(answering({ ipmitool: { exitCode: 1, stderr } }), signal)).resolves.toEqual({
      state: 'no-driver',
    });
    await expect(codeOf(async () => readBmcLan(answering({}), signal))).resolves.toBe('command-failed');
  });
});

describe('drivers', () => {
  it('reads both verdicts of openibd, behind blanks or a cursor movement', () => {
    for (const name of ['restart-ok', 'restart-ok-cursor'])
      expect(parseDriverRestart(fixture(`openibd/${name}.txt`))).toEqual({
        lines: [
          { text: 'Unloading HCA driver', ok: true },
          { text: 'Loading HCA driver and Access Layer', ok: true },
        ],
        complaints: [],
      });
  });

  it('reads what failed and why', () => {
    const rejected = parseDriverRestart(fixture('openibd/restart-rejected.txt'));
    const inUse = parseDriverRestart(fixture('openibd/restart-in-use.txt'));

    expect(rejected.lines.filter((line) => !line.ok)).toHaveLength(3);
    expect(rejected.complaints[0]).toContain('Key was rejected by service');
    expect(inUse.complaints).toEqual(['rmmod: ERROR: Module ib_core is in use by: rpcrdma']);
  });

  it('reads a verdict behind a window title, a text written over, or a carriage return of its own', () => {
    const title = '\u001b]0;openibd\u0007Unloading HCA driver: [  OK  ]\r\n';
    const over = 'Please wait\rLoading HCA driver: \u001b[1;31m[FAILED]\u001b[0m\r\n';
    const back = 'Loading Access Layer:\r\u001b[60G[  OK  ]\r\n';

    expect(parseDriverRestart(title + over + back).lines).toEqual([
      { text: 'Unloading HCA driver', ok: true },
      { text: 'Loading HCA driver', ok: false },
      { text: 'Loading Access Layer', ok: true },
    ]);
  });

  it('never sees a verdict that is not there', () => {
    fc.assert(
      fc.property(fc.string(), (noise) => {
        const lines = parseDriverRestart(noise.replaceAll(/OK|FAILED/g, '')).lines;
        expect(lines).toEqual([]);
      }),
    );
  });

  it('reads the versions, none where a module has none or is not loaded, and Secure Boot', async () => {
    const arm = answering({
      'cat /sys': { stdout: '24.10-2.1.8\n' },
      modinfo: { stdout: '24.10-2.1.8\n' },
      mokutil: { stdout: 'SecureBoot disabled\nPlatform is in Setup Mode\n' },
    });
    const bare = answering({
      'cat /sys': noFile,
      modinfo: { stdout: '\n' },
      mokutil: { exitCode: 255, stderr: 'EFI variables are not supported on this system\n' },
    });

    await expect(readDrivers(arm, signal)).resolves.toEqual({
      loaded: '24.10-2.1.8',
      installed: '24.10-2.1.8',
      secureBoot: 'disabled',
    });
    await expect(readDrivers(bare, signal)).resolves.toEqual({
      loaded: 'none',
      installed: 'none',
      secureBoot: 'unsupported',
    });
  });

  it('refuses what is no version and no Secure Boot state', async () => {
    await expect(codeOf(() => parseVersion('dpu', 'x', 'two words\n'))).resolves.toBe('output-unreadable');
    await expect(codeOf(() => parseSecureBootState('dpu', 'mokutil: command not found'))).resolves.toBe(
      'output-unreadable',
    );
    expect(parseSecureBootState('dpu', 'SecureBoot enabled\n')).toBe('enabled');
  });
});

describe('hostname', () => {
  it('puts the own name into a hosts file once, and leaves everything else alone', () => {
    const hosts = '127.0.0.1 localhost\n127.0.1.1\tlocalhost.localdomain old\n::1 ip6-localhost\n127.0.1.1 older\n';
    const after = withOwnName(hosts, 'MT1');

    expect(after).toBe('127.0.0.1 localhost\n127.0.1.1 MT1\n::1 ip6-localhost\n');
    expect(withOwnName('127.0.0.1 localhost\n# end\n', 'MT1')).toBe('127.0.0.1 localhost\n127.0.1.1 MT1\n# end\n');
    expect(ownNames(hosts)).toEqual(['localhost.localdomain', 'old', 'older']);
  });

  it('changes nothing the second time, whatever the file holds', () => {
    const line = fc.oneof(
      fc.constantFrom('127.0.0.1 localhost', '127.0.1.1 a b', ' 127.0.1.1\tc # d', '', '# 127.0.1.1 e', '127.0.1.10 f'),
      fc.stringMatching(/^[ -~]{0,40}$/),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const once = withOwnName(lines.join('\n'), 'MT1');
        expect(ownNames(once)).toEqual(['MT1']);
        expect(withOwnName(once, 'MT1')).toBe(once);
        const others = lines.filter((one) => one.trim() !== '' && !/^\s*127\.0\.1\.1(\s|$)/.test(one));
        for (const other of others) expect(once.split('\n')).toContain(other);
      }),
    );
  });

  it('reads a machine that has no name on disk yet', async () => {
    const arm = answering({
      'cat /proc': { stdout: 'localhost\n' },
      'cat /etc/hostname': noFile,
      'cat /etc/hosts': { stdout: '127.0.0.1 localhost\n' },
    });

    await expect(readHostname(arm, signal)).resolves.toEqual({ now: 'localhost', hosts: '127.0.0.1 localhost\n' });
    await expect(codeOf(() => parseHostname('dpu', 'two\nnames\n'))).resolves.toBe('output-unreadable');
    expect(parseHostname('dpu', '# comment\nMT1\n')).toBe('MT1');
  });
});

describe('ntp', () => {
  it.each([
    ['active\ninactive\ninactive\n', 'systemd-timesyncd'],
    ['inactive\nactive\nunknown\n', 'ntpsec'],
    ['inactive\nfailed\nactive\n', 'chrony'],
    ['inactive\nfailed\nunknown\n', undefined],
  ])('finds the daemon in %j', (text, expected) => {
    expect(parseTimeDaemon('dpu', text)).toBe(expected);
  });

  it('refuses states that are not three, and a clock that says neither yes nor no', async () => {
    await expect(codeOf(() => parseTimeDaemon('dpu', 'active\n'))).resolves.toBe('output-unreadable');
    await expect(codeOf(() => parseTimeDaemon('dpu', 'active\nactive\nsudo: x\n'))).resolves.toBe('output-unreadable');
    await expect(codeOf(() => parseClockSynchronised('dpu', 'NTPSynchronized=\n'))).resolves.toBe('output-unreadable');
    expect(parseClockSynchronised('dpu', fixture('timedatectl/show.txt'))).toBe(true);
  });
});

describe('what runs on an Arm', () => {
  it('reads the boot loaders of a real card', () => {
    expect(parseBootLoaders('dpu', fixture('bfver/bsp-4.9.1.txt'))).toEqual({
      atf: 'v2.2(release):4.9.1-21-gfc25b08d9',
      uefi: '4.9.1-36-g0c3239837a',
      bsp: '4.9.1.13442',
    });
  });

  it('never returns half of the boot loaders, whatever is cut off', () => {
    const whole = fixture('bfver/bsp-4.9.1.txt');
    const end = whole.indexOf('BlueField BSP version: ');
    fc.assert(
      fc.property(fc.nat(end + 22), (length) => {
        expect(() => parseBootLoaders('dpu', whole.slice(0, length))).toThrow('could not be understood');
      }),
    );
  });

  it('reads a machine type as one word', async () => {
    expect(parseMachine('dpu', 'aarch64\n')).toBe('aarch64');
    await expect(codeOf(() => parseMachine('dpu', ''))).resolves.toBe('output-unreadable');
    await expect(codeOf(() => parseMachine('dpu', 'Linux x86_64'))).resolves.toBe('output-unreadable');
  });

  it('tells a file that is not there from one that cannot be read', async () => {
    const path = '/etc/udev/rules.d/92-dpubot-mtu.rules';
    const read = async (answer: Partial<CommandResult>): Promise<unknown> =>
      readDpubotFile(answering({ cat: answer }), path, signal);

    await expect(read(noFile)).resolves.toBeUndefined();
    await expect(read({ stdout: 'x' })).resolves.toBe('x');
    await expect(read({ exitCode: 1, stderr: `cat: ${path}: Permission denied\n` })).rejects.toMatchObject({
      code: 'command-failed',
    });
    await expect(read({ stdout: 'x', truncated: true })).rejects.toMatchObject({ code: 'output-unreadable' });
    await expect(readDpubotFile(answering({}), '/etc/shadow', signal)).rejects.toThrow(RangeError);
  });
});
