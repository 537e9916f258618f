/** Which BMC answers at an address. Source: the field guide's map of a card (VLAN 4040 between Arm and BMC). */
import type { Frame } from '../shell/types.ts';
import { cardFault } from '../state.ts';
import type { CardState } from '../state.ts';

/** The BMC inside its own card. */
const insideAddress = '192.168.240.1';

/** The card whose BMC has this address, seen from a machine; null when no packet gets there. A BMC may be down. */
export function reachedBmc({ rack, machine, network }: Frame, address: string): CardState | null {
  if (network !== '') return null;
  if (address !== insideAddress) return rack.state.cards.find((card) => card.hardware.bmc.address === address) ?? null;
  const { card } = machine;
  return card === null || cardFault(rack, card, 'vlan4040-down') ? null : card;
}
