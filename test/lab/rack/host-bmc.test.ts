import { describe, expect, it } from 'vitest';
import { hostBmcPassword, rack1 } from '../../../src/lab/rack/layouts.ts';
import type { HostModel } from '../../../src/lab/rack/model.ts';
import type { RedfishReply } from '../../../src/lab/rack/redfish/types.ts';
import { parse, testRack } from './helpers.ts';
import type { Parsed, TestRack } from './helpers.ts';

const system = '/redfish/v1/Systems/System.Embedded.1';
const sessions = '/redfish/v1/SessionService/Sessions';

function freshHost(): { test: TestRack; host: HostModel } {
  const test = testRack(rack1({ factoryFresh: true }));
  return { test, host: test.rack.host('as7') };
}

function ask(
  host: HostModel,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): RedfishReply {
  const basic = { authorization: `Basic ${Buffer.from(`root:${hostBmcPassword}`).toString('base64')}` };
  const answer = host.bmcRedfish({
    method,
    path,
    headers: headers ?? basic,
    body: body === undefined ? '' : JSON.stringify(body),
  });
  if ('refused' in answer) throw new Error('connection refused');
  return answer;
}

function reset(host: HostModel, type: string): RedfishReply {
  return ask(host, 'POST', `${system}/Actions/ComputerSystem.Reset`, { ResetType: type });
}

function power(host: HostModel): unknown {
  return parse(ask(host, 'GET', system))['PowerState'];
}

function messageIds(reply: RedfishReply): unknown[] {
  const error = parse(reply)['error'] as { '@Message.ExtendedInfo': Parsed[] };
  return error['@Message.ExtendedInfo'].map((info) => info['MessageId']);
}

describe('the management controller of a host', () => {
  it('leads from its systems to the one with its reset types', () => {
    const { host } = freshHost();

    expect(parse(ask(host, 'GET', '/redfish/v1/Systems'))['Members']).toEqual([{ '@odata.id': system }]);
    expect(parse(ask(host, 'GET', system))).toMatchObject({ Manufacturer: 'Dell Inc.', PowerState: 'On' });
  });

  it('gives a token for a login and takes it back', () => {
    const { host } = freshHost();
    const login = ask(host, 'POST', sessions, { UserName: 'root', Password: hostBmcPassword }, {});
    const token = { 'x-auth-token': login.headers['X-Auth-Token'] ?? '' };
    const location = login.headers['Location'] ?? '';

    expect(login.status).toBe(201);
    expect(ask(host, 'GET', location, undefined, token).status).toBe(200);
    expect(ask(host, 'DELETE', location, undefined, token).status).toBeLessThan(300);
    expect(ask(host, 'GET', system, undefined, token).status).toBe(401);
    expect(ask(host, 'POST', sessions, { UserName: 'root', Password: 'wrong' }, {}).status).toBe(401);
  });

  it('shuts the system down within a minute, in which nobody can log in', () => {
    const { test, host } = freshHost();

    expect(reset(host, 'GracefulShutdown').status).toBe(204);
    expect(host.isUp()).toBe(false);
    test.advance(59_000);
    expect(power(host)).toBe('On');
    expect(messageIds(reset(host, 'On'))).toEqual(['IDRAC.2.8.PSU501']);
    test.advance(2_000);

    expect(power(host)).toBe('Off');
    expect(host.isUp()).toBe(false);
    expect(test.card.armIsUp()).toBe(false);
  });

  it('takes power from the slots when off, so that what waits is taken at the next start', () => {
    const { test, host } = freshHost();
    test.card.armExec('root', 'mlxconfig -y -d 03:00.0 set NUM_OF_VFS=32');
    reset(host, 'GracefulShutdown');
    test.advance(120_000);
    expect(test.rack.snapshot().cards[0]?.arm.power).toBe('off');

    expect(reset(host, 'On').status).toBe(204);
    test.advance(170_000);
    expect(host.isUp()).toBe(false);
    test.advance(190_000);

    expect(host.isUp()).toBe(true);
    expect(test.rack.snapshot().cards[0]?.nvconfig.current['NUM_OF_VFS']).toBe('32');
  });

  it('restarts a system without taking its power', () => {
    const { test, host } = freshHost();
    const bootId = host.bootId();

    reset(host, 'GracefulRestart');
    test.advance(61_000);
    expect(power(host)).toBe('On');
    test.advance(200_000);

    expect(host.isUp()).toBe(true);
    expect(host.bootId()).not.toBe(bootId);
    expect(test.card.armIsUp()).toBe(true);
  });

  it('cuts a shutdown short when told to switch off at once', () => {
    const { host } = freshHost();
    reset(host, 'GracefulShutdown');

    expect(reset(host, 'ForceOff').status).toBe(204);

    expect(power(host)).toBe('Off');
    expect(reset(host, 'ForceOff').status).toBe(409);
  });

  it('names a reset type that it does not know', () => {
    const { host } = freshHost();
    const refused = reset(host, 'Nonsense');

    expect(refused.status).toBe(400);
    expect(messageIds(refused)).toContain('IDRAC.2.8.SYS426');
    expect(refused.body).toContain('the value Nonsense entered for the property ResetType');
  });
});
