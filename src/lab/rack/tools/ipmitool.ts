/**
 * `ipmitool` on the Arm: the BMC's address, its root password, its event log, its reset and its way back to the factory.
 *
 * Source: ipmitool 1.8.19 lib/ipmi_user.c, ipmi_lanp.c, ipmi_mc.c, ipmi_raw.c, ipmi_main.c; glibc getpass(3);
 * phosphor-host-ipmid apphandler.cpp (self-test: 56h, not implemented); BlueField BMC manual (raw 0x32 0x66 marks the
 * factory reset, which happens at the next restart of the BMC).
 */
import { setPasswordByIpmi } from '../accounts.ts';
import { resetBmc } from '../card-clock.ts';
import { cardMacs } from '../identity.ts';
import { complain, out, readLine } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import type { CardState, Rack } from '../state.ts';

const shortStoreBytes = 16;
const longStoreBytes = 20;

function lanPrint(rack: Rack, card: CardState): string {
  const rows: [string, string][] = [
    ['Set in Progress', 'Set Complete'],
    ['Auth Type Support', ''],
    ['Auth Type Enable', 'Callback : '],
    ['', 'User     : '],
    ['', 'Operator : '],
    ['', 'Admin    : '],
    ['', 'OEM      : '],
    ['IP Address Source', 'DHCP Address'],
    ['IP Address', card.hardware.bmc.address],
    ['Subnet Mask', '255.255.255.0'],
    ['MAC Address', cardMacs(card.hardware).bmc],
    ['Default Gateway IP', rack.state.management.gateway],
    ['Default Gateway MAC', '00:00:00:00:00:00'],
    ['802.1q VLAN ID', 'Disabled'],
    ['RMCP+ Cipher Suites', '17'],
    ['Cipher Suite Priv Max', 'Not Available'],
    ['Bad Password Threshold', 'Not Available'],
  ];
  return rows.map(([label, value]) => `${label.padEnd(24)}: ${value}\n`).join('');
}

function selText(card: CardState): string {
  const lines = card.bmc.sel.map(({ id, createdAtMs, sensor, direction }) => {
    const stamp = new Date(createdAtMs).toISOString();
    const [, year = '', month = '', day = '', time = ''] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(stamp) ?? [];
    const end = direction === 'low' ? 'low  | Asserted' : 'high | Deasserted';
    return `${String(id).padStart(4)} | ${month}/${day}/${year} | ${time} | Voltage ${sensor} | Lower Non-critical going ${end}\n`;
  });
  return lines.length === 0 ? 'SEL has no entries\n' : lines.join('');
}

/** The first line of the complaint; the list of commands that follows it is left out. */
function unknownCommand([command = '', subcommand = '']: readonly string[]): string {
  if (command === '') return 'No command provided!\n';
  if (command === 'mc')
    return subcommand === '' ? 'Not enough parameters given.\n' : `Invalid mc/bmc command: ${subcommand}\n`;
  if (command === 'lan' && subcommand !== '') return `Invalid LAN command: ${subcommand}\n`;
  return `Invalid command: ${command}\n`;
}

function fail(frame: Frame, text: string): number {
  complain(frame, text);
  return 1;
}

/** What getpass reads: a line of the terminal or, without one, of standard input; nothing at its end. */
function* askPassword(frame: Frame, userId: string): Steps<string> {
  complain(frame, `Password for user ${userId}: `);
  const answer = yield* readLine(frame);
  return answer?.line.replace(/\r$/, '') ?? '';
}

/** `user set password ID [PASSWORD [16|20]]`. */
function* setPassword(frame: Frame, card: CardState, words: readonly string[]): Steps<number> {
  const [userId = '', given, length] = words;
  let password = given ?? '';
  if (given === undefined) {
    // Both answers go into the one buffer of getpass, so that they are always the same: the second one counts.
    yield* askPassword(frame, userId);
    password = yield* askPassword(frame, userId);
  }
  const bytes = Buffer.byteLength(password, 'latin1');
  const store = length === undefined ? (bytes > shortStoreBytes ? longStoreBytes : shortStoreBytes) : Number(length);
  if (store !== shortStoreBytes && store !== longStoreBytes)
    return fail(frame, `Invalid password length '${length ?? ''}'\n`);
  if (bytes > store) return fail(frame, `Password is too long (> ${store} bytes)\n`);
  if (userId !== '1' || bytes === 0) return fail(frame, `Set User Password command failed (user ${userId})\n`);
  setPasswordByIpmi(frame.rack, card, password);
  out(frame, `Set User Password command successful (user ${userId})\n`);
  return 0;
}

/** `raw NETFN CMD [DATA...]`. */
function raw(frame: Frame, card: CardState, words: readonly string[]): number {
  const [netfn = NaN, command = NaN, ...data] = words.map(Number);
  if (netfn === 0x32 && command === 0x66 && data.length === 0) {
    card.bmc.factoryResetWanted = true;
    out(frame, '\n');
    return 0;
  }
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return fail(
    frame,
    `Unable to send RAW command (channel=0x0 netfn=${hex(netfn)} lun=0x0 cmd=${hex(command)} rsp=0xc1): Invalid command\n`,
  );
}

/** The program; it needs root, as /dev/ipmi0 does. */
export const ipmitool: Program = function* program(frame, args) {
  const { rack, root } = frame;
  const { card } = frame.machine;
  if (!root || card === null)
    return fail(
      frame,
      'Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: No such file or directory\n',
    );
  const words = args[0] === '-I' && args[1] === 'open' ? args.slice(2) : args;
  if (words[0]?.startsWith('-')) return fail(frame, `ipmitool: invalid option -- '${words[0].slice(1, 2)}'\n`);
  if (rack.nowMs() < card.bmc.downUntilMs) return fail(frame, 'Get Device ID command failed: Node busy\n');
  if (words.slice(0, 3).join(' ') === 'user set password' && words.length > 3)
    return yield* setPassword(frame, card, words.slice(3));
  if (words[0] === 'raw' && words.length > 2) return raw(frame, card, words.slice(1));
  switch (words.join(' ')) {
    case 'lan print':
    case 'lan print 1':
      out(frame, lanPrint(rack, card));
      return 0;
    case 'sel list':
      out(frame, selText(card));
      return 0;
    case 'mc reset cold':
      out(frame, 'Sent cold reset command to MC\n');
      resetBmc(rack, card);
      return 0;
    case 'mc selftest':
      // The answer of each OpenBMC; the tool takes it for a failure.
      out(frame, 'Selftest: not implemented\n');
      return 1;
    default:
      return fail(frame, unknownCommand(words));
  }
};
