/**
 * NVIDIA's firmware tools on a host: mst, flint, mlxfwmanager.
 *
 * Source: published `mst status -v`, `mlxfwmanager --query` and `flint q` output; mstflint sources.
 */
import { baseGuid, firmwarePartNumber } from '../identity.ts';
import type { Command, CommandContext, ExecResult } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import type { CardState } from '../state.ts';
import { cardFault, shownHardware } from '../state.ts';
import { portName } from './netdevs.ts';

/** MST name of a card's first function: the number counts BlueField-3 cards. */
function mstName(cardIndex: number): string {
  return `/dev/mst/mt41692_pciconf${cardIndex}`;
}

/** The card a `-d` argument means, or the tool's complaint. */
export function findDevice(
  context: CommandContext,
  name: string | undefined,
): { card: CardState; device: string } | ExecResult {
  if (name === undefined) return failed(1, '-E- Missing device argument (-d).\n');
  const started = context.machine.host?.mstStarted ?? true;
  for (const [index, card] of context.machine.cards.entries()) {
    const bus = card.hardware.pcie.address;
    const mst = [mstName(index), `${mstName(index)}.1`];
    const own = context.machine.kind === 'arm' ? '0000:03:00' : bus;
    const named =
      (started && mst.includes(name)) ||
      [0, 1].some((number) => name === `${own}.${number}` || name === `${own.slice(5)}.${number}`);
    if (!named) continue;
    // A wedged firmware answers nobody until the card loses its power.
    return cardFault(context.rack, card, 'firmware-wedged')
      ? failed(1, `-E- Cannot open Device: ${name}. FwInit has failed!\n`)
      : { card, device: name };
  }
  return failed(1, `-E- Cannot open Device: ${name}. No such file or directory. MFE_BAD_PARAMS\n`);
}

const moduleHead = 'MST modules:\n------------\n    MST PCI module is not loaded\n';

function mstTable(context: CommandContext): string {
  const pad = (values: string[]): string =>
    [24, 30, 10, 16, 40].map((width, index) => (values[index] ?? '').padEnd(width)).join('') + (values[5] ?? '');
  const rows = context.machine.cards.flatMap((card, index) =>
    [1, 0].map((port) =>
      pad([
        'BlueField3(rev:1)',
        `${mstName(index)}${port === 0 ? '' : '.1'}`,
        `${card.hardware.pcie.address.slice(5)}.${port}`,
        `mlx5_${index * 2 + port}`,
        `net-${portName(index, port)}`,
        String(card.hardware.pcie.numaNode),
      ]),
    ),
  );
  const title = pad(['DEVICE_TYPE', 'MST', 'PCI', 'RDMA', 'NET', 'NUMA']);
  return `PCI devices:\n------------\n${title}\n${rows.map((row) => `${row}\n`).join('')}\n`;
}

/** `mst start` and `mst status [-v]`. */
export const mst: Command = (context, args) => {
  const { host } = context.machine;
  if (!context.root) return failed(1, '-E- You must be root to use mst tool\n');
  if (host === null)
    return args[0] === 'start'
      ? ok('Starting MST (Mellanox Software Tools) driver set\n')
      : ok(`${moduleHead}    MST PCI configuration module loaded\n${mstTable(context)}`);
  if (args[0] === 'start' && args.length === 1) {
    const again = host.mstStarted;
    host.mstStarted = true;
    return {
      ...ok(
        'Starting MST (Mellanox Software Tools) driver set\n' +
          'Loading MST PCI module - Success\n' +
          (again
            ? '[warn] mst_pciconf is already loaded, skipping\n'
            : 'Loading MST PCI configuration module - Success\n') +
          'Create devices\n' +
          'Unloading MST PCI module (unused) - Success\n',
      ),
      takesMs: 2_000,
    };
  }
  if (args[0] !== 'status' || args.slice(1).some((arg) => arg !== '-v')) {
    return failed(
      1,
      'Usage:\n    mst {start|stop|status|remote|server|restart|save|load|rm|add|help|version|gearbox|cable} [-v]\n',
    );
  }
  if (!host.mstStarted) {
    return ok(
      `${moduleHead}    MST PCI configuration module is not loaded\n\nPCI Devices:\n------------\n\n\tNo devices were found.\n\n`,
    );
  }
  return ok(`${moduleHead}    MST PCI configuration module loaded\n${mstTable(context)}`);
};

function flintQuery(context: CommandContext, card: CardState): string {
  const { running, staged } = card.nicFirmware;
  const hardware = shownHardware(context.rack, card);
  const rows: [string, string][] = [
    ['Image type:', 'FS4'],
    ['FW Version:', staged ?? running],
    ...(staged === null ? [] : ([['FW Version(Running):', running]] satisfies [string, string][])),
    ['FW Release Date:', '31.10.2024'],
    ['Product Version:', staged ?? running],
    ['Rom Info:', 'type=UEFI Virtio net version=21.4.0013 cpu=AMD64,AARCH64'],
    ['', 'type=UEFI Virtio blk version=22.4.0013 cpu=AMD64,AARCH64'],
    ['', 'type=UEFI version=14.36.0016 cpu=AMD64,AARCH64'],
    ['', 'type=PXE version=3.7.0500 cpu=AMD64'],
    ['Description:', 'UID                GuidsNumber'],
    ['Base GUID:', `${baseGuid(hardware)}        38`],
    ['Base MAC:', `${hardware.baseMac.replaceAll(':', '')}            38`],
    ['Image VSID:', 'N/A'],
    ['Device VSID:', 'N/A'],
    ['PSID:', hardware.psid],
    ['Security Attributes:', 'secure-fw'],
  ];
  return rows.map(([label, value]) => `${label.padEnd(23)}${value}\n`).join('');
}

/** `flint -d DEV q`. */
export const flint: Command = (context, args) => {
  if (!context.root) return failed(1, '-E- Cannot open Device: permission denied. MFE_CR_ERROR\n');
  const at = args.indexOf('-d');
  const found = findDevice(context, at === -1 ? undefined : args[at + 1]);
  if ('exitCode' in found) return found;
  const rest = at === -1 ? args : [...args.slice(0, at), ...args.slice(at + 2)];
  if (rest.length === 1 && (rest[0] === 'q' || rest[0] === 'query')) return ok(flintQuery(context, found.card));
  return failed(1, `-E- Unknown command: ${rest.join(' ')}. For more information, please run flint -h|-hh|-help\n`);
};

function managerBlock(context: CommandContext, card: CardState, index: number): string {
  const hardware = shownHardware(context.rack, card);
  return (
    `Device #${index + 1}:\n----------\n\n` +
    '  Device Type:      BlueField3\n' +
    `  Part Number:      ${firmwarePartNumber(hardware.partNumber)}\n` +
    `  Description:      ${hardware.description}\n` +
    `  PSID:             ${hardware.psid}\n` +
    `  PCI Device Name:  ${context.machine.host?.mstStarted === true ? mstName(index) : `${hardware.pcie.address}.0`}\n` +
    `  Base MAC:         ${hardware.baseMac.replaceAll(':', '')}\n` +
    '  Versions:         Current        Available     \n' +
    `     FW             ${card.nicFirmware.running.padEnd(15)}N/A           \n` +
    '     PXE            3.7.0500       N/A           \n' +
    '     UEFI           14.36.0016     N/A           \n' +
    '     UEFI Virtio blk   22.4.0013      N/A           \n' +
    '     UEFI Virtio net   21.4.0013      N/A           \n\n' +
    '  Status:           No matching image found\n\n'
  );
}

/** `mlxfwmanager --query`. */
export const mlxfwmanager: Command = (context, args) => {
  if (!context.root) return failed(1, '-E- You must be root to use this tool\n');
  if (args.length !== 1 || args[0] !== '--query') {
    return failed(1, `-E- Unknown option: ${args.find((arg) => arg !== '--query') ?? ''}\n`);
  }
  const blocks = context.machine.cards.map((card, index) => managerBlock(context, card, index));
  return ok(`Querying Mellanox devices firmware ...\n\n${blocks.join('')}`);
};
