import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import {
  call,
  errorCode,
  factoryPassword,
  get,
  goodPassword,
  openedRack,
  parse,
  paths,
  setPassword,
  testRack,
} from './helpers.ts';

describe('the factory password', () => {
  it.each([
    ['GET', paths.root, 200],
    ['GET', `${paths.root}/`, 200],
    ['GET', '/redfish', 200],
    ['GET', paths.account, 200],
    ['GET', paths.system, 403],
    ['GET', paths.manager, 403],
    ['GET', '/redfish/v1/UpdateService', 403],
    ['GET', '/redfish/v1/AccountService', 403],
    ['GET', paths.sessions, 403],
    ['POST', paths.reset, 403],
    ['PATCH', paths.secureBoot, 403],
  ])('%s %s answers %i', (method, path, status) => {
    const reply = call(testRack().card, method, path, { password: factoryPassword, body: {} });

    expect(reply.status).toBe(status);
    if (status === 403) expect(errorCode(reply)).toBe('Base.1.18.1.PasswordChangeRequired');
  });

  it('opens a session that says a change is required and may only end itself', () => {
    const { card } = testRack();
    const login = call(card, 'POST', paths.sessions, {
      password: null,
      body: { UserName: 'root', Password: factoryPassword },
    });
    expect(login.status).toBe(201);
    expect(login.body).toContain('PasswordChangeRequired');
    const token = login.headers['X-Auth-Token'] ?? '';
    const location = login.headers['Location'] ?? '';

    expect(call(card, 'GET', paths.system, { token }).status).toBe(403);
    expect(call(card, 'GET', location, { token }).status).toBe(200);
    expect(call(card, 'DELETE', location, { token }).status).toBe(204);

    expect(call(card, 'GET', location, { token }).status).toBe(401);
  });

  it('says PasswordChangeRequired in the account until it is changed', () => {
    const { card } = testRack();
    expect(get(card, paths.account, { password: factoryPassword })['PasswordChangeRequired']).toBe(true);

    setPassword(card);

    expect(get(card, paths.account)['PasswordChangeRequired']).toBe(false);
    expect(call(card, 'GET', paths.system, { password: factoryPassword }).status).toBe(401);
  });
});

describe('a new password', () => {
  it.each([
    ['Short1!', 'shorter than 12'],
    ['Much-Too-Long-Passw0rd!', 'longer than 20'],
    ['hellonvidia3d!', 'without upper case'],
    ['HELLONVIDIA3D!', 'without lower case'],
    ['HelloNvidiaDD!', 'without digit'],
    ['HelloNvidia3Dx', 'without special character'],
    ['Xy!abcdefgh1Z', 'with six neighbours in a row'],
  ])('%s is refused: %s', (password) => {
    const { card } = testRack();

    const reply = call(card, 'PATCH', paths.account, { password: factoryPassword, body: { Password: password } });

    expect(reply.status).toBe(400);
    expect(errorCode(reply)).toBe('Base.1.18.1.PropertyValueFormatError');
    expect(reply.body).not.toContain(password);
    expect(call(card, 'GET', paths.account, { password: factoryPassword }).status).toBe(200);
  });

  it.each(['HelloNvidia3D!', 'Abc1234-xyz-Q', 'Twenty-Characters-4U'])('%s is taken', (password) => {
    const { card } = testRack();

    setPassword(card, password);

    expect(call(card, 'GET', paths.system, { password }).status).toBe(200);
  });

  it('ends the other sessions of the account', () => {
    const { card } = openedRack();
    const login = (): string =>
      call(card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: goodPassword } })
        .headers['X-Auth-Token'] ?? '';
    const mine = login();
    const other = login();

    call(card, 'PATCH', paths.account, { token: mine, body: { Password: 'Another-Passw0rd' } });

    expect(call(card, 'GET', paths.system, { token: mine }).status).toBe(200);
    expect(call(card, 'GET', paths.system, { token: other }).status).toBe(401);
  });

  it('of 17 bytes set with ipmitool is taken and never works', () => {
    const { card } = testRack();

    const set = card.armExec('ubuntu', "sudo -n ipmitool user set password 1 'Seventeen-Bytes-1'");

    expect(set).toMatchObject({ exitCode: 0, stdout: 'Set User Password command successful (user 1)\n' });
    expect(call(card, 'GET', paths.system, { password: 'Seventeen-Bytes-1' }).status).toBe(401);
  });

  it('of 16 bytes set with ipmitool works, of 21 is refused', () => {
    const { card } = testRack();

    expect(card.armExec('root', 'ipmitool user set password 1 Sixteen-Bytes-01').exitCode).toBe(0);
    expect(card.armExec('root', 'ipmitool user set password 1 Twenty-One-Bytes-0001').stderr).toBe(
      'Password is too long (> 20 bytes)\n',
    );

    expect(call(card, 'GET', paths.system, { password: 'Sixteen-Bytes-01' }).status).toBe(200);
  });
});

describe('lock-out', () => {
  it('comes with the tenth failure and ends after 600 s', () => {
    const test = openedRack();
    for (let tries = 0; tries < 9; tries += 1) call(test.card, 'GET', paths.system, { password: 'wrong' });
    expect(call(test.card, 'GET', paths.system).status).toBe(200);

    for (let tries = 0; tries < 10; tries += 1) call(test.card, 'GET', paths.system, { password: 'wrong' });
    const locked = call(test.card, 'GET', paths.system);
    expect(locked.status).toBe(401);
    expect(locked.body).toContain('Account temporarily locked out');
    test.advance(599_000);
    expect(call(test.card, 'GET', paths.system).status).toBe(401);
    test.advance(1_001);

    expect(call(test.card, 'GET', paths.system).status).toBe(200);
  });

  it('leaves open sessions alone, which may unlock', () => {
    const { card, rack } = openedRack();
    const token =
      call(card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: goodPassword } })
        .headers['X-Auth-Token'] ?? '';
    rack.injectFault('bmc-locked', { target: 'as7-dpu0' });
    expect(get(card, paths.account, { token })['Locked']).toBe(true);
    expect(call(card, 'GET', paths.system).status).toBe(401);

    call(card, 'PATCH', paths.account, { token, body: { Locked: false } });

    expect(call(card, 'GET', paths.system).status).toBe(200);
  });
});

describe('sessions', () => {
  it('end after half an hour without use', () => {
    const test = openedRack();
    const token =
      call(test.card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: goodPassword } })
        .headers['X-Auth-Token'] ?? '';
    test.advance(1_700_000);
    expect(call(test.card, 'GET', paths.system, { token }).status).toBe(200);
    test.advance(1_700_000);
    expect(call(test.card, 'GET', paths.system, { token }).status).toBe(200);

    test.advance(1_900_000);

    expect(call(test.card, 'GET', paths.system, { token }).status).toBe(401);
  });

  it('end after the timeout that was set', () => {
    const test = openedRack();
    expect(call(test.card, 'PATCH', '/redfish/v1/SessionService', { body: { SessionTimeout: 10 } }).status).toBe(400);
    call(test.card, 'PATCH', '/redfish/v1/SessionService', { body: { SessionTimeout: 60 } });
    const token =
      call(test.card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: goodPassword } })
        .headers['X-Auth-Token'] ?? '';

    test.advance(61_000);

    expect(call(test.card, 'GET', paths.system, { token }).status).toBe(401);
  });

  it('are at most 64', () => {
    const { card } = openedRack();
    const login = (): number =>
      call(card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: goodPassword } }).status;

    const statuses = Array.from({ length: 65 }, login);

    expect(statuses.filter((status) => status === 201)).toHaveLength(64);
    expect(statuses.at(-1)).toBe(503);
  });

  it('refuse wrong credentials with a message, and a request without any with an empty 401', () => {
    const { card } = openedRack();

    const wrong = call(card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: 'x' } });
    const none = call(card, 'GET', paths.system, { password: null });

    expect(wrong.status).toBe(401);
    expect(wrong.body).toContain('Invalid username or password');
    expect([none.status, none.body, none.headers['WWW-Authenticate']]).toEqual([401, '', 'Basic']);
  });

  it('open through /login too', () => {
    const { card } = openedRack();

    const login = call(card, 'POST', '/login', { password: null, body: { username: 'root', password: goodPassword } });
    const token = parse(login)['token'];

    expect(call(card, 'GET', paths.system, { token: String(token) }).status).toBe(200);
  });
});

describe('ResetToDefaults', () => {
  it.each(['ResetToDefaultsType', 'ResetType'])('by %s brings the factory password back', (parameter) => {
    const test = openedRack(variations.downgradedLink());

    const reply = call(test.card, 'POST', `${paths.manager}/Actions/Manager.ResetToDefaults`, {
      body: { [parameter]: 'ResetAll' },
    });
    test.advance(101_000);

    expect(reply.status).toBe(200);
    expect(call(test.card, 'GET', paths.account, { password: factoryPassword }).status).toBe(200);
  });
});
