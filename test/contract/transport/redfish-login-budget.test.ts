import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { createTestBudget, createTestClock, createTestCredentials } from './support/bmc-ports.ts';
import { account, createLoginWorld, factory, sessionOf, slots } from './support/login-world.ts';
import { call, failureOfCall } from './support/slices.ts';

/** The lock-out window of 600 s on the test clock. */
const windowMs = 600;

const world = createLoginWorld();

describe('the budget of wrong tries', () => {
  it('stops after two wrong passwords until the window ends, then goes on with the next ones', async () => {
    world.openBmc.password = 'Somebody!Else-1';
    const clock = createTestClock();
    const access = world.open({ credentials: createTestCredentials(slots), clock: () => clock });
    const first = await access.login(world.pinnedCard(), call);
    const again = await access.login(world.pinnedCard(), call);
    const triesInWindow = [...world.openBmc.tries];
    clock.skip(windowMs + 1);
    const second = await access.login(world.pinnedCard(), call);
    const third = await access.login(world.pinnedCard(), call);
    const refused = { state: 'refused', tried: ['pending', 'current', 'factory', 'previous'] };
    expect([first.state, again.state]).toEqual(['locked', 'locked']);
    expect(triesInWindow).toEqual([slots.pending, slots.current]);
    expect(world.openBmc.tries.slice(2)).toEqual([factory, slots.previous]);
    expect([second, third]).toEqual([refused, refused]);
  });

  it('is shared: what another worker used up is not there', async () => {
    const budget = createTestBudget();
    world.openBmc.password = slots.previous;
    const options = { budget, credentials: createTestCredentials(slots) };
    await world.open(options).login(world.pinnedCard(), call);
    const login = await world.open(options).login(world.pinnedCard(), call);
    expect(login.state).toBe('locked');
    expect(world.openBmc.tries).toHaveLength(2);
  });

  it('does not count right passwords', async () => {
    const access = world.open({ credentials: createTestCredentials({ current: slots.current }) });
    for (let round = 0; round < 4; round += 1) {
      access.forget(world.pinnedCard());
      expect(await access.login(world.pinnedCard(), call)).toMatchObject({ state: 'in' });
    }
  });

  it('does not count a BMC that was busy or away', async () => {
    const budget = createTestBudget();
    const access = world.open({ budget, credentials: createTestCredentials({ current: slots.current }) });
    world.server.handler = () => ({ status: 503 });
    const busy = await failureOfCall(access.login(world.pinnedCard(), call));
    await world.server.stop();
    const away = await failureOfCall(access.login(world.pinnedCard(), call));
    expect([busy.code, away.code]).toEqual(['redfish-busy', 'bmc-unreachable']);
    expect([...budget.used.values()]).toEqual([0]);
  });

  it('is taken once for a login that the BMC answers with 503 twice', async () => {
    const budget = createTestBudget();
    let busy = 2;
    world.server.handler = (request) => (busy-- > 0 ? { status: 503 } : world.openBmc.handler(request));
    const access = world.open({ budget, credentials: createTestCredentials({ current: slots.current }) });
    const login = await access.login(world.pinnedCard(), call);
    expect(login).toMatchObject({ state: 'in', slot: 'current' });
    expect([...budget.used.values()]).toEqual([0]);
  });

  it('counts a try whose answer was lost: the BMC may have refused it', async () => {
    const budget = createTestBudget();
    world.server.handler = () => ({ cut: true });
    const access = world.open({ budget, credentials: createTestCredentials({ current: slots.current }) });
    const failure = await failureOfCall(access.login(world.pinnedCard(), call));
    expect(failure.code).toBe('bmc-reply-lost');
    expect([...budget.used.values()]).toEqual([1]);
  });

  it('is used up at once when the BMC says that the account is locked', async () => {
    world.openBmc.locked = true;
    const access = world.open({ credentials: createTestCredentials({ current: slots.current }) });
    const login = await access.login(world.pinnedCard(), call);
    const again = await access.login(world.pinnedCard(), call);
    expect([login.state, again.state]).toEqual(['locked', 'locked']);
    expect(world.openBmc.tries).toHaveLength(1);
  });

  it('lasts 600 s of device time', async () => {
    const windows: number[] = [];
    const budget = {
      ...createTestBudget(),
      take: (_key: string, ms: number) => (windows.push(ms), Promise.resolve({ ok: true } as const)),
    };
    await world.open({ budget }).login(world.pinnedCard(), call);
    expect(windows).toEqual([600]);
  });
});

describe('sessions', () => {
  it('are reused by the next login and deleted from the BMC at the end', async () => {
    const access = world.open({ credentials: createTestCredentials({ current: slots.current }) });
    const first = await access.login(world.pinnedCard(), call);
    const second = await access.login(world.pinnedCard(), call);
    const during = world.openBmc.sessions.size;
    await access.close();
    expect(sessionOf(second)).toBe(sessionOf(first));
    expect(world.openBmc.tries).toHaveLength(1);
    expect([during, world.openBmc.sessions.size]).toEqual([1, 0]);
  });

  it('are made once when several ask at the same time', async () => {
    const access = world.open({ credentials: createTestCredentials({ current: slots.current }) });
    const logins = await Promise.all(Array.from({ length: 5 }, () => access.login(world.pinnedCard(), call)));
    expect(new Set(logins.map(sessionOf)).size).toBe(1);
    expect(world.openBmc.tries).toHaveLength(1);
  });

  it('are made anew after forget, and when the BMC no longer knows them', async () => {
    const access = world.open({ credentials: createTestCredentials({ current: slots.current }) });
    await access.login(world.pinnedCard(), call);
    access.forget(world.pinnedCard());
    await access.login(world.pinnedCard(), call);
    world.openBmc.sessions.clear();
    const third = await access.login(world.pinnedCard(), call);
    expect(third.state).toBe('in');
    expect(world.openBmc.tries).toHaveLength(3);
  });

  it('report the slot their password has now, after it was promoted', async () => {
    world.openBmc.password = slots.pending;
    const credentials = createTestCredentials({ pending: slots.pending, current: slots.current });
    const access = world.open({ credentials });
    const before = await access.login(world.pinnedCard(), call);
    credentials.filed.set('current', slots.pending).set('previous', slots.current).delete('pending');
    const after = await access.login(world.pinnedCard(), call);
    expect([before, after].map((login) => login.state === 'in' && login.slot)).toEqual(['pending', 'current']);
    expect(world.openBmc.tries).toHaveLength(1);
  });

  it('give way to a login when a new password is pending', async () => {
    const credentials = createTestCredentials({ current: slots.current });
    const access = world.open({ credentials });
    const before = await access.login(world.pinnedCard(), call);
    await sessionOf(before).patchSecret(account, { Password: new Secret(slots.pending) }, call);
    credentials.filed.set('pending', slots.pending);
    const after = await access.login(world.pinnedCard(), call);
    expect(after).toMatchObject({ state: 'in', slot: 'pending' });
  });
});

describe('a BMC that was reset a short while ago', () => {
  const reset = '/redfish/v1/Managers/Bluefield_BMC/Actions/Manager.Reset';

  it('is busy, not refusing, when it answers 401; and is not asked again at once', async () => {
    const clock = createTestClock();
    const budget = createTestBudget(() => clock.nowMs());
    const access = world.open({
      clock: () => clock,
      budget,
      credentials: createTestCredentials({ current: slots.current }),
    });
    world.openBmc.resources.set(reset, () => ({ status: 204 }));
    const session = sessionOf(await access.login(world.pinnedCard(), call));
    await session.post(reset, { ResetType: 'GracefulRestart' }, call);
    world.openBmc.sessions.clear();
    world.openBmc.password = 'not-loaded-yet';
    const early = await failureOfCall(access.login(world.pinnedCard(), call));
    const atOnce = await failureOfCall(access.login(world.pinnedCard(), call));
    const triesEarly = world.openBmc.tries.length;
    world.openBmc.password = slots.current;
    clock.skip(61);
    const later = await access.login(world.pinnedCard(), call);
    expect([early.code, atOnce.code]).toEqual(['redfish-busy', 'redfish-busy']);
    expect(triesEarly).toBe(2);
    expect(later).toMatchObject({ state: 'in', slot: 'current' });
    expect([...budget.used.values()]).toEqual([0]);
  });

  it('is busy as well when somebody else announced the reset, and its old session is not used any more', async () => {
    const clock = createTestClock();
    const budget = createTestBudget(() => clock.nowMs());
    const credentials = createTestCredentials({ current: slots.current });
    const access = world.open({ clock: () => clock, budget, credentials });
    const before = await access.login(world.pinnedCard(), call);
    access.noteReset(world.pinnedCard());
    world.openBmc.password = 'not-loaded-yet';
    const early = await failureOfCall(access.login(world.pinnedCard(), call));
    world.openBmc.password = slots.current;
    clock.skip(61);
    const later = await access.login(world.pinnedCard(), call);
    expect(early.code).toBe('redfish-busy');
    expect(later).toMatchObject({ state: 'in', slot: 'current' });
    expect(sessionOf(later)).not.toBe(sessionOf(before));
    expect([...budget.used.values()]).toEqual([0]);
  });

  it('announced for one card, is nothing to the BMC of another', async () => {
    const access = world.open();
    const { dpu, slice } = world.pinnedCard();
    access.noteReset({ slice, dpu: { ...dpu, name: 'host-01-dpu1' } });
    const login = await access.login(world.pinnedCard(), call);
    expect(login).toEqual({ state: 'refused', tried: ['factory'] });
  });

  it('refuses for real once the 3 minutes are over', async () => {
    const clock = createTestClock();
    const access = world.open({ clock: () => clock });
    access.noteReset(world.pinnedCard());
    const early = await failureOfCall(access.login(world.pinnedCard(), call));
    clock.skip(181);
    const later = await access.login(world.pinnedCard(), call);
    expect(early.code).toBe('redfish-busy');
    expect(later).toEqual({ state: 'refused', tried: ['factory'] });
  });
});
