import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFreeBytes } from '../../../src/facts/disk-space.ts';
import { compareReleases, docaVersions, isAtLeast, ofedPackages } from '../../../src/facts/doca.ts';
import { parseHostPlatform } from '../../../src/facts/host-platform.ts';
import { lockText, parsePackageLocks } from '../../../src/facts/package-locks.ts';
import { interruption, parsePackageList } from '../../../src/facts/packages.ts';
import { fixture } from '../../support/fixture.ts';

const unreadable = { code: 'output-unreadable' };

describe('packages', () => {
  it('reads every line of a Debian system', () => {
    const packages = parsePackageList('as7', fixture('dpkg/list-debian.txt'));

    expect(packages.size).toBe(40);
    expect(packages.get('apt')).toEqual({ version: '2.6.1', complete: true });
  });

  it('leaves out a removed package whose settings remain', () => {
    const packages = parsePackageList('as7', fixture('dpkg/list-doca.txt'));

    expect(packages.has('old-kernel')).toBe(false);
    expect(packages.get('doca-all')).toEqual({ version: '2.9.2-012000', complete: true });
  });

  it('sees that a package is half-configured', () => {
    expect(parsePackageList('as7', fixture('dpkg/list-half-configured.txt')).get('half-done')?.complete).toBe(false);
  });

  it('takes a package that has to be reinstalled for incomplete', () => {
    expect(parsePackageList('as7', 'x1\t1\tiiR\n').get('x1')?.complete).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['a line that is no package', 'dpkg-query: error\n'],
    ['a state nobody knows', 'apt\t2\tiX \n'],
    ['a line cut in its middle', 'apt\t2.6.1\tii \nbash\t5.2'],
  ])('refuses %s', (_what, text) => {
    expect(() => parsePackageList('as7', text)).toThrow(expect.objectContaining(unreadable));
  });

  it('names what dpkg was interrupted in', () => {
    expect(interruption(fixture('dpkg/audit-unpacked.txt'), '')).toContain('half-done');
    expect(interruption(fixture('dpkg/audit-half-configured.txt'), '')).toContain('half-done');
  });

  it('counts files in the journal of dpkg as an interruption, and an empty one not', () => {
    expect(interruption('', '0000\n0001\n')).toContain('interrupted');
    expect(interruption('', '')).toBeUndefined();
    expect(interruption('', 'tmp.i\n')).toBeUndefined();
  });
});

describe('package locks', () => {
  it('names a program once, though it holds two locks', () => {
    const holders = parsePackageLocks('as7', fixture('lslocks/python-holds-apt.txt'));

    expect(lockText(holders)).toBe('python3 (process 16453)');
  });

  it('leaves out locks of other files, and those without a path', () => {
    expect(parsePackageLocks('as7', '812 cron /run/crond.pid\n-1 (undefined) \n77 multipathd\n')).toEqual([]);
  });

  it('shows a blank in the name of a program as one', () => {
    const [holder] = parsePackageLocks('as7', '5 my\\x20apt /var/lib/dpkg/lock\n');

    expect(holder?.command).toBe('my apt');
  });

  it('refuses a line without a process', () => {
    expect(() => parsePackageLocks('as7', 'lslocks: failed\n')).toThrow(expect.objectContaining(unreadable));
  });
});

describe('space, platform, versions', () => {
  it('takes the fullest of the file systems', () => {
    expect(parseFreeBytes('as7', fixture('df/one-file-system.txt'))).toBe(84_260_888_576);
    expect(parseFreeBytes('as7', 'Avail\n 5000\n 70\n')).toBe(70);
  });

  it.each(['', 'Avail\n', 'Avail\n-\n', 'df: /var: No such file\n'])('refuses %j as free space', (text) => {
    expect(() => parseFreeBytes('as7', text)).toThrow(expect.objectContaining(unreadable));
  });

  it('reads quoted and bare values of os-release, and not a key that only ends like one', () => {
    const release = 'VERSION_CODENAME=jammy\nVARIANT_ID="x"\nID=ubuntu\nVERSION_ID="22.04"\nID_LIKE=debian\n';

    expect(parseHostPlatform('as7', '5.15.0-119-generic x86_64\n', release)).toEqual({
      os: 'ubuntu',
      release: '22.04',
      kernel: '5.15.0-119-generic',
      machine: 'x86_64',
    });
  });

  it('refuses a system without an ID', () => {
    expect(() => parseHostPlatform('as7', '5.15 x86_64', 'NAME=x\n')).toThrow(expect.objectContaining(unreadable));
  });

  it.each([
    ['24.10-2.1.8', '24.10-2.1.8', 0],
    ['24.10-2.1.8', '24.10-1.1.4', 1],
    ['24.07-0.6.1', '24.10-2.1.8', -1],
    ['25.01-0.6.0', '24.10-2.1.8', 1],
    ['5.0-0', '24.10-2.1.8', -1],
    ['2.9.10', '2.9.9', 1],
    ['none', '24.10-2.1.8', undefined],
    ['5.15.0-119-generic', '24.10-2.1.8', undefined],
  ])('compares %s with %s as %s', (a, b, expected) => {
    expect(compareReleases(a, b)).toBe(expected);
  });

  it('compares in both directions alike', () => {
    const release = fc.array(fc.nat(99), { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join('.'));

    fc.assert(
      fc.property(release, release, (a, b) => {
        expect((compareReleases(a, b) ?? 0) + (compareReleases(b, a) ?? 0)).toBe(0);
      }),
    );
  });

  it('takes the same or a newer driver for enough, and one that cannot be compared only when it is the same', () => {
    expect(isAtLeast('24.10-2.1.8', '24.10-2.1.8')).toBe(true);
    expect(isAtLeast('25.01-0.6.0', '24.10-2.1.8')).toBe(true);
    expect(isAtLeast('none', '24.10-2.1.8')).toBe(false);
    expect(isAtLeast('custom', 'custom')).toBe(true);
  });

  it('counts the version of DOCA by its whole-product packages, not by single libraries', () => {
    const installed = parsePackageList('as7', fixture('dpkg/list-doca.txt'));
    const packages = { installed, interrupted: undefined };

    expect(docaVersions(packages)).toEqual(['2.9.2']);
    expect(ofedPackages(packages)).toEqual(['mlnx-ofed-kernel-dkms', 'ofed-scripts']);
  });
});
