import { describe, expect, it } from 'vitest';
import { recover } from '../../../jobs/recover.ts';
import type { RecoverParams } from '../../../jobs/payloads.ts';
import { reflash } from '../../../jobs/reflash.ts';
import type { CredentialKey } from '../../../src/domain/device-ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { World } from '../../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';

const name = 'as7-dpu0';

/** A provisioned card with that fault, and whatever is sent to host and Arm of it from now on. */
async function lockedOut(fault?: string): Promise<{ readonly world: World; readonly lines: readonly string[] }> {
  const world = await provisionedWorld();
  if (fault !== undefined) world.rack.injectFault(fault, { target: name });
  const lines: string[] = [];
  const { rack } = world;
  const recording = new Proxy(rack, {
    get: (from, property) => {
      if (property === 'host') return (host: string) => recordingStarts(rack.host(host), 'start', lines);
      if (property === 'card') return (card: string) => recordingStarts(rack.card(card), 'armStart', lines);
      return Reflect.get(from, property) as unknown;
    },
  });
  return { world: { ...world, rack: recording }, lines };
}

function recordingStarts<T extends object>(machine: T, start: string, lines: string[]): T {
  return new Proxy(machine, {
    get: (from, property) => {
      const value: unknown = Reflect.get(from, property);
      if (property !== start || typeof value !== 'function') return value;
      return (...words: unknown[]): unknown => {
        lines.push(String(words[1]));
        return Reflect.apply(value, from, words);
      };
    },
  });
}

async function run(world: World, what: RecoverParams['what'], answer?: 'wait'): Promise<Run> {
  return runRecipe(world, recover, { what }, answer === undefined ? {} : { answer });
}

async function filed(world: World, key: (serial: string) => CredentialKey): Promise<Readonly<Record<string, string>>> {
  const list = await world.stores.credentials.bmc(key(world.rack.card(name).serial));
  return Object.fromEntries(list.map(({ slot, secret }) => [slot, secret.reveal()]));
}

const ofBmc = (serial: string): CredentialKey => ({ serial });
const ofArm = (serial: string): CredentialKey => ({ armSerial: serial });
const ofUefi = (serial: string): CredentialKey => ({ uefiSerial: serial });

function cardOf(world: World): ReturnType<World['rack']['snapshot']>['cards'][number] {
  const card = world.rack.snapshot().cards.find((one) => one.name === name);
  if (card === undefined) throw new Error(`the rack has no ${name}`);
  return card;
}

async function eventsOf(world: World, id: number): Promise<string> {
  return JSON.stringify(await world.stores.journal.read(id, 'as7'));
}

describe('/dpu recover bmc-password', () => {
  it('sets a new one over the Arm, and a login with it works; it is in no command line and in no journal', async () => {
    const { world, lines } = await lockedOut('bmc-password-wrong');
    const { current: old } = await filed(world, ofBmc);

    const { id, state, failure } = await run(world, 'bmc-password');

    expect(failure).toBeUndefined();
    expect(state).toBe('done');
    const now = await filed(world, ofBmc);
    expect(now).toEqual({ current: expect.any(String), previous: old });
    expect(cardOf(world).bmc.rootPassword).toBe(now['current']);
    expect(world.stores.escrow.entries.at(-1)).toMatchObject({ label: 'as7/as7-dpu0/bmc', runId: id });
    expect(lines.join('\n')).toContain('ipmitool -I open user set password 1');
    expect(lines.join('\n')).not.toContain(now['current']);
    expect(await eventsOf(world, id)).not.toContain(now['current']);
  });

  it('finds a BMC that takes the known password satisfied, and asks nobody', async () => {
    const { world } = await lockedOut();

    expect((await run(world, 'bmc-password', 'wait')).state).toBe('satisfied');
  });

  it('gives a BMC that somebody else has reset a password of its own', async () => {
    const { world } = await lockedOut('bmc-password-factory');

    expect((await run(world, 'bmc-password')).state).toBe('done');
    expect(cardOf(world).bmc.rootPassword).toBe((await filed(world, ofBmc))['current']);
  });

  it('without a login on the Arm is refused, with what leads to one, and writes nothing', async () => {
    const { world } = await lockedOut('bmc-password-wrong');
    world.rack.injectFault('arm-password-lost', { target: name });

    const { state, failure } = await run(world, 'bmc-password', 'wait');

    expect(state).toBe('refused');
    expect(failure).toMatchObject({ code: 'arm-login-needed', deviceState: 'unchanged' });
    expect(failure?.next).toContain('/dpu recover as7-dpu0 arm-password');
    expect(failure?.next).toContain('/dpu reflash as7-dpu0 --image bf-2.9.2-patched');
    expect(await filed(world, ofBmc)).not.toHaveProperty('pending');
  });
});

describe('/dpu recover arm-password', () => {
  it('over a login by key gives a new password and loses nothing', async () => {
    const { world, lines } = await lockedOut();
    const { current: old = '' } = await filed(world, ofArm);

    const { id, state } = await run(world, 'arm-password');

    expect(state).toBe('done');
    const { current = '' } = await filed(world, ofArm);
    expect(world.rack.card(name).armLogin('ubuntu', old)).toBe('wrong');
    expect(world.rack.card(name).armLogin('ubuntu', current)).toBe('ok');
    expect(lines.join('\n')).not.toContain(current);
    expect(await eventsOf(world, id)).not.toContain(current);
  });

  it('with the key gone enters with the password that dpubot has, and brings the key back', async () => {
    const { world } = await lockedOut('arm-key-lost');

    expect((await run(world, 'arm-password')).state).toBe('done');
    expect(world.rack.card(name).armAuthorizedKeys()).toHaveLength(1);
    expect(world.rack.card(name).armLogin('ubuntu', (await filed(world, ofArm))['current'] ?? '')).toBe('ok');
  });

  it('with nothing that opens tries two passwords, says so, and names the reflash, which brings a login', async () => {
    const { world } = await lockedOut('arm-password-lost');

    const { id, state, failure } = await run(world, 'arm-password');

    expect(state).toBe('failed');
    expect(failure).toMatchObject({ code: 'arm-locked-out' });
    expect(failure?.next).toContain('/dpu reflash as7-dpu0 --image bf-2.9.2-patched');
    const events = (await world.stores.journal.read(id, 'as7')).map(({ event }) => event);
    expect(events.filter((event) => event.type === 'intent' && event.action === 'try-password')).toHaveLength(2);
    const planned = events.find((event) => event.type === 'plan-ready');
    const plan = planned && (await world.stores.runs.plan(id, 'as7', planned.hash));
    expect(JSON.stringify(plan)).toContain('erases all files on its Arm');

    // `/dpu cancel`
    await world.stores.holds.clear('as7');
    const params = { reflash: true, force: true, via: 'rshim' };
    expect((await runRecipe(world, reflash, params, { image: 'bf-2.9.2-patched' })).state).toBe('done');
    expect(world.rack.card(name).armLogin('ubuntu', (await filed(world, ofArm))['current'] ?? '')).toBe('ok');
  });
});

describe('/dpu recover uefi-password', () => {
  it('brings a generated one into force with the capsule and three Arm resets', async () => {
    const { world, lines } = await lockedOut('uefi-password-lost');
    const { bootCount } = cardOf(world).arm;

    const { id, state, failure } = await run(world, 'uefi-password');

    expect(failure).toBeUndefined();
    expect(state).toBe('done');
    expect(cardOf(world).arm.bootCount - bootCount).toBe(3);
    const { current = '' } = await filed(world, ofUefi);
    expect(JSON.stringify(cardOf(world))).toContain(current);
    expect(world.stores.escrow.entries.at(-1)).toMatchObject({ label: 'as7/as7-dpu0/uefi', runId: id });
    expect(lines.join('\n')).not.toContain(current);
    const events = await eventsOf(world, id);
    expect(events).not.toContain(current);
    expect(events).toContain('cannot be read back');
  });
});

describe('/dpu recover dpu-mode', () => {
  it('brings a card in NIC mode back with one power cycle, and sees its Arm up', async () => {
    const { world } = await lockedOut('nic-mode');

    const { id, state, failure } = await run(world, 'dpu-mode');

    expect(failure).toBeUndefined();
    expect(state).toBe('done');
    expect(cardOf(world).mode.current).toBe('dpu');
    expect(await eventsOf(world, id)).toContain('its Arm is up (OsIsRunning)');
  });
});

describe('/dpu recover factory-bmc', () => {
  it.each([
    ['over Redfish where a login works', undefined, 'Manager.ResetToDefaults'],
    ['over the Arm where none does', 'bmc-password-wrong', 'raw 0x32 0x66'],
  ])('%s: settings are gone, and a new password is in force at once', async (_how, fault, evidence) => {
    const { world } = await lockedOut(fault);
    const { current: old } = await filed(world, ofBmc);

    const { id, state, failure } = await run(world, 'factory-bmc');

    expect(failure).toBeUndefined();
    expect(state).toBe('done');
    const { current } = await filed(world, ofBmc);
    expect(current).not.toBe(old);
    expect(cardOf(world).bmc.rootPassword).toBe(current);
    expect(await eventsOf(world, id)).toContain(evidence);
    expect((await world.stores.records.get(world.rack.card(name).serial))?.origin).toBe('flashed');
  });
});

describe('/dpu recover stuck-rshim', () => {
  it.each([
    ['a device that nobody can open', 'rshim-stuck'],
    ['a card that its BMC drives', 'rshim-at-bmc'],
  ])('%s answers again afterwards', async (_what, fault) => {
    const { world } = await lockedOut(fault);

    const { id, state, failure } = await run(world, 'stuck-rshim');

    expect(failure).toBeUndefined();
    expect(state).toBe('done');
    expect(await eventsOf(world, id)).toContain('is pcie-0000:e1:00.2');
  });

  it('one that answers is left alone', async () => {
    const { world } = await lockedOut();

    expect((await run(world, 'stuck-rshim', 'wait')).state).toBe('satisfied');
  });
});
