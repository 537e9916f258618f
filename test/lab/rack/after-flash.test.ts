import { describe, expect, it } from 'vitest';
import { comparableSnapshot, createRack } from '../../../src/lab/rack/model.ts';
import { rack2 } from '../../../src/lab/rack/rack2.ts';
import { imagesUrl, tailscaleKeyFingerprint } from '../../../src/lab/rack/packages/internet.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import { call, get, goodPassword, openedRack, parse, paths, testRack } from './helpers.ts';
import type { TestRack } from './helpers.ts';

const stock = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod';

/** rack1 with an image on `as7`, the good BMC password, and this configuration. */
function prepared(config: string, layout?: RackLayout): TestRack {
  const test = openedRack(layout);
  const host = test.rack.host('as7');
  const { takesMs = 0 } = host.exec('root', `curl -fsSL -o /var/tmp/a.bfb ${imagesUrl}/${stock}.bfb`);
  test.advance(takesMs);
  host.exec('root', 'cat > /run/bf.cfg', config);
  return test;
}

function flash(test: TestRack): string {
  const { stdout, takesMs = 0 } = test.rack
    .host('as7')
    .exec('root', 'bfb-install --rshim rshim0 --bfb /var/tmp/a.bfb --config /run/bf.cfg');
  test.advance(takesMs + 120_000);
  return stdout;
}

describe('BMC components in a flash', () => {
  const access = `BMC_USER=root\nBMC_PASSWORD='${goodPassword}'\n`;

  it('are skipped without user and password, and the BMC keeps its firmware', () => {
    const test = prepared('NIC_FW_RESET=no\n');

    expect(flash(test)).toContain(
      ' INFO[MISC]: BMC_USER and/or BMC_PASSWORD are not defined. Skipping BMC components upgrade.\n',
    );
    expect(get(test.card, paths.manager)['FirmwareVersion']).toBe('BF-24.10-10');
  });

  it('are written with them, and in use after a restart of the BMC', () => {
    const test = prepared(access);

    expect(flash(test)).toContain('BMC firmware was updated to: BF-24.10-33. BMC restart is required');
    expect(get(test.card, paths.manager)['FirmwareVersion']).toBe('BF-24.10-10');
    call(test.card, 'POST', paths.managerReset, { body: { ResetType: 'GracefulRestart' } });
    test.advance(120_000);

    expect(get(test.card, paths.manager)['FirmwareVersion']).toBe('BF-24.10-33');
  });

  it.each([
    ['vlan4040-down', access, 'ERR[MISC]: Failed to create VLAN.'],
    ['bmc-token-failure', access, 'ERR[MISC]: Failed to get BMC token. Check BMC user/password'],
    [null, 'BMC_USER=root\nBMC_PASSWORD=wrong\n', 'ERR[MISC]: Failed to get BMC token. Check BMC user/password'],
  ])('fail under %s, and the rest of the installation goes on', (fault, config, text) => {
    const test = prepared(config);
    if (fault !== null) test.rack.injectFault(fault, { target: 'as7-dpu0' });

    const log = flash(test);

    expect(log).toContain(text);
    expect(log).toContain('WARN[MISC]: Skipping BMC components upgrade.');
    expect(test.card.armIsUp()).toBe(true);
  });
});

describe('after a flash', () => {
  it('secureboot-back-after-flash: a card that ran without Secure Boot has it again', () => {
    const test = prepared('NIC_FW_RESET=no\n');
    call(test.card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false } });
    for (let boot = 0; boot < 2; boot += 1) {
      test.card.resetArm();
      test.advance(120_000);
    }
    test.rack.injectFault('secureboot-back-after-flash', { target: 'as7-dpu0' });
    expect(test.card.armExec('ubuntu', 'mokutil --sb-state').stdout).toBe('SecureBoot disabled\n');

    const log = flash(test);

    expect(log).toContain('UEFI Secure Boot (disabled)');
    expect(test.card.armExec('ubuntu', 'mokutil --sb-state').stdout).toBe('SecureBoot enabled\n');
  });

  it('the BMC names the new system, and mlxfwreset takes the new firmware into use', () => {
    const test = prepared('NIC_FW_RESET=no\n');
    flash(test);
    const version = (id: string): unknown =>
      get(test.card, `/redfish/v1/UpdateService/FirmwareInventory/${id}`)['Version'];
    expect([version('DPU_OS'), version('DPU_NIC'), version('DPU_ATF')]).toEqual([
      stock,
      '32.43.1008',
      'v2.2(release):4.9.2-14-geeb9a6f94',
    ]);

    const reset = test.rack
      .host('as7')
      .exec('root', 'mst start; mlxfwreset -d /dev/mst/mt41692_pciconf0 -y -l 3 --sync 1 r');

    expect(reset.stdout).toContain('-I- Resetting PCI                           -Done\n');
    expect(version('DPU_NIC')).toBe('32.43.2566');
  });

  it.each([
    ['tmfifo-no-ip', '192.168.100.1/30', '192.168.100.2', 1],
    ['tmfifo-reversed', '192.168.100.1/30', '192.168.100.2', 1],
    ['tmfifo-reversed', '192.168.100.2/30', '192.168.100.1', 0],
    [null, '192.168.100.1/30', '192.168.100.2', 0],
  ])('under %s a host with %s gets this answer from %s', (fault, own, peer, exitCode) => {
    const test = testRack();
    if (fault !== null) test.rack.injectFault(fault, { target: 'as7-dpu0' });

    const { exitCode: status } = test.rack
      .host('as7')
      .exec('root', `ip addr add ${own} dev tmfifo_net0; ip link set tmfifo_net0 up; ping -c 1 ${peer}`);

    expect(status).toBe(exitCode);
  });

  it('an MTU, a time server and Tailscale stay until the next flash', () => {
    const test = prepared('NIC_FW_RESET=no\n');
    const arm = (line: string): string => test.card.armExec('ubuntu', line).stdout;
    arm('sudo -n ip link set p0 mtu 9216');
    arm(
      "sudo -n mkdir -p /etc/systemd/timesyncd.conf.d; printf '[Time]\\nNTP=10.20.7.2\\n' | sudo -n tee /etc/systemd/timesyncd.conf.d/lab.conf; sudo -n systemctl restart systemd-timesyncd",
    );
    arm(
      'sudo -n curl -fsSL https://pkgs.tailscale.com/stable/ubuntu/jammy.noarmor.gpg -o /usr/share/keyrings/tailscale-archive-keyring.gpg',
    );
    arm(
      'curl -fsSL https://pkgs.tailscale.com/stable/ubuntu/jammy.tailscale-keyring.list | sudo -n tee /etc/apt/sources.list.d/tailscale.list; sudo -n apt-get update; sudo -n apt-get install -y tailscale',
    );
    test.card.armExec(
      'ubuntu',
      "sudo -n sh -c 'umask 077; cat > /run/key; tailscale up --auth-key=file:/run/key --hostname=dpu-7; rm /run/key'",
      'tskey-auth-lab1\n',
    );

    expect(JSON.parse(arm('ip -json link show p0'))).toMatchObject([{ mtu: 9216 }]);
    expect(arm('timedatectl show-timesync -p ServerName; timedatectl show -p NTPSynchronized --value')).toContain(
      'ServerName=10.20.7.2\n',
    );
    expect(arm('gpg --show-keys --with-colons /usr/share/keyrings/tailscale-archive-keyring.gpg')).toContain(
      tailscaleKeyFingerprint,
    );
    expect(JSON.parse(arm('tailscale status --json'))).toMatchObject({
      BackendState: 'Running',
      Self: { HostName: 'dpu-7' },
    });
    flash(test);
    expect(arm('cat /sys/class/net/p0/mtu; command -v tailscale')).toBe('1500\n');
  });

  it('an update over the BMC installs the same way', () => {
    const test = openedRack();
    test.rack.host('as7').exec('root', 'systemctl disable --now rshim');
    call(test.card, 'PATCH', `${paths.manager}/Oem/Nvidia`, { body: { BmcRShim: { BmcRShimEnabled: true } } });
    test.advance(20_000);
    const body = {
      TransferProtocol: 'HTTP',
      ImageURI: `${imagesUrl.replace('https://', '')}/${stock}.bfb`,
      Targets: ['redfish/v1/UpdateService/FirmwareInventory/DPU_OS'],
    };

    const task = parse(call(test.card, 'POST', paths.update, { body }));
    test.advance(200_000);
    const state = get(test.card, String(task['@odata.id']));
    expect(state['TaskState']).toBe('Completed');
    expect(test.card.armIsUp()).toBe(false);
    test.advance(700_000);

    expect(test.card.armIsUp()).toBe(true);
    expect(test.card.armLogin('ubuntu', 'ubuntu')).toBe('expired');
    expect(test.card.armExec('ubuntu', 'cat /etc/mlnx-release').stdout).toBe(`${stock}\n`);
  });

  it('a snapshot in the middle of an installation goes on from there', () => {
    const test = prepared('NIC_FW_RESET=no\n');
    test.rack
      .host('as7')
      .exec('root', 'setsid nohup bfb-install --rshim rshim0 --bfb /var/tmp/a.bfb >/dev/null 2>&1 </dev/null &');
    test.advance(300_000);
    const before = comparableSnapshot(test.rack.snapshot());
    const saved = JSON.parse(JSON.stringify(test.rack.snapshot())) as ReturnType<typeof test.rack.snapshot>;
    let nowMs = saved.savedAtMs;

    const restored = createRack({ restore: saved, nowMs: () => nowMs });
    expect(comparableSnapshot(restored.snapshot())).toEqual(before);
    nowMs += 700_000;

    expect(restored.card('as7-dpu0').armIsUp()).toBe(true);
    expect(restored.card('as7-dpu0').armExec('ubuntu', 'cat /etc/mlnx-release').stdout).toBe(`${stock}\n`);
  });
});

describe('the mode of a card', () => {
  it.each([
    ['is taken at a cold power cycle', null, true],
    ['stays under mode-unchanged', 'mode-unchanged', false],
  ])('set with mlxconfig %s, never at a warm reboot', (_name, fault, changes) => {
    const test = testRack(rack2AsDefault());
    const host = test.rack.host('as13');
    const card = test.rack.card('as13-dpu0');
    host.exec('root', 'apt-get update; apt-get install -y pv');
    if (fault !== null) test.rack.injectFault(fault, { target: 'as13-dpu0' });
    const set = host.exec('root', 'mlxconfig -d e1:00.0 -y set INTERNAL_CPU_OFFLOAD_ENGINE=0');
    expect(set.stdout).toContain('DISABLED(1)     ENABLED(0)');

    host.warmReboot();
    test.advance(300_000);
    expect(card.armIsUp()).toBe(false);
    host.powerCycle();
    test.advance(500_000);

    expect(card.armIsUp()).toBe(changes);
  });
});

/** rack2 whose hosts have MFT, with a card of the name the helpers look for. */
function rack2AsDefault(): RackLayout {
  const layout = rack2();
  for (const host of layout.hosts) host.packages = { ...host.packages, mft: '4.30.1-8', rshim: '2.1.8-0' };
  const [card] = layout.hosts[0]?.cards ?? [];
  if (card !== undefined) card.name = 'as7-dpu0';
  return layout;
}
