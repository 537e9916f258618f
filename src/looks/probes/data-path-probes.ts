import type { HostReader } from '../../domain/device-ports.ts';
import type { LookRow } from '../../domain/look.ts';
import { findSku } from '../../domain/part-numbers.ts';
import type { ObserveContext } from '../../domain/step.ts';
import type { IpsecSa } from '../../facts/ipsec-sas.ts';
import { parseIpsecCounters, parseXfrmState, portCounters, xfrmState } from '../../facts/ipsec-sas.ts';
import type { FlowCounts } from '../../facts/ovs-flows.ts';
import {
  datapathFlows,
  eswitchMode,
  hwOffloadSetting,
  parseEswitch,
  parseFlows,
  parseHwOffload,
} from '../../facts/ovs-flows.ts';
import type { ProbeTool } from '../../facts/probe-tool.ts';
import { readTool, readToolOk, toolPackages } from '../../facts/probe-tool.ts';
import { armSession } from '../../steps/arm-session.ts';
import { pciCardOf } from './card.ts';
import type { Finding } from './probe.ts';
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
    const shown = await readToolOk(session, eswitchMode.bind({}), devlink, signal);
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
  const counters: LookRow[] = [];
  for (const link of ['p0', 'p1']) counters.push(...(await counterRows(session, link, signal)));
  const count = (offload: IpsecSa['offload']): number => sas.filter((sa) => sa.offload === offload).length;
  return {
    summary: sasSummary(sas.length, count('packet')),
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
    ],
    ...(hasNoCrypto && { warnings: ['This part number has no crypto engines: IPsec cannot be offloaded to it.'] }),
  };
}

function sasSummary(all: number, packet: number): string {
  if (all === 0) return 'The Arm has no IPsec association.';
  return `${packet} of ${counted(all, 'IPsec association')} are handled by the card as a whole.`;
}

async function counterRows(session: HostReader, link: string, signal: AbortSignal): Promise<readonly LookRow[]> {
  const result = await readTool(session, portCounters.bind({ link }), ethtool, signal);
  if (result.exitCode !== 0) return [];
  const counters = parseIpsecCounters(result.stdout);
  return counters === undefined
    ? []
    : [row(`Packets by ${link}`, `${counters.tx} encrypted, ${counters.rx} decrypted`)];
}
