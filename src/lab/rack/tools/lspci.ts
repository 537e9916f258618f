/**
 * `lspci` with the flags -D -n -nn -d -s -k -v -vv -vvv.
 *
 * Source: pciutils 3.7.0 lspci.c, ls-caps.c, ls-vpd.c.
 */
import type { Command, CommandContext, ExecResult } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { linkState, pciDevices, vitalProductData } from './pci.ts';
import type { LinkState, PciDevice } from './pci.ts';

interface Options {
  domain: boolean;
  numeric: 0 | 1 | 2;
  verbose: number;
  kernel: boolean;
  filters: ((device: PciDevice) => boolean)[];
}

const usage =
  'Usage: lspci [<switches>]\n\nBasic display modes:\n-mm\t\tProduce machine-readable output (single -m for an obsolete format)\n-t\t\tShow bus tree\n';

function usageError(text: string): ExecResult {
  return failed(1, `lspci: ${text}\n${usage}`);
}

function idFilter(value: string): ((device: PciDevice) => boolean) | null {
  const match = /^([0-9a-f]{1,4}|\*)?:([0-9a-f]{1,4}|\*)?(?::([0-9a-f]{1,4}|\*)?)?$/i.exec(value);
  if (match === null) return null;
  const same = (wanted: string | undefined, is: string): boolean =>
    wanted === undefined || wanted === '*' || Number.parseInt(wanted, 16) === Number.parseInt(is, 16);
  const [, vendor, deviceId, classId] = match;
  return (device) => same(vendor, device.vendorId) && same(deviceId, device.deviceId) && same(classId, device.classId);
}

function slotFilter(value: string): ((device: PciDevice) => boolean) | null {
  const match = /^(?:(?:([0-9a-f]{1,4}|\*)?:)?([0-9a-f]{1,2}|\*)?:)?([0-9a-f]{1,2}|\*)?(?:\.([0-7]|\*)?)?$/i.exec(
    value,
  );
  if (match === null) return null;
  return ({ address }) => {
    const parts = /^(\w+):(\w+):(\w+)\.(\d)$/.exec(address);
    return [1, 2, 3, 4].every((index) => {
      const wanted = match[index];
      return (
        wanted === undefined ||
        wanted === '*' ||
        Number.parseInt(wanted, 16) === Number.parseInt(parts?.[index] ?? '', 16)
      );
    });
  };
}

/** Apply one flag; gives an error or how many further arguments it took. */
function readFlag(options: Options, flag: string, value: string | undefined): ExecResult | 'plain' | 'value' {
  switch (flag) {
    case 'D':
      options.domain = true;
      return 'plain';
    case 'n':
      options.numeric = options.numeric === 0 ? 1 : 2;
      return 'plain';
    case 'v':
      options.verbose += 1;
      return 'plain';
    case 'k':
      options.kernel = true;
      return 'plain';
    case 'd':
    case 's': {
      if (value === undefined) return usageError(`option requires an argument -- '${flag}'`);
      const filter = flag === 'd' ? idFilter(value) : slotFilter(value);
      if (filter === null) return failed(1, `lspci: -${flag}: Invalid ${flag === 'd' ? 'ID' : 'slot'} "${value}"\n`);
      options.filters.push(filter);
      return 'value';
    }
    default:
      return usageError(`invalid option -- '${flag}'`);
  }
}

function parse(args: string[]): Options | ExecResult {
  const options: Options = { domain: false, numeric: 0, verbose: 0, kernel: false, filters: [] };
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (!arg.startsWith('-') || arg === '-' || arg.startsWith('--')) return failed(1, usage);
    for (let index = 1; index < arg.length; index += 1) {
      const attached = arg.slice(index + 1);
      const outcome = readFlag(options, arg.charAt(index), attached === '' ? args[at + 1] : attached);
      if (typeof outcome !== 'string') return outcome;
      if (outcome === 'value') {
        if (attached === '') at += 1;
        break;
      }
    }
  }
  return options;
}

function headLine(device: PciDevice, options: Options, showDomain: boolean): string {
  const address = showDomain ? device.address : device.address.slice(5);
  const ids = `${device.vendorId}:${device.deviceId}`;
  const name = `${device.vendorName} ${device.deviceName}`;
  const what =
    options.numeric === 1
      ? `${device.classId}: ${ids}`
      : options.numeric === 2
        ? `${device.className} [${device.classId}]: ${name} [${ids}]`
        : `${device.className}: ${name}`;
  return `${address} ${what} (rev ${device.revision})\n`;
}

function linkText(link: LinkState): string {
  const speed = `${link.speedGts}GT/s${link.speedGts < link.capableGts ? ' (downgraded)' : ''}`;
  const width = `x${link.width}${link.width < link.capableWidth ? ' (downgraded)' : ''}`;
  return `Speed ${speed}, Width ${width}`;
}

function expressCapability(link: LinkState): string[] {
  return [
    '\tCapabilities: [60] Express (v2) Endpoint, MSI 00',
    '\t\tDevCap:\tMaxPayload 512 bytes, PhantFunc 0, Latency L0s unlimited, L1 unlimited',
    '\t\t\tExtTag+ AttnBtn- AttnInd- PwrInd- RBE+ FLReset+ SlotPowerLimit 75.000W',
    '\t\tDevCtl:\tCorrErr+ NonFatalErr+ FatalErr+ UnsupReq-',
    '\t\t\tRlxdOrd+ ExtTag+ PhantFunc- AuxPwr- NoSnoop+ FLReset-',
    '\t\t\tMaxPayload 512 bytes, MaxReadReq 512 bytes',
    '\t\tDevSta:\tCorrErr- NonFatalErr- FatalErr- UnsupReq- AuxPwr- TransPend-',
    `\t\tLnkCap:\tPort #0, Speed ${link.capableGts}GT/s, Width x${link.capableWidth}, ASPM not supported`,
    '\t\t\tClockPM- Surprise- LLActRep- BwNot- ASPMOptComp+',
    '\t\tLnkCtl:\tASPM Disabled; RCB 64 bytes, Disabled- CommClk+',
    '\t\t\tExtSynch- ClockPM- AutWidDis- BWInt- AutBWInt-',
    `\t\tLnkSta:\t${linkText(link)}`,
    '\t\t\tTrErr- Train- SlotClk+ DLActive- BWMgmt- ABWMgmt-',
  ];
}

function vpdCapability(context: CommandContext, device: PciDevice): string[] {
  const vpd = vitalProductData(context.rack, device);
  if (vpd === null) return [];
  return [
    '\tCapabilities: [48] Vital Product Data',
    `\t\tProduct Name: ${vpd.product}`,
    '\t\tRead-only fields:',
    ...vpd.fields.map(([keyword, label, value]) => `\t\t\t[${keyword}] ${label}: ${value}`),
    '\t\tEnd',
  ];
}

function capabilities(context: CommandContext, device: PciDevice, options: Options): string[] {
  if (!context.root) return ['\tCapabilities: <access denied>'];
  if (device.card === null) return ['\tCapabilities: [40] Power Management version 3'];
  if (options.verbose === 1) {
    return [
      '\tCapabilities: [60] Express Endpoint, MSI 00',
      ...(device.functionNumber > 1 ? [] : ['\tCapabilities: [48] Vital Product Data']),
      '\tCapabilities: [9c] MSI-X: Enable+ Count=64 Masked-',
      '\tCapabilities: [40] Power Management version 3',
    ];
  }
  return [
    ...expressCapability(linkState(context.rack, device.card)),
    ...vpdCapability(context, device),
    '\tCapabilities: [9c] MSI-X: Enable+ Count=64 Masked-',
    '\t\tVector table: BAR=0 offset=00002000',
    '\t\tPBA: BAR=0 offset=00003000',
    '\tCapabilities: [40] Power Management version 3',
    '\t\tFlags: PMEClk- DSI- D1- D2- AuxCurrent=375mA PME(D0-,D1-,D2-,D3hot-,D3cold+)',
    '\t\tStatus: D0 NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-',
  ];
}

function details(context: CommandContext, device: PciDevice, options: Options): string[] {
  const lines: string[] = [];
  if (options.verbose > 0) {
    const subsystem = options.numeric === 1 ? `${device.vendorId}:0009` : `${device.vendorName} ${device.deviceName}`;
    lines.push(`\tSubsystem: ${subsystem}${options.numeric === 2 ? ` [${device.vendorId}:0009]` : ''}`);
  }
  if (options.verbose === 1) {
    lines.push(`\tFlags: bus master, fast devsel, latency 0, IRQ 255, NUMA node ${device.numaNode}`);
  } else if (options.verbose > 1) {
    lines.push(
      '\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr+ Stepping- SERR+ FastB2B- DisINTx+',
      '\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-',
      '\tLatency: 0, Cache Line Size: 64 bytes',
      '\tInterrupt: pin A routed to IRQ 255',
      `\tNUMA node: ${device.numaNode}`,
    );
  }
  if (options.verbose > 0) lines.push(...capabilities(context, device, options));
  if ((options.verbose > 0 || options.kernel) && device.driver !== null) {
    lines.push(`\tKernel driver in use: ${device.driver}`, `\tKernel modules: ${device.module ?? device.driver}`);
  }
  return lines;
}

/** The command. */
export const lspci: Command = (context, args) => {
  const options = parse(args);
  if ('exitCode' in options) return options;
  const { host } = context.machine;
  if (host === null) return failed(1, 'lspci: Cannot find any working access method.\n');
  const all = pciDevices(context.rack, host);
  // Domains are left out of addresses unless a device lies in another one than 0.
  const showDomain = options.domain || all.some((device) => !device.address.startsWith('0000:'));
  const text = all
    .filter((device) => options.filters.every((filter) => filter(device)))
    .map((device) => {
      const lines = details(context, device, options).map((line) => `${line}\n`);
      return headLine(device, options, showDomain) + lines.join('') + (options.verbose > 0 ? '\n' : '');
    });
  return ok(text.join(''));
};
