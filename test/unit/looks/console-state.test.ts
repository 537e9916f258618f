import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consoleStateOf } from '../../../src/looks/console-state.ts';

describe('the state of a console', () => {
  it.each([
    ['silent', ''],
    ['silent', '\n\n'],
    ['login', 'Ubuntu 22.04.5 LTS localhost hvc0\n\nlocalhost login:'],
    ['login', 'localhost login: ubu'],
    ['password', 'localhost login: ubuntu\nPassword:'],
    ['password', 'localhost login: ubuntu\nPassword: [redacted]'],
    ['password-change', 'You are required to change your password immediately\nCurrent password:'],
    ['password-change', 'Current password:\nNew password:'],
    ['password-change', 'Retype new password:'],
    ['shell', 'Last login: Tue\nubuntu@localhost:~$'],
    ['shell', '[root@dpu-07 ~]#'],
    ['shell', 'bash-5.1#'],
    ['shell', 'Kernel panic - not syncing: old story\nlogin: ubuntu\nubuntu@localhost:~$'],
    ['uefi-shell', 'Shell>'],
    ['uefi-shell', 'UEFI Interactive Shell v2.2\nEDK II\nFS0:\\>'],
    ['uefi-shell', 'Press ESC in 5 seconds to skip startup.nsh or any other key to continue.'],
    ['grub', 'grub>'],
    ['grub', 'grub rescue>'],
    ['grub', '      GNU GRUB  version 2.06\n *Ubuntu'],
    ['emergency', 'Begin: Running /scripts/local-block ...\n(initramfs)'],
    [
      'kernel-panic',
      '[    3.2] VFS: Cannot open root device\n[    3.3] Kernel panic - not syncing: VFS: Unable to mount root fs\n[    3.4] ---[ end',
    ],
    ['installer', '[12:01:07] BFB-Installer: Installing DPU OS passed, total 78% complete'],
    ['uefi', 'No BootOrder is set; firmware will attempt recovery'],
    ['booting', '[    0.000000] Booting Linux on physical CPU 0x0000000000'],
    ['booting', '[  OK  ] Started OpenSSH server'],
    ['unclear', 'something else entirely'],
  ])('is %s for %j', (kind, text) => {
    expect(consoleStateOf(text.split('\n')).kind).toBe(kind);
  });

  it('warns of a shell that somebody left open', () => {
    expect(consoleStateOf(['root@localhost:~#'])).toMatchObject({
      summary: 'A shell is open: somebody is logged in.',
      warning: expect.stringContaining('log out') as string,
    });
  });

  it('forgets a panic that a login prompt has followed', () => {
    expect(consoleStateOf(['[    3.3] Kernel panic - not syncing: x', 'localhost login:']).kind).toBe('login');
  });

  it('has a sentence for any lines, and a short one', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 400 }), { maxLength: 60 }), (lines) => {
        const { summary } = consoleStateOf(lines);
        expect(summary.length).toBeGreaterThan(0);
        expect(summary.length).toBeLessThan(260);
      }),
    );
  });
});
