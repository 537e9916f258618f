import { describe, expect, it } from 'vitest';
import { call, errorCode, factoryPassword, get, openedRack, paths, testRack } from './helpers.ts';

describe('accounts besides root', () => {
  const accounts = '/redfish/v1/AccountService/Accounts';
  const basic = (user: string, password: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });

  function withBob(role: string): ReturnType<typeof openedRack> {
    const test = openedRack();
    const body = { UserName: 'bob', Password: 'Bobs-Passw0rd!', RoleId: role };
    const reply = call(test.card, 'POST', accounts, { body });
    expect([reply.status, reply.headers['Location']]).toEqual([201, `${accounts}/bob`]);
    return test;
  }

  it('are listed, log in, and end with their sessions', () => {
    const { card } = withBob('Operator');
    const as = { password: null, headers: basic('bob', 'Bobs-Passw0rd!') };
    expect(get(card, accounts)['Members@odata.count']).toBe(4);
    expect(get(card, `${accounts}/bob`)).toMatchObject({ RoleId: 'Operator', Enabled: true });
    expect(call(card, 'GET', paths.system, as).status).toBe(200);

    expect(call(card, 'DELETE', `${accounts}/bob`).status).toBe(200);

    expect(call(card, 'GET', paths.system, as).status).toBe(401);
    expect(call(card, 'DELETE', `${accounts}/root`).status).toBe(405);
  });

  it.each([
    ['ReadOnly', 403, 403, 403],
    ['Operator', 200, 403, 403],
    ['Administrator', 200, 200, 201],
  ])('a %s may reset: system %i, BMC %i, add users %i', (role, system, manager, users) => {
    const { card } = withBob(role);
    const as = (body: unknown): object => ({ password: null, headers: basic('bob', 'Bobs-Passw0rd!'), body });

    const added = call(card, 'POST', accounts, as({ UserName: 'eve', Password: 'Eves-Passw0rd!' })).status;
    const system_ = call(card, 'POST', paths.reset, as({ ResetType: 'Nmi' })).status;
    const own = call(card, 'PATCH', `${accounts}/bob`, as({ Password: 'Bobs-Passw0rd!' })).status;
    const manager_ = call(card, 'POST', paths.managerReset, as({ ResetType: 'ForceRestart' })).status;

    expect([system_, manager_, added, own]).toEqual([system, manager, users, 200]);
  });

  it.each([
    [{ UserName: 'bob' }, 'PropertyMissing'],
    [{ UserName: 'root', Password: 'Bobs-Passw0rd!' }, 'ResourceAlreadyExists'],
    [{ UserName: 'bob', Password: 'weak' }, 'PropertyValueFormatError'],
    [{ UserName: 'bob', Password: 'Bobs-Passw0rd!', RoleId: 'King' }, 'PropertyValueNotInList'],
    [{ UserName: 'bob', Password: 'Bobs-Passw0rd!', Shoe: 43 }, 'PropertyUnknown'],
  ])('are refused as %o', (body, code) => {
    const reply = call(openedRack().card, 'POST', accounts, { body });

    expect([reply.status, errorCode(reply)]).toEqual([400, `Base.1.18.1.${code}`]);
  });

  it('lock on their own and leave root alone', () => {
    const { card } = withBob('Operator');
    for (let tries = 0; tries < 10; tries += 1) {
      call(card, 'GET', paths.system, { password: null, headers: basic('bob', 'x') });
    }

    const bob = call(card, 'GET', paths.system, { password: null, headers: basic('bob', 'Bobs-Passw0rd!') });

    expect(bob.status).toBe(401);
    expect(get(card, `${accounts}/bob`)['Locked']).toBe(true);
    expect(call(card, 'PATCH', `${accounts}/bob`, { body: { Locked: false } }).status).toBe(200);
    expect(call(card, 'GET', paths.system, { password: null, headers: basic('bob', 'Bobs-Passw0rd!') }).status).toBe(
      200,
    );
  });
});

describe('the service root', () => {
  it('shows nothing else to somebody without a login, not even expanded', () => {
    const { card } = openedRack();

    expect(call(card, 'GET', `${paths.root}?$select=Id`, { password: null }).status).toBe(200);
    expect(call(card, 'GET', `${paths.root}?$expand=*`, { password: null }).status).toBe(401);
    expect(call(testRack().card, 'GET', `${paths.root}?$expand=*`, { password: factoryPassword }).status).toBe(403);
  });
});
