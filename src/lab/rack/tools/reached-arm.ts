/** Which Arm answers at an address, seen from a host. Source: tmfifo addresses of NVIDIA's images. */
import { armStage } from '../card-clock.ts';
import type { Frame } from '../shell/types.ts';
import { cardFault } from '../state.ts';
import type { CardState } from '../state.ts';
import { rshimDevices, tmfifoHasPeer } from './rshim.ts';

const armAddress = '192.168.100.2';
const hostAddress = '192.168.100.1';

/** The Arm that answers at an address from this network namespace, or null. */
export function reachedArm(frame: Pick<Frame, 'rack' | 'machine' | 'network'>, address: string): CardState | null {
  const { rack, machine, network } = frame;
  const { host } = machine;
  if (host === null) return null;
  for (const [index, card] of rshimDevices(rack, host).entries()) {
    const link = host.network.links[`tmfifo_net${index}`];
    if (link === undefined) continue;
    const peer = cardFault(rack, card, 'tmfifo-reversed') ? hostAddress : armAddress;
    const own = link.addresses.map((each) => each.split('/')[0]);
    const usable =
      link.namespace === network &&
      link.up &&
      own.some((each) => each?.startsWith('192.168.100.') === true && each !== peer);
    if (usable && address === peer && !cardFault(rack, card, 'tmfifo-no-ip') && tmfifoHasPeer(rack, card)) return card;
  }
  if (network !== '') return null;
  return (
    machine.cards.find((card) => card.hardware.arm.address === address && armStage(rack, card) === 'OsIsRunning') ??
    null
  );
}
