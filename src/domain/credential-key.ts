import type { CredentialKey } from './device-ports.ts';
import type { DpuEntry } from './inventory.ts';

/** Where a BMC's passwords are filed before its serial is known: the one form of it, for those who file and who look. */
export function unprovenKey(dpu: DpuEntry, certSha256: string): CredentialKey {
  return { certSha256, address: `${dpu.bmc.address}:${dpu.bmc.port}` };
}
