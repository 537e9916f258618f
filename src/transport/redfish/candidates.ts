import { createHash } from 'node:crypto';
import type {
  BmcCredential,
  CardRef,
  CredentialKey,
  CredentialSlot,
  CredentialStore,
} from '../../domain/device-ports.ts';
import { unprovenKey } from '../../domain/credential-key.ts';
import type { BmcEndpoint } from '../../domain/inventory.ts';
import { Secret } from '../../domain/secret.ts';

/**
 * The password every BlueField BMC leaves the factory with: published, hence no secret to be redacted.
 * Source: NVIDIA BlueField BMC software documentation, "Connecting to BMC Interfaces" (user root).
 */
export const factoryPassword = new Secret('0penBmc');

/** A password to try and the slot it came from. */
export interface Candidate {
  readonly slot: CredentialSlot;
  readonly secret: Secret;
  /** Slot and value as a hash, for remembering what was refused without keeping the value. */
  readonly id: string;
}

const order: readonly CredentialSlot[] = ['pending', 'current', 'factory', 'previous'];

/** Where the passwords of a card are filed: under its serial, and under certificate and address before that is known. */
function credentialKeys({ serial }: CardRef, bmc: BmcEndpoint, certSha256: string): readonly CredentialKey[] {
  const byCertificate = unprovenKey(bmc, certSha256);
  return serial === undefined ? [byCertificate] : [{ serial }, byCertificate];
}

/** All passwords that exist for a card whose BMC is at that address, in the house order, each value once. */
export async function listCandidates(
  credentials: Pick<CredentialStore, 'bmc'>,
  card: CardRef,
  bmc: BmcEndpoint,
  certSha256: string,
  factory: Secret,
): Promise<readonly Candidate[]> {
  const filed: (Pick<BmcCredential, 'secret'> & { readonly slot: CredentialSlot })[] = [];
  for (const key of credentialKeys(card, bmc, certSha256)) filed.push(...(await credentials.bmc(key)));
  filed.push({ slot: 'factory', secret: factory });
  const seen = new Set<string>();
  return order
    .flatMap((slot) => filed.filter((one) => one.slot === slot))
    .filter(({ secret }) => !seen.has(secret.reveal()) && seen.add(secret.reveal()))
    .map(({ slot, secret }) => candidate(slot, secret));
}

/** A candidate with its id. */
export function candidate(slot: CredentialSlot, secret: Secret): Candidate {
  return { slot, secret, id: createHash('sha256').update(`${slot}\0${secret.reveal()}`).digest('hex') };
}
