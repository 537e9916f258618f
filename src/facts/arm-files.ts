import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import type { ReadCommand } from '../domain/commands.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Files that dpubot itself writes on a card or its host; nothing else can be named. */
export const dpubotFile = defineRead({
  name: 'cat a file of dpubot',
  argv: ['cat', '{path}'],
  holes: {
    path: /\/etc\/(?:systemd\/timesyncd\.conf\.d|ntpsec\/ntp\.d|chrony\/sources\.d|udev\/rules\.d|tmpfiles\.d)\/[a-z0-9][a-z0-9.-]*/,
  },
});

/** Content of a file that dpubot may have written; undefined when it is not there. */
export async function readDpubotFile(
  reader: HostReader,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return readIfThere(reader, dpubotFile.bind({ path }), signal);
}

/** Runs a `cat`; a file that is not there is undefined, any other failure is an error. */
export async function readIfThere(
  reader: HostReader,
  command: ReadCommand,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await reader.read(command, { timeoutMs: 15_000, signal });
  if (result.exitCode !== 0 && /: No such file or directory\n?$/.test(result.stderr)) return undefined;
  expectSuccess(reader.name, command.argv.join(' '), result);
  // A file cut in its middle would look like one with other content.
  if (result.truncated)
    throw errors.outputUnreadable({
      target: reader.name,
      source: command.argv.join(' '),
      problem: 'longer than expected',
    });
  return result.stdout;
}
