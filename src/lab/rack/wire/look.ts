/** One look at the network of all machines. */
import { armStage } from '../card-clock.ts';
import type { OvsBridge } from '../data-path.ts';
import type { Machine } from '../shell/types.ts';
import type { CardState, Rack } from '../state.ts';
import { netdevs } from '../tools/netdevs.ts';
import type { Netdev } from '../tools/netdevs.ts';
import type { Place } from './wire.ts';

/** What one look at the machines sees; devices are worked out once. */
export interface Look {
  rack: Rack;
  devicesOf: (machine: Machine) => Netdev[];
  armDevice: (card: CardState, name: string) => Netdev | undefined;
  hostDevice: (place: Place) => Netdev | undefined;
}

/** Look at the machines as they are now. */
export function lookAt(rack: Rack): Look {
  const known = new Map<Machine, Netdev[]>();
  const devicesOf = (machine: Machine): Netdev[] => {
    const found = known.get(machine) ?? netdevs(rack, machine);
    known.set(machine, found);
    return found;
  };
  const of = (name: string): Netdev[] => {
    const machine = rack.machines.get(name);
    return machine === undefined ? [] : devicesOf(machine);
  };
  return {
    rack,
    devicesOf,
    armDevice: (card, name) => of(card.name).find((each) => each.name === name),
    hostDevice: ({ card, port }) => of(card.host).find((each) => each.pci === `${card.hardware.pcie.address}.${port}`),
  };
}

/** Does the Arm of a card forward packets at all? */
export function armForwards(rack: Rack, card: CardState): boolean {
  return card.mode.current === 'dpu' && armStage(rack, card) === 'OsIsRunning';
}

/** The bridge that has a port of this name. */
export function bridgeOf(card: CardState, port: string): OvsBridge | undefined {
  return card.armOs.dataPath.ovs.bridges.find(({ ports }) => ports.some(({ name }) => name === port));
}
