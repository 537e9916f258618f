import { describe, expect, it } from 'vitest';
import { unprovenKey } from '../../../src/domain/credential-key.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { factoryPassword } from '../../../src/transport/redfish/login.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import {
  createTestBudget,
  createTestClock,
  createTestCredentials,
  createTestPins,
  createTestRecords,
} from './support/bmc-ports.ts';
import { startBmc } from './support/bmc-server.ts';
import { account, createLoginWorld, factory, sessionOf, slots } from './support/login-world.ts';
import { operatorKey, startFakeSsh } from './support/ssh-servers.ts';
import { call, cardOf, failureOfCall, sliceFor } from './support/slices.ts';

const windowMs = 600;

const world = createLoginWorld();

describe('the order of passwords', () => {
  it('publishes the factory password as the default', () => {
    expect(factoryPassword.reveal()).toBe(factory);
  });

  it.each([
    ['pending', slots.pending, 1],
    ['current', slots.current, 2],
    ['factory', factory, 3],
    ['previous', slots.previous, 4],
  ] as const)('reports the slot %s after trying those before it', async (slot, password, tries) => {
    world.openBmc.password = password;
    const clock = createTestClock();
    const access = world.open({ credentials: createTestCredentials(slots), clock: () => clock });
    let login = await access.login(world.pinnedCard(), call);
    if (login.state === 'locked') {
      clock.skip(windowMs + 1);
      login = await access.login(world.pinnedCard(), call);
    }
    expect(login).toMatchObject({ state: 'in', slot });
    expect(world.openBmc.tries).toEqual([slots.pending, slots.current, factory, slots.previous].slice(0, tries));
  });

  it('skips slots that do not exist and sends an equal password once', async () => {
    world.openBmc.password = 'Somebody!Else-1';
    const access = world.open({ credentials: createTestCredentials({ current: factory }) });
    const login = await access.login(world.pinnedCard(), call);
    expect(login).toEqual({ state: 'refused', tried: ['current'] });
    expect(world.openBmc.tries).toEqual([factory]);
  });

  it('uses the pin of the store where the inventory has none', async () => {
    const pins = createTestPins({ 'host-01-dpu0': world.server.sha256 });
    const access = world.open({ pins, credentials: createTestCredentials({ current: slots.current }) });
    const login = await access.login(world.unpinnedCard(), call);
    expect(login).toMatchObject({ state: 'in', slot: 'current', mustChange: false });
  });

  it('looks under the serial and under certificate and address', async () => {
    const bySerial = createTestCredentials({ current: slots.current }, 'MT2334X12345');
    const byCertificate = createTestCredentials({ current: slots.current });
    const first = await world.open({ credentials: bySerial }).login(world.pinnedCard('MT2334X12345'), call);
    const second = await world.open({ credentials: byCertificate }).login(world.pinnedCard('MT2334X12345'), call);
    expect([first.state, second.state]).toEqual(['in', 'in']);
    expect(byCertificate.asked).toEqual([
      { serial: 'MT2334X12345' },
      unprovenKey(world.pinnedCard().dpu.bmc, world.server.sha256),
    ]);
  });
});

describe('a fresh login', () => {
  it('shows that somebody has changed the password, where the session of before would go on', async () => {
    world.openBmc.password = slots.current;
    const access = world.open({ credentials: createTestCredentials({ current: slots.current }) });
    await access.login(world.pinnedCard(), call);
    world.openBmc.password = 'Of-somebody-else#1';
    const kept = await access.login(world.pinnedCard(), call);
    const fresh = await access.login(world.pinnedCard(), { ...call, fresh: true });
    expect(kept.state).toBe('in');
    expect(fresh).toEqual({ state: 'refused', tried: ['current', 'factory'] });
  });
});

describe('a login of somebody who only looks', () => {
  const lookOnly = { ...call, knownOnly: true };

  it('takes the current password and no other', async () => {
    world.openBmc.password = slots.pending;
    const access = world.open({ credentials: createTestCredentials(slots) });
    expect(await access.login(world.pinnedCard(), lookOnly)).toEqual({ state: 'refused', tried: ['current'] });
    expect(world.openBmc.tries).toEqual([slots.current]);
  });

  it('uses the session of somebody who changes the password, and tries none', async () => {
    world.openBmc.password = slots.pending;
    const access = world.open({ credentials: createTestCredentials(slots) });
    await access.login(world.pinnedCard(), call);
    const login = await access.login(world.pinnedCard(), lookOnly);
    expect(login).toMatchObject({ state: 'in', slot: 'pending' });
    expect(world.openBmc.tries).toEqual([slots.pending]);
  });

  it('leaves the session of others alone where it has no password of its own', async () => {
    const credentials = createTestCredentials({ current: slots.current });
    const access = world.open({ credentials });
    await access.login(world.pinnedCard(), call);
    credentials.filed.clear();
    const login = await access.login(world.pinnedCard(), lookOnly);
    credentials.filed.set('current', slots.current);
    await access.login(world.pinnedCard(), call);
    expect(login).toEqual({ state: 'refused', tried: [] });
    expect(world.openBmc.tries).toEqual([slots.current]);
  });

  it('sends nothing where no current password is filed', async () => {
    const access = world.open({ credentials: createTestCredentials({ previous: slots.previous }) });
    expect(await access.login(world.pinnedCard(), lookOnly)).toEqual({ state: 'refused', tried: [] });
    expect(world.openBmc.tries).toEqual([]);
  });

  it('sends nothing to a certificate without a pin, not even the factory password', async () => {
    world.openBmc.password = factory;
    const access = world.open({ credentials: createTestCredentials({}) });
    expect(await access.login(world.unpinnedCard(), lookOnly)).toEqual({ state: 'unpinned' });
    expect([world.openBmc.tries, world.server.requests]).toEqual([[], []]);
  });
});

describe('a certificate without a pin', () => {
  it('gets the factory password and nothing else', async () => {
    const access = world.open({ credentials: createTestCredentials(slots) });
    const login = await access.login(world.unpinnedCard(), call);
    expect(login).toEqual({ state: 'unpinned' });
    expect(world.openBmc.tries).toEqual([factory]);
  });

  it('lets the factory password in', async () => {
    world.openBmc.password = factory;
    const login = await world.open().login(world.unpinnedCard(), call);
    expect(login).toMatchObject({ state: 'in', slot: 'factory', mustChange: true });
  });

  it('is not sent the refused factory password again within the window', async () => {
    const access = world.open();
    const logins = [await access.login(world.unpinnedCard(), call), await access.login(world.unpinnedCard(), call)];
    expect(logins.map(({ state }) => state)).toEqual(['unpinned', 'unpinned']);
    expect(world.openBmc.tries).toEqual([factory]);
  });
});

describe('a BMC that was set back to factory state by hand', () => {
  it('is tried again: it has a new certificate', async () => {
    const access = world.open();
    const before = await access.login(world.unpinnedCard(), call);
    await world.server.stop();
    world.openBmc.password = factory;
    const { port } = world.server;
    world.server = await startBmc(world.openBmc.handler, { port, freshCertificate: true });
    const after = await access.login(world.unpinnedCard(), call);
    expect(before).toEqual({ state: 'unpinned' });
    expect(after).toMatchObject({ state: 'in', slot: 'factory' });
  });
});

describe('a certificate that differs from its pin', () => {
  it('gets no password at all', async () => {
    const access = world.open({ credentials: createTestCredentials(slots) });
    const card = cardOf(sliceFor({ bmc: { port: world.server.port, certSha256: 'ab'.repeat(32) } }));
    const failure = await failureOfCall(access.login(card, call));
    const seen = await access.fingerprint(card, call);
    expect(failure.code).toBe('bmc-cert-changed');
    expect(seen).toBe(world.server.sha256);
    expect(world.server.requests).toEqual([]);
  });

  it('costs nothing of the budget', async () => {
    const budget = createTestBudget();
    const access = world.open({ budget });
    const card = cardOf(sliceFor({ bmc: { port: world.server.port, certSha256: 'ab'.repeat(32) } }));
    await failureOfCall(access.login(card, call));
    expect([...budget.used.values()]).toEqual([0]);
  });
});

describe('the factory password on OpenBMC', () => {
  it.each(['session', '403', 'empty-403'] as const)(
    'is right and must be changed when the login is answered with %s; the change then logs in with the new one',
    async (style) => {
      world.openBmc.password = factory;
      world.openBmc.factoryStyle = style;
      const credentials = createTestCredentials({ pending: slots.pending });
      const access = world.open({ credentials });
      const login = await access.login(world.pinnedCard(), call);
      await sessionOf(login).patchSecret(account, { Password: new Secret(slots.pending) }, call);
      access.forget(world.pinnedCard());
      const after = await access.login(world.pinnedCard(), call);
      expect(login).toMatchObject({ state: 'in', slot: 'factory', mustChange: true });
      expect(after).toMatchObject({ state: 'in', slot: 'pending', mustChange: false });
    },
  );

  it('is refused by other resources as a change that is required, and that is no wrong try', async () => {
    world.openBmc.password = factory;
    const budget = createTestBudget();
    const access = world.open({ budget });
    const session = sessionOf(await access.login(world.pinnedCard(), call));
    const resource = { kind: 'read-resource', name: 'x', path: '/redfish/v1/UpdateService' } as const;
    const failure = await failureOfCall(session.get(resource, call));
    expect(failure.text).toContain('PasswordChangeRequired');
    expect([...budget.used.values()]).toEqual([0]);
  });
});

describe('the way to the BMC', () => {
  it('goes through the SSH of the host when the inventory says so', async () => {
    const ssh = await startFakeSsh();
    const hosts = createHostAccess({
      key: () => Promise.resolve(new Secret(operatorKey.private)),
      redactor: createRedactor(),
      limits: { maxForwards: 2 },
    });
    const access = world.open({ hosts, credentials: createTestCredentials({ current: slots.current }) });
    const bmc = { port: world.server.port, certSha256: world.server.sha256, via: 'host' as const };
    const through = cardOf(sliceFor({ ssh: ssh.endpoint, bmc }));
    const login = await access.login(through, call);
    const managers = { kind: 'read-resource', name: 'managers', path: '/redfish/v1/Managers' } as const;
    const reads = await Promise.all(Array.from({ length: 12 }, () => sessionOf(login).get(managers, call)));
    const prints = [];
    for (let look = 0; look < 5; look += 1) prints.push(await access.fingerprint(through, call));
    const nobody = cardOf(sliceFor({ ssh: ssh.endpoint, bmc: { ...bmc, port: 1 } }));
    const failure = await failureOfCall(access.login(nobody, call));
    await access.close();
    await hosts.close();
    await ssh.stop();
    expect(login).toMatchObject({ state: 'in', slot: 'current' });
    expect(reads).toHaveLength(12);
    expect(prints).toEqual(Array.from({ length: 5 }, () => world.server.sha256));
    expect(ssh.connections()).toBe(1);
    expect(failure.code).toBe('bmc-unreachable');
  });

  it('is refused for an address "auto" that nobody has found yet, or whose card is not identified', async () => {
    const access = world.open({ records: createTestRecords({ MT2: '127.0.0.1' }) });
    const unknown = cardOf(sliceFor({ bmc: { address: 'auto' } }), 'MT1');
    const nameless = cardOf(sliceFor({ bmc: { address: 'auto' } }));
    const failures = await Promise.all(
      [access.login(unknown, call), access.fingerprint(unknown, call), access.login(nameless, call)].map(failureOfCall),
    );
    expect(failures.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'bmc-address-auto'));
    expect(failures[0]?.text).toContain('not known yet');
  });

  it('leads to the address that was found for a card whose inventory says "auto"', async () => {
    const credentials = createTestCredentials({ current: slots.current });
    const pins = createTestPins({ 'host-01-dpu0': world.server.sha256 });
    const access = world.open({ credentials, pins, records: createTestRecords({ MT1: '127.0.0.1' }) });
    const card = cardOf(sliceFor({ bmc: { address: 'auto', port: world.server.port } }), 'MT1');
    const login = await access.login(card, call);
    const fingerprint = await access.fingerprint(card, call);
    expect(login).toMatchObject({ state: 'in', slot: 'current' });
    expect(fingerprint).toBe(world.server.sha256);
    expect(credentials.asked).toContainEqual(
      unprovenKey({ address: '127.0.0.1', port: world.server.port }, world.server.sha256),
    );
  });

  it('counts wrong tries by the address that was found, so that two cards with "auto" do not share them', async () => {
    const budget = createTestBudget();
    const records = createTestRecords({ MT1: '127.0.0.1', MT2: '127.0.0.2' });
    const access = world.open({ budget, records });
    await access.login(cardOf(sliceFor({ bmc: { address: 'auto', port: world.server.port } }), 'MT1'), call);
    expect([...budget.used.keys()]).toEqual([`lab/127.0.0.1:${world.server.port}`]);
  });

  it('makes a new session when the BMC of a card with "auto" has moved to another address', async () => {
    const records = createTestRecords({ MT1: '127.0.0.1' });
    const pins = createTestPins({ 'host-01-dpu0': world.server.sha256 });
    const access = world.open({ records, pins, credentials: createTestCredentials({ current: slots.current }) });
    const card = cardOf(sliceFor({ bmc: { address: 'auto', port: world.server.port } }), 'MT1');
    const before = await access.login(card, call);
    records.set('MT1', 'localhost');
    const after = await access.login(card, call);
    expect(sessionOf(after)).not.toBe(sessionOf(before));
    expect(world.openBmc.tries).toHaveLength(2);
  });

  it('stays on loopback at a simulated site also for an address that was found', async () => {
    const access = world.open({ records: createTestRecords({ MT1: '192.0.2.9' }) });
    const failure = await failureOfCall(access.login(cardOf(sliceFor({ bmc: { address: 'auto' } }), 'MT1'), call));
    expect(failure.code).toBe('address-not-loopback');
  });

  it('stays on loopback at a simulated site, for logins and fingerprints', async () => {
    const card = cardOf(sliceFor({ bmc: { address: '192.0.2.9' } }));
    const access = world.open();
    const login = await failureOfCall(access.login(card, call));
    const fingerprint = await failureOfCall(access.fingerprint(card, call));
    expect([login.code, fingerprint.code]).toEqual(['address-not-loopback', 'address-not-loopback']);
  });

  it('gives the reason of the caller when the caller aborts', async () => {
    world.server.handler = () => ({ hang: true });
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const login = world.open().login(world.pinnedCard(), { ...call, signal: controller.signal });
    await expect.poll(() => world.server.requests.length).toBe(1);
    controller.abort(reason);
    await expect(login).rejects.toBe(reason);
  });
});
