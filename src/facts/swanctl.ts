import type { ReadCommand } from '../domain/commands.ts';
import { defineRead } from '../domain/commands.ts';
import type { CommandResult, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { isMissing } from './probe-tool.ts';
import { expectSuccess, ownStderr } from './read-helpers.ts';
import type { RawQuery, RawSection } from './swanctl-raw.ts';
import { parseRaw, rawValue } from './swanctl-raw.ts';

/** Source: swanctl(8), --list-conns and --list-sas. */
export const swanctlConnections = defineRead({
  name: 'swanctl --list-conns',
  argv: ['sudo', '-n', 'swanctl', '--list-conns', '--raw'],
});
export const swanctlSas = defineRead({
  name: 'swanctl --list-sas',
  argv: ['sudo', '-n', 'swanctl', '--list-sas', '--raw'],
});

/** State of a service of strongSwan, and whether there is one. Source: systemctl(1). */
export const strongswanUnit = defineRead({
  name: 'strongswan service',
  argv: ['systemctl', 'show', '{unit}', '--property=ActiveState,LoadState'],
  holes: { unit: /strongswan(?:-starter)?\.service/ },
});

const connectionQuery: RawQuery = { source: 'swanctl --list-conns --raw', event: 'list-conn', reply: 'list-conns' };
const saQuery: RawQuery = { source: 'swanctl --list-sas --raw', event: 'list-sa', reply: 'list-sas' };

/** A pair of IPsec associations of strongSwan, one in and one out. */
export interface ChildSa {
  readonly name: string;
  /** `INSTALLED` is in use; after a rekey the old one stays for minutes as `DELETED`. */
  readonly state: string;
  readonly mode: string;
  readonly packetsIn: number;
  readonly packetsOut: number;
}

/** An IKE association, under the name of its connection. */
export interface IkeSa {
  readonly name: string;
  readonly state: string;
  readonly children: readonly ChildSa[];
}

/** What strongSwan has; undefined where its daemon does not run. */
export interface Strongswan {
  /** Names of the loaded connections. */
  readonly connections: readonly string[];
  readonly sas: readonly IkeSa[];
}

/** Errors: host-tool-missing, sudo-refused, command-failed, output-unreadable. */
export async function readStrongswan(arm: HostReader, signal: AbortSignal): Promise<Strongswan | undefined> {
  const connections = await ask(arm, swanctlConnections.bind({}), signal);
  if (connections === undefined) return undefined;
  const sas = await ask(arm, swanctlSas.bind({}), signal);
  if (sas === undefined) return undefined;
  return { connections: parseConnections(arm.name, connections), sas: parseSas(arm.name, sas) };
}

/** Undefined: nobody answers it. */
async function ask(arm: HostReader, command: ReadCommand, signal: AbortSignal): Promise<string | undefined> {
  const result = await arm.read(command, { timeoutMs: 30_000, signal, maxBytes: 4 * 1024 * 1024 });
  if (isMissing(result, 'swanctl'))
    throw errors.hostToolMissing({
      host: arm.name,
      tool: 'swanctl',
      need: 'to set up IPsec with strongSwan',
      package: 'strongswan-swanctl',
      afterwards: 'give the command again',
    });
  if (isSilent(result)) return undefined;
  expectSuccess(arm.name, command.name, result);
  if (result.truncated)
    throw errors.outputUnreadable({ target: arm.name, source: command.name, problem: 'it is not complete' });
  return result.stdout;
}

/** The socket of the daemon is not there, or nobody listens on it. */
function isSilent(result: CommandResult): boolean {
  return result.exitCode !== 0 && /^connecting to '[^']*' failed/m.test(ownStderr(result));
}

/** Parses `--list-conns --raw`. Errors: output-unreadable. */
export function parseConnections(target: string, text: string): readonly string[] {
  return parseRaw(target, connectionQuery, text).map(({ name }) => name);
}

/** Parses `--list-sas --raw`. Errors: output-unreadable. */
export function parseSas(target: string, text: string): readonly IkeSa[] {
  const valueIn = (section: RawSection, key: string): string => {
    const value = rawValue(section, key);
    if (value !== undefined) return value;
    const problem = `${section.name} without ${key}`;
    throw errors.outputUnreadable({ target, source: saQuery.source, problem, evidence: text.slice(0, 400) });
  };
  return parseRaw(target, saQuery, text).map((sa) => ({
    name: sa.name,
    state: valueIn(sa, 'state'),
    children: (sa.sections.find(({ name }) => name === 'child-sas')?.sections ?? []).map((child) => ({
      name: valueIn(child, 'name'),
      state: valueIn(child, 'state'),
      mode: valueIn(child, 'mode'),
      // An association that is just being made has none yet.
      packetsIn: Number(rawValue(child, 'packets-in') ?? 0),
      packetsOut: Number(rawValue(child, 'packets-out') ?? 0),
    })),
  }));
}

/** The service that starts strongSwan; images differ in its name. Errors: host-tool-missing, command-failed. */
export async function readStrongswanUnit(arm: HostReader, signal: AbortSignal): Promise<string> {
  for (const unit of ['strongswan.service', 'strongswan-starter.service']) {
    const result = await arm.read(strongswanUnit.bind({ unit }), { timeoutMs: 15_000, signal });
    expectSuccess(arm.name, `systemctl show ${unit}`, result);
    if (/^LoadState=loaded$/m.test(result.stdout)) return unit;
  }
  throw errors.hostToolMissing({
    host: arm.name,
    tool: 'service strongswan',
    need: 'to set up IPsec',
    package: 'charon-systemd (or strongswan-starter)',
    afterwards: 'give the command again',
  });
}
