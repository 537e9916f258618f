import { describe, expect, it } from 'vitest';
import { faultLines } from '../../../scripts/demo/fault-list.ts';
import { describeFaults } from '../../../src/lab/rack/faults.ts';
import { faultGroups, knownFaults } from '../../../src/lab/rack/known-faults.ts';
import { bootState, call, get, openedRack, paths } from './helpers.ts';
import type { Parsed, TestRack } from './helpers.ts';

const target = { target: 'as7-dpu0' };
const bootMs = 100_000;
const selEntries = '/redfish/v1/Systems/Bluefield/LogServices/SEL/Entries';

function boot(test: TestRack): void {
  test.card.resetArm();
  test.advance(bootMs);
}

describe('the list of faults', () => {
  it('has every documented failure', () => {
    // Items of the field guide's list.
    const wanted = Array.from({ length: 32 }, (_each, index) => index + 1);

    const items = new Set(Object.values(knownFaults).map(({ guide }) => guide));

    expect(wanted.filter((item) => !items.has(item))).toEqual([]);
  });

  it('is shown by group, each name once with its item and what one sees', () => {
    const lines = faultLines();

    for (const group of faultGroups) expect(lines).toContain(`${group}:`);
    for (const { name, guide } of describeFaults([]))
      expect(lines.filter((line) => line === `  ${name}${guide === undefined ? '' : ` (${guide})`}`)).toHaveLength(1);
    expect(lines.indexOf('  rshim-stuck')).toBeLessThan(lines.indexOf('  redfish-503'));
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain('each open says Device or resource busy');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  it('lets a state that somebody left be no rule that waits', () => {
    const { rack } = openedRack();
    for (const name of ['arm-password-lost', 'uefi-password-lost', 'nic-mode', 'bmc-password-factory'])
      rack.injectFault(name, target);

    expect(rack.faults().flatMap(({ active }) => active)).toEqual([]);
  });
});

describe('a change of Secure Boot that holds one boot', () => {
  it('is taken back by the boot after it', () => {
    const test = openedRack();
    test.rack.injectFault('secureboot-one-boot', target);
    const shown = (): unknown[] => {
      const resource = get(test.card, paths.secureBoot);
      return [resource['SecureBootEnable'], resource['SecureBootCurrentBoot']];
    };
    call(test.card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false } });
    boot(test);
    boot(test);
    expect(shown()).toEqual([false, 'Disabled']);

    boot(test);
    expect(shown()).toEqual([true, 'Enabled']);
    boot(test);

    expect(shown()).toEqual([true, 'Enabled']);
  });
});

describe('uefi-shell-at-boot', () => {
  it('pauses the system at its next boot; On does nothing, ForceRestart does', () => {
    const test = openedRack();
    test.rack.injectFault('uefi-shell-at-boot', target);
    const reset = (type: string): void => {
      call(test.card, 'POST', paths.reset, { body: { ResetType: type } });
      test.advance(bootMs);
    };
    reset('GracefulRestart');
    expect(get(test.card, paths.system)['PowerState']).toBe('Paused');
    reset('On');
    expect(bootState(test.card)).toBe('UEFI');

    reset('ForceRestart');

    expect(bootState(test.card)).toBe('OsIsRunning');
  });
});

describe('a card without its 12 V cable', () => {
  it('has a warning in the SEL and a sensor that reads almost nothing', () => {
    const test = openedRack();
    expect(get(test.card, selEntries)['Members']).toEqual([]);

    test.rack.injectFault('atx-power-missing', target);

    expect(get(test.card, `${selEntries}/1`)).toMatchObject({
      EntryType: 'SEL',
      Severity: 'Warning',
      MessageId: 'OpenBMC.0.1.SensorThresholdWarningLowGoingLow',
      Message: '12V_ATX sensor crossed a warning low threshold going low. Reading=0.3 Threshold=10.4.',
    });
    const sensor = get(test.card, '/redfish/v1/Chassis/Card1/Sensors/12V_ATX');
    expect(sensor).toMatchObject({ Reading: 0.3, Status: { Health: 'Warning' } });
    expect(test.card.armExec('root', 'ipmitool -I open sel list').stdout).toMatch(
      /^ {3}1 \| 09\/01\/2026 \| 12:00:00 \| Voltage 12V_ATX \| Lower Non-critical going low {2}\| Asserted\n$/,
    );
  });

  it('gets a second entry when the cable is back, and an empty log with ClearLog', () => {
    const test = openedRack();
    test.rack.injectFault('atx-power-missing', { target: 'as7' });
    test.rack.clearFault('atx-power-missing');

    const members = get(test.card, selEntries)['Members'] as Parsed[];
    expect(members.map(({ Severity }) => Severity)).toEqual(['Warning', 'OK']);
    expect(get(test.card, '/redfish/v1/Chassis/Card1/Sensors/12V_ATX')['Reading']).toBe(12.16);
    const clear = '/redfish/v1/Systems/Bluefield/LogServices/SEL/Actions/LogService.ClearLog';
    expect(call(test.card, 'POST', clear, { body: {} }).status).toBe(200);

    expect(get(test.card, selEntries)['Members@odata.count']).toBe(0);
  });
});

describe('link-down', () => {
  it('takes the carrier on host and Arm, in Redfish and in mlxlink', () => {
    const test = openedRack();
    const host = (line: string): string => test.rack.host('as7').exec('root', line).stdout;
    const port = '/redfish/v1/Chassis/Card1/NetworkAdapters/NvidiaNetworkAdapter/Ports/eth0';
    expect(host('mlxlink -d e1:00.0 -p 1')).toContain('Physical state                     : LinkUp\n');
    expect(get(test.card, port)).toMatchObject({ LinkStatus: 'LinkUp', CurrentSpeedGbps: 400 });

    test.rack.injectFault('link-down', target);

    expect(host('cat /sys/class/net/ens3f0np0/carrier')).toBe('0\n');
    expect(test.card.armExec('ubuntu', 'cat /sys/class/net/p0/carrier').stdout).toBe('0\n');
    expect(get(test.card, port)).toMatchObject({ LinkStatus: 'LinkDown', CurrentSpeedGbps: 0 });
    const text = host('mlxlink -d e1:00.0 -m -c');
    expect(text).toContain('State                              : Polling\n');
    expect(text).toContain('Status Opcode                      : 1024\n');
    expect(text).toContain('Recommendation                     : Cable is unplugged\n');
  });
});
