import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * When the switch was started (its file with the process number is written then), and each time somebody set `hw-offload`: the
 * file of the database keeps every change with its time in UTC and the command, until it is compacted. Source: ovs-vswitchd(8),
 * ovsdb-tool(1) show-log; tried with 3.1.0.
 */
export const ovsDaemon = defineRead({
  name: 'start of ovs-vswitchd, ovsdb-tool show-log',
  argv: [
    'sudo',
    '-n',
    'sh',
    '-c',
    'find /run/openvswitch -maxdepth 1 -name ovs-vswitchd.pid -printf "started %T@\\n"; ovsdb-tool show-log /etc/openvswitch/conf.db | grep "other_config:hw-offload=" || :',
  ],
});

/** What is known of both moments, by the clock of the card. */
export interface OvsDaemon {
  readonly startedAtMs: number | undefined;
  /** The last time that `hw-offload` was switched on. Undefined: before the database was compacted, or never. */
  readonly offloadSetAtMs: number | undefined;
}

/** Reads both moments. Errors: command-failed, sudo-refused, output-unreadable. */
export async function readOvsDaemon(arm: HostReader, signal: AbortSignal): Promise<OvsDaemon> {
  const result = await arm.read(ovsDaemon.bind({}), { timeoutMs: 30_000, signal, maxBytes: 1024 * 1024 });
  expectSuccess(arm.name, 'ovsdb-tool show-log', result);
  return parseOvsDaemon(arm.name, result.stdout);
}

/** Parses `started 1795437482.0332` and `record 4: 2026-11-23 12:38:03.079 "ovs-vsctl ... other_config:hw-offload=true"`. */
export function parseOvsDaemon(target: string, text: string): OvsDaemon {
  let startedAtMs: number | undefined;
  let offloadSetAtMs: number | undefined;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const started = /^started (\d+(?:\.\d+)?)$/.exec(line)?.[1];
    const [, day, time, value] =
      /^record \d+: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) .*other_config:hw-offload=(\S+)/.exec(line) ?? [];
    if (started !== undefined) startedAtMs = Number(started) * 1000;
    // The last one counts; one that switches it off makes the earlier ones void.
    else if (day !== undefined)
      offloadSetAtMs = /^"?true\b/.test(value ?? '') ? Date.parse(`${day}T${time}Z`) : undefined;
    else
      throw errors.outputUnreadable({
        target,
        source: 'ovsdb-tool show-log',
        problem: 'a line is neither the start of the switch nor a change of hw-offload',
        evidence: line.slice(0, 400),
      });
  }
  return { startedAtMs, offloadSetAtMs };
}
