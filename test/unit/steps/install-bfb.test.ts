import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { installBfb } from '../../../src/steps/install-bfb.ts';
import { codeOf, freshWorld, job, provision } from './flash-run.ts';
import { goodJob, params, serial, version } from './flash-world.ts';

const minute = 60_000;

describe('install-bfb', () => {
  it('flashes a fresh card, keeps its password and records the image', async () => {
    const world = freshWorld();

    await provision(world);

    expect(world.sent.filter((line) => line.startsWith('start'))).toEqual([
      `start rshim0 pcie-0000:e1:00.2 /var/lib/dpubot/images/${'a'.repeat(64)}.bfb /run/dpubot/${serial}.cfg`,
    ]);
    expect(world.records.get(serial)).toMatchObject({ origin: 'flashed', image: { name: 'bf-2-9-2' }, runId: 418 });
    expect(world.passwords.get('arm current')).toBe(world.passwords.get('escrow as7/as7-dpu0/arm'));
    expect(world.passwords.has('arm pending')).toBe(false);
    expect(world.files.size).toBe(0);
    expect(world.sent.at(-1)).toBe('forget Arm');
    expect(world.sent).toContain('sh -c dpubot-misc rshim0 DISPLAY_LEVEL 0');
  });

  it('files and escrows the password before the push, and sends it nowhere in the clear', async () => {
    const world = freshWorld({
      crash: (point) => {
        if (point === 'in push-1') {
          expect(world.passwords.has('arm pending')).toBe(true);
          expect(world.passwords.has('escrow as7/as7-dpu0/arm')).toBe(true);
          expect(world.files.get(`/run/dpubot/${serial}.cfg`)).toContain("ubuntu_PASSWORD='$6$");
        }
      },
    });

    await provision(world);

    const clear = world.passwords.get('arm current')?.reveal() ?? '';
    expect(clear).toHaveLength(16);
    expect(JSON.stringify([world.sent, world.snippets, world.progress, world.actions])).not.toContain(clear);
  });

  it('shows bytes and percent while pv counts, then phases without a percent', async () => {
    const world = freshWorld();

    await provision(world);

    const pushing = world.progress.filter((sign) => sign.text.startsWith('pushing') && sign.percent !== undefined);
    expect(pushing.at(0)?.text).toMatch(/of 1\.41 GiB, .* MiB\/s$/);
    const installing = world.progress.filter((sign) => sign.text.startsWith('installing'));
    expect(installing.every((sign) => sign.percent === undefined)).toBe(true);
    expect(world.progress.map((sign) => sign.text)).toContain('installing on as7-dpu0: Installing OS image');
  });

  it('invents no percent without pv', async () => {
    const world = freshWorld({ jobs: [job('success-without-pv')] });

    await provision(world);

    expect(world.progress.every((sign) => sign.percent === undefined)).toBe(true);
  });

  it('passes its own check once the BMC has been told, and fails it when the BMC says something else', async () => {
    const world = freshWorld();
    await provision(world);

    expect((await installBfb.verify?.(world.context, params))?.map((verdict) => verdict.pass)).toEqual([true, true]);
    const other = { ...params, image: { ...params.image, version: 'bf-bundle-3.0.0' } };
    expect((await installBfb.verify?.(world.context, other))?.[0]).toMatchObject({ pass: false, actual: version });
  });

  it('asks for the BMC parts with the BMC password, and expects the BMC to restart', async () => {
    const world = freshWorld();
    world.passwords.set('bmc current', new Secret('Aa2!bcdfghjkmnpq'));
    let config = '';
    world.is.crash = (point) => {
      if (point === 'in push-1') config = world.files.get(`/run/dpubot/${serial}.cfg`) ?? '';
    };

    await provision(world, { ...params, bmcComponents: 'update' });

    expect(config).toContain("BMC_PASSWORD='Aa2!bcdfghjkmnpq'");
    expect(world.sent).toContain('note BMC reset');
  });
});

describe('install-bfb: what goes wrong', () => {
  it.each([
    ['the push times out', [job('push-timed-out', { ends: 'hangs', seconds: 120 })], 'push-failed'],
    ['the device is busy', [job('device-busy', { seconds: 10 })], 'push-failed'],
    ['the tool gives up at once', [job('no-rshim-device', { ends: 'exit-1', seconds: 2 })], 'push-failed'],
    ['the installer finds no disk, with exit code 0', [job('no-target-disk')], 'installer-failed'],
    ['the installer says CRITICAL ERROR, with exit code 0', [job('critical-error')], 'installer-failed'],
    ['the card crashes and the tool waits for ever', [job('crash-in-bl31', { ends: 'hangs' })], 'installer-failed'],
    ['the tool ends in the middle', [job('truncated')], 'installer-failed'],
    ['the card says nothing any more', [job('truncated', { ends: 'hangs' })], 'flash-timeout'],
    ['the host restarts', [job('truncated', { ends: 'host-reboot' })], 'flash-interrupted'],
  ] as const)('%s: the run says so, clears up, and resuming flashes anew', async (_what, jobs, code) => {
    const world = freshWorld({ jobs: [...jobs, goodJob] });

    const first = await codeOf(provision(world));

    expect(first).toBe(code);
    expect(world.files.size).toBe(0);
    expect(world.snippets.at(-1)).toMatch(/^End of the log/);
    expect(world.records.get(serial)?.image).toBeUndefined();

    await provision(world);

    expect(world.pushes()).toBe(2);
    expect(world.records.get(serial)?.image?.name).toBe('bf-2-9-2');
  });

  it.each([
    ['uefi-shell', 'uefi-shell'],
    ['stays-in-uefi', 'uefi-shell'],
    ['silent', 'uefi-shell'],
  ] as const)('a card that %s is not pushed to again: resuming waits for what the person did', async (boots, code) => {
    const world = freshWorld({ boots });

    expect(await codeOf(provision(world))).toBe(code);
    world.is.boots = 'up';
    await provision(world);

    expect(world.pushes()).toBe(1);
    expect(world.records.get(serial)?.image?.name).toBe('bf-2-9-2');
  });

  it('refuses to push while somebody else does, before anything is changed', async () => {
    const world = freshWorld({ otherInstaller: '99 /bin/bash /usr/sbin/bfb-install --rshim rshim1 --bfb x\n' });

    expect(await codeOf(provision(world))).toBe('flash-running');
    expect(world.sent).toEqual([]);
    expect(world.actions).toEqual([]);
  });

  it('bears a host that does not answer for a minute', async () => {
    const world = freshWorld();
    world.is.lost = [world.clock.now + 2 * minute, world.clock.now + 3 * minute];

    await provision(world);

    expect(world.pushes()).toBe(1);
    expect(world.progress.some((sign) => sign.text.includes('does not answer'))).toBe(true);
  });

  it('gives up on a host that is away for long, and picks the same push up later', async () => {
    const world = freshWorld();
    world.is.lost = [world.clock.now + 2 * minute, world.clock.now + 30 * minute];

    expect(await codeOf(provision(world))).toBe('flash-link-lost');
    world.is.lost = [0, 0];
    await provision(world);

    expect(world.pushes()).toBe(1);
  });

  it('minds BMC parts that failed only where the profile wants them', async () => {
    const skipping = freshWorld({ jobs: [job('no-vlan-4040')] });
    const updating = freshWorld({ jobs: [job('bmc-token-refused')] });
    updating.passwords.set('bmc current', new Secret('Aa2!bcdfghjkmnpq'));

    await provision(skipping);

    expect(skipping.snippets.some((text) => text.startsWith('BMC parts were left out'))).toBe(true);
    expect(await codeOf(provision(updating, { ...params, bmcComponents: 'update' }))).toBe('bmc-update-failed');
  });

  it('does not begin BMC parts without a BMC password that the installer bears', async () => {
    const world = freshWorld();
    const update = { ...params, bmcComponents: 'update' } as const;

    expect(await codeOf(provision(world, update))).toBe('bmc-update-failed');
    world.passwords.set('bmc current', new Secret("it's mine 123"));
    expect(await codeOf(provision(world, update))).toBe('bmc-update-failed');
    expect(world.pushes()).toBe(0);
  });

  it('waits for the card when an older tool ends at the restart of the BMC', async () => {
    const world = freshWorld({ jobs: [job('bmc-restarts-first')] });

    await provision(world);

    expect(world.records.get(serial)?.image?.name).toBe('bf-2-9-2');
  });
});

describe('install-bfb: rshim', () => {
  it('is taken from the BMC for the flash, and its switches are put back', async () => {
    const world = freshWorld({ owner: 'bmc' });

    await provision(world);

    const start = world.sent.findIndex((line) => line.startsWith('start'));
    expect(world.sent.slice(0, start)).toEqual(
      expect.arrayContaining(['PATCH Oem/Nvidia {"BmcRShim":{"BmcRShimEnabled":false}}', 'systemctl restart rshim']),
    );
    expect(world.sent.slice(start)).toContain('PATCH Oem/Nvidia {"BmcRShim":{"BmcRShimEnabled":true}}');
  });

  it('in drop mode is taken by force, without restarting the driver under other cards', async () => {
    const world = freshWorld({ owner: 'bmc-drop' });

    await provision(world);

    expect(world.sent).toContain('sh -c dpubot-misc rshim0 FORCE_CMD 1');
    expect(world.sent).not.toContain('systemctl restart rshim');
  });

  it('that the BMC does not give stops the flash before the push', async () => {
    const world = freshWorld({ owner: 'bmc', yields: false });

    expect(await codeOf(provision(world))).toBe('rshim-owned-by-bmc');
    expect(world.pushes()).toBe(0);
  });

  it('that nobody has is found missing when the plan is made', async () => {
    const world = freshWorld({ owner: 'nobody' });

    const diff = installBfb.diff(await installBfb.observe(world.context, params), params, world.context.dpu);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'rshim-not-found' } });
  });
});

describe('install-bfb: the worker dies', () => {
  const acts = [
    'take-rshim',
    'save-arm-password',
    'write-bf-cfg',
    'push-1',
    'remove-bf-cfg-1',
    'await-boot-1',
    'keep-arm-password',
    'give-rshim-back',
    'record-image-1',
  ];
  it.each(acts.flatMap((act) => [`before ${act}`, `in ${act}`, `after ${act}`]))(
    '%s: the next one finishes with one push',
    async (at) => {
      const world = freshWorld({ owner: 'bmc' });
      let died = false;
      world.is.crash = (point) => {
        if (died || point !== at) return;
        died = true;
        throw new Error('SIGKILL');
      };

      expect(await codeOf(provision(world))).toBe('Error: SIGKILL');
      expect(await codeOf(provision(world))).toBe('done');

      expect(world.pushes()).toBe(1);
      expect(world.records.get(serial)?.image?.name).toBe('bf-2-9-2');
      expect(world.passwords.get('arm current')).toBe(world.passwords.get('escrow as7/as7-dpu0/arm'));
      expect(world.files.size).toBe(0);
    },
  );

  it('after all was recorded, before the check: the next one waits until the BMC has been told', async () => {
    const world = freshWorld();

    await provision(world);
    const observed = await installBfb.observe(world.context, params);

    expect(installBfb.diff(observed, params, world.context.dpu).kind).toBe('satisfied');
  });

  it('while the push goes on: the next one picks it up where it is', async () => {
    const world = freshWorld();
    const { clock } = world;
    const poll = clock.poll.bind(clock);
    let polls = 0;
    clock.poll = async (deviceMs, signal) => {
      polls += 1;
      if (polls === 100) throw new Error('SIGKILL');
      return poll(deviceMs, signal);
    };

    expect(await codeOf(provision(world))).toBe('Error: SIGKILL');
    clock.now += minute;
    await provision(world);

    expect(world.pushes()).toBe(1);
    expect(world.sent.filter((line) => line.startsWith('start'))).toHaveLength(1);
  });

  it('after a failed push, before anybody was told: the failure is told first', async () => {
    const world = freshWorld({ jobs: [job('no-target-disk'), goodJob] });
    world.is.crash = (point) => {
      if (point === 'before give-up-push-1') throw new Error('SIGKILL');
    };

    expect(await codeOf(provision(world))).toBe('Error: SIGKILL');
    world.is.crash = () => undefined;
    expect(await codeOf(provision(world))).toBe('installer-failed');
    expect(world.pushes()).toBe(1);
    await provision(world);

    expect(world.pushes()).toBe(2);
  });

  it('a job folder that the journal does not know is left to a person', async () => {
    const world = freshWorld();
    await world.context.host.startDetached(`/var/lib/dpubot/jobs/run418-install-bfb-${serial}-1`, ['bfb-install'], {
      timeoutMs: 1,
      asRoot: true,
    });

    expect(await codeOf(provision(world))).toBe('outcome-unknown');
    expect(world.pushes()).toBe(1);
  });
});
