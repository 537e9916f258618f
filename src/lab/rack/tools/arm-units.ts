/** Services of the Arm's data path for systemctl. Source: units of Open vSwitch, charon-systemd and mlnx-tools on Ubuntu. */
import { startOvs } from '../data-path.ts';
import { startCharon, stopCharon } from '../ipsec/service.ts';
import type { Frame } from '../shell/types.ts';
import { advanceWire } from '../wire/advance.ts';
import { configureAtBoot } from './bf-configure.ts';

/** A unit as systemctl sees it. */
export interface DataPathUnit {
  exists: boolean;
  active: boolean;
  start: () => void;
  stop: () => void;
}

/** The unit of this name, if it is one of the data path. */
export function dataPathUnit(frame: Frame, name: string): DataPathUnit | null {
  const { machine, rack } = frame;
  const { card } = machine;
  if (card === null) return null;
  const { ovs, charon } = card.armOs.dataPath;
  if (['openvswitch-switch', 'ovs-vswitchd', 'ovsdb-server'].includes(name)) {
    return {
      exists: true,
      active: ovs.active,
      start: () => {
        advanceWire(rack);
        startOvs(card.armOs.dataPath.ovs);
      },
      stop: () => void (card.armOs.dataPath.ovs.active = false),
    };
  }
  if (name === 'strongswan' || name === 'strongswan-swanctl') {
    return {
      exists: true,
      active: charon.active,
      start: () => {
        stopCharon(rack, card.name);
        startCharon(rack, card);
      },
      stop: () => stopCharon(rack, card.name),
    };
  }
  if (name === 'mlnx_bf_configure')
    return { exists: true, active: true, start: () => configureAtBoot(rack, card), stop: () => undefined };
  return null;
}
