/**
 * POST on action targets.
 *
 * Source: BlueField BMC manual, libredfish nvidia_dpu.rs, NICo issues 2367 (mode needs a host power cycle) and 6281
 * (`On` ignored in the UEFI shell), OobUpdate (asynchronous rshim switches).
 */
import { armOff, resetArm, resetBmc, schedule } from '../card-clock.ts';
import { queueMode } from '../power.ts';
import type { CardState, Rack } from '../state.ts';
import { clearSelPath } from './log-services.ts';
import { fail, success } from './messages.ts';
import type { JsonObject, RedfishRequest, RouteReply } from './types.ts';
import { simpleUpdate } from './update.ts';

export interface ActionContext {
  rack: Rack;
  card: CardState;
  request: RedfishRequest;
}

type Action = (context: ActionContext, body: JsonObject) => RouteReply;

/** One required string parameter out of a list, or the error about it. */
function choice(body: JsonObject, action: string, parameter: string, allowed: string[]): string | RouteReply {
  for (const name of Object.keys(body)) {
    if (name !== parameter) return fail(400, 'ActionParameterUnknown', [action, name]);
  }
  const value = body[parameter];
  if (value === undefined) return fail(400, 'ActionParameterMissing', [action, parameter]);
  if (typeof value !== 'string') {
    return fail(400, 'ActionParameterValueTypeError', [JSON.stringify(value), parameter, action]);
  }
  return allowed.includes(value) ? value : fail(400, 'ActionParameterNotSupported', [value, parameter]);
}

const systemResetTypes = [
  'ForceOff',
  'PowerCycle',
  'Nmi',
  'GracefulShutdown',
  'On',
  'ForceOn',
  'GracefulRestart',
  'ForceRestart',
];

function systemReset({ rack, card }: ActionContext, body: JsonObject): RouteReply {
  const type = choice(body, 'ComputerSystem.Reset', 'ResetType', systemResetTypes);
  if (typeof type !== 'string') return type;
  const off = card.arm.power === 'off';
  if (type === 'ForceOff' || type === 'GracefulShutdown') armOff(rack, card);
  else if (type === 'On' || type === 'ForceOn') {
    // In the UEFI shell the system counts as on already: nothing happens.
    if (off) resetArm(rack, card);
  } else if (type !== 'Nmi') resetArm(rack, card);
  return success();
}

function managerReset({ rack, card }: ActionContext, body: JsonObject): RouteReply {
  const type = choice(body, 'Manager.Reset', 'ResetType', ['GracefulRestart', 'ForceRestart', 'GracefulShutdown']);
  if (typeof type !== 'string') return type;
  resetBmc(rack, card);
  return success();
}

/** Firmware and documents disagree on the parameter's name, so both are taken. */
function managerResetToDefaults({ rack, card }: ActionContext, body: JsonObject): RouteReply {
  const parameter = 'ResetToDefaultsType' in body ? 'ResetToDefaultsType' : 'ResetType';
  const type = choice(body, 'Manager.ResetToDefaults', parameter, ['ResetAll']);
  if (typeof type !== 'string') return type;
  card.bmc.factoryResetWanted = true;
  resetBmc(rack, card);
  return success();
}

function modeSet({ card }: ActionContext, body: JsonObject): RouteReply {
  const mode = choice(body, 'Mode.Set', 'Mode', ['NicMode', 'DpuMode']);
  if (typeof mode !== 'string') return mode;
  queueMode(card, mode === 'NicMode' ? 'nic' : 'dpu');
  return success();
}

function hostRshimSet({ rack, card }: ActionContext, body: JsonObject): RouteReply {
  const value = choice(body, 'HostRshim.Set', 'HostRshim', ['Disabled', 'Enabled']);
  if (typeof value !== 'string') return value;
  const atMs = rack.nowMs() + rack.state.delays.rshimToggleMs;
  schedule(card, { atMs, kind: 'host-rshim', enabled: value === 'Enabled' });
  return success();
}

function forceReset({ rack, card }: ActionContext): RouteReply {
  resetArm(rack, card);
  return success();
}

function resetBios({ card }: ActionContext): RouteReply {
  card.bios = { attributes: {}, pending: {} };
  return success();
}

function clearSel({ card }: ActionContext): RouteReply {
  card.bmc.sel = [];
  return success();
}

const system = '/redfish/v1/Systems/Bluefield';
const manager = '/redfish/v1/Managers/Bluefield_BMC';

/** Action target -> what it does. */
export const actions: Record<string, Action> = {
  [`${system}/Actions/ComputerSystem.Reset`]: systemReset,
  [`${system}/Oem/Nvidia/SOC.ForceReset`]: forceReset,
  [`${system}/Oem/Nvidia/Actions/Mode.Set`]: modeSet,
  [`${system}/Oem/Nvidia/Actions/HostRshim.Set`]: hostRshimSet,
  [`${system}/Bios/Actions/Bios.ResetBios`]: resetBios,
  [`${manager}/Actions/Manager.Reset`]: managerReset,
  [`${manager}/Actions/Manager.ResetToDefaults`]: managerResetToDefaults,
  [clearSelPath]: clearSel,
  '/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate': simpleUpdate,
};
