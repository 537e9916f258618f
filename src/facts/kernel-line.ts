import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** What the boot loader gave the kernel. Source: proc_cmdline(5). */
export const kernelLine = defineRead({ name: 'kernel command line', argv: ['cat', '/proc/cmdline'] });

/**
 * What the kernel line says of the IOMMU: `pt`: cards use memory as it is; `off`; `on`: each buffer is mapped for the card;
 * `default`: it says nothing, and the kernel decides.
 */
export type IommuSetting = 'pt' | 'off' | 'on' | 'default';

/** Reads it. Errors: command-failed, output-unreadable. */
export async function readIommuSetting(host: HostReader, signal: AbortSignal): Promise<IommuSetting> {
  const result = await host.read(kernelLine.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'cat /proc/cmdline', result);
  return parseIommuSetting(host.name, result.stdout);
}

/**
 * Of words that say the same the last one counts. What is behind ` -- ` goes to the first program, not to the kernel. Source:
 * kernel docs, admin-guide/kernel-parameters (iommu=, intel_iommu=, amd_iommu=, iommu.passthrough=).
 */
export function parseIommuSetting(target: string, text: string): IommuSetting {
  if (text.trim() === '')
    throw errors.outputUnreadable({ target, source: '/proc/cmdline', problem: 'it is empty', evidence: '' });
  const words = (text.split(/\s--\s/)[0] ?? '').trim().split(/\s+/);
  const last = (pattern: RegExp): string | undefined => words.findLast((word) => pattern.test(word));
  if (words.includes('amd_iommu=off') || words.includes('intel_iommu=off') || last(/^iommu=/) === 'iommu=off')
    return 'off';
  const way = last(/^(?:iommu=(?:pt|nopt)|iommu\.passthrough=[01])$/);
  if (way === 'iommu=pt' || way === 'iommu.passthrough=1') return 'pt';
  return way !== undefined || words.some((word) => /^(?:intel|amd)_iommu=(?:\w+,)*on\b/.test(word)) ? 'on' : 'default';
}
