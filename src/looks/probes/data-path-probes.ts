import type { HostReader } from '../../domain/device-ports.ts';
import type { LookRow } from '../../domain/look.ts';
import { findSku } from '../../domain/part-numbers.ts';
import type { ObserveContext } from '../../domain/step.ts';
import { eswitchDevice, eswitchMode, parseEswitch } from '../../facts/eswitch.ts';
import type { IpsecSa } from '../../facts/ipsec-sas.ts';
import { parseXfrmState, xfrmState } from '../../facts/ipsec-sas.ts';
import type { FlowCounts } from '../../facts/ovs-flows.ts';
import { datapathFlows, hwOffloadSetting, parseFlows, parseHwOffload } from '../../facts/ovs-flows.ts';
import { parsePortCounters, portCounters } from '../../facts/port-counters.ts';
import type { ProbeTool } from '../../facts/probe-tool.ts';
import { readTool, readToolOk, toolPackages } from '../../facts/probe-tool.ts';
import type { Strongswan } from '../../facts/swanctl.ts';
import { readStrongswan } from '../../facts/swanctl.ts';
import { armSession } from '../../steps/arm-session.ts';
import { pciCardOf } from './card.ts';
import type { Finding, Part } from './probe.ts';
import { counted, part, row, unreadRow } from './probe.ts';

const ovsVsctl: ProbeTool = {
  name: 'ovs-vsctl',
  need: 'to read the setting of OVS',
  package: toolPackages.openvswitch,
};
const ovsAppctl: ProbeTool = {
  name: 'ovs-appctl',
  need: 'to list the flows of OVS',
  package: toolPackages.openvswitch,
};
const devlink: ProbeTool = { name: 'devlink', need: 'to read the mode of the switch', package: toolPackages.iproute2 };
const ip: ProbeTool = { name: 'ip', need: 'to list IPsec associations', package: toolPackages.iproute2 };
/** A message has room for so many rows; the text has all. */
const shownChildren = 8;
const ethtool: ProbeTool = { name: 'ethtool', need: 'to read the counters of a port', package: toolPackages.ethtool };

/** `hw-offload` counts after a restart of OVS only. Source: ovs-vswitchd.conf.db(5); openvswitch lib/dpctl.c. */
export async function probeOffloadFlows(context: ObserveContext): Promise<Finding> {
  const { signal } = context;
  const session = await armSession(context);
  const settingText = await readToolOk(session, hwOffloadSetting.bind({}), ovsVsctl, signal);
  const setting = parseHwOffload(session.name, settingText.stdout);
  const dump = await readToolOk(session, datapathFlows.bind({}), ovsAppctl, signal);
  const flows = parseFlows(session.name, dump.stdout, dump.truncated);
  const eswitch = await part(context, async () => {
    const shown = await readToolOk(session, eswitchMode.bind({ device: eswitchDevice('p0') }), devlink, signal);
    return parseEswitch(session.name, shown.stdout);
  });
  return {
    summary: flowSummary(flows),
    rows: [
      row('hw-offload', setting, setting === 'true' ? undefined : 'OVS forwards in software; it is off unless set'),
      eswitch.kind === 'read'
        ? row(
            'Switch of the card',
            eswitch.value,
            eswitch.value === 'switchdev' ? undefined : 'flows can be offloaded in switchdev mode only',
          )
        : unreadRow('Switch of the card', eswitch.failure),
      row('Flows in hardware', `${flows.offloaded} (${flows.packetsOffloaded} packets)`),
      row('Flows in hardware in part', String(flows.partial)),
      row('Flows in software', `${flows.software} (${flows.packetsSoftware} packets)`),
    ],
    warnings: flowWarnings(setting, flows),
  };
}

function flowSummary({ offloaded, partial, software }: FlowCounts): string {
  const all = offloaded + partial + software;
  if (all === 0) return 'Open vSwitch has no flows now, as there is no traffic: nothing can be said about offload.';
  return `${offloaded} of ${counted(all, 'flow')} are carried by the hardware.`;
}

function flowWarnings(setting: 'true' | 'false' | 'unset', flows: FlowCounts): readonly string[] {
  const all = flows.offloaded + flows.partial + flows.software;
  if (setting !== 'true' || all === 0 || flows.offloaded > 0) return [];
  return [
    'Offload is set and no flow is carried by the hardware: OVS was not restarted since, or cannot offload these.',
  ];
}

/** An `hw_offload=auto` falls back to the Arm without a word. Source: strongSwan swanctl.opt; iproute2 ip/ipxfrm.c. */
export async function probeIpsecSas(context: ObserveContext): Promise<Finding> {
  const { signal } = context;
  const session = await armSession(context);
  const listing = await readToolOk(session, xfrmState.bind({}), ip, signal);
  const sas = parseXfrmState(session.name, listing.stdout);
  const card = await part(context, async () => pciCardOf(context));
  const hasNoCrypto = card.kind === 'read' && findSku(card.value.partNumber)?.crypto === false;
  const strongswan = await part(context, async () => readStrongswan(session, signal));
  const counters: LookRow[] = [];
  for (const link of ['p0', 'p1']) counters.push(...(await counterRows(session, link, signal)));
  const count = (offload: IpsecSa['offload']): number => sas.filter((sa) => sa.offload === offload).length;
  return {
    summary: sasSummary(sas.length, count('packet'), inUse(strongswan)),
    rows: [
      row('By the card (mode packet)', String(count('packet'))),
      row(
        'Encryption only (mode crypto)',
        String(count('crypto')),
        count('crypto') > 0 ? 'the Arm handles every packet' : undefined,
      ),
      row(
        'By the Arm',
        String(count('none')),
        count('none') > 0 ? 'some Gb/s at most; `hw_offload = packet` fails instead of falling back' : undefined,
      ),
      ...(count('unnamed') === 0
        ? []
        : [row('Offloaded, kind not told', String(count('unnamed')), 'this ip(8) is too old to tell')]),
      ...counters,
      ...strongswanRows(strongswan, sas.length),
    ],
    ...(hasNoCrypto && { warnings: ['This part number has no crypto engines: IPsec cannot be offloaded to it.'] }),
  };
}

function inUse(seen: Part<Strongswan | undefined>): number {
  const sas = seen.kind === 'read' ? (seen.value?.sas ?? []) : [];
  return sas.flatMap(({ children }) => children).filter(({ state }) => state === 'INSTALLED').length;
}

/** strongSwan does not tell who encrypts, only what it has agreed on; and where it encrypts itself, the kernel knows nothing. */
function strongswanRows(seen: Part<Strongswan | undefined>, kernelSas: number): readonly LookRow[] {
  const label = 'By strongSwan';
  // Not every card has it.
  if (seen.kind === 'unread') return seen.failure.code === 'host-tool-missing' ? [] : [unreadRow(label, seen.failure)];
  if (seen.value === undefined) return [row(label, 'it does not run')];
  const { connections, sas } = seen.value;
  const children = sas.flatMap((ike) =>
    ike.children.map(({ name, state, mode }) => ({ ike: ike.name, name, state, mode })),
  );
  const installed = inUse(seen);
  const isInUserSpace = installed > 0 && kernelSas === 0;
  return [
    row(
      label,
      `${counted(installed, 'pair')} INSTALLED, of ${counted(connections.length, 'connection')}`,
      isInUserSpace
        ? 'the kernel has none of them: strongSwan encrypts itself (kernel-libipsec), on the Arm'
        : undefined,
    ),
    ...children
      .slice(0, shownChildren)
      .map(({ ike, name, state, mode }) => row(`${ike}, ${name}`, `${state}, ${mode}`)),
  ];
}

function sasSummary(all: number, packet: number, inUserSpace: number): string {
  if (all === 0 && inUserSpace > 0)
    return `The kernel of the Arm has no IPsec association: strongSwan encrypts ${counted(inUserSpace, 'pair')} of them itself.`;
  if (all === 0) return 'The Arm has no IPsec association.';
  return `${packet} of ${counted(all, 'IPsec association')} are handled by the card as a whole.`;
}

async function counterRows(session: HostReader, link: string, signal: AbortSignal): Promise<readonly LookRow[]> {
  const result = await readTool(session, portCounters.bind({ link }), ethtool, signal);
  if (result.exitCode !== 0) return [];
  const { ipsec } = parsePortCounters(session.name, result.stdout);
  return ipsec === undefined
    ? []
    : [row(`Packets by ${link}`, `${ipsec.tx.packets} encrypted, ${ipsec.rx.packets} decrypted`)];
}
