/** What stands at the end of a console, as far as it can be recognised. */
export interface ConsoleState {
  readonly kind:
    | 'silent'
    | 'login'
    | 'password'
    | 'password-change'
    | 'shell'
    | 'emergency'
    | 'uefi-shell'
    | 'uefi'
    | 'grub'
    | 'kernel-panic'
    | 'installer'
    | 'booting'
    | 'unclear';
  readonly summary: string;
  readonly warning?: string;
}

type Rule = readonly [ConsoleState['kind'], RegExp, string, string?];

const panicText = 'The kernel of the card has panicked.';

/**
 * By the last line, where a prompt stands. Trailing blanks are gone there. Source: agetty(8), login(1), pam_unix(8), bash(1),
 * EDK2 shell, GRUB manual, initramfs-tools, systemd emergency mode.
 */
const atLastLine: readonly Rule[] = [
  [
    'password-change',
    /(?:^|\s)(?:current|new|retype new|enter new|re-enter new)(?: unix)? password:$/i,
    'Somebody is asked for a new password: the login stands in the middle of that.',
    'Whoever types next answers the question.',
  ],
  ['password', /^password:(?: \[redacted\])?$/i, 'Somebody has begun to log in: it asks for the password.'],
  ['login', /\blogin:(?: \S{1,40})?$/, 'It waits for a login.'],
  [
    'grub',
    /^grub(?: rescue)?>$/,
    'GRUB waits for a command: no system was started.',
    'The boot loader found nothing to start.',
  ],
  [
    'uefi-shell',
    /^(?:shell|fs\d+:[^>]*)>$/i,
    'The UEFI shell waits for a command: no system was started.',
    'There is no boot entry that works; flash the card or choose the disk in the boot manager.',
  ],
  [
    'emergency',
    /^\(initramfs\)$|^(?:give root password for maintenance|\(or press control-d to continue\):?)/i,
    'The system has stopped half-way through its start.',
    'A file system or a device is missing.',
  ],
  [
    'shell',
    /(?:^|\s)\[?[a-z_][\w-]*@[\w.-]+[^\n]{0,80}[#$]$|^(?:ba)?sh-[\d.]+[#$]$|^[#$]$/,
    'A shell is open: somebody is logged in.',
    'Whoever opens the console next has that shell; log out when you are done.',
  ],
];

/** By what was said lately, where no prompt stands. Source: kernel/panic.c; Mellanox bfb-build; EDK2. */
const lately: readonly Rule[] = [
  ['kernel-panic', /Kernel panic - not syncing/, panicText, 'A restart of the Arm may help; the lines before say why.'],
  [
    'uefi-shell',
    /^Press ESC in \d+ seconds to skip startup\.nsh|^UEFI Interactive Shell/,
    'UEFI is starting its shell.',
    'No system was started.',
  ],
  ['grub', /^\s*GNU GRUB\s+version/, 'GRUB shows its menu.'],
  [
    'installer',
    /BFB-Installer:|(?:Ubuntu|DPU OS) installation started|Installing OS image/,
    'An installation is running.',
  ],
  [
    'uefi',
    /No BootOrder is set; firmware will attempt recovery|Press\s+(?:ESC|F2|DEL)\b.*(?:Setup|menu)/i,
    'UEFI is starting.',
  ],
  [
    'booting',
    /^\[ *\d+\.\d{6}\]|^(?:\[ {2}OK {2}\]|\[FAILED\])|Starting kernel|EFI stub:|^(?:NOTICE|INFO|ERROR): {2}BL/,
    'A system is starting.',
  ],
];

const lookedAt = 40;

/** Recognises the state that a console is in. Pure; lines as a terminal shows them. */
export function consoleStateOf(lines: readonly string[]): ConsoleState {
  const said = lines.filter((line) => line.trim() !== '').slice(-lookedAt);
  const last = said.at(-1)?.trim();
  if (last === undefined) return { kind: 'silent', summary: 'The console says nothing.' };
  const prompt = atLastLine.find(([, pattern]) => pattern.test(last));
  if (prompt !== undefined) return stateOf(prompt);
  const recent = lately.find(([, pattern]) => said.some((line) => pattern.test(line)));
  return recent === undefined
    ? { kind: 'unclear', summary: `It said last: "${last.slice(0, 200)}".` }
    : stateOf(recent);
}

function stateOf([kind, , summary, warning]: Rule): ConsoleState {
  return warning === undefined ? { kind, summary } : { kind, summary, warning };
}
