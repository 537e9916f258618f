import type { ObserveContext } from '../../domain/step.ts';
import { findSku, pcieGbps, pcieText } from '../../domain/part-numbers.ts';
import { isModePending, modeOf, readModeConfig } from '../../facts/mlxconfig.ts';
import { readNicFirmware } from '../../facts/nic-firmware.ts';
import type { RshimMisc } from '../../facts/rshim.ts';
import { findRshim, readRshims, silentRshim } from '../../facts/rshim.ts';
import { readRshimJournal, troubleIn } from '../../facts/rshim-journal.ts';
import { pciCardOf } from './card.ts';
import type { Finding } from './probe.ts';
import { part, row, unreadRow } from './probe.ts';

/** Source: 32 GT/s x16 carries about 504 Gb/s, 16 GT/s x16 about 252: what a 400G port needs (pciutils, SKU table). */
export async function probePcie(context: ObserveContext): Promise<Finding> {
  const { link, capable, partNumber, serial, pciAddress } = await pciCardOf(context);
  const sku = findSku(partNumber);
  const gbps = Math.floor(pcieGbps(link));
  const isReduced = link.gtPerS < capable.gtPerS || link.width < capable.width;
  const reduced = isReduced
    ? `The card can do ${pcieText(capable)}: slot, riser or BIOS of the host limits it.`
    : undefined;
  const need =
    sku === undefined ? 'what its ports need is not known (`/dpu sku`)' : `its fastest port is ${sku.portGbps} Gb/s`;
  const isShort = sku !== undefined && gbps < sku.portGbps;
  return {
    summary: `The link runs at ${pcieText(link)}, about ${gbps} Gb/s; ${need}.`,
    rows: [
      row('Link', pcieText(link), reduced),
      row('Card can do', pcieText(capable)),
      row('PCI address', pciAddress),
      row('Part number', partNumber),
      row('Serial', serial),
    ],
    ...(isShort && { warnings: [`The slot carries about ${gbps} Gb/s, less than one port of ${sku.portGbps} Gb/s.`] }),
  };
}

/** Source: mstflint; staged firmware needs a cold boot of the host, a restart of the Arm never activates it. */
export async function probeFirmware(context: ObserveContext): Promise<Finding> {
  const { pciAddress } = await pciCardOf(context);
  const { running, staged } = await readNicFirmware(context.host, context.dpu.name, pciAddress, context.signal);
  const isPending = running !== staged;
  return {
    summary: isPending
      ? `NIC firmware ${running} runs and ${staged} is staged: a cold boot of the host activates it, a restart of the Arm does not.`
      : `NIC firmware ${running} runs, and nothing else is staged.`,
    rows: [row('Running', running), row('Staged', staged, isPending ? 'not active yet' : undefined)],
  };
}

/** Source: mstflint mlxconfig; a changed mode waits for a cold boot of the host. */
export async function probeMode(context: ObserveContext): Promise<Finding> {
  const { pciAddress } = await pciCardOf(context);
  const config = await readModeConfig(context.host, context.dpu.name, pciAddress, context.signal);
  const words = { dpu: 'DPU mode', nic: 'NIC mode' } as const;
  const [now, next] = [words[modeOf(config, 'current')], words[modeOf(config, 'next')]];
  const isPending = isModePending(config);
  const settings = [
    row('INTERNAL_CPU_OFFLOAD_ENGINE', `${config.engine.current}, next boot ${config.engine.next}`),
    ...(config.model === undefined
      ? []
      : [row('INTERNAL_CPU_MODEL', `${config.model.current}, next boot ${config.model.next}`)]),
  ];
  const nic = 'In NIC mode the Arm does not run: no console, no login, no versions at the BMC.';
  return {
    summary: isPending
      ? `${now} now, ${next} after the next cold boot of the host.`
      : `${now}, also after the next boot.`,
    rows: [row('Now', now, now === words.nic ? nic : undefined), row('Next cold boot', next), ...settings],
    ...(isPending && { warnings: ['A setting waits for a cold boot of the host; a warm restart keeps the old one.'] }),
  };
}

/**
 * Boot log of the card and journal of the driver. The driver shows its log at level 2 only, and raising the level would
 * change it. Source: Mellanox rshim-user-space, src/rshim_fuse.c and src/rshim_log.c.
 */
export async function probeRshimLog(context: ObserveContext): Promise<Finding> {
  const card = await pciCardOf(context);
  const devices = await readRshims(context.host, context.signal);
  const found = findRshim(context.host.name, devices, card);
  const journal = await part(context, async () => readRshimJournal(context.host, context.signal));
  const journalLines = journal.kind === 'read' ? journal.value : [];
  const misc = found?.misc;
  const busy = devices.flatMap((device) => (device.busy ? [device.name] : []));
  const trouble = troubleIn(misc?.log ?? []);
  const text = [...(misc?.log ?? []), ...(journalLines.length === 0 ? [] : ['--- journal of rshim', ...journalLines])];
  return {
    summary: misc === undefined ? withoutDevice(context, busy, silentRshim(devices)) : logSummary(misc, trouble.length),
    rows: [
      ...(found === undefined || misc === undefined ? [] : miscRows(found.name, misc)),
      ...(journal.kind === 'unread' ? [unreadRow('Journal of rshim', journal.failure)] : []),
    ],
    warnings: [...trouble.slice(-5), ...journalTrouble(journalLines)],
    text: text.join('\n'),
  };
}

function withoutDevice(
  { host: { name: host }, dpu }: ObserveContext,
  busy: readonly string[],
  silent?: string,
): string {
  if (busy.length > 0)
    return `bfb-install works on ${busy.join(', ')} of ${host}: its log is its own, and read with \`/dpu console\`.`;
  if (silent !== undefined)
    return `The rshim of this card does not answer: ${silent}. \`/dpu recover ${dpu.name} stuck-rshim\` restarts the service of ${host}.`;
  return `${host} has no rshim device of this card: its BMC owns it, or the driver does not run; \`/dpu status ${dpu.name} --refresh\` asks who owns it.`;
}

function logSummary({ displayLevel, log }: RshimMisc, trouble: number): string {
  const last = log.at(-1);
  if (last !== undefined)
    return `The card said last "${last}"${trouble === 0 ? '' : `; lines that mean trouble: ${trouble}`}.`;
  if (displayLevel === 2) return 'The boot log of the card is empty.';
  return `The boot log cannot be read now: the rshim driver shows it at DISPLAY_LEVEL 2 and stands at ${displayLevel ?? 'a level it does not tell'}. Who only looks does not raise it; a flash over rshim does.`;
}

function miscRows(name: string, misc: RshimMisc): NonNullable<Finding['rows']> {
  const drop = misc.dropMode ? 'Another backend, as a rule the BMC, owns the card; this one only waits.' : undefined;
  return [
    row('Device', `/dev/${name} at ${misc.devName}`, drop),
    row('Mode', misc.mode ?? 'not told by this driver', misc.mode === 'NIC mode' ? 'The Arm does not run.' : undefined),
  ];
}

/** Source: Mellanox rshim-user-space, src/rshim.c. Only what was said last of each counts. */
function journalTrouble(lines: readonly string[]): readonly string[] {
  const patterns = [/another backend already attached/, /boot timeout/, /entering drop mode/];
  return patterns.flatMap((pattern) => lines.findLast((line) => pattern.test(line)) ?? []);
}
