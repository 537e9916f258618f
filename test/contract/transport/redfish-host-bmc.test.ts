import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BmcSession, HostBmcAccess } from '../../../src/domain/device-ports.ts';
import { HostBmcEndpoint, type HostSlice } from '../../../src/domain/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createHostBmcAccess, type HostBmcAccessOptions } from '../../../src/transport/redfish/host-bmc.ts';
import { createTestBudget, createTestClock } from './support/bmc-ports.ts';
import { type BmcServer, redfishMessage, startBmc } from './support/bmc-server.ts';
import { createHostBmc, type HostBmc } from './support/host-bmc-server.ts';
import { call, failureOfCall, sliceFor } from './support/slices.ts';

const password = 'Calvin!Right-11';
const system = '/redfish/v1/Systems/System.Embedded.1';
const reset = `${system}/Actions/ComputerSystem.Reset`;
const resource = { kind: 'read-resource', name: 'host-system', path: system } as const;

let controller: HostBmc;
let server: BmcServer;
let imported: Map<string, string>;
let clock: ReturnType<typeof createTestClock>;
const accesses: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  controller = createHostBmc('root', password);
  controller.resources.set(system, () => ({ body: { PowerState: 'On' } }));
  server = await startBmc((request) => controller.handler(request));
  imported = new Map([['idrac', password]]);
  clock = createTestClock();
});
afterEach(async () => {
  for (const access of accesses.splice(0)) await access.close();
  await server.stop();
});

function open(options: Partial<HostBmcAccessOptions> = {}): HostBmcAccess & { close(): Promise<void> } {
  const access = createHostBmcAccess({
    credentials: { named: (ref) => Promise.resolve(new Secret(imported.get(ref) ?? '')) },
    budget: createTestBudget(() => clock.nowMs()),
    clock: () => clock,
    redactor: createRedactor(),
    random: () => 0.5,
    ...options,
  });
  accesses.push(access);
  return access;
}

function slice(bmc: Partial<HostBmcEndpoint> = {}): HostSlice {
  const host = sliceFor({});
  const endpoint = HostBmcEndpoint.parse({
    address: '127.0.0.1',
    port: server.port,
    password: 'idrac',
    certSha256: server.sha256,
    ...bmc,
  });
  return { ...host, entry: { ...host.entry, bmc: endpoint } };
}

async function sessionOf(access: HostBmcAccess, of = slice()): Promise<BmcSession> {
  const session = await access.open(of, call);
  if (session === undefined) throw new Error('the host has no BMC');
  return session;
}

const sent = (): readonly string[] => server.requests.map(({ method, path }) => `${method} ${path}`);
const logins = (): number => controller.tries.length;

describe('the BMC of a host', () => {
  it('is undefined where the inventory names none', async () => {
    expect(await open().open(sliceFor({}), call)).toBeUndefined();
    expect(server.requests).toEqual([]);
  });

  it('is read and written with a session that its service root names', async () => {
    controller.resources.set(reset, () => ({ status: 204 }));
    const session = await sessionOf(open());
    const body = await session.get(resource, call);
    const reply = await session.post(reset, { ResetType: 'ForceOff' }, call);
    expect(body).toEqual({ PowerState: 'On' });
    expect(reply).toMatchObject({ status: 204, body: undefined });
    expect(session.target).toBe('host-01');
    expect(sent().slice(0, 3)).toEqual([
      'GET /redfish/v1/',
      'POST /redfish/v1/SessionService/Sessions',
      `GET ${system}`,
    ]);
    expect(server.requests[2]?.headers.authorization).toBeUndefined();
  });

  it('makes sessions where an older iDRAC has them, and ends them at the close', async () => {
    controller.sessionsPath = '/redfish/v1/Sessions';
    const access = open();
    await sessionOf(access);
    await access.close();
    expect(sent()).toEqual(['GET /redfish/v1/', 'POST /redfish/v1/Sessions', 'DELETE /redfish/v1/Sessions/1']);
    expect(controller.sessions.size).toBe(0);
  });

  it('is asked for a session although it hides its service root from strangers', async () => {
    controller.rootIsLocked = true;
    expect(await (await sessionOf(open())).get(resource, call)).toEqual({ PowerState: 'On' });
  });

  it.each([
    ['names no sessions', { sessionsPath: undefined }],
    ['has none where its root names them', { sessionsStatus: 404 }],
    ['forbids the method', { sessionsStatus: 405 }],
  ])('gets Basic authentication when it %s', async (_what, traits) => {
    Object.assign(controller, traits);
    const session = await sessionOf(open());
    expect(await session.get(resource, call)).toEqual({ PowerState: 'On' });
    expect(server.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  it('is logged in to with the user that the inventory gives', async () => {
    controller.user = 'dpubot';
    const session = await sessionOf(open(), slice({ user: 'dpubot' }));
    expect(await session.get(resource, call)).toEqual({ PowerState: 'On' });
  });

  it('follows the task that a write with status 202 names in its Location', async () => {
    const job = '/redfish/v1/TaskService/Tasks/JID_1';
    controller.resources.set(reset, () => ({ status: 202, headers: { Location: `https://192.0.2.7${job}` } }));
    controller.resources.set(job, () => ({ body: { TaskState: 'Completed', TaskStatus: 'OK' } }));
    const session = await sessionOf(open());
    const reply = await session.post(reset, { ResetType: 'PowerCycle' }, call);
    const ended = await session.waitTask(reply.headers['location'] ?? '', call);
    expect(reply).toMatchObject({ status: 202, body: undefined });
    expect(ended).toMatchObject({ TaskState: 'Completed' });
  });

  it.each([301, 307, 308])('is asked again with a slash at the end when it redirects there with %i', async (status) => {
    controller.slashStatus = status;
    controller.resources.set(reset, () => ({ status: 200, body: {} }));
    const session = await sessionOf(open());
    const body = await session.get(resource, call);
    const reply = await session.post(reset, { ResetType: 'On' }, call);
    expect([body, reply.status]).toEqual([{ PowerState: 'On' }, 200]);
    expect(
      server.requests.filter(({ method }) => method === 'POST').map(({ path, body: text }) => [path, text]),
    ).toEqual(
      ['/redfish/v1/SessionService/Sessions', '/redfish/v1/SessionService/Sessions/', reset, `${reset}/`].map(
        (path) => [
          path,
          path.includes('Sessions') ? JSON.stringify({ UserName: 'root', Password: password }) : '{"ResetType":"On"}',
        ],
      ),
    );
  });

  it('is not followed to another path', async () => {
    controller.resources.set(system, () => ({ status: 307, headers: { Location: '/redfish/v1/Systems/other' } }));
    const session = await sessionOf(open());
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure.code).toBe('redfish-error');
    expect(sent().at(-1)).toBe(`GET ${system}`);
  });

  it('gets not one request when its certificate is not the pinned one', async () => {
    const failure = await failureOfCall(open().open(slice({ certSha256: 'ab'.repeat(32) }), call));
    expect(failure).toMatchObject({ code: 'bmc-cert-changed', state: 'unchanged' });
    expect(server.requests).toEqual([]);
  });

  it('must have a loopback address at a simulated site', async () => {
    const failure = await failureOfCall(open().open(slice({ address: '192.0.2.9' }), call));
    expect(failure.code).toBe('address-not-loopback');
  });

  it('is unreachable, and no try is counted, when nothing answers', async () => {
    const budget = createTestBudget();
    await server.stop();
    const failure = await failureOfCall(open({ budget }).open(slice(), call));
    expect(failure.code).toBe('bmc-unreachable');
    expect([...budget.used.values()].filter((count) => count > 0)).toEqual([]);
  });

  it('is unreachable or timed out within the limit of the call when it never answers', async () => {
    server.handler = () => ({ hang: true });
    const failure = await failureOfCall(open().open(slice(), { timeoutMs: 200 }));
    expect(failure).toMatchObject({ code: 'bmc-timeout', state: 'unchanged' });
  });
});

describe('sessions of a host BMC', () => {
  it('are made once and shared, also by calls at the same time', async () => {
    const access = open();
    const sessions = await Promise.all(Array.from({ length: 4 }, () => sessionOf(access)));
    expect(new Set(sessions).size).toBe(1);
    expect(logins()).toBe(1);
  });

  it('are renewed once when the controller has forgotten them', async () => {
    const session = await sessionOf(open());
    controller.sessions.clear();
    expect(await session.get(resource, call)).toEqual({ PowerState: 'On' });
    expect(logins()).toBe(2);
  });

  it('give way to a login when another password was imported', async () => {
    const access = open();
    const before = await sessionOf(access);
    controller.password = 'Calvin!Newer-22';
    imported.set('idrac', 'Calvin!Newer-22');
    const after = await sessionOf(access);
    expect(after).not.toBe(before);
    expect(controller.tries).toEqual([password, 'Calvin!Newer-22']);
  });

  it('are waited for as busy when the controller has no more of them (iDRAC, RAC0218)', async () => {
    const budget = createTestBudget();
    controller.sessionsStatus = 503;
    controller.sessionsBody = redfishMessage('RAC0218', 'The maximum number of user sessions is reached.');
    const failure = await failureOfCall(open({ budget }).open(slice(), call));
    expect(failure.code).toBe('redfish-busy');
    expect([...budget.used.values()]).toEqual([0]);
  });
});

describe('a wrong password of a host BMC', () => {
  beforeEach(() => imported.set('idrac', 'Calvin!Wrong-00'));

  it.each([401, 400, 403])(
    'answered with %i, is refused, tried once, and not sent again for 10 minutes',
    async (status) => {
      controller.wrongStatus = status;
      const access = open();
      const first = await failureOfCall(access.open(slice(), call));
      const second = await failureOfCall(access.open(slice(), call));
      const triesAtOnce = logins();
      clock.skip(601);
      const later = await failureOfCall(access.open(slice(), call));
      expect([first, second, later].map(({ code }) => code)).toEqual(
        Array.from({ length: 3 }, () => 'host-bmc-login-refused'),
      );
      expect(first.text).toContain('dpubot credentials import idrac FILE');
      expect(first.text).not.toContain('Calvin!Wrong-00');
      expect(first.state).toBe('unchanged');
      expect([triesAtOnce, logins()]).toEqual([1, 2]);
    },
  );

  it('does not stand in the way of the right one, once that is imported', async () => {
    const access = open();
    await failureOfCall(access.open(slice(), call));
    imported.set('idrac', password);
    expect(await (await sessionOf(access)).get(resource, call)).toEqual({ PowerState: 'On' });
  });

  it('is tried once also with Basic authentication', async () => {
    controller.sessionsPath = undefined;
    const access = open();
    const first = await failureOfCall(access.open(slice(), call));
    const second = await failureOfCall(access.open(slice(), call));
    expect([first.code, second.code]).toEqual(['host-bmc-login-refused', 'host-bmc-login-refused']);
    expect(server.requests.filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(1);
  });

  it('counts for all workers together: the third try in a window is not made', async () => {
    const budget = createTestBudget(() => clock.nowMs());
    const codes = [];
    for (let worker = 0; worker < 3; worker += 1)
      codes.push((await failureOfCall(open({ budget }).open(slice(), call))).code);
    expect(codes).toEqual(['host-bmc-login-refused', 'host-bmc-login-refused', 'bmc-locked']);
    expect(logins()).toBe(2);
  });

  it('is not tried again for the session of before when the password was changed behind its back', async () => {
    imported.set('idrac', password);
    const session = await sessionOf(open());
    controller.password = 'Changed!By-Hand-1';
    controller.sessions.clear();
    const failures = [
      await failureOfCall(session.get(resource, call)),
      await failureOfCall(session.get(resource, call)),
    ];
    expect(failures.map(({ code }) => code)).toEqual(['host-bmc-login-refused', 'host-bmc-login-refused']);
    expect(logins()).toBe(2);
  });

  it('is not sent with every further request of Basic authentication either', async () => {
    imported.set('idrac', password);
    controller.sessionsPath = undefined;
    const session = await sessionOf(open());
    controller.password = 'Changed!By-Hand-1';
    const failures = [
      await failureOfCall(session.post(reset, {}, call)),
      await failureOfCall(session.post(reset, {}, call)),
      await failureOfCall(session.get(resource, call)),
    ];
    expect(failures.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'host-bmc-login-refused'));
    expect(server.requests.filter(({ path }) => path === reset)).toHaveLength(1);
  });
});

it('a controller that says locked is left alone until the window ends', async () => {
  controller.locked = true;
  const access = open();
  const failures = [await failureOfCall(access.open(slice(), call)), await failureOfCall(access.open(slice(), call))];
  expect(failures.map(({ code }) => code)).toEqual(['bmc-locked', 'bmc-locked']);
  expect(logins()).toBe(1);
});

it.each([
  ['with a session', 201],
  ['with 403', 403],
])('a password that has to be changed first, said %s, is refused and no session stays behind', async (_how, status) => {
  controller.mustChangeStatus = status;
  const failure = await failureOfCall(open().open(slice(), call));
  expect(failure.code).toBe('host-bmc-login-refused');
  expect(failure.text).toContain('only to have it changed');
  expect(controller.sessions.size).toBe(0);
});
