import type { CardRecords, CardRef, CredentialKey } from './device-ports.ts';
import type { BmcEndpoint } from './inventory.ts';

/**
 * The BMC of a card as the inventory gives it, with the address that was found over the Arm where the inventory says
 * `auto`. Undefined as long as that address is not known; it is filed under the serial that the host's VPD gave.
 */
export async function knownBmc(card: CardRef, records: Pick<CardRecords, 'get'>): Promise<BmcEndpoint | undefined> {
  const { bmc } = card.dpu;
  if (bmc.address !== 'auto') return bmc;
  const record = card.serial === undefined ? undefined : await records.get(card.serial);
  return record?.bmcAddress === undefined ? undefined : { ...bmc, address: record.bmcAddress };
}

/**
 * Where a BMC's passwords are filed before its serial is known: the one form of it, for those who file and who look.
 * `bmc` has a real address, see `knownBmc`.
 */
export function unprovenKey(bmc: Pick<BmcEndpoint, 'address' | 'port'>, certSha256: string): CredentialKey {
  return { certSha256, address: `${bmc.address}:${bmc.port}` };
}
