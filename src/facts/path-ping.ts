import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { ownStderr } from './read-helpers.ts';

const address = /(?:\d{1,3}\.){3}\d{1,3}/;

/** Three packets of one size that nobody may cut on the way. Source: ping(8) of iputils, -M do. */
export const dontFragmentPing = defineRead({
  name: 'ping -M do',
  argv: ['ping', '-n', '-c', '3', '-i', '0.2', '-W', '2', '-M', 'do', '-s', '{bytes}', '-I', '{from}', '{to}'],
  holes: { bytes: /[1-9]\d{1,3}/, from: address, to: address },
});

/** IPv4 header and ICMP header, which the size of a ping does not count. */
const headerBytes = 20 + 8;

/** What came of it. */
export interface PathPing {
  readonly sent: number;
  readonly received: number;
  /** Why a packet of this size does not get through, as ping was told: by this host, or by a router on the way. */
  readonly limit?: { readonly mtuBytes: number; readonly at: string };
  /** What ping said besides, in its words. */
  readonly said?: string;
}

/**
 * Pings with IP packets of exactly `mtuBytes`. No answer is a result. Errors: command-failed (ping itself could not start:
 * no such address here), output-unreadable.
 */
export async function pingPath(
  host: HostReader,
  path: { readonly from: string; readonly to: string; readonly mtuBytes: number },
  signal: AbortSignal,
): Promise<PathPing> {
  const { from, to, mtuBytes } = path;
  const command = dontFragmentPing.bind({ from, to, bytes: String(mtuBytes - headerBytes) });
  const result = await host.read(command, { timeoutMs: 20_000, signal });
  // 0: answered; 1: not answered; 2 and more: ping did not get so far. Source: ping(8).
  if (result.exitCode > 1) {
    const output = `${ownStderr(result)}\n${result.stdout}`.trim().slice(0, 400);
    throw errors.commandFailed({ host: host.name, command: command.argv.join(' '), exitCode: result.exitCode, output });
  }
  return parsePathPing(host.name, `${result.stdout}\n${ownStderr(result)}`);
}

/** Parses what ping prints, both streams in any order. */
export function parsePathPing(target: string, text: string): PathPing {
  const [, sent, received] = /^(\d+) packets transmitted, (\d+) received\b/m.exec(text) ?? [];
  if (sent === undefined || received === undefined)
    throw errors.outputUnreadable({
      target,
      source: 'ping',
      problem: 'no count of packets',
      evidence: text.slice(0, 400),
    });
  const [, router, onTheWay] = /^From (\S+) .*Frag needed and DF set \(mtu = (\d+)\)$/m.exec(text) ?? [];
  const here = /^ping: local error: message too long, mtu=(\d+)$/m.exec(text)?.[1];
  const mtu = onTheWay ?? here;
  const said = /^ping: (?!local error)(.+)$/m.exec(text)?.[1] ?? /^From \S+ .*(Destination .*)$/m.exec(text)?.[1];
  return {
    sent: Number(sent),
    received: Number(received),
    ...(mtu !== undefined && { limit: { mtuBytes: Number(mtu), at: router ?? target } }),
    ...(said !== undefined && { said }),
  };
}
