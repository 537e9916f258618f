import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstallerLog } from '../../../src/facts/installer-log.ts';
import {
  closeInstallerLog,
  emptyInstallerLog,
  feedInstallerLog,
  judgeInstallerLog,
} from '../../../src/facts/installer-log.ts';
import { fixture } from '../../support/fixture.ts';

const situations = [
  'success-with-pv',
  'success-without-pv',
  'push-timed-out',
  'device-busy',
  'no-rshim-device',
  'no-target-disk',
  'critical-error',
  'crash-in-bl31',
  'no-vlan-4040',
  'bmc-token-refused',
  'bmc-restarts-first',
  'truncated',
  'old-system-came-up',
] as const;

function read(...pieces: readonly string[]): InstallerLog {
  return closeInstallerLog(pieces.reduce(feedInstallerLog, emptyInstallerLog));
}

function logOf(situation: (typeof situations)[number]): InstallerLog {
  return read(fixture(`bfb-install/${situation}.txt`));
}

describe('the verdict on a log of bfb-install', () => {
  it.each([
    ['success-with-pv', 'finished', undefined],
    ['success-without-pv', 'finished', undefined],
    ['push-timed-out', 'push-failed', 'cat: write error: Connection timed out'],
    ['device-busy', 'push-failed', 'sh: 1: cannot create /dev/rshim0/boot: Device or resource busy'],
    ['no-rshim-device', 'push-failed', 'Error: /dev/rshim0 is not a valid rshim device.'],
    ['no-target-disk', 'installer-failed', 'ERR[MISC]: Failed to access target device: /dev/nvme0n1'],
    ['critical-error', 'installer-failed', 'ERR[MISC]: CRITICAL ERROR: image.tar.xz is corrupted'],
    ['crash-in-bl31', 'installer-failed', 'PANIC(BL31): PC = 0x40001f30'],
    ['no-vlan-4040', 'finished', undefined],
    ['bmc-token-refused', 'finished', undefined],
    ['bmc-restarts-first', 'open', undefined],
    ['truncated', 'open', undefined],
    ['old-system-came-up', 'open', undefined],
  ] as const)('of %s is %s', (situation, kind, line) => {
    const verdict = judgeInstallerLog(logOf(situation));

    expect(verdict.kind).toBe(kind);
    if (line !== undefined) expect(verdict).toMatchObject({ line });
  });

  it('names what went wrong on the BMC side apart, for the profile to judge', () => {
    expect(logOf('no-vlan-4040').bmcProblems).toEqual([
      'ERR[MISC]: Failed to create VLAN.',
      'WARN[MISC]: Skipping BMC components upgrade.',
    ]);
    expect(logOf('success-with-pv').bmcProblems).toEqual([]);
  });

  it('does not take "Rebooting BMC..." for the end', () => {
    const log = logOf('bmc-restarts-first');

    expect(log).toMatchObject({ bmcRebooting: true, rebooting: false, finished: false });
  });

  it('is a failure when the card restarts without having finished', () => {
    const text = fixture('bfb-install/success-with-pv.txt').replace('Installation finished', 'Something else');

    expect(judgeInstallerLog(read(text)).kind).toBe('installer-failed');
  });

  it('does not take an error of another module for one of the installer', () => {
    const text = ` ERR[UEFI]: PXE failed\n${fixture('bfb-install/success-with-pv.txt')}`;

    expect(judgeInstallerLog(read(text)).kind).toBe('finished');
  });

  it('is that nothing was sent when our own look right before the push says so', () => {
    const line = 'rshim0 was pcie-0000:e1:00.2 and is gone now';

    expect(judgeInstallerLog(read(`dpubot: ${line}\n`))).toEqual({ kind: 'not-begun', line });
  });

  it('is that the push failed when a file could not be read to its end', () => {
    const line = 'cat: /run/dpubot/MT2334XZ0ABC.cfg: No such file or directory';
    const text = fixture('bfb-install/success-with-pv.txt').replace('Collecting', `${line}\nCollecting`);

    expect(judgeInstallerLog(read(text))).toEqual({ kind: 'push-failed', line });
  });

  it('tells an error that ends all from one after which the installer may go on', () => {
    expect(logOf('no-target-disk').fatal).toBe(true);
    expect(logOf('critical-error').fatal).toBe(true);
    expect(logOf('crash-in-bl31').fatal).toBe(true);
    expect(read(' ERR[MISC]: Failed to set the boot order\n')).toMatchObject({ fatal: false });
  });

  it('forgets a system that was up before the installation ended, and knows Linux up from ready', () => {
    const before = ' INFO[MISC]: DPU is ready\n';
    const text = fixture('bfb-install/success-without-pv.txt');

    expect(read(before, text)).toMatchObject({ finished: true, up: false, ready: false });
    expect(read(text, ' INFO[MISC]: Linux up\n')).toMatchObject({ up: true, ready: false });
    expect(read(text, ' INFO[MISC]: Linux up\n INFO[MISC]: DPU is ready\n')).toMatchObject({ up: true, ready: true });
  });

  it('keeps what a restart has still to make active', () => {
    const line = 'INFO[MISC]: CEC firmware was updated to 00.02.0182. Host power cycle is required';

    expect(read(` ${line}\n`).notes).toEqual([line]);
  });
});

describe('progress in a log of bfb-install', () => {
  it('counts what pv has counted, with its rate', () => {
    expect(logOf('success-with-pv')).toMatchObject({
      pushedBytes: Math.round(1.41 * 1024 ** 3),
      bytesPerSecond: Math.round(11.7 * 1024 ** 2),
      push: 'ended',
      phase: 'Rebooting...',
    });
  });

  it('invents no bytes without pv', () => {
    expect(logOf('success-without-pv').pushedBytes).toBeUndefined();
  });

  it.each([
    [' 612KiB 0:00:01 [ 612KiB/s] [<=>  ]', 612 * 1024],
    ['0.00 B 0:00:00 [0.00 B/s] [<=>  ]', 0],
    ['2,71GiB 0:03:51 [98,8MiB/s] [ <=> ]', Math.round(2.71 * 1024 ** 3)],
  ])('reads %j', (line, bytes) => {
    expect(read(`Pushing bfb + cfg\r\n${line}\r`)).toMatchObject({ pushedBytes: bytes, push: 'running' });
  });

  it('sees through the colours of a terminal', () => {
    const text = '\u001b[32m INFO[MISC]: Installation finished\u001b[0m\r\n';

    expect(read(text)).toMatchObject({ finished: true, tail: [' INFO[MISC]: Installation finished'] });
  });

  it('keeps the last lines, without those of pv', () => {
    const { tail } = logOf('success-with-pv');

    expect(tail.at(-1)).toBe(' INFO[MISC]: Rebooting...');
    expect(tail.length).toBeLessThanOrEqual(40);
    expect(tail.join('\n')).not.toContain('MiB/s');
  });
});

describe('reading a log of bfb-install', () => {
  const cuts = fc.array(fc.nat(6_000), { maxLength: 30 }).map((all) => all.toSorted((a, b) => a - b));

  it.each(situations)('%s means the same in any pieces', (situation) => {
    const text = fixture(`bfb-install/${situation}.txt`);
    const whole = read(text);

    fc.assert(
      fc.property(cuts, (at) => {
        const pieces = [0, ...at].map((from, index) => text.slice(from, [...at, text.length][index]));
        expect(read(...pieces)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('never throws and never grows without limit, whatever comes', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ' ERR[MISC]: ',
        '\r',
        '\n',
        ' INFO[',
        '\u001b[',
        'PANIC(',
        '9'.repeat(5_000),
        'GiB 0:00:01 [1B/s]',
      ),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 60 }), (pieces) => {
        const log = read(...pieces);
        const text = pieces.join('');

        expect(log).toEqual(read(text));
        expect(log.tail.length).toBeLessThanOrEqual(40);
        for (const line of log.tail) expect(line.length).toBeLessThanOrEqual(2_000);
      }),
    );
  });
});
