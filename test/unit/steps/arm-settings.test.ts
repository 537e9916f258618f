import { describe, expect, it } from 'vitest';
import type { HostSession } from '../../../src/domain/device-ports.ts';
import { DpuEntry } from '../../../src/domain/inventory.ts';
import { errors } from '../../../src/errors.ts';
import { orderedMtuChanges } from '../../../src/steps/arm-mtu-plan.ts';
import { checkVersions } from '../../../src/steps/check-versions.ts';
import { findBmcAddress } from '../../../src/steps/find-bmc-address.ts';
import { loadDrivers } from '../../../src/steps/load-drivers.ts';
import { setHostname } from '../../../src/steps/set-hostname.ts';
import { setMtu } from '../../../src/steps/set-mtu.ts';
import { setNtp } from '../../../src/steps/set-ntp.ts';
import type { ArmWorld } from '../../support/arm-world.ts';
import { carryOut, diedEverywhere, enrolled } from '../../support/arm-steps.ts';
import { codeOf, contextOf } from '../../support/arm-world.ts';
import { fixture } from '../../support/fixture.ts';

const dpu = DpuEntry.parse({ name: 'as7-dpu0', bmc: { address: 'auto' } });

describe('find-bmc-address', () => {
  it('loads the IPMI driver, asks, and remembers the address without claiming what is on the card', async () => {
    const world = await enrolled();

    await expect(carryOut(findBmcAddress, world)).resolves.toBe('applied');

    expect(world.log).toContain('arm: modprobe -a ipmi_msghandler ipmi_devintf');
    expect(world.records.get(world.serial)).toMatchObject({ origin: 'unknown', bmcAddress: '10.20.0.2' });
    await expect(carryOut(findBmcAddress, world)).resolves.toBe('satisfied');
  });

  it('keeps what is known about the card, and follows a new lease', async () => {
    const world = await enrolled({ ipmi: true, bmcAddress: '10.20.0.9' });
    world.records.set(world.serial, { origin: 'flashed', bmcAddress: '10.20.0.2', runId: 3, atMs: 5 });

    await expect(carryOut(findBmcAddress, world)).resolves.toBe('applied');

    expect(world.records.get(world.serial)).toEqual({
      origin: 'flashed',
      bmcAddress: '10.20.0.9',
      runId: 3,
      atMs: 5,
    });
  });

  it('says that the BMC has no lease, before and after the driver is loaded', async () => {
    const known = await enrolled({ ipmi: true, bmcAddress: '0.0.0.0' });
    const unknown = await enrolled({ bmcAddress: '0.0.0.0' });

    await expect(carryOut(findBmcAddress, known)).resolves.toBe('bmc-lan-no-address');
    await expect(codeOf(async () => carryOut(findBmcAddress, unknown))).resolves.toBe('bmc-lan-no-address');
  });

  it('goes on wherever the worker dies', async () => {
    for (const { point, world, outcome } of await diedEverywhere(findBmcAddress, async () => enrolled())) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      expect(world.records.get(world.serial)?.bmcAddress, point).toBe('10.20.0.2');
    }
  });
});

describe('load-drivers', () => {
  const wanted = { driver: '24.10-2.1.8' };

  it.each([
    ['the wanted one is loaded', {}, wanted, 'satisfied'],
    ['the installed one is loaded and none is named', {}, {}, 'satisfied'],
    ['another one is loaded', { loaded: '24.04-0.6.6' }, wanted, 'applied'],
    ["the kernel's own is loaded", { loaded: 'none' }, wanted, 'applied'],
    ['another one is installed', { installed: '24.04-0.6.6' }, wanted, 'versions-differ'],
  ])('%s', async (_title, change, params, expected) => {
    const world = await enrolled(change);

    await expect(carryOut(loadDrivers, world, params)).resolves.toBe(expected);
    expect(world.arm.restarts).toBe(expected === 'applied' ? 1 : 0);
  });

  it('shows the two lines of the restart in the thread', async () => {
    const world = await enrolled({ loaded: 'none' });

    await carryOut(loadDrivers, world, wanted);

    expect(world.snippets[0]).toContain('Loading HCA driver and Access Layer:');
  });

  it.each([
    ['rejected by Secure Boot', 'restart-rejected', 'modules-rejected'],
    ['in use', 'restart-in-use', 'driver-restart-failed'],
  ])('says why modules did not load: %s', async (_what, log, code) => {
    const world = await enrolled({ loaded: 'none', restartLog: fixture(`openibd/${log}.txt`) });

    await expect(codeOf(async () => carryOut(loadDrivers, world, wanted))).resolves.toBe(code);
  });

  it.each(['before', 'after'])('goes on when the connection is cut %s the restart has begun', async (moment) => {
    const world = await enrolled({ loaded: 'none' });
    const context = contextOf(world);
    const uncut = { ...context.arm };
    let cuts = 0;
    context.arm.login = async (card, options) => {
      const found = await uncut.login(card, options);
      if (found.state !== 'in') return found;
      const { session } = found;
      const startDetached: HostSession['startDetached'] = async (...words) => {
        const lost = errors.sshLost({ host: 'as7-dpu0', command: 'openibd' });
        const isFirst = cuts++ === 0;
        if (isFirst && moment === 'before') throw lost;
        const state = await session.startDetached(...words);
        if (isFirst) throw lost;
        return state;
      };
      return { state: 'in', session: { ...session, startDetached } };
    };
    const observed = await loadDrivers.observe(context, wanted);

    await loadDrivers.apply?.(context, [], wanted, observed);

    expect(cuts).toBeGreaterThan(0);
    expect(world.arm.restarts).toBe(1);
    expect(world.arm.loaded).toBe(world.arm.installed);
  });

  it('never restarts twice for one crash, and is not content with a restart that changed nothing', async () => {
    const make = async (): Promise<ArmWorld> => enrolled({ loaded: 'none' });
    for (const { point, world, outcome } of await diedEverywhere(loadDrivers, make, wanted)) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      expect(world.arm.restarts, point).toBe(1);
    }
    const lost = await enrolled({ loaded: 'none' });
    lost.arm.jobs.set('/var/lib/dpubot/jobs/run7-load-drivers-MT2334XZ0ABC-1', {
      kind: 'unknown',
      reason: 'another boot id',
    });
    await expect(carryOut(loadDrivers, lost, wanted)).resolves.toBe('mismatch: loaded mlx5 driver none');
    expect(lost.arm.restarts).toBe(0);
  });
});

describe('set-hostname', () => {
  it('names the Arm after its card, the hosts file before the name, and does it once', async () => {
    const world = await enrolled();

    await expect(carryOut(setHostname, world)).resolves.toBe('applied');

    expect(world.log).toEqual(['arm: write /etc/hosts', 'arm: hostnamectl set-hostname MT2334XZ0ABC']);
    expect(world.arm.files.get('/etc/hosts')).toBe('127.0.0.1 localhost\n127.0.1.1 MT2334XZ0ABC\n');
    await expect(carryOut(setHostname, world)).resolves.toBe('satisfied');
  });

  it('sees a name that is right now and not on disk, and a hosts file with another one', async () => {
    const world = await enrolled({ hostname: 'MT2334XZ0ABC' });
    world.arm.files.set('/etc/hosts', '127.0.1.1 old\n');

    await expect(carryOut(setHostname, world)).resolves.toBe('applied');

    expect(world.arm.files.get('/etc/hosts')).toBe('127.0.1.1 MT2334XZ0ABC\n');
  });

  it('leaves a line alone that names the card among others', async () => {
    const world = await enrolled({ hostname: 'MT2334XZ0ABC' });
    world.arm.files.set('/etc/hostname', 'MT2334XZ0ABC\n');
    world.arm.files.set('/etc/hosts', '127.0.1.1 MT2334XZ0ABC.example.com MT2334XZ0ABC\n');

    await expect(carryOut(setHostname, world)).resolves.toBe('satisfied');
  });

  it('goes on wherever the worker dies', async () => {
    for (const { point, outcome } of await diedEverywhere(setHostname, async () => enrolled()))
      expect(['applied', 'satisfied'], point).toContain(outcome);
  });
});

describe('set-ntp', () => {
  const params = { servers: ['10.0.0.1', 'ntp.example'] };

  it.each([
    ['ntpsec', '/etc/ntpsec/ntp.d/dpubot.conf', 'server 10.0.0.1 iburst\nserver ntp.example iburst\n'],
    ['systemd-timesyncd', '/etc/systemd/timesyncd.conf.d/dpubot.conf', '[Time]\nNTP=10.0.0.1 ntp.example\n'],
    ['chrony', '/etc/chrony/sources.d/dpubot.sources', 'server 10.0.0.1 iburst\nserver ntp.example iburst\n'],
  ] as const)('writes the file of %s and restarts it, once', async (daemon, path, content) => {
    const world = await enrolled({ daemon });

    await expect(carryOut(setNtp, world, params)).resolves.toBe('applied');

    expect(world.arm.files.get(path)).toBe(`# Written by dpubot.\n${content}`);
    expect(world.log).toContain(`arm: systemctl restart ${daemon}.service`);
    await expect(carryOut(setNtp, world, params)).resolves.toBe('satisfied');
    await expect(carryOut(setNtp, world, { servers: ['10.0.0.2'] })).resolves.toBe('applied');
  });

  it('restarts the daemon wherever the worker dies: a file that it has not read is no success', async () => {
    const ends = await diedEverywhere(setNtp, async () => enrolled(), params);
    expect(ends.length).toBeGreaterThan(5);

    for (const { point, world, outcome } of ends) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      const written = world.log.findLastIndex((line) => line.includes('write /etc/ntpsec'));
      const restarted = world.log.findLastIndex((line) => line.includes('systemctl restart'));
      expect(restarted, point).toBeGreaterThan(written);
    }
  });

  it('refuses an Arm without a time daemon, and says of an unset clock that it is', async () => {
    const world = await enrolled({ daemon: undefined });
    const file = '# Written by dpubot.\nserver a iburst\n';
    const unset = { daemon: 'ntpsec', file, synchronised: false };
    const diff = setNtp.diff(unset, { servers: ['a'] }, dpu);

    await expect(carryOut(setNtp, world, params)).resolves.toBe('ntp-no-daemon');
    expect(diff).toEqual({ kind: 'satisfied', reason: 'ntpsec asks a; the clock is not yet set by any of them' });
  });
});

describe('set-mtu', () => {
  const jumbo = { uplink: 9216, host: 9000 };

  it('raises the card before the host, keeps it for later boots, and does it once', async () => {
    const world = await enrolled();

    await expect(carryOut(setMtu, world, jumbo)).resolves.toBe('applied');

    expect(world.log.filter((line) => line.includes(' mtu '))).toEqual([
      ...['p0', 'p1', 'pf0hpf', 'pf1hpf'].map((name) => `arm: ip link set dev ${name} mtu 9216`),
      ...['ens3f0np0', 'ens3f1np1'].map((name) => `host: ip link set dev ${name} mtu 9000`),
    ]);
    expect(world.arm.files.get('/etc/udev/rules.d/92-dpubot-mtu.rules')).toContain(
      'SUBSYSTEM=="net", ACTION=="add", NAME=="p0", ATTR{mtu}="9216"\n',
    );
    expect(world.host.files.get('/etc/udev/rules.d/92-dpubot-mtu-as7-dpu0.rules')).toContain('KERNEL=="ens3f1np1"');
    await expect(carryOut(setMtu, world, jumbo)).resolves.toBe('satisfied');
  });

  it('never leaves the host above the card on the way, up or down', () => {
    for (const [card, host, uplink, wish] of [
      [1500, 1500, 9216, 9000],
      [9216, 9000, 1500, 1500],
      [9216, 9000, 4000, 2000],
      [2000, 9000, 9216, 1500],
    ] as const) {
      const state = { card: [{ name: 'p0', mtuBytes: card }], host: [{ name: 'eth', mtuBytes: host }] };
      const now = { card: card as number, host: host as number };
      const wasRight = now.host <= now.card;
      for (const change of orderedMtuChanges(state, { uplink, host: wish })) {
        now[change.place] = change.to;
        if (wasRight) expect(now.host).toBeLessThanOrEqual(now.card);
      }
      expect(now).toEqual({ card: uplink, host: wish });
    }
  });

  it('leaves out the links that a card with one port does not have', async () => {
    const world = await enrolled();
    for (const name of ['p1', 'pf1hpf']) world.arm.links.delete(name);
    world.host.links.delete('ens3f1np1');

    await expect(carryOut(setMtu, world, jumbo)).resolves.toBe('applied');

    expect(world.arm.links.get('pf0hpf')).toBe(9216);
    expect(world.host.links.get('ens3f0np0')).toBe(9000);
  });

  it('refuses a card without uplink, a host without the link, and shows what the device refuses', async () => {
    const noUplink = await enrolled();
    noUplink.arm.links.delete('p0');
    const noHost = await enrolled();
    for (const name of ['ens3f0np0', 'ens3f1np1']) noHost.host.links.delete(name);

    await expect(carryOut(setMtu, noUplink, jumbo)).resolves.toBe('link-not-found');
    await expect(carryOut(setMtu, noHost, jumbo)).resolves.toBe('link-not-found');
    const tooMuch = await enrolled();
    await expect(codeOf(async () => carryOut(setMtu, tooMuch, { uplink: 9999, host: 9000 }))).resolves.toBe(
      'command-failed',
    );
  });

  it('warns when host and uplink are the same', () => {
    const state = {
      card: [{ name: 'p0', mtuBytes: 9000 }],
      host: [{ name: 'eth', mtuBytes: 9000 }],
      hostRulePath: 'x',
    };
    const diff = setMtu.diff(state, { uplink: 9000, host: 9000 }, dpu);

    expect(diff).toMatchObject({ kind: 'change', warning: expect.stringContaining('below that of the uplink') });
  });

  it('goes on wherever the worker dies', async () => {
    for (const { point, world, outcome } of await diedEverywhere(setMtu, async () => enrolled(), jumbo)) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      expect([world.arm.links.get('pf1hpf'), world.host.links.get('ens3f0np0')], point).toEqual([9216, 9000]);
    }
  });
});

describe('check-versions', () => {
  const sha256 = 'a'.repeat(64);
  const image = { version: 'bf-bundle-2.9.2', sha256, driver: '24.10-2.1.8', nicFirmware: '32.43.2566' };
  const loaders = { atf: '4.9.1', uefi: '4.9.1-36', bsp: '4.9.1.1' };
  const good = {
    secureBootOff: true,
    arm: { release: 'bf-bundle-2.9.2', marker: { image: 'x', sha256, runId: 7, serial: 'MT1' } },
    drivers: { loaded: '24.10-2.1.8', installed: '24.10-2.1.8', secureBoot: 'disabled' },
    firmware: { running: '32.43.2566', staged: '32.43.2566' },
    installed: loaders,
    running: loaders,
    record: undefined,
    runId: 7,
  };
  const judge = (change: object, wish: object = { image }): string => {
    const diff = checkVersions.diff({ ...good, ...change }, wish, dpu);
    if (diff.kind === 'refused') return `${diff.failure.code}: ${diff.failure.why}`;
    if (diff.kind !== 'satisfied') return diff.kind;
    return [diff.kind, ...(diff.pending ? ['pending'] : []), ...(diff.warning === undefined ? [] : ['warning'])].join(
      ' ',
    );
  };

  it.each([
    ['all is as wanted', {}, 'satisfied'],
    ['another release', { arm: { ...good.arm, release: 'old' } }, 'versions-differ: the image on it is old'],
    [
      'flashed with another file',
      { arm: { release: 'bf-bundle-2.9.2', marker: { ...good.arm.marker, sha256: 'b'.repeat(64) } } },
      'versions-differ: the SHA-256',
    ],
    [
      'no marker, and nothing remembered',
      { arm: { release: 'bf-bundle-2.9.2', marker: undefined } },
      'versions-differ: the SHA-256 of the image that it was to get is not known',
    ],
    [
      'no marker, but adopted with that image',
      {
        arm: { release: 'bf-bundle-2.9.2', marker: undefined },
        record: { origin: 'adopted', image: { name: 'x', sha256 }, runId: 1, atMs: 1 },
      },
      'satisfied',
    ],
    [
      'another driver loaded',
      { drivers: { ...good.drivers, loaded: 'none' } },
      'versions-differ: the loaded mlx5 driver is none',
    ],
    [
      'Secure Boot on',
      { drivers: { ...good.drivers, secureBoot: 'enabled' } },
      'versions-differ: Secure Boot is on in the running boot',
    ],
    ['firmware staged', { firmware: { ...good.firmware, running: '32.41.1000' } }, 'satisfied pending warning'],
    [
      'firmware never staged',
      { firmware: { running: '32.41.1000', staged: '32.41.1000' } },
      'versions-differ: the NIC firmware in its flash memory is 32.41.1000',
    ],
    ['a boot loader that waits for a reset', { running: { ...loaders, uefi: '4.9.0-1' } }, 'satisfied warning'],
    ['boot loaders the BMC was not told of', { running: { atf: '', uefi: '', bsp: '' } }, 'satisfied'],
  ])('%s', (_title, change, expected) => {
    expect(judge(change)).toContain(expected);
  });

  it('asks nothing of an image that the profile does not name', () => {
    expect(judge({ arm: { release: undefined, marker: undefined } }, {})).toBe('satisfied');
  });

  it('looks at Arm, host and BMC', async () => {
    const world = await enrolled();
    world.records.set(world.serial, { origin: 'adopted', image: { name: 'x', sha256 }, runId: 1, atMs: 1 });

    await expect(carryOut(checkVersions, world, { image })).resolves.toBe('satisfied');
  });
});
