/**
 * `mlnx_bf_configure`: what the image does to the data path of a card at each boot, and again when somebody calls it.
 *
 * Source: mlnx-tools tsbin/mlnx_bf_configure (nothing on storage controllers; IPSEC_FULL_OFFLOAD: strongSwan stopped,
 * eswitch legacy, steering dmfs, eswitch switchdev; without it steering is smfs again; bridges of mlnx-ovs.conf).
 */
import { shellSettings, startOvs } from '../data-path.ts';
import type { EswitchState } from '../data-path.ts';
import { startCharon, stopCharon } from '../ipsec/service.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Program } from '../shell/types.ts';
import { shownHardware } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { applyTmpfiles } from '../tmpfiles.ts';
import { advanceWire } from '../wire/advance.ts';
import { netdevs } from './netdevs.ts';

const configureMs = 20_000;
const root = { user: 'root', root: true };

function settingsIn(rack: Rack, card: CardState, path: string): Record<string, string> {
  const files = rack.machines.get(card.name)?.files;
  return files === undefined || files.find(path) === null ? {} : shellSettings(files.read(path, root));
}

/** The eswitch goes to another mode: its tables are made anew, its representors are new devices. */
export function changeEswitch(card: CardState, port: number, mode: EswitchState['mode']): void {
  const { eswitches, network } = card.armOs.dataPath;
  const eswitch = eswitches[port];
  if (eswitch === undefined || eswitch.mode === mode) return;
  eswitch.mode = mode;
  if (mode === 'switchdev') eswitch.fdb = eswitch.steering;
  for (const name of [`pf${port}hpf`, `en3f${port}pf${port}sf0`]) {
    delete network.links[name];
    delete card.armOs.mtus[name];
  }
}

function bridgesWanted(settings: Record<string, string>): { name: string; ports: string[] }[] {
  return Object.entries(settings).flatMap(([key, name]) => {
    const [, number] = /^OVS_BRIDGE(\d+)$/.exec(key) ?? [];
    const ports = (settings[`OVS_BRIDGE${number ?? ''}_PORTS`] ?? '').split(/\s+/).filter((each) => each !== '');
    return number === undefined || name === '' ? [] : [{ name, ports }];
  });
}

/** Bridges of the configuration that are not there yet; gives what the script says. */
function makeBridges(rack: Rack, card: CardState): string[] {
  const settings = settingsIn(rack, card, '/etc/mellanox/mlnx-ovs.conf');
  if (settings['CREATE_OVS_BRIDGES'] !== 'yes') return [];
  const { ovs } = card.armOs.dataPath;
  const machine = rack.machines.get(card.name);
  const devices = machine === undefined ? [] : netdevs(rack, machine).map(({ name }) => name);
  const lines: string[] = [];
  for (const { name, ports } of bridgesWanted(settings)) {
    if (ovs.bridges.some((each) => each.name === name)) continue;
    const missing = ports.find((port) => !devices.includes(port) && !/^pf\d*sf/.test(port));
    if (missing !== undefined) {
      lines.push(`port device ${missing} for bridge ${name} is missing.`, `Skipping ${name} configuration.`);
      continue;
    }
    ovs.bridges.push({
      name,
      datapathType: '',
      failMode: null,
      ports: ports.map((each) => ({ name: each, type: '', options: {} })),
    });
    lines.push(`Created bridge: ${name}`, ...ports.map((port) => `bridge ${name}: added port ${port}`));
  }
  const wish = settings['OVS_HW_OFFLOAD'] === 'yes' ? 'true' : undefined;
  if (wish !== undefined && ovs.otherConfig['hw-offload'] === undefined) {
    ovs.otherConfig['hw-offload'] = wish;
    startOvs(ovs);
    lines.push('OVS HW offload is set');
  }
  return lines;
}

function configure(rack: Rack, card: CardState): string[] {
  if (shownHardware(rack, card).controller) return [];
  advanceWire(rack);
  const { eswitches } = card.armOs.dataPath;
  const isFull = settingsIn(rack, card, '/etc/mellanox/mlnx-bf.conf')['IPSEC_FULL_OFFLOAD'] === 'yes';
  if (isFull) stopCharon(rack, card.name);
  const steering = isFull ? 'dmfs' : 'smfs';
  for (const [port, eswitch] of eswitches.entries()) {
    if (eswitch.steering !== steering || eswitch.fdb !== steering || eswitch.mode !== 'switchdev') {
      changeEswitch(card, port, 'legacy');
      eswitch.steering = steering;
      changeEswitch(card, port, 'switchdev');
    }
    eswitch.ipsecMode = isFull ? 'full' : 'none';
  }
  if (isFull) startCharon(rack, card);
  return makeBridges(rack, card);
}

/** The boot of an Arm: the network of the image, Open vSwitch, strongSwan. */
export function configureAtBoot(rack: Rack, card: CardState): void {
  const files = rack.machines.get(card.name)?.files;
  if (files !== undefined) applyTmpfiles(files, { boot: true });
  startOvs(card.armOs.dataPath.ovs);
  configure(rack, card);
  startCharon(rack, card);
}

/** The program. */
export const mlnxBfConfigure: Program = function* program(frame) {
  const { card } = frame.machine;
  if (!frame.root || card === null) {
    complain(frame, 'mlnx_bf_configure: must be run as root\n');
    return 1;
  }
  yield { untilMs: frame.rack.nowMs() + configureMs };
  out(
    frame,
    configure(frame.rack, card)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return 0;
};
