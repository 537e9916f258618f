import type { ReadCommand } from '../domain/commands.ts';
import type { CommandResult, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess, ownStderr } from './read-helpers.ts';

/** The program that a probe runs: what it is for, and the package that brings it. */
export interface ProbeTool {
  readonly name: string;
  readonly need: string;
  readonly package: string;
}

/** Packages of the tools; MFT and the OVS of BlueField come with NVIDIA's DOCA. */
export const toolPackages = {
  mft: 'mft (of DOCA)',
  ethtool: 'ethtool',
  openvswitch: 'openvswitch-switch',
  iproute2: 'iproute2',
  mokutil: 'mokutil',
  systemd: 'systemd',
} as const;

/** Runs a probe's command. Errors: host-tool-missing, and those of the transport; a non-zero exit is a result. */
export async function readTool(
  reader: HostReader,
  command: ReadCommand,
  tool: ProbeTool,
  signal: AbortSignal,
): Promise<CommandResult> {
  const result = await reader.read(command, { timeoutMs: 60_000, signal, maxBytes: 512 * 1024 });
  if (isMissing(result, tool.name))
    throw errors.hostToolMissing({ ...toolOf(tool), host: reader.name, afterwards: 'ask again' });
  return result;
}

/** As `readTool`; a non-zero exit is an error too: sudo-refused, command-failed. */
export async function readToolOk(
  reader: HostReader,
  command: ReadCommand,
  tool: ProbeTool,
  signal: AbortSignal,
): Promise<CommandResult> {
  const result = await readTool(reader, command, tool, signal);
  expectSuccess(reader.name, command.name, result);
  return result;
}

function toolOf({ name, need, package: from }: ProbeTool): { tool: string; need: string; package: string } {
  return { tool: name, need, package: from };
}

/** 127 is what a shell ends with for an unknown command; sudo ends with 1 and says it. */
export function isMissing(result: CommandResult, name: string): boolean {
  return result.exitCode === 127 || ownStderr(result).includes(`sudo: ${name}: command not found`);
}
