import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { bootState, call, get, openedRack, paths, resetArm } from './helpers.ts';
import type { Parsed, TestRack } from './helpers.ts';

function statesDuring(test: TestRack, ms: number): unknown[] {
  const seen: unknown[] = [];
  for (let passed = 0; passed <= ms; passed += 500) {
    const state = bootState(test.card);
    if (seen.at(-1) !== state) seen.push(state);
    test.advance(500);
  }
  return seen;
}

function progress(test: TestRack): Parsed {
  return get(test.card, paths.system)['BootProgress'] as Parsed;
}

describe('an Arm reset', () => {
  it('goes through the stages in order, starting from the old state while NC-SI lags', () => {
    const test = openedRack();
    resetArm(test.card);

    const seen = statesDuring(test, 100_000);

    expect(seen).toEqual(['OsIsRunning', 'BootRom', 'BL2', 'BL31', 'UEFI', 'OsStarting', 'OsIsRunning']);
  });

  it('changes LastStateTime even when only the end is looked at', () => {
    const test = openedRack();
    const before = progress(test)['LastStateTime'];

    resetArm(test.card);
    test.advance(120_000);

    expect(progress(test)).toMatchObject({ LastState: 'OEM', OemLastState: 'OsIsRunning' });
    expect(progress(test)['LastStateTime']).not.toBe(before);
  });

  it('prints LastStateTime in January 1970 as the real BMC does', () => {
    expect(progress(openedRack())['LastStateTime']).toMatch(/^1970-01-2\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
  });

  it('ends in UEFI when the boot is stuck, and the next one is well again', () => {
    const test = openedRack();
    test.rack.injectFault('arm-boot-stuck', { target: 'as7-dpu0' });
    resetArm(test.card);
    test.advance(600_000);
    expect(bootState(test.card)).toBe('UEFI');
    expect(test.card.armIsUp()).toBe(false);

    resetArm(test.card);
    test.advance(100_000);

    expect(bootState(test.card)).toBe('OsIsRunning');
  });

  it('switches off with ForceOff and on again with On', () => {
    const test = openedRack();
    call(test.card, 'POST', paths.reset, { body: { ResetType: 'ForceOff' } });
    expect(get(test.card, paths.system)['PowerState']).toBe('Off');

    call(test.card, 'POST', paths.reset, { body: { ResetType: 'On' } });
    test.advance(100_000);

    expect(bootState(test.card)).toBe('OsIsRunning');
  });

  it('is not what On means for a running system', () => {
    const test = openedRack();
    const bootId = test.card.armBootId();

    const reply = call(test.card, 'POST', paths.reset, { body: { ResetType: 'On' } });

    expect(reply.status).toBe(200);
    expect(test.card.armBootId()).toBe(bootId);
  });

  it('refuses a reset type that is not in the list', () => {
    const reply = call(openedRack().card, 'POST', paths.reset, { body: { ResetType: 'Hard' } });

    expect(reply.status).toBe(400);
    expect(reply.body).toContain('ActionParameterNotSupported');
  });
});

describe('a BMC reset', () => {
  it('refuses connections for 100 s and forgets sessions and tasks', () => {
    const test = openedRack();
    call(test.card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: 'HelloNvidia3D!' } });
    call(test.card, 'POST', paths.managerReset, { body: { ResetType: 'GracefulRestart' } });

    test.advance(99_000);
    expect(() => get(test.card, paths.root)).toThrow('refused');
    test.advance(2_000);

    expect(get(test.card, paths.sessions)['Members@odata.count']).toBe(0);
    expect(bootState(test.card)).toBe('OsIsRunning');
  });

  it('answers 503 for a while under bmcweb-late', () => {
    const test = openedRack();
    test.rack.injectFault('bmcweb-late', { target: 'as7-dpu0' });
    call(test.card, 'POST', paths.managerReset, { body: { ResetType: 'ForceRestart' } });

    test.advance(110_000);
    expect(call(test.card, 'GET', paths.root).status).toBe(503);
    test.advance(60_000);

    expect(call(test.card, 'GET', paths.root).status).toBe(200);
  });
});

describe('the mode of a card', () => {
  it('changes with a cold power cycle of the host and not with a warm reboot', () => {
    const test = openedRack();
    const host = test.rack.host('as7');
    call(test.card, 'POST', `${paths.oem}/Actions/Mode.Set`, { body: { Mode: 'NicMode' } });
    expect(get(test.card, paths.oem)['Mode']).toBe('DpuMode');

    host.warmReboot();
    test.advance(400_000);
    expect(get(test.card, paths.oem)['Mode']).toBe('DpuMode');
    host.powerCycle();
    test.advance(400_000);

    expect(get(test.card, paths.oem)['Mode']).toBe('NicMode');
    expect(bootState(test.card)).toBe('UEFI');
  });

  it('shows empty versions and a silent Arm in NIC mode', () => {
    const { card } = openedRack(variations.nicMode());

    const version = (id: string): unknown => get(card, `/redfish/v1/UpdateService/FirmwareInventory/${id}`)['Version'];

    expect([version('DPU_NIC'), version('DPU_OS'), version('BMC_Firmware')]).toEqual(['', '', 'BF-24.10-10']);
    expect(card.armExec('ubuntu', 'true').fault).toBe('drop');
  });

  it('keeps Secure Boot fields over a cold power cycle unless bmcweb is late', () => {
    const test = openedRack();
    test.rack.host('as7').powerCycle();
    test.advance(400_000);
    expect(get(test.card, paths.secureBoot)['SecureBootMode']).toBe('UserMode');

    test.rack.injectFault('bmcweb-late', { target: 'as7-dpu0' });
    test.rack.host('as7').powerCycle();
    test.advance(400_000);

    expect(get(test.card, paths.secureBoot)['SecureBootMode']).toBeUndefined();
  });
});
