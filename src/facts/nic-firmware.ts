import { defineRead } from '../domain/commands.ts';
import type { CommandResult, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { isMissing, toolPackages } from './probe-tool.ts';
import { expectSuccess } from './read-helpers.ts';

/** Firmware of the network controller of a card: what runs, and what the flash memory holds for the next cold boot. */
export interface NicFirmware {
  readonly running: string;
  readonly staged: string;
}

/** How MFT names a device: its PCI address; no `/dev/mst` node is needed for that. */
export const pciHole = /[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/;

/** Only reads; root is needed for the configuration space. Source: mstflint flint/subcommands.cpp (MFT prints the same). */
export const flintQuery = defineRead({
  name: 'flint query',
  argv: ['sudo', '-n', 'flint', '-d', '{device}', 'q'],
  holes: { device: pciHole },
});

/**
 * Reads running and staged firmware of the card at `device`. `target`: the name of the card in messages.
 * Errors: host-tool-missing, firmware-wedged, sudo-refused, command-failed, output-unreadable.
 */
export async function readNicFirmware(
  host: HostReader,
  target: string,
  device: string,
  signal: AbortSignal,
): Promise<NicFirmware> {
  const result = await host.read(flintQuery.bind({ device }), { timeoutMs: 60_000, signal });
  expectMft(host.name, 'flint', 'to read NIC firmware', result);
  expectAwake(host.name, target, device, result);
  expectSuccess(host.name, `flint -d ${device} q`, result);
  return parseNicFirmware(target, result.stdout);
}

/** A host without DOCA has none of the MFT tools. Errors: host-tool-missing. */
export function expectMft(host: string, tool: string, need: string, result: CommandResult): void {
  if (!isMissing(result, tool)) return;
  throw errors.hostToolMissing({ host, tool, need, package: toolPackages.mft, afterwards: 'give the command again' });
}

/** Both MFT tools say it in the same words when the controller hangs. Errors: firmware-wedged. */
export function expectAwake(
  host: string,
  target: string,
  device: string,
  result: { readonly exitCode: number; readonly stdout: string; readonly stderr: string },
): void {
  const line = `${result.stdout}\n${result.stderr}`.split('\n').find((one) => one.includes('FwInit has failed!'));
  if (result.exitCode === 0 || line === undefined) return;
  throw errors.firmwareWedged({ target, host, device, output: line.trim().slice(0, 200) });
}

/** The line `FW Version(Running)` is printed only while it differs from `FW Version`, which is that of the flash memory. */
export function parseNicFirmware(target: string, text: string): NicFirmware {
  const [staged, ...others] = versionsOf(text, 'FW Version');
  const [running, ...more] = versionsOf(text, 'FW Version(Running)');
  if (staged === undefined || others.length > 0 || more.length > 0)
    throw errors.outputUnreadable({
      target,
      source: 'flint',
      problem: 'not exactly one FW Version',
      evidence: text.slice(0, 600),
    });
  return { running: running ?? staged, staged };
}

/** Every version behind a label at the start of a line; one that is no version is kept out and so makes the text unreadable. */
function versionsOf(text: string, label: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith(`${label}:`)) return [];
    const value = line.slice(label.length + 1).trim();
    // Two entries for a broken value: never exactly one.
    return /^\d+\.\d+\.\d+$/.test(value) ? [value] : ['', ''];
  });
}
