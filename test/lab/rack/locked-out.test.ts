import { describe, expect, it } from 'vitest';
import { imagesUrl } from '../../../src/lab/rack/packages/internet.ts';
import type { CardState } from '../../../src/lab/rack/state.ts';
import { bootState, call, errorCode, factoryPassword, get, goodPassword, openedRack, paths } from './helpers.ts';
import type { TestRack } from './helpers.ts';

const bootMs = 100_000;
const target = { target: 'as7-dpu0' };
const newPassword = 'Fresh-Passw0rd!';
const stock = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod';

function arm(test: TestRack, line: string, stdin = ''): { stdout: string; stderr: string; exitCode: number | null } {
  const { stdout, stderr, exitCode, takesMs = 0 } = test.card.armExec('ubuntu', line, stdin);
  test.advance(takesMs);
  return { stdout, stderr, exitCode };
}

function host(test: TestRack, line: string): { stdout: string; stderr: string; exitCode: number | null } {
  const { stdout, stderr, exitCode, takesMs = 0 } = test.rack.host('as7').exec('root', line);
  test.advance(takesMs);
  return { stdout, stderr, exitCode };
}

function status(test: TestRack, password: string): number {
  return call(test.card, 'GET', paths.system, { password }).status;
}

function stateOf(test: TestRack): CardState {
  const [card] = test.rack.snapshot().cards;
  if (card === undefined) throw new Error('no card');
  return card;
}

describe('a BMC whose password nobody knows', () => {
  it.each(['bmc-password-wrong', 'bmc-password-too-long'])('%s refuses every login', (fault) => {
    const test = openedRack();
    test.rack.injectFault(fault, target);

    expect([goodPassword, factoryPassword].map((each) => status(test, each))).toEqual([401, 401]);
    expect(status({ ...test, card: test.rack.card('as8-dpu0') }, factoryPassword)).toBe(403);
  });

  it.each(['bmc-password-wrong', 'bmc-password-too-long'])(
    '%s of a whole host ends for the card on which the Arm sets a new password',
    (fault) => {
      const test = openedRack();
      test.rack.injectFault(fault, { target: 'as7' });

      // The password goes over standard input, twice: ipmitool asks twice.
      const set = arm(test, 'sudo -n ipmitool -I open user set password 1', `${newPassword}\n${newPassword}\n`);

      expect(set).toEqual({
        stdout: 'Set User Password command successful (user 1)\n',
        stderr: 'Password for user 1: Password for user 1: ',
        exitCode: 0,
      });
      expect(status(test, newPassword)).toBe(200);
    },
  );

  it('is free again when somebody remembers the password, by the name of the host too', () => {
    const test = openedRack();
    test.rack.injectFault('bmc-password-wrong', { target: 'as7' });

    test.rack.clearFault('bmc-password-wrong', 'as7');

    expect(status(test, goodPassword)).toBe(200);
  });

  it('comes back from the factory with raw 0x32 0x66 and a cold reset', () => {
    const test = openedRack();
    test.rack.injectFault('bmc-password-wrong', target);

    expect(arm(test, 'sudo -n ipmitool raw 0x32 0x66')).toMatchObject({ stdout: '\n', exitCode: 0 });
    expect(status(test, factoryPassword)).toBe(401);
    expect(arm(test, 'sudo -n ipmitool mc reset cold').stdout).toBe('Sent cold reset command to MC\n');
    expect(() => status(test, factoryPassword)).toThrow('refused');
    test.advance(101_000);

    expect(status(test, factoryPassword)).toBe(403);
  });

  it('bmc-password-factory asks for a new password before anything else', () => {
    const test = openedRack();
    test.rack.injectFault('bmc-password-factory', target);

    const reply = call(test.card, 'GET', paths.manager, { password: factoryPassword });

    expect([reply.status, errorCode(reply)]).toEqual([403, 'Base.1.18.1.PasswordChangeRequired']);
  });

  it('makes itself another certificate with every factory reset and with no other restart', () => {
    const test = openedRack();
    test.card.resetBmc();
    test.advance(101_000);
    expect(test.card.certificateGeneration()).toBe(0);

    call(test.card, 'POST', `${paths.manager}/Actions/Manager.ResetToDefaults`, {
      body: { ResetToDefaultsType: 'ResetAll' },
    });

    expect(test.card.certificateGeneration()).toBe(1);
  });
});

describe('ipmitool user set password', () => {
  it.each([
    ['of 16 bytes works', 'Sixteen-Bytes-01', 0, 200],
    ['of 17 bytes is taken and never works', 'Seventeen-Bytes-1', 0, 401],
    ['of 21 bytes is refused', 'Twenty-One-Bytes-0001', 1, 401],
  ])('without a word on the command line: %s', (_name, password, exitCode, answer) => {
    const test = openedRack();

    const set = arm(test, 'sudo -n ipmitool user set password 1', `${password}\n${password}\n`);

    expect(set.exitCode).toBe(exitCode);
    expect(status(test, password)).toBe(answer);
  });

  it('takes the second answer, and none at all for a failure', () => {
    const test = openedRack();

    expect(arm(test, 'sudo -n ipmitool user set password 1', `${newPassword}\n`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/Set User Password command failed \(user 1\)\n$/) as string,
    });
    arm(test, 'sudo -n ipmitool user set password 1', `One-Thing-2026\n${newPassword}\n`);

    expect(status(test, newPassword)).toBe(200);
  });
});

describe('an Arm that lets nobody in', () => {
  it('arm-password-lost refuses passwords and keys until the card is flashed', () => {
    const test = openedRack();
    arm(test, 'mkdir -p ~/.ssh; echo "ssh-ed25519 AAAA mine" > ~/.ssh/authorized_keys');
    expect(test.card.armAuthorizedKeys()).toHaveLength(1);

    test.rack.injectFault('arm-password-lost', target);
    expect(test.card.armLogin('ubuntu', 'ubuntu')).toBe('wrong');
    expect(test.card.armAuthorizedKeys()).toEqual([]);
    host(test, `curl -fsSL -o /var/tmp/a.bfb ${imagesUrl}/${stock}.bfb`);
    host(test, 'bfb-install --rshim rshim0 --bfb /var/tmp/a.bfb');
    test.advance(bootMs);

    expect(test.card.armLogin('ubuntu', 'ubuntu')).toBe('expired');
    // Neither the BMC nor UEFI notices. Source: the quest's appendix.
    expect(status(test, goodPassword)).toBe(200);
  });

  it('arm-key-lost leaves the password', () => {
    const test = openedRack();
    arm(
      test,
      'mkdir -p ~/.ssh; echo "ssh-ed25519 AAAA mine" > ~/.ssh/authorized_keys; echo ubuntu:Kn0wn-Passw0rd | sudo -n chpasswd',
    );

    test.rack.injectFault('arm-key-lost', target);

    expect(test.card.armAuthorizedKeys()).toEqual([]);
    expect(test.card.armLogin('ubuntu', 'Kn0wn-Passw0rd')).toBe('ok');
  });

  it('arm-password-expired asks for another one at every login', () => {
    const test = openedRack();
    arm(test, 'echo ubuntu:Kn0wn-Passw0rd | sudo -n chpasswd');

    test.rack.injectFault('arm-password-expired', target);

    expect(test.card.armLogin('ubuntu', 'Kn0wn-Passw0rd')).toBe('expired');
    expect(test.card.changeArmPassword('Kn0wn-Passw0rd', 'An0ther-Passw0rd')).toBeNull();
    expect(test.card.armLogin('ubuntu', 'An0ther-Passw0rd')).toBe('ok');
  });
});

describe('the UEFI password', () => {
  const wish = (test: TestRack, current: string, next: string): number =>
    call(test.card, 'PATCH', `${paths.bios}/Settings`, {
      body: { Attributes: { CurrentUefiPassword: current, UefiPassword: next } },
    }).status;
  const boot = (test: TestRack): void => {
    test.card.resetArm();
    test.advance(bootMs);
  };

  it('changes at the second boot after the wish, and nobody can read it', () => {
    const test = openedRack();
    expect(wish(test, 'bluefield', 'new-uefi-password')).toBe(204);
    expect(JSON.stringify(get(test.card, `${paths.bios}/Settings`))).not.toContain('new-uefi-password');

    boot(test);
    expect(stateOf(test).uefi.password).toBe('bluefield');
    boot(test);

    expect(stateOf(test).uefi.password).toBe('new-uefi-password');
    expect(JSON.stringify(get(test.card, paths.bios))).not.toContain('new-uefi-password');
  });

  it('stays when the current one is wrong, and no longer than 64 characters are taken', () => {
    const test = openedRack();
    test.rack.injectFault('uefi-password-lost', target);
    const before = stateOf(test).uefi.password;
    expect(wish(test, 'bluefield', 'new-uefi-password')).toBe(204);
    boot(test);
    boot(test);

    expect(before).not.toBe('bluefield');
    expect(stateOf(test).uefi.password).toBe(before);
    expect(wish(test, 'bluefield', 'x'.repeat(65))).toBe(400);
  });

  it('is bluefield again at the boot after the capsule EnrollKeysCap', () => {
    const test = openedRack();
    test.rack.injectFault('uefi-password-lost', target);

    const enrol = arm(test, 'sudo -n bfrec --capsule /lib/firmware/mellanox/boot/capsule/EnrollKeysCap');
    expect(enrol.exitCode).toBe(0);
    expect(enrol.stdout).toContain('    ***    Reboot the system to process the platform firmware updates   ***\n');
    expect(stateOf(test).uefi.password).not.toBe('bluefield');
    arm(test, 'sudo -n reboot');
    test.advance(bootMs);

    expect(stateOf(test).uefi.password).toBe('bluefield');
  });

  it.each([
    ['bluefield', 'The default password must be changed.'],
    ['anything', 'Incorrect password'],
  ])('opens the menu on the console with Esc twice: %s', (password, answer) => {
    const test = openedRack();
    test.card.resetArm();
    test.advance(20_000);

    const { stdout } = host(
      test,
      String.raw`(printf '\033\033'; sleep 1; printf '${password}\r'; sleep 2) | timeout 5 socat - /dev/rshim0/console,raw,echo=0`,
    );

    expect(stdout).toContain('Press ESC twice to enter UEFI Menu.');
    expect(stdout).toContain('Enter password: ');
    expect(stdout).toContain(answer);
    test.advance(600_000);
    expect(test.card.armIsUp()).toBe(false);
    test.card.resetArm();
    test.advance(bootMs);
    expect(test.card.armIsUp()).toBe(true);
  });
});

describe('a card in NIC mode', () => {
  it('shows it everywhere, and comes back with mlxconfig and a power cycle', () => {
    const test = openedRack();
    test.rack.injectFault('nic-mode', target);
    test.advance(bootMs);
    expect(get(test.card, paths.oem)['Mode']).toBe('NicMode');
    expect(bootState(test.card)).toBe('UEFI');
    expect(test.card.armIsUp()).toBe(false);
    expect(host(test, 'cat /dev/rshim0/misc').stdout).toContain('BF_MODE         NIC mode\n');

    host(test, 'mst start; mlxconfig -y -d /dev/mst/mt41692_pciconf0 s INTERNAL_CPU_OFFLOAD_ENGINE=0');
    test.rack.host('as7').powerCycle();
    test.advance(600_000);

    expect(get(test.card, paths.oem)['Mode']).toBe('DpuMode');
    expect(test.card.armIsUp()).toBe(true);
  });

  it('answers GET Bios with 500 and the mode in it under bios-get-500, and not in DPU mode', () => {
    const test = openedRack();
    test.rack.injectFault('bios-get-500', target);
    expect(call(test.card, 'GET', paths.bios).status).toBe(200);
    test.rack.injectFault('nic-mode', target);

    const reply = call(test.card, 'GET', paths.bios);

    expect([reply.status, errorCode(reply)]).toEqual([500, 'Base.1.18.1.InternalError']);
    expect(JSON.parse(reply.body)).toMatchObject({ Attributes: { NicMode: 'NicMode' } });
  });
});

describe('rshim that is stuck', () => {
  function stuck(): TestRack {
    const test = openedRack();
    test.rack.injectFault('rshim-stuck', target);
    return test;
  }

  it('is there and active, and busy for everybody', () => {
    const test = stuck();

    expect(host(test, 'systemctl is-active rshim; ls /dev/rshim0').stdout).toBe('active\nboot\nconsole\nmisc\nrshim\n');
    for (const name of ['misc', 'console', 'rshim'])
      expect(host(test, `timeout 5 cat /dev/rshim0/${name}`)).toMatchObject({
        exitCode: 1,
        stderr: `cat: /dev/rshim0/${name}: Device or resource busy\n`,
      });
    expect(host(test, 'echo "SW_RESET 1" | tee /dev/rshim0/misc').stderr).toBe(
      'tee: /dev/rshim0/misc: Device or resource busy\n',
    );
    expect(host(test, 'cat /sys/class/net/tmfifo_net0/carrier').stdout).toBe('0\n');
  });

  it.each([
    ['a restart of the service', (test: TestRack) => host(test, 'systemctl restart rshim')],
    ['a reboot of the host', (test: TestRack) => test.rack.host('as7').warmReboot()],
  ])('is well again after %s', (_name, rescue) => {
    const test = stuck();

    rescue(test);
    test.advance(400_000);

    expect(host(test, 'cat /dev/rshim0/misc')).toMatchObject({ exitCode: 0 });
  });

  it('does not let bfb-install push', () => {
    const test = stuck();
    host(test, `curl -fsSL -o /var/tmp/a.bfb ${imagesUrl}/${stock}.bfb`);

    const { stdout, stderr } = host(test, 'timeout 60 bfb-install --rshim rshim0 --bfb /var/tmp/a.bfb');

    expect(stderr).toContain('/dev/rshim0/boot: Device or resource busy\n');
    expect(stdout).toContain('Error: Failed to push boot stream via local rshim\n');
    expect(test.card.armIsUp()).toBe(true);
  });
});

describe('rshim that the BMC has', () => {
  it('is left to it in drop mode, which carries nothing and cannot be ended while the BMC is there', () => {
    const test = openedRack();
    const bmcRshim = (on: boolean): void => {
      const body = { BmcRShim: { BmcRShimEnabled: on } };
      call(test.card, 'PATCH', `${paths.manager}/Oem/Nvidia`, { body });
      test.advance(10_000);
    };
    const dropMode = (value: number): string =>
      host(test, `echo "DROP_MODE ${value}" > /dev/rshim0/misc; grep DROP_MODE /dev/rshim0/misc`).stdout.slice(16, 17);
    bmcRshim(true);
    expect(stateOf(test).rshim.owner).toBe('host');

    expect(dropMode(1)).toBe('1');
    expect(host(test, 'cat /sys/class/net/tmfifo_net0/carrier').stdout).toBe('0\n');
    bmcRshim(true);
    expect(stateOf(test).rshim.owner).toBe('bmc');
    expect(dropMode(0)).toBe('1');
    bmcRshim(false);

    expect(dropMode(0)).toBe('0');
    expect(stateOf(test).rshim.owner).toBe('host');
  });

  it('comes to the host by FORCE_CMD when rshim.conf asks for a device all the same', () => {
    const test = openedRack();
    test.rack.injectFault('rshim-at-bmc', target);
    host(test, 'systemctl restart rshim');
    expect(host(test, 'ls /dev/rshim0').exitCode).toBe(2);
    host(test, 'echo "FORCE_MODE 1" > /etc/rshim.conf; systemctl restart rshim');
    expect(host(test, 'grep DROP_MODE /dev/rshim0/misc').stdout).toBe('DROP_MODE       1 (0:normal, 1:drop)\n');

    expect(host(test, 'echo "FORCE_CMD 1" > /dev/rshim0/misc').exitCode).toBe(0);

    expect(host(test, 'grep DROP_MODE /dev/rshim0/misc').stdout).toBe('DROP_MODE       0 (0:normal, 1:drop)\n');
    expect(host(test, 'journalctl -u rshim --no-pager').stdout).toContain('regained ownership successfully');
    expect(host(test, 'echo "FORCE_CMD 1" > /dev/rshim0/misc').exitCode).not.toBe(0);
  });
});
