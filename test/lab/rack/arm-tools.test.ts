import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { openedRack, testRack } from './helpers.ts';
import type { TestRack } from './helpers.ts';

interface Result {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

function arm(test: TestRack, line: string, stdin = ''): Result {
  const { stdout, stderr, exitCode, takesMs = 0 } = test.card.armExec('ubuntu', line, stdin);
  test.advance(takesMs);
  return { stdout, stderr, exitCode };
}

describe('passwords on the Arm', () => {
  it('are changed with passwd by whoever knows the present one', () => {
    const test = testRack();
    arm(test, 'echo ubuntu:Kn0wn-Passw0rd | sudo -n chpasswd');

    const short = arm(test, 'passwd', 'Kn0wn-Passw0rd\nshort\nshort\n');
    const changed = arm(test, 'passwd', 'Kn0wn-Passw0rd\nAn0ther-Passw0rd\nAn0ther-Passw0rd\n');

    expect(short).toMatchObject({ exitCode: 10, stderr: expect.stringContaining('BAD PASSWORD: ') as string });
    expect(changed).toMatchObject({ exitCode: 0, stdout: 'Changing password for ubuntu.\n' });
    expect(changed.stderr).toMatch(/passwd: password updated successfully\n$/);
    expect(test.card.armLogin('ubuntu', 'An0ther-Passw0rd')).toBe('ok');
  });

  it('are set by root without the present one, and stay when the input ends', () => {
    const test = testRack();

    const ended = arm(test, 'sudo -n passwd ubuntu', 'Only-Once-2026\n');
    expect(ended).toMatchObject({
      exitCode: 10,
      stderr:
        'New password: Retype new password: Password change has been aborted.\npasswd: Authentication token manipulation error\npasswd: password unchanged\n',
    });
    arm(test, 'sudo -n passwd ubuntu', 'Tw1ce-the-same\nTw1ce-the-same\n');

    expect(test.card.armLogin('ubuntu', 'Tw1ce-the-same')).toBe('ok');
  });

  it.each(['passwd -e ubuntu', 'chage -d 0 ubuntu'])('are expired with %s', (line) => {
    const test = testRack();
    arm(test, 'echo ubuntu:Kn0wn-Passw0rd | sudo -n chpasswd');

    expect(arm(test, line).exitCode).toBe(1);
    expect(arm(test, `sudo -n ${line}`).exitCode).toBe(0);

    expect(test.card.armLogin('ubuntu', 'Kn0wn-Passw0rd')).toBe('expired');
  });
});

describe('going down', () => {
  it.each(['reboot', 'shutdown -r now', 'systemctl reboot'])('%s boots the Arm again', (line) => {
    const test = testRack();
    const before = test.card.armBootId();
    expect(arm(test, line)).toMatchObject({ exitCode: 1 });
    expect(test.card.armBootId()).toBe(before);

    expect(arm(test, `sudo -n ${line}`).exitCode).toBe(0);

    expect(test.card.armBootId()).not.toBe(before);
    expect(test.card.armIsUp()).toBe(false);
  });

  it('shutdown -r waits a minute unless told', () => {
    const test = testRack();
    const before = test.card.armBootId();

    const { stderr } = arm(test, 'sudo -n shutdown -r');
    expect(stderr).toBe("Reboot scheduled for Tue 2026-09-01 12:01:00 UTC, use 'shutdown -c' to cancel.\n");
    test.advance(59_000);
    test.rack.tick();
    expect(test.card.armBootId()).toBe(before);
    test.advance(2_000);
    test.rack.tick();

    expect(test.card.armBootId()).not.toBe(before);
  });

  it('shutdown -h now switches the Arm off', () => {
    const test = testRack();

    arm(test, 'sudo -n shutdown -h now');
    test.advance(300_000);

    expect(test.card.armIsUp()).toBe(false);
    expect(test.rack.snapshot().cards[0]?.arm.power).toBe('off');
  });

  it('on a host leaves the card and its mode alone', () => {
    const test = testRack();
    const [armBoot, hostBoot] = [test.card.armBootId(), test.rack.host('as7').bootId()];

    test.rack.host('as7').exec('ops', 'sudo -n shutdown -r now');
    test.advance(400_000);

    expect(test.rack.host('as7').bootId()).not.toBe(hostBoot);
    expect(test.card.armBootId()).toBe(armBoot);
  });
});

describe('bfrec', () => {
  it.each([
    ['sudo -n bfrec --bootctl', 1, 'ERROR: need to use capsule when UEFI secure boot PK key is enrolled\n'],
    ['sudo -n bfrec --capsule /nope', 1, 'cannot find file /nope\n'],
    ['sudo -n bfrec --capsule a b', 1, "too many arguments with option '--capsule'\n"],
  ])('%s is refused', (line, exitCode, stdout) => {
    expect(arm(testRack(), line)).toMatchObject({ exitCode, stdout });
  });

  it('with another capsule leaves the UEFI password alone', () => {
    const test = testRack();
    test.rack.injectFault('uefi-password-lost', { target: 'as7-dpu0' });

    expect(arm(test, 'sudo -n bfrec --capsule').exitCode).toBe(0);
    test.card.resetArm();
    test.advance(100_000);

    expect(test.rack.snapshot().cards[0]?.uefi.password).not.toBe('bluefield');
  });
});

describe('bfvcheck', () => {
  it('finds no issue on a stock card', () => {
    const result = arm(testRack(), 'sudo -n bfvcheck');

    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(/^Beginning version check\.\.\.\n\n-RECOMMENDED VERSIONS-\nATF: v2\.2/);
    expect(result.stdout).toMatch(/-INSTALLED VERSIONS-\n[^]*\nVersion check complete\.\nNo issues found\.\n$/);
  });

  it('warns about firmware that waits for a power cycle', () => {
    const layout = variations.noCrypto();
    for (const card of layout.hosts.flatMap(({ cards }) => cards)) card.nicFirmware = '32.41.1000';

    const result = arm(testRack(layout), 'sudo -n bfvcheck');

    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain('WARNING: FW VERSION DOES NOT MATCH RECOMMENDED!');
  });
});

describe('what the probes look at', () => {
  it.each([
    ['systemctl --failed', '  UNIT LOAD ACTIVE SUB DESCRIPTION\n0 loaded units listed.\n'],
    ['systemctl list-units --failed --no-legend', ''],
    ['sudo -n ip xfrm state', ''],
    ['sudo -n ip xfrm state count', '\t SAD count 0\n'],
    ['sudo -n swanctl --list-sas', ''],
    ['sudo -n swanctl --list-sas --raw', 'list-sas reply {}\n'],
    ['sudo -n ovs-appctl dpctl/dump-flows -m type=offloaded', ''],
    ['sudo -n ovs-vsctl get Open_vSwitch . other_config:hw-offload', '"true"\n'],
    ['sudo -n ovs-vsctl list-br', 'ovsbr1\novsbr2\n'],
  ])('%s says what a card without traffic says', (line, stdout) => {
    expect(arm(openedRack(), line)).toEqual({ stdout, stderr: '', exitCode: 0 });
  });

  it("lets charon's own sockets past IPsec, and has no other policy", () => {
    const lines = arm(openedRack(), 'sudo -n ip -s xfrm policy')
      .stdout.split('\n')
      .filter((line) => line !== '');

    expect(lines).toHaveLength(16);
    for (const [at, line] of lines.entries())
      expect(line).toMatch(
        at % 2 === 0 ? /^src (0\.0\.0\.0|::)\/0 dst (0\.0\.0\.0|::)\/0 $/ : /^\tsocket (in|out) priority 0/,
      );
  });

  it('needs root for what the kernel and the daemons keep to themselves', () => {
    const test = testRack();

    expect(arm(test, 'ip xfrm state')).toMatchObject({
      exitCode: 1,
      stderr: 'RTNETLINK answers: Operation not permitted\nDump terminated\n',
    });
    expect(arm(test, 'swanctl --list-sas').exitCode).toBe(13);
    expect(arm(test, 'ovs-vsctl show').exitCode).toBe(1);
  });

  it('has no bridges on a storage controller', () => {
    expect(arm(openedRack(variations.controllerSku()), 'sudo -n ovs-vsctl list-br').stdout).toBe('');
  });

  it('counts memory in columns that end where procps ends them', () => {
    const lines = arm(testRack(), 'free -m').stdout.split('\n');

    expect(lines[0]).toBe('               total        used        free      shared  buff/cache   available');
    expect(lines[1]).toMatch(/^Mem: +32768( +\d+){5}$/);
    expect(lines[1]).toHaveLength(80);
    expect(lines[2]).toMatch(/^Swap:( +0){3}/);
  });

  it('shows the counters of a port with those of IPsec', () => {
    const { stdout } = arm(testRack(), 'ethtool -S p0');

    expect(stdout).toMatch(/^NIC statistics:\n/);
    expect(stdout).toContain('     ipsec_rx_pkts: 0\n');
    expect(arm(testRack(), 'ethtool -S nope').exitCode).toBe(75);
  });
});
