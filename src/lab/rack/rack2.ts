/**
 * `rack2`: the awkward cards. A host with two DPUs (one without crypto engines), a storage controller, a card in NIC mode,
 * a Gen4 slot and a card somebody set up by hand.
 */
import { defaultDelays, skus } from './layout.ts';
import type { CardLayout, RackLayout } from './layout.ts';
import { factoryCard, factoryHost, plainHost } from './layouts.ts';

interface Place {
  host: number;
  card: number;
  pciAddress: string;
  numaNode: number;
}

function card(name: string, serial: string, place: Place, change: Partial<CardLayout> = {}): CardLayout {
  const number = place.host * 4 + place.card;
  const hex = number.toString(16).padStart(2, '0');
  const made = factoryCard({
    name,
    serial,
    baseMac: `a0:88:c2:5${place.card}:${hex}:00`,
    pciAddress: place.pciAddress,
    numaNode: place.numaNode,
    armAddress: `10.20.12.${number * 2 + 20}`,
    bmcAddress: `10.20.12.${number * 2 + 21}`,
  });
  return { ...made, ...change };
}

/** The rack; a fresh copy on every call. */
export function rack2(): RackLayout {
  const slot = { pciAddress: '0000:e1:00', numaNode: 1, card: 0 };
  // The inventory's first card sits in the higher slot: rshim0 is the second one.
  const first = card('as11-dpu0', 'MT2334XZ11A0', { host: 1, card: 0, pciAddress: '0000:e1:00', numaNode: 1 });
  const second = card(
    'as11-dpu1',
    'MT2334XZ11B1',
    { host: 1, card: 1, pciAddress: '0000:21:00', numaNode: 0 },
    structuredClone(skus.b3240NoCrypto),
  );
  const controller = card('as12-dpu0', 'MT2334XZ12A0', { ...slot, host: 2 }, structuredClone(skus.b3220sh));
  const nic = card('as13-dpu0', 'MT2334XZ13A0', { ...slot, host: 3 }, { mode: 'nic' });
  const narrow = card('as14-dpu0', 'MT2334XZ14A0', { ...slot, host: 4 });
  narrow.pcie.slotGen = 4;
  const byHand = card('as15-dpu0', 'MT2334XZ15A0', { ...slot, host: 5 });
  byHand.bmc.rootPassword = 'Hands0n-Setup!';
  Object.assign(byHand.arm, {
    password: 'Hands0n-Arm-2024',
    passwordExpired: false,
    image: 'bf-bundle-2.7.0-33_24.04_ubuntu-22.04_prod',
    hostname: 'storage-gw-1',
  });
  byHand.secureBoot.enabled = false;
  const living = plainHost('as15', '10.20.11.15', [byHand]);
  return {
    name: 'rack2',
    management: { gateway: '10.20.11.1', dns: '10.20.11.2' },
    delays: { ...defaultDelays },
    hosts: [
      factoryHost('as11', '10.20.11.11', [first, second]),
      factoryHost('as12', '10.20.11.12', [controller]),
      factoryHost('as13', '10.20.11.13', [nic]),
      factoryHost('as14', '10.20.11.14', [narrow]),
      living,
    ],
  };
}
