/**
 * Puts one card's identity into the captured resources.
 */
import { baseGuid, cardMacs, linkLocal, stableUuid } from '../identity.ts';
import type { CardLayout } from '../layout.ts';
import { cardFault, shownHardware } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { capturedTree } from './capture.ts';
import type { ResourceTree } from './capture.ts';
import { isJsonObject } from './types.ts';

/** What the captured card was called, by meaning. */
const captured = {
  serial: 'MT2423600ANG',
  partNumber: '900-9D3B6-00CV-AA0',
  baseMac: '5c257308f352',
  baseGuid: '5c2573030008f352',
  sysImage: '5c25:7303:0008:f352',
  eth0: '5c:25:73:08:f3:62',
  eth1: '5c:25:73:08:f3:63',
  oob: '5c:25:73:08:f3:76',
  bmc: '5c:25:73:08:f3:77',
  bmcAddress: '172.30.32.4',
  armAddress: '172.30.32.2',
  gateway: '172.30.32.252',
  dns: '172.30.34.15',
  psid: 'MT_0000000884',
  uuids: ['592593dd-256d-4076-969f-028474792073', 'c0c459a0-5469-4745-aa79-785cbb04860d'],
};

/** The serial field of the FRU is 24 characters wide and comes with its blanks. */
function paddedSerial(serial: string): string {
  return serial.padEnd(24, ' ');
}

function otherSerial(serial: string): string {
  return `${serial.slice(0, -2)}ZZ`;
}

function replacements(rack: Rack, card: CardState, hardware: CardLayout): [string, string][] {
  const macs = cardMacs(hardware);
  const guid = baseGuid(hardware);
  const serial = cardFault(rack, card, 'serial-mismatch') ? otherSerial(hardware.serial) : hardware.serial;
  const pairs: [string, string][] = [
    [captured.serial, paddedSerial(serial)],
    [captured.partNumber, hardware.partNumber],
    [captured.sysImage, (guid.match(/..../g) ?? []).join(':')],
    [captured.baseGuid, guid],
    [captured.baseMac, hardware.baseMac.replaceAll(':', '')],
    [captured.psid, hardware.psid],
    [`"${captured.bmcAddress}"`, `"${hardware.bmc.address}"`],
    [`"${captured.armAddress}"`, `"${hardware.arm.address}"`],
    [captured.gateway, rack.state.management.gateway],
    [captured.dns, rack.state.management.dns],
  ];
  for (const port of ['eth0', 'eth1', 'oob', 'bmc'] as const) {
    pairs.push([captured[port], macs[port]], [linkLocal(captured[port]), linkLocal(macs[port])]);
  }
  for (const uuid of captured.uuids) pairs.push([uuid, stableUuid(hardware, uuid)]);
  return pairs;
}

const cache = new Map<string, ResourceTree>();
const cacheLimit = 32;

/** The captured tree with this card's names in it. Cached; not to be changed by callers. */
export function cardTree(rack: Rack, card: CardState): ResourceTree {
  const hardware = shownHardware(rack, card);
  const pairs = replacements(rack, card, hardware);
  const key = JSON.stringify(pairs);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const tree: ResourceTree = new Map();
  for (const [path, resource] of capturedTree()) {
    let text = JSON.stringify(resource);
    for (const [from, to] of pairs) text = text.replaceAll(from, to);
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) tree.set(path, parsed);
  }
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(key, tree);
  return tree;
}
