import { describe, expect, it } from 'vitest';
import { patternToRegExp } from '../../../src/lab/rack/files/paths.ts';
import { testRack } from './helpers.ts';

function run(line: string, stdin = ''): { stdout: string; stderr: string; exitCode: number | null } {
  const { stdout, stderr, exitCode } = testRack().rack.host('as7').exec('ops', line, stdin);
  return { stdout, stderr, exitCode };
}

describe('file name patterns', () => {
  it('match without crossing slashes', () => {
    expect(patternToRegExp('/sys/class/net/*/mtu').test('/sys/class/net/eno1/mtu')).toBe(true);
    expect(patternToRegExp('/sys/*').test('/sys/class/net')).toBe(false);
    expect(patternToRegExp('/dev/rshim[0-9]').test('/dev/rshim0')).toBe(true);
  });
});

describe('running a command line', () => {
  it.each([
    ['true', 0, '', ''],
    ['false', 1, '', ''],
    ['id -un', 0, 'ops\n', ''],
    ['sudo -n id -u', 0, '0\n', ''],
    ['sudo -n -- id -un', 0, 'root\n', ''],
    ['/usr/bin/id -un', 0, 'ops\n', ''],
    ['LC_ALL=C uname -m', 0, 'x86_64\n', ''],
    ['env LC_ALL=C uname -n', 0, 'as7\n', ''],
    ['timeout 5 env LC_ALL=C sudo -n hostname', 0, 'as7\n', ''],
    ['timeout -k 5 30s uname -r', 0, '5.15.0-124-generic\n', ''],
    ['', 0, '', ''],
    ['nonsense', 127, '', 'sh: 1: nonsense: not found\n'],
    ['sudo -n nonsense', 1, '', 'sudo: nonsense: command not found\n'],
    ['env nonsense', 127, '', "env: 'nonsense': No such file or directory\n"],
    ['timeout 5 nonsense', 127, '', "timeout: failed to run command 'nonsense': No such file or directory\n"],
    ['timeout x true', 125, '', "timeout: invalid time interval 'x'\nTry 'timeout --help' for more information.\n"],
    ['uname | cat', 0, 'Linux\n', ''],
    ['uname -z', 1, '', "uname: invalid option -- 'z'\nTry 'uname --help' for more information.\n"],
    ['which lspci ip', 0, '/usr/bin/lspci\n/usr/sbin/ip\n', ''],
    ['which nonsense', 1, '', ''],
    ['command -v mlxconfig', 0, '/usr/bin/mlxconfig\n', ''],
    ['command -v nonsense', 127, '', ''],
    ['cat /proc/nothing', 1, '', 'cat: /proc/nothing: No such file or directory\n'],
    ['cat /dev/rshim0', 1, '', 'cat: /dev/rshim0: Is a directory\n'],
    ['cat /dev/rshim0/misc', 1, '', 'cat: /dev/rshim0/misc: Permission denied\n'],
    ['ls /dev/rshim0', 0, 'boot\nconsole\nmisc\nrshim\n', ''],
    ['ls -d /dev/rshim*', 0, '/dev/rshim0\n', ''],
    ['ls -l /dev/rshim0/misc', 0, 'crw------- 1 root root 235, 1 Sep  1 12:00 /dev/rshim0/misc\n', ''],
    ['ls -z', 2, '', "ls: invalid option -- 'z'\nTry 'ls --help' for more information.\n"],
    ['ls /dev/rshim1', 2, '', "ls: cannot access '/dev/rshim1': No such file or directory\n"],
    ['cat /sys/class/net/ens3f0np0/speed', 0, '400000\n', ''],
    ['cat /sys/bus/pci/devices/0000:e1:00.0/numa_node', 0, '1\n', ''],
    ['systemctl is-active rshim', 0, 'active\n', ''],
    ['systemctl is-active nope', 3, 'inactive\n', ''],
    ["dpkg-query -W -f='${Version}\\n' rshim", 0, '2.1.8-0\n', ''],
    ['dpkg-query -W nope', 1, '', 'dpkg-query: no packages found matching nope\n'],
  ])('%s', (line, exitCode, stdout, stderr) => {
    expect(run(line)).toEqual({ stdout, stderr, exitCode });
  });

  it('keeps the streams apart when only part of a command fails', () => {
    const result = run('cat /proc/sys/kernel/hostname /nope');

    expect(result).toEqual({ stdout: 'as7\n', stderr: 'cat: /nope: No such file or directory\n', exitCode: 1 });
  });

  it('gives standard input to cat', () => {
    expect(run('cat', 'hello').stdout).toBe('hello');
  });

  it('ends a command that takes longer than its timeout with 124', () => {
    expect(run('timeout 1 sudo -n mst start').exitCode).toBe(124);
    expect(run('timeout 5 sudo -n mst start').exitCode).toBe(0);
  });

  it('drops the channel of a host that is down', () => {
    const test = testRack();
    const host = test.rack.host('as7');
    const bootId = host.exec('ops', 'cat /proc/sys/kernel/random/boot_id').stdout;

    host.exec('ops', 'sudo -n reboot');
    expect(host.exec('ops', 'true')).toMatchObject({ exitCode: null, fault: 'drop' });
    test.advance(181_000);

    expect(host.exec('ops', 'cat /proc/sys/kernel/random/boot_id').stdout).not.toBe(bootId);
  });
});
