import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** TCP sockets that listen, without a heading, numeric. Source: ss(8). */
export const listeningSockets = defineRead({ name: 'ss', argv: ['ss', '-Htln'] });

/** TCP ports on which something listens. Errors: command-failed, output-unreadable. */
export async function readListeningPorts(host: HostReader, signal: AbortSignal): Promise<ReadonlySet<number>> {
  const result = await host.read(listeningSockets.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'ss -Htln', result);
  return parseListeningPorts(host.name, result.stdout);
}

/** `LISTEN 0 4096 *:5201 *:*`: state, two queues, local address, peer. */
export function parseListeningPorts(target: string, text: string): ReadonlySet<number> {
  const ports = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const port = /^LISTEN\s+\d+\s+\d+\s+\S*:(\d{1,5})\s/.exec(`${line} `)?.[1];
      if (port === undefined)
        throw errors.outputUnreadable({ target, source: 'ss -Htln', problem: `"${line.slice(0, 80)}" is no socket` });
      return Number(port);
    });
  return new Set(ports);
}
