import { describe, expect, it } from 'vitest';
import { call, errorCode, get, openedRack, paths, testRack } from './helpers.ts';

describe('faults', () => {
  it('are listed with a line of text each and what is active', () => {
    const { rack } = testRack();
    rack.injectFault('redfish-503', { target: 'as7-dpu0', uses: 3 });

    const faults = rack.faults();

    expect(faults.length).toBeGreaterThanOrEqual(20);
    for (const fault of faults) {
      expect(fault.name).toMatch(/^[a-z0-9-]+$/);
      expect(fault.text).toMatch(/\.$/);
    }
    expect(faults.find(({ name }) => name === 'redfish-503')?.active).toEqual([{ target: 'as7-dpu0', usesLeft: 3 }]);
  });

  it('are refused by unknown name, unknown target and impossible count', () => {
    const { rack } = testRack();

    expect(() => rack.injectFault('nope')).toThrow('Unknown fault');
    expect(() => rack.injectFault('redfish-503', { target: 'as9' })).toThrow('no as9');
    expect(() => rack.injectFault('redfish-503', { uses: -1 })).toThrow('use count');
    expect(() => rack.clearFault('nope')).toThrow('Unknown fault');
  });

  it('redfish-503 answers 503 as often as told, on its target only', () => {
    const { rack, card } = openedRack();
    rack.injectFault('redfish-503', { target: 'as7-dpu0', uses: 2 });

    const statuses = [1, 2, 3].map(() => call(card, 'GET', paths.root).status);

    expect(statuses).toEqual([503, 503, 200]);
    expect(call(rack.card('as8-dpu0'), 'GET', paths.root).status).toBe(200);
  });

  it('hit the cards of a host when the host is named, and refuse a card where only a host fits', () => {
    const { rack, card } = openedRack();
    rack.injectFault('redfish-503', { target: 'as7' });

    expect(call(rack.card('as8-dpu0'), 'GET', paths.root).status).toBe(200);
    expect(call(card, 'GET', paths.root).status).toBe(503);
    expect(() => rack.injectFault('sudo-password', { target: 'as7-dpu0' })).toThrow('hits a host');
  });

  it('redfish-401 refuses right credentials without counting', () => {
    const { rack, card } = openedRack();
    rack.injectFault('redfish-401', { target: 'as7-dpu0', uses: 12 });

    const statuses = Array.from({ length: 13 }, () => call(card, 'GET', paths.system).status);

    expect(statuses).toEqual([...Array.from({ length: 12 }, () => 401), 200]);
  });

  it('redfish-drop-reply carries the request out', () => {
    const { rack, card } = openedRack();
    rack.injectFault('redfish-drop-reply', { target: 'as7-dpu0' });

    const reply = call(card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false } });

    expect(reply.fault).toBe('drop');
    expect(get(card, paths.secureBoot)['SecureBootEnable']).toBe(false);
  });

  it('redfish-hang does nothing and says nothing', () => {
    const { rack, card } = openedRack();
    rack.injectFault('redfish-hang', { target: 'as7-dpu0' });

    const reply = call(card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false } });

    expect(reply.fault).toBe('hang');
    expect(get(card, paths.secureBoot)['SecureBootEnable']).toBe(true);
  });

  it('redfish-wrong-json answers 200 with something that is not JSON, redfish-truncated breaks off', () => {
    const { rack, card } = openedRack();
    rack.injectFault('redfish-wrong-json');
    const wrong = call(card, 'GET', paths.root);
    expect(wrong.status).toBe(200);
    expect(() => JSON.parse(wrong.body)).toThrow();

    rack.injectFault('redfish-truncated');

    expect(call(card, 'GET', paths.root).fault).toBe('truncate');
  });

  it('oem-timeout hangs one resource until cleared', () => {
    const { rack, card } = openedRack();
    rack.injectFault('oem-timeout', { target: 'as7-dpu0' });
    expect(call(card, 'GET', paths.oem).fault).toBe('hang');
    expect(call(card, 'GET', paths.system).fault).toBeUndefined();

    rack.clearFault('oem-timeout');

    expect(call(card, 'GET', paths.oem).status).toBe(200);
  });

  it('bmc-password-wrong refuses the right password until cleared', () => {
    const { rack, card } = openedRack();
    rack.injectFault('bmc-password-wrong', { target: 'as7-dpu0' });
    expect(call(card, 'GET', paths.system).status).toBe(401);

    rack.clearFault('bmc-password-wrong');

    expect(call(card, 'GET', paths.system).status).toBe(200);
  });

  it('serial-mismatch reports another card over Redfish while lspci stays', () => {
    const { rack, card } = openedRack();
    rack.injectFault('serial-mismatch', { target: 'as7-dpu0' });

    expect(String(get(card, '/redfish/v1/Chassis/Card1')['SerialNumber']).trim()).not.toBe(card.serial);
    expect(rack.host('as7').exec('ops', 'sudo -n lspci -vvv -s e1:00.0').stdout).toContain(card.serial);
  });

  it('controller-sku and pcie-downgraded show in lspci', () => {
    const { rack } = openedRack();
    rack.injectFault('controller-sku', { target: 'as7-dpu0' });
    rack.injectFault('pcie-downgraded', { target: 'as7-dpu0' });

    const { stdout } = rack.host('as7').exec('ops', 'sudo -n lspci -vvv -s e1:00.0');

    expect(stdout).toContain('[PN] Part number: 900-9D3C6-00CV-DA0');
    expect(stdout).toContain('\t\tLnkSta:\tSpeed 8GT/s (downgraded), Width x16\n');
  });

  it('ssh-drop carries the command out, ssh-hang does not', () => {
    const { rack } = openedRack();
    const host = rack.host('as7');
    const set = 'sudo -n mlxconfig -d e1:00.0 -y set NUM_OF_VFS=';
    const vfs = (): string | undefined =>
      / NUM_OF_VFS +(\d+)/.exec(host.exec('ops', 'sudo -n mlxconfig -d e1:00.0 q NUM_OF_VFS').stdout)?.[1];

    rack.injectFault('ssh-drop', { target: 'as7' });
    expect(host.exec('ops', `${set}8`)).toMatchObject({ exitCode: null, fault: 'drop' });
    expect(vfs()).toBe('8');
    rack.injectFault('ssh-hang', { target: 'as7' });

    expect(host.exec('ops', `${set}4`)).toMatchObject({ exitCode: null, fault: 'hang' });
    expect(vfs()).toBe('8');
  });

  it('sudo-password and rshim-missing look as on a real host', () => {
    const { rack } = openedRack();
    rack.injectFault('rshim-missing', { target: 'as7-dpu0' });
    expect(rack.host('as7').exec('ops', 'sudo -n cat /dev/rshim0/misc')).toMatchObject({
      exitCode: 1,
      stderr: 'cat: /dev/rshim0/misc: No such file or directory\n',
    });

    rack.injectFault('sudo-password', { target: 'as7' });

    expect(rack.host('as7').exec('ops', 'sudo -n true')).toMatchObject({
      exitCode: 1,
      stderr: 'sudo: a password is required\n',
    });
  });

  it('bmc-locked locks at once', () => {
    const { rack, card } = openedRack();

    rack.injectFault('bmc-locked', { target: 'as7-dpu0' });

    const reply = call(card, 'GET', paths.system);
    expect([reply.status, errorCode(reply)]).toEqual([401, 'Base.1.18.1.ResourceAtUriUnauthorized']);
  });
});
