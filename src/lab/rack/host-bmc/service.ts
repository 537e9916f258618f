/**
 * The management controller of a host: the part of a Dell iDRAC 9 that power needs.
 *
 * Source: iDRAC9 Redfish API guide (System.Embedded.1, reset types, error ids IDRAC.2.8.*), DSP0266.
 */
import { hostIsUp, powerCycleHost, powerOffHost, powerOnHost, shutDownHost, warmRebootHost } from '../power.ts';
import { alreadyPowered, badResetType, denied, notAllowed, notFound, reply } from './answers.ts';
import { randomText } from '../random.ts';
import type { RedfishAnswer, RedfishRequest } from '../redfish/types.ts';
import type { HostBmcState, HostState, Rack } from '../state.ts';

const systemPath = '/redfish/v1/Systems/System.Embedded.1';
const sessionsPath = '/redfish/v1/SessionService/Sessions';
const resetPath = `${systemPath}/Actions/ComputerSystem.Reset`;
const resetTypes = [
  'On',
  'ForceOff',
  'ForceRestart',
  'GracefulRestart',
  'GracefulShutdown',
  'PushPowerButton',
  'Nmi',
  'PowerCycle',
];

function rightPassword(rack: Rack, bmc: HostBmcState, user: string, password: string): boolean {
  if (rack.nowMs() < bmc.lockedUntilMs) return false;
  const right = user === bmc.user && password === bmc.password;
  bmc.failedLogins = right ? 0 : bmc.failedLogins + 1;
  // Source: iDRAC user lockout defaults, 3 failures within a minute.
  if (bmc.failedLogins >= 3) {
    bmc.lockedUntilMs = rack.nowMs() + 60_000;
    bmc.failedLogins = 0;
  }
  return right;
}

function authenticated(rack: Rack, bmc: HostBmcState, request: RedfishRequest): boolean {
  const token = request.headers['x-auth-token'];
  if (token !== undefined) return bmc.sessions.some((session) => session.token === token);
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers['authorization'] ?? '') ?? [];
  if (encoded === '') return false;
  const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return rightPassword(rack, bmc, user, rest.join(':'));
}

function parsed(request: RedfishRequest): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(request.body);
    return typeof body === 'object' && body !== null ? { ...body } : null;
  } catch {
    return null;
  }
}

function sessionBody(uri: string, id: string, user: string): unknown {
  return {
    '@odata.context': '/redfish/v1/$metadata#Session.Session',
    '@odata.id': uri,
    '@odata.type': '#Session.v1_6_0.Session',
    Description: 'User Session',
    Id: id,
    Name: 'User Session',
    Password: null,
    SessionType: 'Redfish',
    UserName: user,
  };
}

function login(rack: Rack, bmc: HostBmcState, request: RedfishRequest): RedfishAnswer {
  const body = parsed(request);
  const user = typeof body?.['UserName'] === 'string' ? body['UserName'] : '';
  const password = typeof body?.['Password'] === 'string' ? body['Password'] : '';
  if (!rightPassword(rack, bmc, user, password)) return denied();
  const id = String(bmc.sessions.length + 1 + bmc.nextJob);
  const nowMs = rack.sessionNowMs();
  const token = randomText(rack.state, 32);
  bmc.sessions.push({ id, token, user, remote: request.remote ?? '', createdAtMs: nowMs, lastUsedAtMs: nowMs });
  const uri = `${sessionsPath}/${id}`;
  return reply(201, sessionBody(uri, id, user), { Location: uri, 'X-Auth-Token': token });
}

function reset(rack: Rack, host: HostState, request: RedfishRequest): RedfishAnswer {
  const type = parsed(request)?.['ResetType'];
  if (typeof type !== 'string' || !resetTypes.includes(type)) return badResetType(String(type));
  const off = host.power === 'off';
  if (type === 'On' && !off) return alreadyPowered('ON');
  if (type !== 'On' && type !== 'PushPowerButton' && off) return alreadyPowered('OFF');
  // A system that still starts does not hear the button yet.
  const graceful = (end: 'off' | 'restart'): void => {
    if (hostIsUp(rack, host)) shutDownHost(rack, host, end);
  };
  if (type === 'On') powerOnHost(rack, host);
  else if (type === 'ForceOff') powerOffHost(rack, host);
  else if (type === 'GracefulShutdown') graceful('off');
  else if (type === 'GracefulRestart') graceful('restart');
  else if (type === 'PowerCycle') powerCycleHost(rack, host);
  else if (type === 'ForceRestart') warmRebootHost(rack, host);
  else if (type === 'PushPowerButton' && off) powerOnHost(rack, host);
  else if (type === 'PushPowerButton') graceful('off');
  return reply(204, null);
}

function system(rack: Rack, host: HostState): unknown {
  const starting = host.power === 'on' && rack.nowMs() < host.downUntilMs;
  return {
    '@odata.id': systemPath,
    '@odata.type': '#ComputerSystem.v1_20_1.ComputerSystem',
    Id: 'System.Embedded.1',
    Name: 'System',
    Manufacturer: 'Dell Inc.',
    Model: 'PowerEdge R7615',
    SKU: `LAB${host.name.toUpperCase()}`,
    HostName: host.name,
    PowerState: host.power === 'on' ? 'On' : 'Off',
    BootProgress: {
      LastState: host.power === 'off' ? 'None' : starting ? 'SystemHardwareInitializationComplete' : 'OSRunning',
    },
    Status: { Health: 'OK', State: host.power === 'on' ? 'Enabled' : 'StandbyOffline' },
    Actions: { '#ComputerSystem.Reset': { target: resetPath, 'ResetType@Redfish.AllowableValues': resetTypes } },
  };
}

function collection(path: string, members: string[]): unknown {
  return {
    '@odata.id': path,
    Members: members.map((member) => ({ '@odata.id': member })),
    'Members@odata.count': members.length,
  };
}

function read(rack: Rack, host: HostState, path: string): RedfishAnswer {
  const resources: Record<string, unknown> = {
    '/redfish/v1/Systems': collection('/redfish/v1/Systems', [systemPath]),
    [systemPath]: system(rack, host),
    '/redfish/v1/Managers': collection('/redfish/v1/Managers', ['/redfish/v1/Managers/iDRAC.Embedded.1']),
    '/redfish/v1/Managers/iDRAC.Embedded.1': {
      '@odata.id': '/redfish/v1/Managers/iDRAC.Embedded.1',
      Id: 'iDRAC.Embedded.1',
      Name: 'Manager',
      FirmwareVersion: '7.10.70.10',
      ManagerType: 'BMC',
    },
    '/redfish/v1/SessionService': {
      '@odata.id': '/redfish/v1/SessionService',
      '@odata.type': '#SessionService.v1_1_8.SessionService',
      Id: 'SessionService',
      Name: 'Session Service',
      ServiceEnabled: true,
      SessionTimeout: 1800,
      Sessions: { '@odata.id': sessionsPath },
    },
    ...Object.fromEntries(
      (host.bmc?.sessions ?? []).map(({ id, user }) => {
        const uri = `${sessionsPath}/${id}`;
        return [uri, sessionBody(uri, id, user)];
      }),
    ),
    [sessionsPath]: collection(
      sessionsPath,
      (host.bmc?.sessions ?? []).map((each) => `${sessionsPath}/${each.id}`),
    ),
  };
  const found = resources[path];
  return found === undefined ? notFound(path) : reply(200, found);
}

const root = {
  '@odata.id': '/redfish/v1',
  '@odata.type': '#ServiceRoot.v1_15_0.ServiceRoot',
  Id: 'RootService',
  Name: 'Root Service',
  Product: 'Integrated Dell Remote Access Controller',
  Vendor: 'Dell',
  RedfishVersion: '1.18.0',
  Systems: { '@odata.id': '/redfish/v1/Systems' },
  Managers: { '@odata.id': '/redfish/v1/Managers' },
  SessionService: { '@odata.id': '/redfish/v1/SessionService' },
  Links: { Sessions: { '@odata.id': sessionsPath } },
};

/** Answer one request. A host without a known controller refuses the connection. */
export function answerHostBmc(rack: Rack, host: HostState, request: RedfishRequest): RedfishAnswer {
  const { bmc } = host;
  if (bmc === null) return { refused: true };
  const path = (request.path.split('?')[0] ?? '').replace(/(.)\/$/, '$1');
  if (path === '/redfish/v1' && request.method === 'GET') return reply(200, root);
  if (path === sessionsPath && request.method === 'POST') return login(rack, bmc, request);
  if (!authenticated(rack, bmc, request)) return denied();
  if (request.method === 'GET') return read(rack, host, path);
  if (request.method === 'DELETE' && path.startsWith(`${sessionsPath}/`)) {
    bmc.sessions = bmc.sessions.filter((session) => `${sessionsPath}/${session.id}` !== path);
    return reply(204, null);
  }
  if (request.method === 'POST' && path === resetPath) return reset(rack, host, request);
  return notAllowed();
}
