import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import { testRack } from './helpers.ts';

function onHost(line: string, layout?: RackLayout): string {
  return testRack(layout).rack.host('as7').exec('ops', line).stdout;
}

function onArm(line: string, layout?: RackLayout): string {
  return testRack(layout).card.armExec('ubuntu', line).stdout;
}

describe('lspci', () => {
  it('lists the three functions of a card', () => {
    expect(onHost('lspci -D -n -d 15b3:')).toBe(
      '0000:e1:00.0 0200: 15b3:a2dc (rev 01)\n0000:e1:00.1 0200: 15b3:a2dc (rev 01)\n0000:e1:00.2 0801: 15b3:c2d5 (rev 01)\n',
    );
    expect(onHost('lspci -nn -s e1:00.2')).toBe(
      'e1:00.2 DMA controller [0801]: Mellanox Technologies MT43244 BlueField-3 SoC Management Interface [15b3:c2d5] (rev 01)\n',
    );
  });

  it('shows VPD and link in tab-indented blocks to root', () => {
    const text = onHost('sudo -n lspci -Dvvv -s 0000:e1:00.0');

    expect(text).toContain('\tCapabilities: [48] Vital Product Data\n\t\tProduct Name: NVIDIA BlueField-3 B3240');
    expect(text).toContain('\t\tRead-only fields:\n\t\t\t[PN] Part number: 900-9D3B6-00CN-AB0\n');
    expect(text).toContain('\t\t\t[SN] Serial number: MT2334XZ0A7K\n');
    expect(text).toContain('\t\t\t[VU] Vendor specific: MT2334XZ0A7KMLNXS0D0F0\n');
    expect(text).toContain('\t\tLnkCap:\tPort #0, Speed 32GT/s, Width x16, ASPM not supported\n');
    expect(text).toContain('\t\tLnkSta:\tSpeed 32GT/s, Width x16\n');
  });

  it('hides capabilities from other users', () => {
    const text = onHost('lspci -vvv -d 15b3:a2dc');

    expect(text).toContain('\tCapabilities: <access denied>\n');
    expect(text).not.toContain('Serial number');
  });

  it('says (downgraded) in a slot of an older generation', () => {
    expect(onHost('sudo -n lspci -vv -s e1:00.0', variations.downgradedLink())).toContain(
      'LnkSta:\tSpeed 16GT/s (downgraded), Width x16\n',
    );
  });

  it('refuses an unknown switch', () => {
    const result = testRack().rack.host('as7').exec('ops', 'lspci -q');

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("lspci: invalid option -- 'q'\nUsage: lspci");
  });
});

describe('rshim misc', () => {
  it('has the keys of level 0 in order, padded to 16', () => {
    const lines = onHost('sudo -n cat /dev/rshim0/misc').trimEnd().split('\n');

    expect(lines.map((line) => line.slice(0, 16).trim())).toEqual([
      'DISPLAY_LEVEL',
      'BF_MODE',
      'BOOT_MODE',
      'BOOT_TIMEOUT',
      'USB_TIMEOUT',
      'DROP_MODE',
      'SW_RESET',
      'DEV_NAME',
      'DEV_INFO',
      'OPN_STR',
      'UP_TIME',
      'SECURE_NIC_MODE',
      'FORCE_CMD',
    ]);
    expect(lines).toContain('DEV_NAME        pcie-0000:e1:00.2');
    expect(lines).toContain('OPN_STR         9009D3B600CNAB');
    expect(lines).toContain('BF_MODE         DPU mode');
  });

  it('says NIC mode, and starts UP_TIME again after an Arm reset', () => {
    expect(onHost('sudo -n cat /dev/rshim0/misc', variations.nicMode())).toContain('BF_MODE         NIC mode\n');

    const test = testRack();
    test.card.resetArm();
    test.advance(7_000);

    expect(test.rack.host('as7').exec('root', 'cat /dev/rshim0/misc').stdout).toContain('UP_TIME         7(s)\n');
  });
});

describe('ip -json', () => {
  it('prints addresses, links and routes as iproute2 does', () => {
    const addresses = JSON.parse(onHost('ip -json addr')) as { ifname: string; addr_info: { local: string }[] }[];
    expect(addresses.map(({ ifname }) => ifname)).toEqual(['lo', 'eno1', 'ens3f0np0', 'ens3f1np1', 'tmfifo_net0']);
    expect(addresses[1]?.addr_info[0]?.local).toBe('10.20.7.7');
    expect(addresses[4]?.addr_info).toEqual([]);

    const [link] = JSON.parse(onHost('ip -j link show dev ens3f1np1')) as { operstate: string; mtu: number }[];
    expect(link).toMatchObject({ operstate: 'DOWN', mtu: 1500 });
    const [route] = JSON.parse(onHost('ip -json route')) as Record<string, unknown>[];

    expect(route).toMatchObject({ dst: 'default', gateway: '10.20.7.1', dev: 'eno1' });
  });

  it('complains as iproute2 does', () => {
    const host = testRack().rack.host('as7');

    expect(host.exec('ops', 'ip -json link show dev nope')).toMatchObject({
      exitCode: 1,
      stderr: 'Device "nope" does not exist.\n',
    });
    expect(host.exec('ops', 'ip frobnicate')).toMatchObject({
      exitCode: 1,
      stderr: 'Object "frobnicate" is unknown, try "ip help".\n',
    });
    expect(host.exec('ops', 'ip link add x')).toMatchObject({ exitCode: 255 });
  });
});

describe('firmware tools', () => {
  it('know MST devices after mst start only', () => {
    const { rack } = testRack();
    const host = rack.host('as7');
    expect(host.exec('ops', 'mst status -v')).toMatchObject({
      exitCode: 1,
      stderr: '-E- You must be root to use mst tool\n',
    });
    expect(host.exec('root', 'flint -d /dev/mst/mt41692_pciconf0 q').exitCode).toBe(1);
    expect(host.exec('root', 'flint -d e1:00.0 q').stdout).toContain('PSID:                  MT_0000000883\n');

    host.exec('root', 'mst start');

    expect(host.exec('root', 'mst status -v').stdout).toMatch(
      /BlueField3\(rev:1\) +\/dev\/mst\/mt41692_pciconf0 +e1:00\.0 +mlx5_0 +net-ens3f0np0 +1\n/,
    );
    expect(host.exec('root', 'flint -d /dev/mst/mt41692_pciconf0 q').stdout).toMatch(/^FW Version: +32\.43\.1008$/m);
  });

  it('mlxfwmanager describes the card', () => {
    const text = onHost('sudo -n mlxfwmanager --query');

    expect(text).toContain('  Part Number:      900-9D3B6-00CN-A_Ax\n');
    expect(text).toMatch(/^ {5}FW {13}32\.43\.1008 +N\/A/m);
  });

  it('mlxconfig set changes the next boot only, and a cold power cycle makes it current', () => {
    const test = testRack();
    const host = test.rack.host('as7');
    const row = (): string | undefined =>
      host
        .exec('root', 'mlxconfig -d e1:00.0 -e q INTERNAL_CPU_OFFLOAD_ENGINE')
        .stdout.split('\n')
        .find((line) => line.includes('OFFLOAD'));
    expect(row()?.split(/\s+/).filter(Boolean)).toEqual([
      'INTERNAL_CPU_OFFLOAD_ENGINE',
      'ENABLED(0)',
      'ENABLED(0)',
      'ENABLED(0)',
    ]);

    const set = host.exec('root', 'mlxconfig -d e1:00.0 -y s INTERNAL_CPU_OFFLOAD_ENGINE=1');
    expect(set.stdout).toContain('ENABLED(0)      DISABLED(1)\n');
    expect(set.stdout).toContain('Applying... Done!\n-I- Please reboot machine to load new configurations.\n');
    expect(row()?.split(/\s+/)).toEqual([
      '*',
      'INTERNAL_CPU_OFFLOAD_ENGINE',
      'ENABLED(0)',
      'ENABLED(0)',
      'DISABLED(1)',
    ]);
    host.powerCycle();
    test.advance(400_000);

    expect(row()?.split(/\s+/).filter(Boolean).slice(2)).toEqual(['DISABLED(1)', 'DISABLED(1)']);
    expect(test.rack.snapshot().cards[0]?.mode.current).toBe('nic');
  });

  it('mlxconfig asks without -y and refuses what it does not know', () => {
    const { rack } = testRack();
    const host = rack.host('as7');

    expect(host.exec('root', 'mlxconfig -d e1:00.0 set NUM_OF_VFS=8').exitCode).toBe(1);
    expect(host.exec('root', 'mlxconfig -d e1:00.0 set NUM_OF_VFS=8', 'y\n').exitCode).toBe(0);
    expect(host.exec('root', 'mlxconfig -d e1:00.0 q NOPE').stderr).toBe(
      "-E- The Device doesn't support NOPE parameter\n",
    );
    expect(host.exec('root', 'mlxconfig -d e1:00.0 -y set NUM_OF_VFS=many').exitCode).toBe(3);
  });
});

describe('the Arm side', () => {
  it('is an aarch64 Ubuntu with the image it was flashed with', () => {
    expect(onArm('uname -m')).toBe('aarch64\n');
    expect(onArm('hostname')).toBe('localhost\n');
    expect(onArm('cat /etc/mlnx-release')).toBe('bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod\n');
    expect(onArm('sudo -n bfver')).toContain('OS Release Version: bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod\n');
    expect(onArm('mokutil --sb-state')).toBe('SecureBoot enabled\n');
  });

  it('tells the BMC address over IPMI, in one line that starts with IP Address and a blank', () => {
    const lines = onArm('sudo -n ipmitool -I open lan print 1').split('\n');

    expect(lines.filter((line) => line.startsWith('IP Address  '))).toEqual(['IP Address              : 10.20.7.71']);
    expect(lines).toContain('MAC Address             : a0:88:c2:46:a7:25');
  });

  it('takes the self-test that an OpenBMC does not have for a failure, and names a command that it does not know', () => {
    const { card } = testRack();
    const ask = (words: string): unknown => card.armExec('root', `ipmitool -I open ${words}`);

    expect(ask('mc selftest')).toMatchObject({ exitCode: 1, stdout: 'Selftest: not implemented\n', stderr: '' });
    expect(ask('mc nope')).toMatchObject({ exitCode: 1, stderr: 'Invalid mc/bmc command: nope\n' });
    expect(ask('nope it')).toMatchObject({ exitCode: 1, stderr: 'Invalid command: nope\n' });
  });

  it('has the crypto flags of its SKU', () => {
    expect(onArm('lscpu')).toMatch(/^Flags:.* aes pmull sha1 sha2 /m);
    expect(onArm('lscpu', variations.noCrypto())).not.toMatch(/ aes /);
  });

  it('keeps a hostname that was set', () => {
    const { card } = testRack();

    card.armExec('ubuntu', 'sudo -n hostnamectl set-hostname dpu-7');

    expect(card.armExec('ubuntu', 'hostname').stdout).toBe('dpu-7\n');
  });
});
