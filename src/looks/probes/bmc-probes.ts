import type { LookRow } from '../../domain/look.ts';
import type { ObserveContext } from '../../domain/step.ts';
import type { BmcLogEntry } from '../../facts/bmc-log.ts';
import { isAtxPowerWarning, readBmcLog } from '../../facts/bmc-log.ts';
import type { Sensor } from '../../facts/card-sensors.ts';
import { readCardSensors } from '../../facts/card-sensors.ts';
import type { FirmwareVersion } from '../../facts/firmware-inventory.ts';
import { inventoryItems, isBmcBefore2410, readFirmwareVersions } from '../../facts/firmware-inventory.ts';
import type { SecureBoot } from '../../facts/secure-boot.ts';
import { isSecureBootOff, readSecureBoot, secureBootText } from '../../facts/secure-boot.ts';
import { armSession } from '../../steps/arm-session.ts';
import { bmcReader } from '../../steps/bmc-session.ts';
import { askMokutil } from './mokutil.ts';
import type { Finding, Part } from './probe.ts';
import { counted, part, row } from './probe.ts';

/** In NIC mode, or before a system has been up, the versions of NIC and OS are empty. Source: libredfish; NVIDIA BMC docs. */
export async function probeVersions(context: ObserveContext): Promise<Finding> {
  const versions = await readFirmwareVersions(await bmcReader(context), context.signal);
  const text = (version: FirmwareVersion | undefined): string =>
    version?.kind === 'version' ? version.text || 'not told' : 'not listed';
  const bmc = text(versions.get('BMC_Firmware'));
  const rows = [...versions].map(([id, version]) =>
    row(
      inventoryItems[id],
      text(version),
      id === 'BMC_Firmware' && isBmcBefore2410(bmc) === true
        ? 'Older than BF-24.10: it may not be able to install images by itself.'
        : undefined,
    ),
  );
  const isSilent = ['DPU_NIC', 'DPU_OS'] as const;
  const untold = isSilent.every((id) => text(versions.get(id)) === 'not told');
  return {
    summary: untold
      ? `BMC ${bmc}; it was told of neither NIC firmware nor OS.`
      : `BMC ${bmc}, NIC firmware ${text(versions.get('DPU_NIC'))}, OS ${text(versions.get('DPU_OS'))}.`,
    rows,
    ...(untold && { warnings: ['The card is in NIC mode, or no system has been up since the BMC started.'] }),
  };
}

/** Off for good means off in both fields; UEFI that was up before its BMC tells nothing. Source: NVIDIA BlueField BMC docs. */
export async function probeSecureBoot(context: ObserveContext): Promise<Finding> {
  const state = await readSecureBoot(await bmcReader(context), context.signal);
  const arm = await part(context, async () => askMokutil(await armSession(context), context.signal));
  const warnings = secureBootWarnings(state, arm, context.profile.secureBoot);
  return {
    summary: `Secure Boot is ${secureBootText(state)}${isSecureBootOff(state) ? ', and stays off' : ''}.`,
    rows: [
      row('Next boot', wordOf(state.enable)),
      row('Running boot', state.currentBoot === 'not-reported' ? 'not reported' : state.currentBoot),
      row('The Arm itself says', arm.kind === 'read' ? arm.value : `nothing: ${arm.failure.what}`),
    ],
    warnings,
  };
}

function secureBootWarnings(state: SecureBoot, arm: Part<string>, wanted: 'off' | 'leave'): readonly string[] {
  if (state.enable === 'not-reported' || state.currentBoot === 'not-reported')
    return ['UEFI ran before the BMC was up, so the BMC knows nothing; a restart of the Arm brings it back.'];
  const runs = state.currentBoot === 'Enabled';
  return [
    ...(state.enable !== runs ? ['What is stored is not in force yet: it takes two restarts of the Arm.'] : []),
    ...(arm.kind === 'read' && (arm.value === 'enabled') !== runs ? ['The BMC and the running system disagree.'] : []),
    ...(wanted === 'off' && !isSecureBootOff(state) ? ['The profile of the card wants it off.'] : []),
  ];
}

function wordOf(enable: SecureBoot['enable']): string {
  if (enable === 'not-reported') return 'not reported';
  return enable ? 'on' : 'off';
}

/** Limits are those of the sensors. Below 10.4 V the card's own 12 V cable is missing or weak. Source: NVIDIA DPF. */
export async function probeTemperatures(context: ObserveContext): Promise<Finding> {
  const sensors = await readCardSensors(await bmcReader(context), context.signal);
  const hottest = sensors
    .flatMap(({ id, reading, unit, upperCaution }) =>
      reading === undefined || unit !== '°C' ? [] : [{ id, reading, upperCaution }],
    )
    .toSorted((one, other) => other.reading - one.reading)[0];
  const limit = hottest?.upperCaution === undefined ? '' : `, its limit is ${hottest.upperCaution} °C`;
  return {
    summary:
      hottest === undefined
        ? 'The BMC has no temperature of the card.'
        : `Hottest is ${hottest.id} at ${hottest.reading} °C${limit}.`,
    rows: sensors.map(sensorRow),
  };
}

function sensorRow(sensor: Sensor): LookRow {
  const { id, reading, unit } = sensor;
  if (reading !== undefined) return row(id, `${reading} ${unit}`, sensorWarning(sensor));
  const isPort = /^p\d_temp$/.test(id);
  return row(id, isPort ? 'no reading: no module, or a passive cable' : 'no reading', isAtx(id) ? atxText : undefined);
}

const atxText = 'Without its own 12 V cable the card may throttle or not start under load.';

function isAtx(id: string): boolean {
  return id === '12V_ATX';
}

function sensorWarning({
  id,
  reading = 0,
  unit,
  lowerCaution,
  upperCaution,
  upperCritical,
}: Sensor): string | undefined {
  if (upperCritical !== undefined && reading >= upperCritical)
    return `at or over ${upperCritical} ${unit}, which is critical`;
  if (upperCaution !== undefined && reading >= upperCaution) return `at or over ${upperCaution} ${unit}`;
  if (lowerCaution !== undefined && reading < lowerCaution)
    return `below ${lowerCaution} ${unit}${isAtx(id) ? `. ${atxText}` : ''}`;
  return undefined;
}

const shownEntries = 10;

/** Source: Redfish LogEntry; NVIDIA DPF looks there for a missing ATX cable. */
export async function probeBmcLog(context: ObserveContext): Promise<Finding> {
  const log = await readBmcLog(await bmcReader(context), context.signal);
  const serious = log.entries.filter((entry) => entry.severity === 'Critical' || entry.severity === 'Warning');
  const atx = log.entries.find(isAtxPowerWarning);
  const names = log.read.join(' and ');
  const newest = log.entries[0];
  return {
    summary:
      newest === undefined
        ? log.read.length === 0
          ? 'The BMC shows no event log.'
          : `${names} of the BMC: no entries, so it has recorded no event since the log was last emptied.`
        : `${names} of the BMC: ${counted(log.entries.length, 'entry', 'entries')}; warnings or worse: ${serious.length}; newest ${newest.created || 'without a time'}.`,
    rows: [
      ...log.entries.slice(0, shownEntries).map(entryRow),
      ...log.unread.map(({ log: name, why }) => row(name, `named by the BMC and not shown: ${why}`)),
    ],
    ...(atx && { warnings: [`The 12 V cable of the card gave too little power (${atx.created}). ${atxText}`] }),
    // Up to so many the rows say it all.
    text: log.entries.length > shownEntries ? log.entries.map(entryText).join('\n') : '',
  };
}

function entryRow(entry: BmcLogEntry): LookRow {
  const isSerious = entry.severity === 'Critical' || entry.severity === 'Warning';
  return row(
    entry.created || 'without a time',
    entry.message || entry.messageId,
    isSerious ? `the BMC calls it ${entry.severity.toLowerCase()}` : undefined,
  );
}

function entryText({ created, log, severity, message, messageId }: BmcLogEntry): string {
  return [created, log, severity, message, messageId === '' ? '' : `(${messageId})`]
    .filter((word) => word !== '')
    .join(' ');
}
