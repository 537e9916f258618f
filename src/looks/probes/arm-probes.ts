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
import { readDrivers } from '../../facts/drivers.ts';
import { networkLinks } from '../../facts/links.ts';
import type { Port, PortHealth } from '../../facts/port-links.ts';
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
import type { Finding } from './probe.ts';
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
  const rows: LookRow[] = [];
  let up = 0;
  for (const port of ports) {
    const link = await readToolOk(session, ethtoolLink.bind({ link: port.name }), ethtool, signal);
    const { speedMbps, detected } = parseEthtool(session.name, link.stdout);
    const health = await part(context, async () => readHealth(session, port, signal));
    if (detected) up += 1;
    const gbps = speedMbps === undefined ? undefined : speedMbps / 1000;
    rows.push(row(port.name, portText(port, detected, gbps), portWarning(detected, gbps, wantedGbps)));
    rows.push(
      health.kind === 'read'
        ? row(`${port.name} by mlxlink`, healthText(health.value), adviceOf(health.value))
        : unreadRow(`${port.name} by mlxlink`, health.failure),
    );
  }
  return { summary: `${up} of ${counted(ports.length, 'port')} have a link.`, rows };
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

function portText({ state, mtuBytes }: Port, detected: boolean, gbps: number | undefined): string {
  return `${detected ? 'link' : 'no link'}, ${state.toLowerCase()}${gbps === undefined ? '' : `, ${gbps} Gb/s`}, MTU ${mtuBytes}`;
}

function portWarning(detected: boolean, gbps: number | undefined, wanted: number | undefined): string | undefined {
  if (!detected) return 'no cable, or the far end is off or set to another speed';
  return gbps !== undefined && wanted !== undefined && gbps < wanted
    ? `slower than the ${wanted} Gb/s of this card`
    : undefined;
}

function healthText({ physicalState, speed, fec, module }: PortHealth): string {
  return [physicalState, speed, fec, module].filter((word) => word !== undefined).join(', ');
}

function adviceOf({ advice }: PortHealth): string | undefined {
  return advice === undefined || advice.startsWith('No issue was observed') ? undefined : advice;
}

/** Source: kernel sysfs ABI, modinfo(8); `/etc/init.d/openibd restart` loads what is installed. */
export async function probeDrivers(context: ObserveContext): Promise<Finding> {
  const { signal, dpu, host } = context;
  const arm = await part(context, async () => readDrivers(await armSession(context), signal));
  const ofHost = await part(context, async () => readDrivers(host, signal));
  if (arm.kind === 'unread' && ofHost.kind === 'unread') throw new OpsError(arm.failure);
  const driverRow = (label: string, drivers: Drivers): LookRow =>
    row(label, `mlx5_core ${drivers.loaded} loaded, ${drivers.installed} installed`, driverWarning(drivers));
  const wanted = context.profile.doca?.driver;
  const differs = ofHost.kind === 'read' && wanted !== undefined && ofHost.value.loaded !== wanted;
  return {
    summary:
      arm.kind === 'read'
        ? `${dpu.name} runs mlx5_core ${arm.value.loaded}${ofHost.kind === 'read' ? `, its host ${ofHost.value.loaded}` : ''}.`
        : `The Arm of ${dpu.name} was not asked: ${arm.failure.what}`,
    rows: [
      arm.kind === 'read' ? driverRow('Arm', arm.value) : unreadRow('Arm', arm.failure),
      ofHost.kind === 'read' ? driverRow('Host', ofHost.value) : unreadRow('Host', ofHost.failure),
    ],
    ...(differs && { warnings: [`The profile names ${wanted} for the host.`] }),
  };
}

function driverWarning({ loaded, installed, secureBoot }: Drivers): string | undefined {
  if (loaded === installed && loaded !== 'none') return undefined;
  if (loaded === 'none' && secureBoot === 'enabled')
    return 'Not loaded, or the one of the kernel: with Secure Boot on, unsigned modules are refused.';
  if (loaded === 'none') return 'Not loaded, or the one of the kernel, which has no version.';
  return '`/etc/init.d/openibd restart` or a restart loads what is installed.';
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

const gib = 1024 * 1024;
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
      row('Huge pages', `${memory.hugePages} of ${memory.hugePageKib} KiB, ${sizeText(hugeKib)}`, huge),
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
  return kib >= gib ? `${(kib / gib).toFixed(1)} GiB` : `${Math.round(kib / 1024)} MiB`;
}
