import { z } from 'zod';
import { defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { parseResource } from './read-helpers.ts';

/**
 * Secure Boot as the BMC reports it. `enable` is what the next boot will use, `currentBoot` what the running one has.
 * `not-reported`: the BMC came up after UEFI ran, or the firmware is older than DOCA 2.5; an Arm reset brings it back.
 */
export interface SecureBoot {
  readonly enable: boolean | 'not-reported';
  readonly currentBoot: 'Enabled' | 'Disabled' | 'not-reported';
}

/** Source: NVIDIA BlueField BMC docs; libredfish mockup of a B3220 with BF-24.10. */
export const secureBootResource = defineResource({
  name: 'SecureBoot',
  path: '/redfish/v1/Systems/Bluefield/SecureBoot',
});

const Body = z.object({
  '@odata.id': z.string(),
  SecureBootEnable: z.boolean().optional(),
  SecureBootCurrentBoot: z.enum(['Enabled', 'Disabled']).optional(),
});

/** Reads Secure Boot. Missing fields are the value `not-reported`; a field of another type is `redfish-unexpected`. */
export async function readSecureBoot(bmc: BmcReader, signal: AbortSignal): Promise<SecureBoot> {
  return parseSecureBoot(bmc.target, await bmc.get(secureBootResource, { timeoutMs: 30_000, signal }));
}

export function parseSecureBoot(target: string, body: unknown): SecureBoot {
  const resource = parseResource(Body, target, `GET ${secureBootResource.path}`, body);
  return {
    enable: resource.SecureBootEnable ?? 'not-reported',
    currentBoot: resource.SecureBootCurrentBoot ?? 'not-reported',
  };
}

/** Off for good: switched off for the next boot, and off in the running one. */
export function isSecureBootOff(state: SecureBoot): boolean {
  return state.enable === false && state.currentBoot === 'Disabled';
}

/** "on (running boot: Enabled)". */
export function secureBootText(state: SecureBoot): string {
  if (state.enable === 'not-reported') return 'not reported';
  return `${state.enable ? 'on' : 'off'} (running boot: ${state.currentBoot})`;
}
