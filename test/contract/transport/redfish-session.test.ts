import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BmcAccess, BmcSession } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { bmcAccess, createTestCredentials } from './support/bmc-ports.ts';
import { type BmcReply, type BmcServer, redfishMessage, startBmc } from './support/bmc-server.ts';
import { createOpenBmc, type OpenBmc } from './support/open-bmc.ts';
import { call, cardOf, failureOfCall, sliceFor } from './support/slices.ts';

const secureBoot = '/redfish/v1/Systems/Bluefield/SecureBoot';
const resource = { kind: 'read-resource', name: 'secure-boot', path: secureBoot } as const;
const task = '/redfish/v1/TaskService/Tasks/6';
const password = 'Current!Pass-19';

let openBmc: OpenBmc;
let server: BmcServer;
let access: BmcAccess;
let session: BmcSession;

beforeEach(async () => {
  openBmc = createOpenBmc(password);
  server = await startBmc(openBmc.handler);
  access = bmcAccess({ credentials: createTestCredentials({ current: password }) });
  const login = await access.login(card(), call);
  if (login.state !== 'in') throw new Error(`login is ${login.state}`);
  session = login.session;
  server.requests.length = 0;
});
afterEach(async () => {
  await access.close();
  await server.stop();
});

function card() {
  return cardOf(sliceFor({ bmc: { port: server.port, certSha256: server.sha256 } }));
}

/** Answers one path with these replies in turn, the last one for ever. */
function answers(path: string, ...replies: readonly (BmcReply | (() => BmcReply))[]): void {
  let index = 0;
  openBmc.resources.set(path, () => {
    const reply = replies[Math.min(index, replies.length - 1)];
    index += 1;
    return typeof reply === 'function' ? reply() : (reply ?? { status: 500 });
  });
}

const sent = (): readonly string[] => server.requests.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);

describe('reading a resource', () => {
  it('gives the parsed body', async () => {
    answers(secureBoot, { body: { SecureBootEnable: true } });
    expect(await session.get(resource, call)).toEqual({ SecureBootEnable: true });
  });

  it('tries again when the BMC answers 503 twice', async () => {
    answers(secureBoot, { status: 503 }, { status: 503, headers: { 'Retry-After': '1' } }, { body: { Id: 'x' } });
    expect(await session.get(resource, call)).toEqual({ Id: 'x' });
    expect(sent()).toHaveLength(3);
  });

  it('tries again when the connection is cut', async () => {
    answers(secureBoot, { cut: true }, { body: { Id: 'x' } });
    expect(await session.get(resource, call)).toEqual({ Id: 'x' });
  });

  it('gives up as busy after the third 503', async () => {
    answers(secureBoot, { status: 503 });
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure.code).toBe('redfish-busy');
    expect(sent()).toHaveLength(3);
  });

  it('does not try again what the BMC refuses, and shows its message', async () => {
    answers(secureBoot, { status: 400, body: redfishMessage('PropertyUnknown', 'No such property.') });
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure.code).toBe('redfish-error');
    expect(failure.text).toContain('Base.1.18.1.PropertyUnknown: No such property.');
    expect(sent()).toHaveLength(1);
  });

  it.each([
    ['half a JSON text', '{"SecureBootEnable": tr'],
    ['an HTML page', '<html>bmcweb</html>'],
    ['nothing', undefined],
    ['a bare number', '7'],
  ])('calls %s with status 200 unexpected', async (_what, body) => {
    answers(secureBoot, { body });
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure).toMatchObject({ code: 'redfish-unexpected', state: 'unchanged' });
  });

  it('logs in again once when the session has expired', async () => {
    answers(secureBoot, { body: { Id: 'x' } });
    openBmc.sessions.clear();
    expect(await session.get(resource, call)).toEqual({ Id: 'x' });
    expect(sent()).toEqual(['GET SecureBoot', 'POST Sessions', 'GET SecureBoot']);
  });

  it('does not log in a third time when the new session is refused as well', async () => {
    answers(secureBoot, { status: 401 });
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure.code).toBe('redfish-error');
    expect(sent()).toEqual(['GET SecureBoot', 'POST Sessions', 'GET SecureBoot']);
  });

  it('says which login is refused when the password was changed behind its back', async () => {
    openBmc.sessions.clear();
    openBmc.password = 'Changed!By-Hand-1';
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure.code).toBe('bmc-login-refused');
  });
});

describe('writing', () => {
  it('gives status, body and headers of an accepted write, without the token', async () => {
    answers(secureBoot, { status: 200, body: { ok: true }, headers: { 'X-Auth-Token': 'rotated-token', ETag: '"2"' } });
    const reply = await session.patch(secureBoot, { SecureBootEnable: false }, call);
    expect(reply).toMatchObject({ status: 200, body: { ok: true }, headers: { etag: '"2"' } });
    expect(reply.headers).not.toHaveProperty('x-auth-token');
    expect(server.requests[0]?.body).toBe('{"SecureBootEnable":false}');
  });

  it.each([
    ['a cut connection', { cut: true }, 'bmc-reply-lost', 'unknown'],
    ['503', { status: 503 }, 'redfish-busy', 'unchanged'],
    ['500', { status: 500 }, 'redfish-error', 'unknown'],
    ['400', { status: 400 }, 'redfish-error', 'unchanged'],
  ] as const)('sends a write once, also when it meets %s', async (_what, reply, code, state) => {
    answers(secureBoot, reply);
    const failure = await failureOfCall(session.patch(secureBoot, { SecureBootEnable: false }, call));
    expect(failure).toMatchObject({ code, state });
    expect(sent()).toEqual(['PATCH SecureBoot']);
  });

  it('sends a write again after an expired session, because a 401 did not carry it out', async () => {
    answers(secureBoot, { status: 204 });
    openBmc.sessions.clear();
    const reply = await session.patch(secureBoot, {}, call);
    expect(reply).toMatchObject({ status: 204, body: undefined });
    expect(sent()).toEqual(['PATCH SecureBoot', 'POST Sessions', 'PATCH SecureBoot']);
  });

  it('reveals a secret to the BMC only, also when the BMC quotes it in its refusal', async () => {
    const secret = new Secret('Weak"pass\\word!7');
    const account = '/redfish/v1/AccountService/Accounts/other';
    answers(account, () => ({
      status: 400,
      body: redfishMessage('PropertyValueFormatError', `The value '${secret.reveal()}' for Password is wrong.`),
    }));
    const failure = await failureOfCall(session.patchSecret(account, { Password: secret }, call));
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ Password: secret.reveal() });
    expect(failure.text).toContain('PropertyValueFormatError');
    expect(failure.text).not.toContain('Weak"pass');
  });

  it('reveals one inside of an object too, and keeps the words beside it', async () => {
    const secret = new Secret('Nested!pass-77');
    const path = '/redfish/v1/Systems/Bluefield/Bios/Settings';
    answers(path, () => ({ status: 400, body: redfishMessage('PropertyUnknown', `No ${secret.reveal()} here.`) }));
    const body = { Attributes: { CurrentUefiPassword: 'public', UefiPassword: secret } };
    const failure = await failureOfCall(session.patchSecret(path, body, call));
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      Attributes: { CurrentUefiPassword: 'public', UefiPassword: secret.reveal() },
    });
    expect(failure.text).not.toContain('Nested!pass');
  });

  it('takes a secret out of the body of an accepted write', async () => {
    const secret = new Secret('Echoed!pass-77');
    const account = '/redfish/v1/AccountService/Accounts/other';
    answers(account, { status: 200, body: { nested: [{ Password: secret.reveal() }] } });
    const reply = await session.patchSecret(account, { Password: secret }, call);
    expect(reply.body).toEqual({ nested: [{ Password: '[redacted]' }] });
  });
});

describe('following a task', () => {
  const running = (percent: number): BmcReply => ({
    body: { Id: '6', TaskState: 'Running', TaskStatus: 'OK', PercentComplete: percent },
  });
  const completed = { body: { Id: '6', TaskState: 'Completed', TaskStatus: 'OK', PercentComplete: 100 } };

  it('reports each new percentage once and returns the ended task', async () => {
    answers(task, running(0), running(40), running(40), completed);
    const seen: string[] = [];
    const ended = await session.waitTask(task, {
      ...call,
      onProgress: (percent, state) => seen.push(`${percent} ${state}`),
    });
    expect(ended).toEqual(completed.body);
    expect(seen).toEqual(['0 Running', '40 Running']);
  });

  it('goes on through a 404, a 503 and a cut connection in the middle', async () => {
    answers(task, running(10), { status: 404 }, { status: 503 }, { cut: true }, running(80), completed);
    expect(await session.waitTask(task, call)).toEqual(completed.body);
  });

  it('goes on through a restart of the BMC that keeps its tasks', async () => {
    let looks = 0;
    answers(task, () => {
      looks += 1;
      if (looks === 2) void server.stop().then(() => server.restart());
      return looks < 4 ? running(looks) : completed;
    });
    expect(await session.waitTask(task, call)).toEqual(completed.body);
  });

  it('calls a task that the BMC has forgotten lost: its outcome is unknown', async () => {
    answers(task, running(50), { status: 404 });
    const failure = await failureOfCall(session.waitTask(task, call));
    expect(failure).toMatchObject({ code: 'redfish-task-lost', state: 'unknown' });
  });

  it.each(['Exception', 'Killed', 'Cancelled'])('fails on %s with every bad message of the BMC', async (TaskState) => {
    const message = (Message: string, Severity: string, Resolution = 'None') => ({
      MessageId: 'Update.1.0.X',
      Message,
      Severity,
      Resolution,
    });
    const Messages = [
      message('The task with Id 6 has started.', 'OK'),
      message('Transfer of image failed.', 'Critical', 'Unknown Host: check the server.'),
      message('Invalid FW Package.', 'Critical'),
    ];
    answers(task, running(43), { body: { TaskState, TaskStatus: 'Critical', PercentComplete: 43, Messages } });
    const failure = await failureOfCall(session.waitTask(task, call));
    expect(failure).toMatchObject({ code: 'redfish-task-failed', state: 'changed' });
    expect(failure.text).toMatch(/43 %[^]*Transfer of image failed\. Unknown Host[^]*Invalid FW Package/);
    expect(failure.text).not.toContain('has started');
  });

  it('does not take Completed with a critical status for success', async () => {
    answers(task, { body: { TaskState: 'Completed', TaskStatus: 'Critical' } });
    const failure = await failureOfCall(session.waitTask(task, call));
    expect(failure.code).toBe('redfish-task-failed');
  });

  it('follows a task monitor that answers 202 until it has ended', async () => {
    answers(task, { status: 202, headers: { 'Retry-After': '1' } }, { status: 202 }, { status: 204 });
    expect(await session.waitTask(task, call)).toBeUndefined();
  });

  it('follows a monitor that is named with scheme and host, on the server of the session only', async () => {
    answers(`${task}/Monitor`, completed);
    expect(await session.waitTask(`https://192.0.2.1${task}/Monitor`, call)).toEqual(completed.body);
  });

  it('times out with unknown outcome', async () => {
    answers(task, running(1));
    const failure = await failureOfCall(session.waitTask(task, { timeoutMs: 200 }));
    expect(failure).toMatchObject({ code: 'bmc-timeout', state: 'unknown' });
  });
});
