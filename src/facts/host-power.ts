import { z } from 'zod';
import { defineMember, defineRead, defineResource } from '../domain/commands.ts';
import type { BmcReader, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess, parseResource } from './read-helpers.ts';

/** A host as its own BMC sees it. */
export interface HostPower {
  /** Name of the member of `/redfish/v1/Systems`. */
  readonly id: string;
  /** `On`, `Off`, `PoweringOn`, `PoweringOff`, `Paused`. */
  readonly powerState: string;
  readonly model: string;
  /** Where `ComputerSystem.Reset` is posted to, and what it may be told. */
  readonly resetPath: string;
  readonly resetTypes: readonly string[];
}

/** The member is called System.Embedded.1 (Dell), 1 (HPE, Lenovo, Supermicro), Self, system ... Source: DMTF ComputerSystem. */
export const systemsResource = defineResource({ name: 'Systems', path: '/redfish/v1/Systems' });
export const systemResource = defineMember({ name: 'System', path: '/redfish/v1/Systems/{id}' });
/** Supermicro and OpenBMC name the reset types there and not inside the action. Source: DMTF ActionInfo. */
export const resetActionInfo = defineMember({
  name: 'ResetActionInfo',
  path: '/redfish/v1/Systems/{id}/ResetActionInfo',
});
/** Another value after every boot. */
export const bootIdFile = defineRead({ name: 'boot id', argv: ['cat', '/proc/sys/kernel/random/boot_id'] });

const Collection = z.object({ Members: z.array(z.object({ '@odata.id': z.string() })) });
const System = z.object({
  SystemType: z.string().optional(),
  PowerState: z.string().nullish(),
  Manufacturer: z.string().nullish(),
  Model: z.string().nullish(),
  Actions: z
    .object({
      '#ComputerSystem.Reset': z
        .object({
          target: z.string().startsWith('/redfish/v1/'),
          'ResetType@Redfish.AllowableValues': z.array(z.string()).optional(),
          '@Redfish.ActionInfo': z.string().optional(),
        })
        .optional(),
    })
    .optional(),
});
type System = z.infer<typeof System>;
const ActionInfo = z.object({
  Parameters: z.array(z.object({ Name: z.string(), AllowableValues: z.array(z.string()).optional() })),
});

/** Reads power state and what can be done to it. Errors: redfish-unexpected and those of the transport. */
export async function readHostPower(bmc: BmcReader, signal: AbortSignal): Promise<HostPower> {
  const options = { timeoutMs: 30_000, signal };
  const ids = parseMembers(bmc.target, await bmc.get(systemsResource, options));
  const bodies: (readonly [string, unknown])[] = [];
  for (const id of ids) bodies.push([id, await bmc.get(systemResource.bind(id), options)]);
  const { id, system } = chooseSystem(bmc.target, bodies);
  const action = system.Actions?.['#ComputerSystem.Reset'];
  const infoPath = action?.['@Redfish.ActionInfo'];
  const isNeeded = action?.['ResetType@Redfish.AllowableValues'] === undefined && infoPath !== undefined;
  const info = resetActionInfo.bind(id);
  const known = isNeeded && infoPath === info.path ? await bmc.get(info, options) : undefined;
  return parseHostPower(bmc.target, id, system, known);
}

/** Names of the members; at most eight are looked at. */
export function parseMembers(target: string, body: unknown): readonly string[] {
  const request = `GET ${systemsResource.path}`;
  const members = parseResource(Collection, target, request, body).Members;
  const ids = members.map((member) => /^\/redfish\/v1\/Systems\/([A-Za-z0-9._-]+)\/?$/.exec(member['@odata.id'])?.[1]);
  const named = ids.filter((id) => id !== undefined && id !== '..');
  if (named.length === 0 || named.length !== ids.length || named.length > 8)
    throw errors.redfishUnexpected({ target, request, problem: 'no list of one to eight systems' });
  return named.filter((id) => id !== undefined);
}

/**
 * The member that is the host. A tray with GPUs lists its baseboard (HGX_...) beside the host, and newer BMCs list cards
 * of type `DPU`: switching those would not switch the host.
 */
export function chooseSystem(
  target: string,
  bodies: readonly (readonly [string, unknown])[],
): { readonly id: string; readonly system: System } {
  const systems = bodies.map(([id, body]) => ({
    id,
    system: parseResource(System, target, `GET ${systemResource.bind(id).path}`, body),
  }));
  const hosts = systems.filter(
    ({ id, system }) =>
      (system.SystemType ?? 'Physical') === 'Physical' &&
      system.Actions?.['#ComputerSystem.Reset'] !== undefined &&
      !id.startsWith('HGX_'),
  );
  const [only, ...others] = hosts;
  if (only !== undefined && others.length === 0) return only;
  throw errors.redfishUnexpected({
    target,
    request: `GET ${systemsResource.path}`,
    problem: `${hosts.length} of its ${systems.length} systems can be the host`,
  });
}

/** Puts power state, reset target and reset types together; the latter from inside the action, else from `info`. */
export function parseHostPower(target: string, id: string, body: unknown, info: unknown): HostPower {
  const request = `GET ${systemResource.bind(id).path}`;
  const system = parseResource(System, target, request, body);
  const action = system.Actions?.['#ComputerSystem.Reset'];
  const resetTypes = action?.['ResetType@Redfish.AllowableValues'] ?? typesOf(target, id, info);
  const { PowerState: powerState } = system;
  if (powerState === undefined || powerState === null || action === undefined || resetTypes === undefined)
    throw errors.redfishUnexpected({
      target,
      request,
      problem: 'PowerState, the reset action or its types are missing',
    });
  const model = [system.Manufacturer, system.Model].filter(Boolean).join(' ').trim();
  return { id, powerState, model: model === '' ? 'unnamed' : model, resetPath: action.target, resetTypes };
}

function typesOf(target: string, id: string, info: unknown): readonly string[] | undefined {
  if (info === undefined) return undefined;
  const { Parameters } = parseResource(ActionInfo, target, `GET ${resetActionInfo.bind(id).path}`, info);
  return Parameters.find((parameter) => parameter.Name === 'ResetType')?.AllowableValues;
}

/** The id of the running boot of a host. Errors: command-failed, output-unreadable and those of the transport. */
export async function readBootId(host: HostReader, signal: AbortSignal): Promise<string> {
  const result = await host.read(bootIdFile.bind({}), { timeoutMs: 10_000, signal });
  expectSuccess(host.name, 'cat boot_id', result);
  const bootId = result.stdout.trim();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(bootId)) return bootId;
  throw errors.outputUnreadable({
    target: host.name,
    source: 'boot_id',
    problem: 'it is no UUID',
    evidence: bootId.slice(0, 100),
  });
}
