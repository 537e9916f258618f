import { describe, expect, it } from 'vitest';
import { openedRack, resetArm, testRack } from './helpers.ts';
import type { TestRack } from './helpers.ts';

const device = '/dev/rshim0/console';

interface Result {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

function host(test: TestRack, line: string): Result {
  const { stdout, stderr, exitCode, takesMs = 0 } = test.rack.host('as7').exec('ops', line);
  test.advance(takesMs);
  return { stdout, stderr, exitCode };
}

function arm(test: TestRack, line: string): Result {
  const { stdout, stderr, exitCode } = test.card.armExec('ubuntu', line);
  return { stdout, stderr, exitCode };
}

/** Somebody at the console, over SSH. */
function reader(test: TestRack, line = `sudo -n socat - ${device},rawer,echo=0`) {
  let text = '';
  const take = (bytes: string): void => void (text += bytes);
  const program = test.rack.host('as7').start('ops', line, { stdout: take, stderr: take });
  if (program === null) throw new Error('the host is down');
  test.rack.tick();
  return {
    type: (keys: string) => {
      program.write(keys);
      test.rack.tick();
    },
    hangUp: () => {
      program.hangUp();
      test.rack.tick();
    },
    ended: () => program.ended(),
    text: () => text,
  };
}

describe('fuser on a console', () => {
  it('says nothing and fails while nobody has it open, and names the reader: file to stderr, process to stdout', () => {
    const test = testRack();

    expect(host(test, `sudo -n fuser ${device}`)).toEqual({ stdout: '', stderr: '', exitCode: 1 });
    reader(test);

    const plain = host(test, `sudo -n fuser ${device}`);
    expect(plain).toMatchObject({ stderr: `${device}:\n`, exitCode: 0 });
    expect(plain.stdout).toMatch(/^ {1,5}\d+$/);
    expect(host(test, `sudo -n fuser -v ${device}`)).toEqual({
      stdout: plain.stdout,
      stderr: `                     USER        PID ACCESS COMMAND\n${device}: root      F.... socat\n`,
      exitCode: 0,
    });
    expect(host(test, `sudo -n fuser -s ${device}`)).toEqual({ stdout: '', stderr: '', exitCode: 0 });
  });

  it('shows another user nothing of the processes of root', () => {
    const test = testRack();
    reader(test);

    expect(host(test, `fuser ${device}`)).toEqual({ stdout: '', stderr: '', exitCode: 1 });
  });

  it.each([
    ['fuser /dev/rshim9/console', 'Specified filename /dev/rshim9/console does not exist.\n'],
    [`fuser --nope ${device}`, /^fuser: Invalid option --nope\nUsage: fuser /],
    ['fuser', /^No process specification given\nUsage: fuser /],
  ])('refuses as psmisc does: %s', (line, stderr) => {
    const found = host(testRack(), line);

    expect(found).toMatchObject({ stdout: '', exitCode: 1 });
    expect(found.stderr).toMatch(stderr);
  });

  it('finds the one that console-stolen left there, and frees the console by ending it', () => {
    const test = testRack();
    test.rack.injectFault('console-stolen', { target: 'as7-dpu0' });

    expect(host(test, `sudo -n fuser -v ${device}`).stderr).toContain('screen');
    host(test, `sudo -n fuser -k ${device}`);

    expect(host(test, `sudo -n fuser ${device}`).exitCode).toBe(1);
    const free = reader(test);
    free.type('\r');
    expect(free.text()).toContain('localhost login: ');
  });
});

describe('socat on a console', () => {
  it.each(['rawer,echo=0', 'raw,echo=0,nonblock', 'b115200,rawer'])(
    'is silent, and answers Enter with the prompt: %s',
    (options) => {
      const test = testRack();
      const console = reader(test, `sudo -n socat - OPEN:${device},${options}`);

      expect(console.text()).toBe('');
      console.type('\r');

      expect(console.text()).toBe('\r\nUbuntu 22.04.5 LTS localhost hvc0\r\n\r\nlocalhost login: ');
    },
  );

  it('carries firmware, kernel and systemd while the Arm boots, in that order', () => {
    const test = openedRack();
    const console = reader(test, `sudo -n socat -u ${device},rawer -`);

    resetArm(test.card);
    test.advance(600_000);
    test.rack.tick();

    expect(console.text()).toMatch(
      /Press ESC twice[^]*EFI stub: Booting[^]*Linux version[^]*Multi-User System[^]*login: $/,
    );
  });

  it('keeps the console for half a second after its input has ended, and then lets it go', () => {
    const test = testRack();
    const console = reader(test);

    console.hangUp();
    expect(host(test, `sudo -n fuser ${device}`).exitCode).toBe(0);
    test.advance(600);
    test.rack.tick();

    expect(host(test, `sudo -n fuser ${device}`).exitCode).toBe(1);
    expect(console.ended()).toMatchObject({ exitCode: 0 });
  });

  it.each([
    [
      'socat - OPEN:/dev/rshim9/console,nonblock',
      'open("/dev/rshim9/console", 04002, 0666): No such file or directory',
    ],
    [`socat - ${device}`, `open("${device}", 02, 0666): Permission denied`],
    [`sudo -n socat - ${device},baud=9`, 'parseopts_table(): unknown option "baud"'],
    ['socat - /etc/hostname,rawer', /tcgetattr\(5, 0x\w+\): Inappropriate ioctl for device/],
    ['socat -', 'exactly 2 addresses required (there are 1); use option "-h" for help'],
  ])('refuses as socat 1.7.4 does: %s', (line, text) => {
    const { stderr, exitCode } = host(testRack(), line);

    expect(exitCode).toBe(1);
    const [, complaint = ''] = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d socat\[\d+\] E (.*)\n$/.exec(stderr) ?? [];
    if (typeof text === 'string') expect(complaint).toBe(text);
    else expect(complaint).toMatch(text);
  });
});

describe('what a person asks an Arm and its host', () => {
  it('tells the mode of the eSwitch of the Arm, and nothing of devices that are not there', () => {
    const test = testRack();

    expect(arm(test, 'sudo -n devlink dev eswitch show pci/0000:03:00.0').stdout).toBe(
      'pci/0000:03:00.0: mode switchdev inline-mode none encap-mode basic\n',
    );
    expect(arm(test, 'sudo -n devlink dev eswitch show pci/0000:99:00.0')).toMatchObject({
      stderr: 'devlink answers: No such device\n',
      exitCode: 1,
    });
  });

  it('shows of its file systems what is not left out, of the size of its own drive', () => {
    const { stdout } = arm(testRack(), 'df -P -k -x tmpfs -x devtmpfs -x squashfs -x efivarfs');

    const [head = '', ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^Filesystem +1024-blocks +Used +Available +Capacity +Mounted on$/);
    expect(rows.map((row) => row.split(/ +/).at(-1))).toEqual(['/', '/boot/efi']);
    expect(Number(rows[0]?.split(/ +/)[1])).toBe(119 * 1_048_576);
  });

  it('shows its memory and no huge pages', () => {
    const { stdout } = arm(testRack(), 'cat /proc/meminfo');

    expect(stdout).toMatch(/^MemTotal: {7}33554432 kB\n/);
    expect(stdout).toMatch(/^HugePages_Total: {7}0\n/m);
  });

  it('tells a port without a cable from one with a link', () => {
    const test = testRack();

    expect(arm(test, 'sudo -n ethtool p0').stdout).toMatch(/\tSpeed: 400000Mb\/s\n[^]*\tLink detected: yes\n$/);
    expect(arm(test, 'sudo -n ethtool p1').stdout).toMatch(
      /\tSpeed: Unknown!\n\tDuplex: Unknown! \(255\)\n[^]*\tLink detected: no \(No cable\)\n$/,
    );
  });

  it('keeps in its journal how the rshim driver started, in the format that is asked for', () => {
    const test = testRack();
    host(test, 'sudo -n systemctl restart rshim');

    expect(host(test, 'sudo -n journalctl --unit rshim --no-pager --lines 1 --output short-iso').stdout).toBe(
      '2026-09-01T12:00:00+0000 as7 rshim[881]: pcie-0000:e1:00.2 attached\n',
    );
    expect(host(test, 'journalctl -u rshim -n 1').stdout).toBe(
      'Sep 01 12:00:00 as7 rshim[881]: pcie-0000:e1:00.2 attached\n',
    );
  });
});
