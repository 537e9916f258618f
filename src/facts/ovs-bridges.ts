import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { hwOffloadSetting, parseHwOffload } from './ovs-flows.ts';
import { expectSuccess } from './read-helpers.ts';

/** Bridges of Open vSwitch with their ports, in the order in which it names them. */
export type OvsBridges = Readonly<Record<string, readonly string[]>>;

/** A line `=== bridge`, then its ports. Source: ovs-vsctl(8), list-br and list-ports. */
export const ovsBridges = defineRead({
  name: 'ovs-vsctl list-br, list-ports',
  argv: [
    'sudo',
    '-n',
    'sh',
    '-c',
    'bridges=$(ovs-vsctl list-br) || exit 1; for b in $bridges; do echo "=== $b"; ovs-vsctl list-ports "$b" || exit 1; done',
  ],
});

/** Source: OVS-DOCA of NVIDIA DOCA, other_config:doca-init. */
export const docaInitSetting = defineRead({
  name: 'ovs-vsctl get doca-init',
  argv: ['sudo', '-n', 'ovs-vsctl', '--if-exists', 'get', 'Open_vSwitch', '.', 'other_config:doca-init'],
});

/** Reads the bridges. Errors: command-failed (no Open vSwitch, or it does not run), sudo-refused, output-unreadable. */
export async function readOvsBridges(reader: HostReader, signal: AbortSignal): Promise<OvsBridges> {
  const result = await reader.read(ovsBridges.bind({}), { timeoutMs: 30_000, signal });
  expectSuccess(reader.name, 'ovs-vsctl list-br', result);
  return parseOvsBridges(reader.name, result.stdout);
}

/** Parses what the listing command prints. */
export function parseOvsBridges(target: string, text: string): OvsBridges {
  const blocks = text.split(/^=== /m);
  if (blocks[0]?.trim() !== '')
    throw errors.outputUnreadable({
      target,
      source: 'ovs-vsctl list-br',
      problem: 'text before the first bridge',
      evidence: text.slice(0, 400),
    });
  return Object.fromEntries(
    blocks.slice(1).map((block): [string, readonly string[]] => {
      const [name = '', ...ports] = block.split('\n').map((line) => line.trim());
      return [name, ports.filter((port) => port !== '')];
    }),
  );
}

/** What Open vSwitch is set to hand to the hardware. What it was started with is not told: a change needs a restart. */
export interface OvsOffload {
  readonly hwOffload: boolean;
  readonly docaInit: boolean;
}

/** Reads both settings; one that is not set is off. Errors: command-failed, sudo-refused, output-unreadable. */
export async function readOvsOffload(reader: HostReader, signal: AbortSignal): Promise<OvsOffload> {
  const ask = async (command: typeof hwOffloadSetting): Promise<boolean> => {
    const result = await reader.read(command.bind({}), { timeoutMs: 30_000, signal });
    expectSuccess(reader.name, 'ovs-vsctl get other_config', result);
    return parseHwOffload(reader.name, result.stdout) === 'true';
  };
  return { hwOffload: await ask(hwOffloadSetting), docaInit: await ask(docaInitSetting) };
}
