import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Source: uname(1). The Arm of a BlueField says aarch64; its host, or anything else at a wrong address, does not. */
export const machineType = defineRead({ name: 'uname -m', argv: ['uname', '-m'] });

/** Reads the machine type of whatever answers. Errors: command-failed, output-unreadable. */
export async function readMachine(reader: HostReader, signal: AbortSignal): Promise<string> {
  const result = await reader.read(machineType.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'uname -m', result);
  return parseMachine(reader.name, result.stdout);
}

/** One word, as in `aarch64`. */
export function parseMachine(target: string, text: string): string {
  const word = /^([A-Za-z0-9_-]{2,30})\n?$/.exec(text)?.[1];
  if (word !== undefined) return word;
  throw errors.outputUnreadable({
    target,
    source: 'uname -m',
    problem: 'not a machine type',
    evidence: text.slice(0, 200),
  });
}
