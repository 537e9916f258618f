import { byteText } from '../../domain/byte-text.ts';
import type { HostReader } from '../../domain/device-ports.ts';
import type { LookRow } from '../../domain/look.ts';
import { findSku } from '../../domain/part-numbers.ts';
import type { ObserveContext } from '../../domain/step.ts';
import { errors, OpsError } from '../../errors.ts';
import {
  failedUnits,
  fileSystems,
  memoryInfo,
  parseFailedUnits,
  parseFileSystems,
  parseMemory,
  parseSystemState,
  systemState,
} from '../../facts/arm-resources.ts';
import type { Drivers } from '../../facts/drivers.ts';
import { readDriverVersions } from '../../facts/drivers.ts';
import { networkLinks } from '../../facts/links.ts';
import type { Port, PortHealth, PortLink } from '../../facts/port-links.ts';
import {
  ethtoolLink,
  mlxlinkQuery,
  parseEthtool,
  parseMlxlink,
  parsePortDevice,
  parsePorts,
  portDevice,
} from '../../facts/port-links.ts';
import type { ProbeTool } from '../../facts/probe-tool.ts';
import { readToolOk, toolPackages } from '../../facts/probe-tool.ts';
import { armSession } from '../../steps/arm-session.ts';
import { pciCardOf } from './card.ts';
import { askMokutil } from './mokutil.ts';
import type { Finding, Part } from './probe.ts';
import { counted, part, row, unreadRow } from './probe.ts';

const ethtool: ProbeTool = { name: 'ethtool', need: 'to read the speed of a port', package: toolPackages.ethtool };
const mlxlink: ProbeTool = { name: 'mlxlink', need: 'to read FEC and cable of a port', package: toolPackages.mft };
const ip: ProbeTool = { name: 'ip', need: 'to list the ports', package: toolPackages.iproute2 };
const systemctl: ProbeTool = { name: 'systemctl', need: 'to list failed services', package: toolPackages.systemd };

/** Source: ethtool(8); NVIDIA MFT, mlxlink ("No issue was observed" is its all-clear); port speeds by part number. */
export async function probeLinks(context: ObserveContext): Promise<Finding> {
  const { signal } = context;
  const session = await armSession(context);
  const listing = await readToolOk(session, networkLinks.bind({}), ip, signal);
  const ports = parsePorts(session.name, listing.stdout);
  if (ports.length === 0) throw errors.linkNotFound({ target: context.dpu.name, link: 'p0', where: 'its Arm' });
  const card = await part(context, async () => pciCardOf(context));
  const wantedGbps = card.kind === 'read' ? findSku(card.value.partNumber)?.portGbps : undefined;
  const seen: SeenPort[] = [];
  for (const port of ports) {
    const result = await readToolOk(session, ethtoolLink.bind({ link: port.name }), ethtool, signal);
    const link = parseEthtool(session.name, result.stdout);
    const health = await part(context, async () => readHealth(session, port, signal));
    const isUnplugged = !link.detected && (link.hasNoCable || (health.kind === 'read' && health.value.isUnplugged));
    seen.push({ port, link, health, isUnplugged });
  }
  const up = seen.filter(({ link }) => link.detected).length;
  return {
    summary: linksSummary(seen, up),
    rows: seen.flatMap((one) => [portRow(one, wantedGbps), healthRow(one)]),
    ...(up === 0 && { warnings: ['The card has no link at any port: nothing reaches it over its fast ports.'] }),
  };
}

/** A port without a cable is down, and nothing is wrong with it. */
interface SeenPort {
  readonly port: Port;
  readonly link: PortLink;
  readonly health: Part<PortHealth>;
  readonly isUnplugged: boolean;
}

function linksSummary(seen: readonly SeenPort[], up: number): string {
  const unplugged = seen.filter((one) => one.isUnplugged).map(({ port }) => port.name);
  const rest =
    unplugged.length === 0 ? '' : `; ${unplugged.join(' and ')} ${unplugged.length === 1 ? 'is' : 'are'} unplugged`;
  return `${up} of ${counted(seen.length, 'port')} ${up === 1 ? 'has' : 'have'} a link${rest}.`;
}

async function readHealth(session: HostReader, port: Port, signal: AbortSignal): Promise<PortHealth> {
  const path = `/sys/class/net/${port.name}/device`;
  const found = await readToolOk(
    session,
    portDevice.bind({ path }),
    { ...ip, name: 'readlink', package: 'coreutils' },
    signal,
  );
  const device = parsePortDevice(session.name, found.stdout);
  const result = await readToolOk(session, mlxlinkQuery.bind({ device }), mlxlink, signal);
  return parseMlxlink(session.name, result.stdout);
}

function portRow({ port, link, isUnplugged }: SeenPort, wantedGbps: number | undefined): LookRow {
  const { name, state, mtuBytes } = port;
  if (isUnplugged) return row(name, `unplugged: no cable, so no carrier; MTU ${mtuBytes}`);
  const gbps = link.speedMbps === undefined ? undefined : link.speedMbps / 1000;
  const text = `${link.detected ? 'link' : 'no link'}, ${state.toLowerCase()}${gbps === undefined ? '' : `, ${gbps} Gb/s`}, MTU ${mtuBytes}`;
  if (!link.detected) return row(name, text, 'no cable, or the far end is off or set to another speed');
  const isSlow = gbps !== undefined && wantedGbps !== undefined && gbps < wantedGbps;
  return row(name, text, isSlow ? `slower than the ${wantedGbps} Gb/s of this card` : undefined);
}

function healthRow({ port, health, isUnplugged }: SeenPort): LookRow {
  const label = `${port.name} by mlxlink`;
  if (health.kind === 'unread') return unreadRow(label, health.failure);
  const { physicalState, speed, fec, module, advice } = health.value;
  if (isUnplugged) return row(label, advice ?? physicalState);
  const text = [physicalState, speed, fec, module].filter((word) => word !== undefined).join(', ');
  return row(label, text, advice === undefined || advice.startsWith('No issue was observed') ? undefined : advice);
}

/** Source: kernel sysfs ABI, modinfo(8); `/etc/init.d/openibd restart` loads what is installed. */
export async function probeDrivers(context: ObserveContext): Promise<Finding> {
  const { dpu, host } = context;
  const arm = await part(context, async () => seenDrivers(context, await armSession(context)));
  const ofHost = await part(context, async () => seenDrivers(context, host));
  if (arm.kind === 'unread' && ofHost.kind === 'unread') throw new OpsError(arm.failure);
  const wanted = context.profile.doca?.driver;
  const differs = ofHost.kind === 'read' && wanted !== undefined && ofHost.value.loaded !== wanted;
  return {
    summary:
      arm.kind === 'read'
        ? `${dpu.name} runs ${loadedText(arm.value)}${ofHost.kind === 'read' ? `, its host ${loadedText(ofHost.value)}` : ''}.`
        : `The Arm of ${dpu.name} was not asked: ${arm.failure.what}`,
    rows: [
      arm.kind === 'read' ? driverRow('Arm', arm.value) : unreadRow('Arm', arm.failure),
      ofHost.kind === 'read' ? driverRow('Host', ofHost.value) : unreadRow('Host', ofHost.failure),
    ],
    ...(differs && { warnings: [`The profile names driver ${wanted} for the host.`] }),
  };
}

type DriverVersions = Pick<Drivers, 'loaded' | 'installed'>;
type SeenDrivers = DriverVersions & { readonly warning: string | undefined };

/** Secure Boot is asked about only where it may be the reason. */
async function seenDrivers(context: ObserveContext, session: HostReader): Promise<SeenDrivers> {
  const versions = await readDriverVersions(session, context.signal);
  if (versions.loaded !== 'none') return { ...versions, warning: otherLoaded(versions) };
  if (versions.installed === 'none')
    return { ...versions, warning: 'The driver of DOCA is not installed, and that of the kernel has no version.' };
  const secureBoot = await part(context, async () => askMokutil(session, context.signal));
  return {
    ...versions,
    warning: `Not loaded, or the one of the kernel, which has no version. ${refusalText(secureBoot)}`,
  };
}

function otherLoaded({ loaded, installed }: DriverVersions): string | undefined {
  if (loaded === installed) return undefined;
  return '`/etc/init.d/openibd restart` or a restart loads what is installed.';
}

function refusalText(secureBoot: Part<string>): string {
  if (secureBoot.kind === 'unread') return `Whether Secure Boot refuses it is not known: ${secureBoot.failure.what}`;
  return secureBoot.value === 'enabled'
    ? 'Secure Boot is on, and refuses modules that are not signed.'
    : '`/etc/init.d/openibd restart` loads what is installed.';
}

function driverRow(label: string, { loaded, installed, warning }: SeenDrivers): LookRow {
  const file = installed === 'none' ? "the kernel's own" : installed;
  return row(label, `${loadedText({ loaded })} loaded, ${file} installed`, warning);
}

function loadedText({ loaded }: Pick<Drivers, 'loaded'>): string {
  return loaded === 'none' ? 'no mlx5_core with a version' : `mlx5_core ${loaded}`;
}

/** Source: systemctl(1). */
export async function probeServices(context: ObserveContext): Promise<Finding> {
  const session = await armSession(context);
  const units = await readToolOk(session, failedUnits.bind({}), systemctl, context.signal);
  const failed = parseFailedUnits(session.name, units.stdout);
  const state = await session.read(systemState.bind({}), { timeoutMs: 30_000, signal: context.signal });
  const word = parseSystemState(session.name, state.stdout);
  const starting = word === 'starting' || word === 'initializing' ? ' The system is still starting.' : '';
  return {
    summary:
      failed.length === 0
        ? `No unit of the Arm has failed.${starting}`
        : `${counted(failed.length, 'unit')} of the Arm failed.${starting}`,
    rows: [
      row('System', word),
      ...failed.map((unit) => row(unit, 'failed', `\`journalctl -u ${unit}\` on the card says why`)),
    ],
  };
}

const fullPercent = 90;

/** Huge pages beyond the memory keep an Arm from booting. Source: NVIDIA DPF, issue 17; proc_meminfo(5), df(1). */
export async function probeMemoryDisk(context: ObserveContext): Promise<Finding> {
  const { signal } = context;
  const session = await armSession(context);
  const own = (name: string): ProbeTool => ({ name, need: 'for this probe', package: 'coreutils' });
  const memoryText = await readToolOk(session, memoryInfo.bind({}), own('cat'), signal);
  const memory = parseMemory(session.name, memoryText.stdout);
  const disks = await readToolOk(session, fileSystems.bind({}), own('df'), signal);
  const hugeKib = memory.hugePages * memory.hugePageKib;
  const freePercent = Math.round((100 * memory.availableKib) / memory.totalKib);
  const systems = parseFileSystems(session.name, disks.stdout);
  const root = systems.find((system) => system.mountPoint === '/');
  const huge =
    hugeKib > memory.totalKib * 0.75
      ? 'More than three quarters of the memory: an Arm with too many does not boot.'
      : undefined;
  return {
    summary: `${sizeText(memory.availableKib)} of ${sizeText(memory.totalKib)} memory are free${root === undefined ? '' : `, and ${sizeText(root.freeKib)} on /`}.`,
    rows: [
      row(
        'Memory',
        `${sizeText(memory.availableKib)} of ${sizeText(memory.totalKib)} free`,
        freePercent < 10 ? 'less than a tenth is left' : undefined,
      ),
      row(
        'Huge pages',
        hugeKib === 0 ? 'none' : `${memory.hugePages} of ${memory.hugePageKib} KiB, ${sizeText(hugeKib)}`,
        huge,
      ),
      ...systems.map((system) =>
        row(
          system.mountPoint,
          `${sizeText(system.freeKib)} of ${sizeText(system.sizeKib)} free (${system.device})`,
          system.usedPercent >= fullPercent ? `${system.usedPercent} % full` : undefined,
        ),
      ),
    ],
  };
}

function sizeText(kib: number): string {
  return byteText(kib * 1024);
}
