/**
 * What a starting system prints on the console of the Arm.
 *
 * Source: EFI stub and arm64 kernel messages, systemd 249 status lines, console=hvc0 of NVIDIA's images.
 */
import type { CardState } from '../state.ts';

function systemdLine(text: string): string {
  return `[\u001b[0;32m  OK  \u001b[0m] ${text}\r\n`;
}

/** Kernel and systemd, up to the moment at which they wait for logins. */
export function kernelText(card: CardState): string {
  const { kernel } = card.armOs;
  return (
    'EFI stub: Booting Linux Kernel...\r\nEFI stub: Using DTB from configuration table\r\nEFI stub: Exiting boot services...\r\n' +
    `[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd421]\r\n[    0.000000] Linux version ${kernel} (buildd@bos03-arm64-031) (gcc 11.4.0)\r\n` +
    '[    3.412086] printk: console [hvc0] enabled\r\n[    6.901733] systemd[1]: Detected architecture arm64.\r\n' +
    systemdLine('Reached target \u001b[0;1;39mLocal File Systems\u001b[0m.') +
    systemdLine('Started \u001b[0;1;39mNetwork Service\u001b[0m.') +
    systemdLine('Started \u001b[0;1;39mOpenBSD Secure Shell server\u001b[0m.') +
    systemdLine('Reached target \u001b[0;1;39mMulti-User System\u001b[0m.')
  );
}
