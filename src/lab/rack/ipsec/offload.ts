/**
 * What the hardware takes of an SA.
 *
 * Source: strongSwan kernel_netlink_ipsec.c (crypto and packet fail hard, auto falls back from packet to crypto to none);
 * mlx5's IPsec offload (AES-GCM with a check value of 128 bits; packet offload needs rules in device-managed steering);
 * texts of published failures.
 */
import type { ChildConfig, ChildSa, Offload } from '../data-path.ts';
import { cardFault, shownHardware } from '../state.ts';
import type { CardState, Rack } from '../state.ts';

/** An SA goes in, or charon says why not. */
export type Installed = { offload: Offload } | { refusal: string };

const noDevice = (port: number): string => `HW offload is not supported by device p${port}`;
const deviceFailed = 'received netlink error: mlx5_core: Device failed to offload this state (22)';

function refusalOf(
  rack: Rack,
  card: CardState,
  port: number,
  offload: Offload,
  cipher: ChildSa['cipher'],
): string | null {
  if (offload === 'no') return null;
  if (!shownHardware(rack, card).crypto) return noDevice(port);
  if (cardFault(rack, card, 'hw-offload-refused') || !cipher.name.startsWith('AES_GCM')) return deviceFailed;
  const eswitch = card.armOs.dataPath.eswitches[port];
  return offload === 'packet' && (eswitch?.fdb !== 'dmfs' || eswitch.mode !== 'switchdev') ? deviceFailed : null;
}

/** Try to install an SA on an uplink as it is wished. */
export function installOffload(
  rack: Rack,
  card: CardState,
  port: number,
  wish: ChildConfig['hwOffload'],
  cipher: ChildSa['cipher'],
): Installed {
  const falls = cardFault(rack, card, 'ipsec-auto-fallback');
  if (wish !== 'auto' && !(wish === 'packet' && falls)) {
    const refusal = refusalOf(rack, card, port, wish, cipher);
    return refusal === null ? { offload: wish } : { refusal };
  }
  const tried = (['packet', 'crypto', 'no'] as const).filter((each) => each !== 'packet' || !falls);
  const offload = tried.find((each) => refusalOf(rack, card, port, each, cipher) === null);
  return { offload: offload ?? 'no' };
}
