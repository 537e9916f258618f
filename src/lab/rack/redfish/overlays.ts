/**
 * Live values put over captured resources, one function a path.
 *
 * Source: BlueField BMC manual (BootProgress, Secure Boot), NICo issues 2365 and 6281 (NIC mode, Paused), libredfish.
 */
import { accountLocked, passwordIsDefault } from '../accounts.ts';
import { imageNamed } from '../install/images.ts';
import { reportedStage, secureBootFieldsPresent } from '../card-clock.ts';
import { atxVolts } from '../sel.ts';
import { cardFault, hasCable, shownHardware } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { isJsonObject } from './types.ts';
import type { Json, JsonObject } from './types.ts';
import { lastStateTime, redfishTime } from './times.ts';

type Overlay = (rack: Rack, card: CardState, base: JsonObject) => JsonObject;

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function asJson(value: Record<string, unknown>): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  return isJsonObject(copy) ? copy : {};
}

function system(rack: Rack, card: CardState, base: JsonObject): JsonObject {
  const { stage, sinceMs } = reportedStage(rack, card);
  const off = card.arm.power === 'off';
  return {
    ...base,
    BootProgress: { LastState: 'OEM', LastStateTime: lastStateTime(sinceMs), OemLastState: stage },
    PowerState: off ? 'Off' : card.arm.uefiShell ? 'Paused' : 'On',
    Status: {
      ...object(base['Status']),
      State: off ? 'Disabled' : card.arm.uefiShell ? 'StandbyOffline' : 'Enabled',
    },
  };
}

function secureBoot(rack: Rack, card: CardState, base: JsonObject): JsonObject {
  const { SecureBootCurrentBoot: _current, SecureBootEnable: _enable, SecureBootMode: _mode, ...rest } = base;
  if (!secureBootFieldsPresent(rack, card)) return rest;
  return {
    ...rest,
    SecureBootCurrentBoot: card.secureBoot.currentBoot ? 'Enabled' : 'Disabled',
    SecureBootEnable: card.secureBoot.enable,
    SecureBootMode: card.secureBoot.keysEnrolled ? 'UserMode' : 'SetupMode',
  };
}

function bios(_rack: Rack, card: CardState, base: JsonObject): JsonObject {
  return {
    ...base,
    Attributes: {
      ...object(base['Attributes']),
      HostPrivilegeLevel: 'Privileged',
      ...withoutPasswords(asJson(card.bios.attributes)),
      NicMode: card.mode.current === 'nic' ? 'NicMode' : 'DpuMode',
    },
  };
}

/** Passwords can be written and never read. */
function withoutPasswords(attributes: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, name.endsWith('UefiPassword') ? '' : value]),
  );
}

function nvidiaSystem(rack: Rack, card: CardState, base: JsonObject): JsonObject {
  return {
    ...base,
    Description: shownHardware(rack, card).description,
    HostRshim: card.rshim.hostEnabled ? 'Enabled' : 'Disabled',
    Mode: card.mode.current === 'nic' ? 'NicMode' : 'DpuMode',
  };
}

function managerEthernet(rack: Rack, card: CardState, base: JsonObject): JsonObject {
  const dhcp = { ...object(base['DHCPv4']), UseDNSServers: card.bmc.dhcpUseDns };
  const fromDhcp = card.bmc.dhcpUseDns ? [rack.state.management.dns] : [];
  return {
    ...base,
    DHCPv4: dhcp,
    NameServers: [...card.bmc.staticNameServers, ...fromDhcp],
    StaticNameServers: [...card.bmc.staticNameServers],
  };
}

/** The rest of the captured versions belong to the stock image and stay. */
function version(of: (card: CardState) => string): Overlay {
  return (_rack, card, base) => ({ ...base, Version: of(card) });
}

function armText(card: CardState, text: string): string {
  return card.mode.current === 'nic' ? '' : text;
}

/** A port leads somewhere when there is a cable in it. */
function networkPort(port: number): Overlay {
  return (rack, card, base) => {
    const up = hasCable(rack, card, port);
    const speedGbps = card.hardware.ports[port]?.speedGbps ?? 0;
    return { ...base, CurrentSpeedGbps: up ? speedGbps : 0, LinkStatus: up ? 'LinkUp' : 'LinkDown' };
  };
}

const atxSensor: Overlay = (rack, card, base) => {
  const health = cardFault(rack, card, 'atx-power-missing') ? 'Warning' : 'OK';
  const status = { ...object(base['Status']), Health: health, HealthRollup: health };
  return { ...base, Reading: atxVolts(rack, card), Status: status };
};

/** Versions the Arm side reports are empty in NIC mode. Source: NICo issue 2365. */
const armVersion: Overlay = (_rack, card, base) => (card.mode.current === 'nic' ? { ...base, Version: '' } : base);

const inventory = '/redfish/v1/UpdateService/FirmwareInventory';
const systemPath = '/redfish/v1/Systems/Bluefield';
const managerPath = '/redfish/v1/Managers/Bluefield_BMC';

/** Resource path -> what is live in it. */
export const overlays: Record<string, Overlay> = {
  [systemPath]: system,
  [`${systemPath}/Settings`]: (_rack, card, base) => ({
    ...base,
    Boot: { ...object(base['Boot']), ...asJson(card.bootSettings) },
  }),
  [`${systemPath}/SecureBoot`]: secureBoot,
  [`${systemPath}/Bios`]: bios,
  [`${systemPath}/Bios/Settings`]: (_rack, card, base) => ({
    ...base,
    Attributes: withoutPasswords(asJson(card.bios.pending)),
  }),
  [`${systemPath}/Oem/Nvidia`]: nvidiaSystem,
  [managerPath]: (rack, card, base) => ({
    ...base,
    DateTime: redfishTime(rack.nowMs()),
    FirmwareVersion: card.bmc.firmware,
    LastResetTime: redfishTime(card.bmc.startedAtMs),
  }),
  [`${managerPath}/Oem/Nvidia`]: (_rack, card, base) => ({
    ...base,
    BmcRShim: { BmcRShimEnabled: card.rshim.bmcEnabled },
  }),
  [`${managerPath}/ManagerDiagnosticData`]: (rack, card, base) => ({
    ...base,
    ServiceRootUptimeSeconds: Math.max(0, rack.nowMs() - card.bmc.startedAtMs) / 1000,
  }),
  [`${managerPath}/EthernetInterfaces/eth0`]: managerEthernet,
  ...Object.fromEntries(
    ['Card1', 'Bluefield_BMC'].flatMap((chassis) =>
      [0, 1].map((port) => [
        `/redfish/v1/Chassis/${chassis}/NetworkAdapters/NvidiaNetworkAdapter/Ports/eth${port}`,
        networkPort(port),
      ]),
    ),
  ),
  '/redfish/v1/Chassis/Card1/Sensors/12V_ATX': atxSensor,
  '/redfish/v1/AccountService/Accounts/root': (rack, card, base) => ({
    ...base,
    Locked: accountLocked(rack, card),
    PasswordChangeRequired: passwordIsDefault(card),
  }),
  '/redfish/v1/SessionService': (_rack, card, base) => ({ ...base, SessionTimeout: card.bmc.sessionTimeoutSeconds }),
  '/redfish/v1/TaskService': (rack, _card, base) => ({ ...base, DateTime: redfishTime(rack.nowMs()) }),
  [`${inventory}/BMC_Firmware`]: version((card) => card.bmc.firmware),
  [`${inventory}/DPU_NIC`]: version((card) => (card.mode.current === 'nic' ? '' : card.nicFirmware.running)),
  [`${inventory}/DPU_OS`]: version((card) => (card.mode.current === 'nic' ? '' : card.armOs.image)),
  [`${inventory}/DPU_ATF`]: version((card) => armText(card, imageNamed(card.armOs.image).atf)),
  [`${inventory}/DPU_UEFI`]: version((card) => armText(card, imageNamed(card.armOs.image).uefi)),
  [`${inventory}/DPU_BSP`]: version((card) => armText(card, imageNamed(card.armOs.image).bsp)),
  [`${inventory}/DPU_OFED`]: version((card) => armText(card, `MLNX_OFED_LINUX-${card.armOs.driver}`)),
  ...Object.fromEntries(['DPU_BOARD', 'DPU_NODE', 'DPU_SYS_IMAGE'].map((id) => [`${inventory}/${id}`, armVersion])),
};
