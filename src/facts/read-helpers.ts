import type { z } from 'zod';
import type { CommandResult } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';

/**
 * What a command itself wrote to stderr. sudo complains there when the name of the machine cannot be resolved, and runs the
 * command all the same. Source: sudo(8), "unable to resolve host".
 */
export function ownStderr(result: Pick<CommandResult, 'stderr'>): string {
  return result.stderr.replace(/^sudo: unable to resolve host .*\n?/gm, '');
}

/** Did sudo refuse? "sudo: lspci: command not found" is no refusal: what lacks is the program. */
export function isSudoRefusal(result: Pick<CommandResult, 'stderr'>): boolean {
  return /^sudo: (?!.*command not found)/m.test(ownStderr(result));
}

/** Throws `sudo-refused` or `command-failed` unless the command ended with 0. */
export function expectSuccess(hostName: string, command: string, result: CommandResult): void {
  if (result.exitCode === 0) return;
  const output = `${result.stderr}\n${result.stdout}`.trim().slice(0, 400);
  if (isSudoRefusal(result)) throw errors.sudoRefused({ host: hostName, user: 'The SSH user', output });
  throw errors.commandFailed({ host: hostName, command, exitCode: result.exitCode, output });
}

/** Parses a Redfish body with the fields a fact uses; anything missing or of another type is `redfish-unexpected`. */
export function parseResource<T>(schema: z.ZodType<T>, target: string, request: string, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw errors.redfishUnexpected({ target, request, problem });
}
