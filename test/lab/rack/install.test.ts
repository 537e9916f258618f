import { describe, expect, it } from 'vitest';
import { rack1 } from '../../../src/lab/rack/layouts.ts';
import { imagesUrl, docaKeyFingerprint, docaKeyUrl, docaUrl } from '../../../src/lab/rack/packages/internet.ts';
import { realImageBytes, virtualImageSha256 } from '../../../src/lab/rack/install/images.ts';
import type { HostModel } from '../../../src/lab/rack/model.ts';
import { testRack } from './helpers.ts';
import type { TestRack } from './helpers.ts';

const stock = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod';
const patched = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_patched';

export function freshHost(): TestRack & { host: HostModel } {
  const test = testRack(rack1({ factoryFresh: true }));
  return { ...test, host: test.rack.host('as7') };
}

function run(
  test: TestRack & { host: HostModel },
  line: string,
): { stdout: string; stderr: string; exitCode: number | null } {
  const { stdout, stderr, exitCode, takesMs = 0 } = test.host.exec('root', line);
  test.advance(takesMs);
  return { stdout, stderr, exitCode };
}

const addRepository = `curl -fsSL ${docaKeyUrl} -o /tmp/key.pub && gpg --dearmor -o /etc/apt/trusted.gpg.d/GPG-KEY-Mellanox.gpg /tmp/key.pub &&
  echo "deb [signed-by=/etc/apt/trusted.gpg.d/GPG-KEY-Mellanox.gpg] ${docaUrl}/ ./" > /etc/apt/sources.list.d/doca.list && apt-get update`;
const installDoca = 'DEBIAN_FRONTEND=noninteractive apt-get -y install --no-install-recommends doca-all pv';

function withDoca(): TestRack & { host: HostModel } {
  const test = freshHost();
  run(test, addRepository);
  run(test, installDoca);
  return test;
}

describe('DOCA on a factory-fresh host', () => {
  it('is not there at first: no rshim, no tools, the kernel’s own driver', () => {
    const test = freshHost();

    expect(run(test, 'command -v bfb-install || command -v mst').exitCode).toBe(127);
    expect(run(test, 'ls -d /dev/rshim*').exitCode).toBe(2);
    expect(run(test, 'cat /sys/module/mlx5_core/version').exitCode).toBe(1);
    expect(run(test, 'test -x /etc/init.d/openibd').exitCode).toBe(1);
  });

  it('comes with apt from a repository whose key has a fingerprint', () => {
    const test = freshHost();

    const key = run(test, `curl -fsSL ${docaKeyUrl} | gpg --show-keys --with-colons`);
    const update = run(test, addRepository);
    const install = run(test, installDoca);

    expect(key.stdout).toContain(`fpr:::::::::${docaKeyFingerprint}:\n`);
    expect(update.exitCode).toBe(0);
    expect(install).toMatchObject({ exitCode: 0, stderr: '' });
    expect(install.stdout).toContain('Setting up doca-all (2.9.2-1) ...');
    expect(run(test, "dpkg-query -W -f '${Version} ${Status}' doca-all").stdout).toBe('2.9.2-1 install ok installed');
    expect(run(test, 'ls /dev/rshim0').stdout).toBe('boot\nconsole\nmisc\nrshim\n');
  });

  it('loads its driver with openibd, which says the two lines', () => {
    const test = withDoca();
    const before = run(test, 'cat /sys/module/mlx5_core/version');

    const restart = run(test, '/etc/init.d/openibd restart');

    expect(before.exitCode).toBe(1);
    expect(restart.stdout).toBe('Unloading HCA driver: [ OK ]\nLoading HCA driver and Access Layer: [ OK ]\n');
    expect(run(test, 'cat /sys/module/mlx5_core/version; modinfo -F version mlx5_core').stdout).toBe(
      '24.10-2.1.8\n24.10-2.1.8\n',
    );
    expect(run(test, 'ofed_info -s').stdout).toBe('OFED-internal-24.10-2.1.8:\n');
  });

  it('is refused without the key of the repository', () => {
    const test = freshHost();

    const result = run(test, `echo "deb ${docaUrl}/ ./" > /etc/apt/sources.list.d/doca.list; apt-get update`);

    expect(result.exitCode).toBe(100);
    expect(result.stderr).toContain('NO_PUBKEY A024F6F0E6D6A281');
    expect(run(test, installDoca).stderr).toBe('E: Unable to locate package doca-all\n');
  });

  it('waits for the lock of dpkg as long as told', () => {
    const test = freshHost();
    run(test, addRepository);
    test.rack.injectFault('dpkg-lock', { target: 'as7' });

    const at = test.rack.nowMs();
    const result = run(test, 'apt-get -y -o DPkg::Lock::Timeout=120 install pv');

    expect(result.exitCode).toBe(100);
    expect(result.stderr).toContain(
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)\n',
    );
    expect(test.rack.nowMs() - at).toBeGreaterThanOrEqual(120_000);
    test.rack.clearFault('dpkg-lock');
    expect(run(test, 'apt-get -y install pv').exitCode).toBe(0);
  });

  it('needs dpkg --configure -a after an interrupted run', () => {
    const test = freshHost();
    run(test, addRepository);
    test.rack.injectFault('dpkg-interrupted', { target: 'as7' });

    expect(run(test, 'apt-get -y install pv').stderr).toContain(
      "E: dpkg was interrupted, you must manually run 'sudo dpkg --configure -a'",
    );
    expect(run(test, 'dpkg --configure -a').exitCode).toBe(0);

    expect(run(test, 'apt-get -y install pv').exitCode).toBe(0);
  });

  it('finds no place on a full disk and no name without internet', () => {
    const test = freshHost();
    run(test, addRepository);
    test.rack.injectFault('disk-full', { target: 'as7' });
    expect(run(test, installDoca).stderr).toContain("E: You don't have enough free space in /var/cache/apt/archives/.");
    expect(run(test, 'df --output=avail -B1 / | tail -n 1').stdout.trim()).toBe('0');
    test.rack.clearFault('disk-full');

    test.rack.injectFault('internet-unreachable', { target: 'as7' });
    expect(run(test, `curl -fsS ${docaKeyUrl} -o /tmp/k`)).toMatchObject({
      exitCode: 6,
      stderr: 'curl: (6) Could not resolve host: linux.mellanox.com\n',
    });
  });
});

describe('an image on a host', () => {
  it('is fetched by URL in device time, hashed, and taken up again where it stopped', () => {
    const test = freshHost();
    const url = `${imagesUrl}/${stock}.bfb`;
    test.rack.injectFault('download-breaks', { target: 'as7' });

    const broken = run(test, `curl -fsSL -o /var/tmp/a.part ${url}; echo $?; sha256sum /var/tmp/a.part`);
    const at = test.rack.nowMs();
    const whole = run(
      test,
      `curl -fsSL -C - -o /var/tmp/a.part ${url} && mv /var/tmp/a.part /var/tmp/a && stat -c %s /var/tmp/a && sha256sum /var/tmp/a`,
    );

    expect(broken.stdout).toMatch(/^28\n/);
    expect(broken.stdout).not.toContain(virtualImageSha256(stock));
    expect(whole.stdout).toBe(`${realImageBytes}\n${virtualImageSha256(stock)}  /var/tmp/a\n`);
    expect(test.rack.nowMs() - at).toBeGreaterThan(20_000);
  });

  it('is not there: curl says 22', () => {
    expect(run(freshHost(), `curl -fsS -o /tmp/x ${imagesUrl}/nope.bfb`)).toMatchObject({
      exitCode: 22,
      stderr: 'curl: (22) The requested URL returned error: 404\n',
    });
  });
});

const hash = '$6$abcdefgh$381UrQCXsM2ZvXe9wMXRNruWU8NuLkSu5n6EJRH81R.hGwC2dqXznib5yBHThJJ3ytSYyJfLa6GcnMWFM.jRH1';
const config = `ubuntu_PASSWORD='${hash}'
NIC_FW_RESET=no
bfb_modify_os() {
  mkdir -p /mnt/home/ubuntu/.ssh
  cat > /mnt/home/ubuntu/.ssh/authorized_keys <<'KEYS'
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDGF0 dpubot
KEYS
  chown -R 1000:1000 /mnt/home/ubuntu/.ssh
  chmod 700 /mnt/home/ubuntu/.ssh; chmod 600 /mnt/home/ubuntu/.ssh/authorized_keys
  echo MT2334XZ0A7K > /mnt/etc/hostname
  printf '127.0.1.1 %s\\n' MT2334XZ0A7K >> /mnt/etc/hosts
  chroot /mnt sh -c 'echo "{}" > /etc/marker.json'
}
`;

export function readyToFlash(image = stock): TestRack & { host: HostModel } {
  const test = withDoca();
  run(test, `curl -fsSL -o /var/tmp/image.bfb ${imagesUrl}/${image}.bfb`);
  run(test, `umask 077; cat > /run/bf.cfg <<'CONFIG'\n${config}CONFIG`);
  return test;
}

const flash = "script -qefc 'bfb-install --rshim rshim0 --bfb /var/tmp/image.bfb --config /run/bf.cfg' /dev/null";

describe('bfb-install', () => {
  it('pushes with the bytes of pv on a terminal, shows the log and returns at Rebooting...', () => {
    const test = readyToFlash();

    const { stdout, exitCode } = run(test, flash);

    expect(exitCode).toBe(0);
    const lines = stdout.replaceAll('\r\n', '\n').split(/[\r\n]/);
    expect(lines.slice(0, 3)).toEqual([
      'Checking if local host has root access...',
      'Checking if rshim driver is running locally...',
      'Pushing bfb + cfg',
    ]);
    expect(stdout).toMatch(/\r1\.41GiB 0:02:02 \[11\.8MiB\/s\] \[/);
    expect(lines).toContain('Collecting BlueField booting status. Press Ctrl+C to stop…');
    expect(lines.filter((line) => /^ [A-Z]+\[/.test(line)).at(0)).toBe(' INFO[PSC]: PSC BL1 START');
    expect(lines.slice(-2)).toEqual([' INFO[MISC]: Rebooting...', '']);
    expect(run(test, 'tail -n 1 /tmp/bfb-install-rshim0.log').stdout).toBe(' INFO[MISC]: Rebooting...\n');
    expect(test.card.armIsUp()).toBe(false);
  });

  it('leaves a new system with what bf.cfg asked for, and new firmware waiting', () => {
    const test = readyToFlash();
    const generation = test.card.armHostKeyGeneration();
    run(test, flash);

    test.advance(120_000);

    expect(test.card.armIsUp()).toBe(true);
    expect(run(test, "grep -c 'DPU is ready' /dev/rshim0/misc").stdout).toBe('1\n');
    expect(
      test.card.armExec('ubuntu', 'cat /etc/mlnx-release; hostname; cat /etc/marker.json; tail -n 1 /etc/hosts').stdout,
    ).toBe(`${stock}\nMT2334XZ0A7K\n{}\n127.0.1.1 MT2334XZ0A7K\n`);
    expect(test.card.armAuthorizedKeys()).toEqual(['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDGF0 dpubot']);
    expect(test.card.armLogin('ubuntu', 'Hello World 12!')).toBe('ok');
    expect(test.card.armHostKeyGeneration()).toBe(generation + 1);
    const query = test.card.armExec('ubuntu', 'sudo -n flint -d /dev/mst/mt41692_pciconf0 q').stdout;
    expect(query).toMatch(/^FW Version: +32\.43\.2566$/m);
    expect(query).toMatch(/^FW Version\(Running\): +32\.43\.1008$/m);
  });

  it('prints no progress without a terminal', () => {
    const test = readyToFlash();

    const { stdout, stderr } = run(test, 'bfb-install --rshim rshim0 --bfb /var/tmp/image.bfb');

    expect(stdout + stderr).not.toContain('MiB/s');
    expect(stdout).toContain('Pushing bfb\n');
  });

  it.each([
    ['bfb-install --rshim rshim0', 'Error: Need to provide either bfb or pldm file.\nUsage: bfb-install [options]\n'],
    [
      'bfb-install --bfb /var/tmp/image.bfb',
      'Error: Need to provide rshim device name.\nUsage: bfb-install [options]\n',
    ],
    ['bfb-install --bfb /nope --rshim rshim0', 'Error: /nope not found.\n'],
    [
      'bfb-install --bfb /var/tmp/image.bfb --rshim rshim7',
      'Checking if local host has root access...\nError: /dev/rshim7 is not a valid rshim device.\n',
    ],
  ])('%s says what is wrong and exits with 1', (line, text) => {
    const { stdout, exitCode } = run(readyToFlash(), line);

    expect(stdout.startsWith(text)).toBe(true);
    expect(exitCode).toBe(1);
  });

  it('refuses a second stream while one runs', () => {
    const test = readyToFlash();
    test.host.exec('root', `setsid nohup ${flash} >/tmp/first.log 2>&1 </dev/null &`);
    test.advance(20_000);

    const second = run(test, 'timeout 30 bfb-install --rshim rshim0 --bfb /var/tmp/image.bfb');

    expect(second.exitCode).toBe(124);
    expect(second.stderr).toContain('/dev/rshim0/boot: Device or resource busy');
    expect(second.stdout).toContain('Error: Failed to push boot stream via local rshim');
  });

  it('leaves an unsigned system that the firmware refuses while Secure Boot is on', () => {
    const test = readyToFlash(patched);

    const result = run(test, `timeout 1500 ${flash}`);
    test.advance(300_000);

    expect(result.exitCode).toBe(124);
    expect(test.card.armIsUp()).toBe(false);
    expect(run(test, 'timeout 2 cat /dev/rshim0/console').stdout).toContain('EFI stub: UEFI Secure Boot is enabled.');
  });

  it('stops for ever with an incomplete file', () => {
    const test = readyToFlash();
    test.rack.injectFault('download-breaks', { target: 'as7' });
    run(test, `curl -fsSL -o /var/tmp/image.bfb ${imagesUrl}/${patched}.bfb`);

    const result = run(test, `timeout 600 ${flash}`);

    expect(result.exitCode).toBe(124);
    expect(result.stdout).toContain('INTEGRITY_FAIL');
  });
});

describe('what goes wrong with a flash', () => {
  it('push-dies: the stream ends with a timeout and the tool hangs in its log', () => {
    const test = readyToFlash();
    test.rack.injectFault('push-dies', { target: 'as7-dpu0' });

    const result = run(test, `timeout 900 ${flash}`);

    expect(result.stdout).toContain('pv: write failed: Connection timed out');
    expect(result.stdout).toContain('Error: Failed to push boot stream via local rshim');
    expect(result.exitCode).toBe(124);
    expect(test.card.armIsUp()).toBe(false);
    run(test, 'echo "SW_RESET 1" > /dev/rshim0/misc');
    test.advance(100_000);
    expect(test.card.armIsUp()).toBe(true);
  });

  it.each([
    ['installer-no-target', 'ERR[MISC]: Failed to access target device', true],
    ['installer-critical', 'CRITICAL ERROR', false],
  ])('%s: the log says it, a new try heals it', (fault, text, oldSystemThere) => {
    const test = readyToFlash();
    test.rack.injectFault(fault, { target: 'as7-dpu0' });

    const result = run(test, `timeout 900 ${flash}`);
    test.advance(200_000);

    expect(result.stdout).toContain(text);
    expect(test.card.armIsUp()).toBe(oldSystemThere);
    expect(run(test, flash).exitCode).toBe(0);
    test.advance(120_000);
    expect(test.card.armIsUp()).toBe(true);
  });

  it('uefi-shell-after-flash: the card never comes up by itself', () => {
    const test = readyToFlash();
    test.rack.injectFault('uefi-shell-after-flash', { target: 'as7-dpu0' });
    run(test, flash);
    test.advance(600_000);
    expect(test.card.armIsUp()).toBe(false);

    test.card.resetArm();
    test.advance(120_000);

    expect(test.card.armIsUp()).toBe(true);
  });

  it('a host that reboots in the middle kills the push, keeps /var and comes back with another boot id', () => {
    const test = readyToFlash();
    test.host.exec(
      'root',
      `mkdir -p /var/lib/job; setsid nohup sh -c "${flash}; echo done > /var/lib/job/exit" >/var/lib/job/log 2>&1 </dev/null &`,
    );
    const bootId = test.host.bootId();
    test.advance(60_000);

    test.host.warmReboot();
    test.advance(1_000_000);

    expect(test.host.bootId()).not.toBe(bootId);
    expect(run(test, 'ls /var/lib/job').stdout).toBe('log\n');
    expect(test.card.armIsUp()).toBe(false);
  });

  it('firmware-wedged: the tools fail until the card loses its power', () => {
    const test = readyToFlash();
    test.rack.injectFault('firmware-wedged', { target: 'as7-dpu0' });

    expect(run(test, 'mlxconfig -d e1:00.0 q').stderr).toBe('-E- Cannot open Device: e1:00.0. FwInit has failed!\n');
    test.host.powerCycle();
    test.advance(300_000);

    expect(run(test, 'mlxconfig -d e1:00.0 q').exitCode).toBe(0);
  });
});

describe('rshim of a host', () => {
  it('takes settings and refuses what it does not know', () => {
    const test = readyToFlash();

    expect(run(test, 'echo "DISPLAY_LEVEL 2" > /dev/rshim0/misc; grep -c "Log Messages" /dev/rshim0/misc').stdout).toBe(
      '1\n',
    );
    expect(run(test, 'echo "NONSENSE 1" | tee /dev/rshim0/misc').stderr).toBe(
      'tee: /dev/rshim0/misc: Invalid argument\n',
    );
    expect(run(test, 'echo "FORCE_CMD 1" > /dev/rshim0/misc').exitCode).toBe(1);
  });

  it('loses its log to the first reader under CLEAR_ON_READ', () => {
    const test = readyToFlash();
    run(test, 'echo "DISPLAY_LEVEL 2" > /dev/rshim0/misc; echo "CLEAR_ON_READ 1" > /dev/rshim0/misc');

    const first = run(test, 'cat /dev/rshim0/misc').stdout;
    const second = run(test, 'cat /dev/rshim0/misc').stdout;

    expect(first).toContain('DPU is ready');
    expect(second).not.toContain('DPU is ready');
  });

  it('goes to the BMC and back with the service', () => {
    const test = readyToFlash();

    run(test, 'systemctl disable --now rshim');
    expect(run(test, 'ls -d /dev/rshim0').exitCode).toBe(2);
    run(test, 'systemctl enable --now rshim');

    expect(run(test, 'ls -d /dev/rshim0').exitCode).toBe(0);
    expect(run(test, 'journalctl -u rshim --no-pager').stdout).toContain('pcie-0000:e1:00.2 attached');
  });

  it('lets the first password be changed on the console', () => {
    const test = readyToFlash();
    run(test, 'bfb-install --rshim rshim0 --bfb /var/tmp/image.bfb');
    test.advance(120_000);
    expect(test.card.armPasswordExpired()).toBe(true);

    const dialogue =
      "(printf '\\n'; sleep 1; printf 'ubuntu\\n'; sleep 1; printf 'ubuntu\\n'; sleep 1; printf 'ubuntu\\n'; sleep 1; printf 'A-new-one-2026\\n'; sleep 1; printf 'A-new-one-2026\\n'; sleep 2) | socat - /dev/rshim0/console,raw,echo=0";
    const { stdout } = run(test, dialogue);

    expect(stdout).toContain('localhost login: ');
    expect(stdout).toContain('You are required to change your password immediately (administrator enforced).');
    expect(test.card.armLogin('ubuntu', 'A-new-one-2026')).toBe('ok');
  });

  it('shares the bytes of the console between readers, and gives all to the one that is left', () => {
    const test = readyToFlash();
    test.host.exec(
      'root',
      'timeout 5 cat /dev/rshim0/console >/tmp/one & timeout 5 cat /dev/rshim0/console >/tmp/two & sleep 1; echo > /dev/rshim0/console; sleep 6',
    );
    const half = run(test, 'cat /tmp/two').stdout;
    test.advance(20_000);

    const alone = run(test, '(sleep 1; echo; sleep 1) | timeout 5 socat - /dev/rshim0/console').stdout;

    expect(half).not.toContain('login:');
    expect(alone).toContain('localhost login: ');
  });
});
