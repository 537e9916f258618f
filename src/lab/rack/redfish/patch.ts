/**
 * PATCH: which properties of which resource can be written, and what that does.
 * A request is checked as a whole before any of it is applied.
 *
 * Source: BlueField BMC manual; libredfish nvidia_dpu.rs; bmcweb (Settings resources, property errors).
 */
import { passwordProblem, setPasswordByRedfish } from '../accounts.ts';
import { schedule, secureBootFieldsPresent } from '../card-clock.ts';
import { queueMode } from '../power.ts';
import type { CardState, Rack } from '../state.ts';
import type { Caller } from './auth.ts';
import { longestUefiPassword } from '../uefi.ts';
import { capturedTree } from './capture.ts';
import { fail, failProperty, noContent, success } from './messages.ts';
import { isJsonObject } from './types.ts';
import type { Json, JsonObject, RouteReply } from './types.ts';

/** A checked write, ready to be applied; or why not. */
type Write = (() => void) | RouteReply;

interface PatchContext {
  rack: Rack;
  card: CardState;
  caller: Caller;
}

export type Writer = (context: PatchContext, value: Json) => Write;

export interface PatchableResource {
  writers: Record<string, Writer>;
  /** Properties a GET shows; they are read-only rather than unknown. */
  reply: RouteReply;
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The error about a value of another type. */
export function wrongType(property: string, value: Json): RouteReply {
  return failProperty(property, 'PropertyValueTypeError', [shown(value), property]);
}

function nested(writers: Record<string, Writer>, prefix: string): Writer {
  return (context, value) => {
    if (!isJsonObject(value)) return wrongType(prefix, value);
    const writes: (() => void)[] = [];
    for (const [name, inner] of Object.entries(value)) {
      const writer = Object.hasOwn(writers, name) ? writers[name] : undefined;
      if (writer === undefined) return failProperty(`${prefix}/${name}`, 'PropertyUnknown', [name]);
      const write = writer(context, inner);
      if (typeof write !== 'function') return write;
      writes.push(write);
    }
    return () => {
      for (const write of writes) write();
    };
  };
}

const writePassword: Writer = ({ rack, card, caller }, value) => {
  if (typeof value !== 'string') return wrongType('Password', value);
  // The value itself is never repeated in an answer.
  if (passwordProblem(value) !== null)
    return failProperty('Password', 'PropertyValueFormatError', ['null', 'Password']);
  return () => setPasswordByRedfish(rack, card, value, caller.sessionId);
};

const writeLocked: Writer = ({ card }, value) => {
  if (typeof value !== 'boolean') return wrongType('Locked', value);
  if (value) return failProperty('Locked', 'PropertyValueNotInList', ['true', 'Locked']);
  return () => {
    card.bmc.lockedUntilMs = 0;
    card.bmc.failedLogins = 0;
  };
};

const writeSecureBoot: Writer = ({ rack, card }, value) => {
  if (typeof value !== 'boolean') return wrongType('SecureBootEnable', value);
  if (!secureBootFieldsPresent(rack, card)) return fail(500, 'InternalError');
  return () => {
    card.secureBoot.enable = value;
    card.secureBoot.pending = value === card.secureBoot.currentBoot ? null : { value, fetched: false };
  };
};

/** Attributes with a fixed list of values; the registry of this firmware lists none. */
const biosValues: Record<string, string[]> = {
  NicMode: ['DpuMode', 'NicMode'],
  HostPrivilegeLevel: ['Privileged', 'Restricted', 'Unavailable'],
  InternalCPUModel: ['Embedded', 'Separated', 'Unavailable'],
};

function biosProblem(name: string, value: Json): RouteReply | null {
  const current = capturedTree().get('/redfish/v1/Systems/Bluefield/Bios')?.['Attributes'];
  const known = isJsonObject(current) ? current[name] : undefined;
  if (known === undefined) return failProperty(`Attributes/${name}`, 'PropertyUnknown', [name]);
  if (typeof known !== typeof value) return wrongType(name, value);
  if (name.endsWith('UefiPassword') && typeof value === 'string' && value.length > longestUefiPassword)
    return failProperty(name, 'PropertyValueFormatError', ['null', name]);
  const allowed = biosValues[name];
  if (allowed === undefined || (typeof value === 'string' && allowed.includes(value))) return null;
  return failProperty(name, 'PropertyValueNotInList', [shown(value), name]);
}

const writeBiosAttributes: Writer = ({ card }, value) => {
  if (!isJsonObject(value)) return wrongType('Attributes', value);
  for (const [name, inner] of Object.entries(value)) {
    const problem = biosProblem(name, inner);
    if (problem !== null) return problem;
  }
  return () => {
    card.bios.pending = { ...card.bios.pending, ...value };
    if (value['NicMode'] !== undefined) queueMode(card, value['NicMode'] === 'NicMode' ? 'nic' : 'dpu');
  };
};

function bootWriter(name: string, allowed: string[] | null): Writer {
  return ({ card }, value) => {
    if (typeof value !== 'string') return wrongType(name, value);
    if (allowed !== null && !allowed.includes(value)) {
      return failProperty(name, 'PropertyValueNotInList', [value, name]);
    }
    return () => {
      card.bootSettings[name] = value;
    };
  };
}

const bootWriters: Record<string, Writer> = {
  BootSourceOverrideEnabled: bootWriter('BootSourceOverrideEnabled', ['Once', 'Continuous', 'Disabled']),
  BootSourceOverrideMode: bootWriter('BootSourceOverrideMode', ['Legacy', 'UEFI']),
  BootSourceOverrideTarget: bootWriter('BootSourceOverrideTarget', [
    'None',
    'Pxe',
    'UefiHttp',
    'UefiShell',
    'UefiTarget',
    'UefiBootNext',
  ]),
  BootNext: bootWriter('BootNext', null),
  HttpBootUri: bootWriter('HttpBootUri', null),
  UefiTargetBootSourceOverride: bootWriter('UefiTargetBootSourceOverride', null),
  BootOrder: ({ card }, value) => {
    if (!Array.isArray(value)) return wrongType('BootOrder', value);
    if (!value.every((each) => typeof each === 'string')) return wrongType('BootOrder', value);
    return () => {
      card.bootSettings['BootOrder'] = [...value];
    };
  },
};

const writeStaticNameServers: Writer = ({ card }, value) => {
  if (!Array.isArray(value)) return wrongType('StaticNameServers', value);
  const servers = value.filter((each) => typeof each === 'string');
  if (servers.length !== value.length) return wrongType('StaticNameServers', value);
  return () => {
    card.bmc.staticNameServers = servers;
  };
};

const writeUseDns: Writer = ({ card }, value) => {
  if (typeof value !== 'boolean') return wrongType('UseDNSServers', value);
  return () => {
    card.bmc.dhcpUseDns = value;
  };
};

const writeBmcRshim: Writer = ({ rack, card }, value) => {
  if (typeof value !== 'boolean') return wrongType('BmcRShimEnabled', value);
  return () =>
    schedule(card, { atMs: rack.nowMs() + rack.state.delays.rshimToggleMs, kind: 'bmc-rshim', enabled: value });
};

const writeSessionTimeout: Writer = ({ card }, value) => {
  if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType('SessionTimeout', value);
  // The schema's limits, which bmcweb keeps too.
  if (value < 30 || value > 86_400) {
    return failProperty('SessionTimeout', 'PropertyValueNotInList', [shown(value), 'SessionTimeout']);
  }
  return () => {
    card.bmc.sessionTimeoutSeconds = value;
  };
};

const systemPath = '/redfish/v1/Systems/Bluefield';
const managerPath = '/redfish/v1/Managers/Bluefield_BMC';

/** Resources that answer PATCH. */
export const patchable: Record<string, PatchableResource> = {
  '/redfish/v1/AccountService/Accounts/root': {
    writers: { Password: writePassword, Locked: writeLocked },
    reply: success(),
  },
  '/redfish/v1/SessionService': { writers: { SessionTimeout: writeSessionTimeout }, reply: success() },
  // Patching the system itself is refused property by property; the settings resource takes the changes.
  [systemPath]: { writers: {}, reply: noContent },
  [`${systemPath}/Settings`]: { writers: { Boot: nested(bootWriters, 'Boot') }, reply: noContent },
  [`${systemPath}/SecureBoot`]: { writers: { SecureBootEnable: writeSecureBoot }, reply: noContent },
  [`${systemPath}/Bios/Settings`]: { writers: { Attributes: writeBiosAttributes }, reply: noContent },
  [`${managerPath}/Oem/Nvidia`]: {
    writers: { BmcRShim: nested({ BmcRShimEnabled: writeBmcRshim }, 'BmcRShim') },
    reply: success(),
  },
  [`${managerPath}/EthernetInterfaces/eth0`]: {
    writers: {
      StaticNameServers: writeStaticNameServers,
      DHCPv4: nested({ UseDNSServers: writeUseDns }, 'DHCPv4'),
    },
    reply: noContent,
  },
};

/** Answer a PATCH on a resource that takes them. */
export function patch(
  context: PatchContext,
  resource: PatchableResource,
  present: JsonObject,
  body: JsonObject,
): RouteReply {
  if (Object.keys(body).length === 0) return fail(400, 'EmptyJSON');
  const writes: (() => void)[] = [];
  for (const [name, value] of Object.entries(body)) {
    const writer = Object.hasOwn(resource.writers, name) ? resource.writers[name] : undefined;
    if (writer === undefined) {
      return failProperty(name, name in present ? 'PropertyNotWritable' : 'PropertyUnknown', [name]);
    }
    const write = writer(context, value);
    if (typeof write !== 'function') return write;
    writes.push(write);
  }
  for (const write of writes) write();
  return resource.reply;
}
