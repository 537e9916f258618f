import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { installBfb } from '../../../src/steps/install-bfb.ts';
import { fixture } from '../../support/fixture.ts';
import { codeOf, freshWorld, job, provision } from './flash-run.ts';
import type { FlashWorld } from './flash-world.ts';
import { goodJob, params, serial, version } from './flash-world.ts';

const minute = 60_000;
const config = `/run/dpubot/${serial}.cfg`;
const given = 'PATCH Oem/Nvidia {"BmcRShim":{"BmcRShimEnabled":true}}';
const image = { name: 'bf-2-7-0', sha256: 'b'.repeat(64) };

/** The worker dies there, once. */
function diesAt(world: FlashWorld, at: string): void {
  let died = false;
  world.is.crash = (point) => {
    if (died || point !== at) return;
    died = true;
    throw new Error('SIGKILL');
  };
}

function starts(world: FlashWorld): readonly string[] {
  return world.sent.filter((line) => line.startsWith('start'));
}

describe('what changes between the look and the push', () => {
  it.each<readonly [string, (world: FlashWorld) => void, string]>([
    ['the driver numbers its devices again', (world) => (world.is.device = 'rshim1'), 'rshim-not-found'],
    [
      'somebody else begins to push',
      (world) => (world.is.otherInstaller = '99 bfb-install -r rshim1\n'),
      'flash-running',
    ],
  ])('%s: nothing is sent, nothing is lost, and a resume looks anew', async (_what, change, code) => {
    const world = freshWorld();
    world.records.set(serial, { origin: 'flashed', image, runId: 1, atMs: 0 });
    let asked = false;
    world.is.beforePush = () => {
      if (!asked) change(world);
      asked = true;
    };

    expect(await codeOf(provision(world))).toBe(code);
    expect(world.records.get(serial)?.image).toEqual(image);
    expect(world.files.size).toBe(0);

    world.is.otherInstaller = '';
    await provision(world);

    expect(starts(world).at(-1)).toContain(`start ${world.is.device} pcie-0000:e1:00.2`);
    expect(world.records.get(serial)?.image?.name).toBe('bf-2-9-2');
  });

  it('settings are written to the device that is the card now', async () => {
    const world = freshWorld();
    world.is.crash = (point) => {
      if (point === 'before await-boot-1') world.is.device = 'rshim3';
    };

    await provision(world);

    const written = world.sent.filter((line) => line.includes('dpubot-misc'));
    expect(written).toContain('sh -c dpubot-misc rshim3 DISPLAY_LEVEL 0');
    expect(written.filter((line) => line.includes('rshim0'))).toEqual([]);
  });

  it('a device that somebody works on already is no missing one: the plan says who is in the way', async () => {
    const world = freshWorld({ owner: 'in-use' });

    const diff = installBfb.diff(await installBfb.observe(world.context, params), params, world.context.dpu);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'flash-running' } });
  });
});

describe('a push is picked up as it is', () => {
  it('its watchdog counts from its own start, not from an earlier try that never began', async () => {
    const world = freshWorld();
    diesAt(world, 'in push-1');
    expect(await codeOf(provision(world))).toBe('Error: SIGKILL');
    world.clock.now += 120 * minute;
    const poll = world.clock.poll.bind(world.clock);
    let polls = 0;
    world.clock.poll = async (deviceMs, signal) => {
      polls += 1;
      if (polls === 30) throw new Error('SIGKILL');
      return poll(deviceMs, signal);
    };

    expect(await codeOf(provision(world))).toBe('Error: SIGKILL');
    expect(await codeOf(provision(world))).toBe('done');

    expect(world.sent).not.toContain('stop');
    expect(starts(world)).toHaveLength(1);
  });

  it('also the second one of a run, whose boot is waited for again', async () => {
    const world = freshWorld();
    const anew = { ...params, reflash: true, image: { ...params.image, version: 'bf-bundle-3.0.0' } };
    await provision(world, anew);
    diesAt(world, 'after push-2');

    expect(await codeOf(provision(world, anew))).toBe('Error: SIGKILL');
    expect(await codeOf(provision(world, anew))).toBe('done');

    expect(starts(world)).toHaveLength(2);
    expect(world.actions.filter((act) => act.action === 'await-boot-2' && act.done)).toHaveLength(1);
  });
});

describe('what proves a flash', () => {
  it('is no system that comes up without an installation before: the old one may have started', async () => {
    const world = freshWorld({ jobs: [job('old-system-came-up'), goodJob] });

    expect(await codeOf(provision(world))).toBe('installer-failed');
    expect(world.records.get(serial)?.image).toBeUndefined();
    expect(world.passwords.has('arm current')).toBe(false);
  });

  it('is not yet Linux up, as long as cloud-init may still make the user; an image without a last word gets its time', async () => {
    const world = freshWorld({ boots: 'up-unready' });
    const waits: number[] = [];
    world.is.crash = (point) => {
      if (point.endsWith('await-boot-1')) waits.push(world.clock.now);
    };

    await provision(world);

    const [, began = 0, ended = 0] = waits;
    expect(ended - began).toBeGreaterThanOrEqual(5 * minute);
    expect(ended - began).toBeLessThan(6 * minute);
  });

  it('is looked up again when the BMC is away for a while, as after an update of its firmware', async () => {
    const world = freshWorld();
    await provision(world);
    world.is.bmcAwayUntilMs = world.clock.now + 2 * minute;

    const verdicts = await installBfb.verify?.(world.context, params);

    expect(verdicts?.map((verdict) => verdict.pass)).toEqual([true, true]);
  });

  it('is no word of an Arm whose marker names another card', async () => {
    const world = freshWorld({ dpuOs: version });
    world.records.set(serial, { origin: 'unknown', runId: 1, atMs: 0 });
    const marker = { image: 'bf-2-9-2', sha256: params.image.sha256, runId: 3, serial: 'MT0000000000' };
    world.is.arm = { marker, release: version };

    const other = installBfb.diff(await installBfb.observe(world.context, params), params, world.context.dpu);
    world.is.arm = { marker: { ...marker, serial }, release: version };
    const own = installBfb.diff(await installBfb.observe(world.context, params), params, world.context.dpu);

    expect(other).toMatchObject({ kind: 'refused', failure: { code: 'unknown-image' } });
    expect(own.kind).toBe('satisfied');
  });
});

describe('how long a push may take', () => {
  const hangs = { log: fixture('bfb-install/truncated.txt'), ends: 'hangs' } as const;

  it.each([
    ['skip', 45],
    ['update', 60],
  ] as const)('with BMC parts on %s it is ended after %i min, and says so', async (bmcComponents, minutes) => {
    const world = freshWorld({ jobs: [{ ...goodJob, ...hangs }] });
    world.passwords.set('bmc current', new Secret('Aa2!bcdfghjkmnpq'));
    const fromMs = world.clock.now;

    const error = await provision(world, { ...params, bmcComponents }).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ message: expect.stringContaining(`within ${minutes} min`) });
    expect(world.clock.now - fromMs).toBeGreaterThanOrEqual(minutes * minute);
    expect(world.clock.now - fromMs).toBeLessThan((minutes + 1) * minute);
  });

  it('an error after which the installer writes firmware for minutes does not end it', async () => {
    const [installed = ''] = fixture('bfb-install/success-without-pv.txt').split(' INFO[MISC]: NIC firmware');
    const log = installed.replace(' INFO[MISC]: Updating', ' ERR[MISC]: Failed to set the boot order\n$&');
    const world = freshWorld({ jobs: [{ log, writtenInSeconds: 300, seconds: 700, ends: 'exit-0' }] });

    expect(await codeOf(provision(world))).toBe('installer-failed');
    expect(world.sent).not.toContain('stop');
  });

  it('a crash of the card does, after a minute without a word', async () => {
    const world = freshWorld({ jobs: [job('crash-in-bl31', { ends: 'hangs', seconds: 120 })] });
    const fromMs = world.clock.now;

    expect(await codeOf(provision(world))).toBe('installer-failed');
    expect(world.clock.now - fromMs).toBeLessThan(4 * minute);
  });
});

describe('what a flash that stops leaves behind', () => {
  it.each<readonly [string, Partial<FlashWorld['is']>, string]>([
    ['the push fails', { jobs: [job('push-timed-out', { ends: 'hangs', seconds: 120 })] }, 'push-failed'],
    ['the BMC does not give it', { yields: false }, 'rshim-owned-by-bmc'],
    ['the card stays in the UEFI shell', { boots: 'uefi-shell' }, 'uefi-shell'],
  ])('rshim switches of the BMC as they were: %s', async (_what, change, code) => {
    const world = freshWorld({ owner: 'bmc', ...change });

    expect(await codeOf(provision(world))).toBe(code);

    expect(world.sent.filter((line) => line.startsWith('PATCH')).at(-1)).toBe(given);
  });

  it('rshim switches that a resume has changed again are put back again', async () => {
    const world = freshWorld({ owner: 'bmc', boots: 'uefi-shell' });
    expect(await codeOf(provision(world))).toBe('uefi-shell');
    Object.assign(world.is, { owner: 'bmc', boots: 'up' });

    await provision(world);

    const switched = world.sent.filter((line) => line.startsWith('PATCH'));
    expect(switched.filter((line) => line === given)).toHaveLength(2);
    expect(switched.at(-1)).toBe(given);
  });

  it('what was given back once is left alone, as long as it is not taken again', async () => {
    const world = freshWorld({ owner: 'bmc', jobs: [job('device-busy', { seconds: 10 }), goodJob] });
    expect(await codeOf(provision(world))).toBe('push-failed');

    await provision(world);

    expect(world.actions.filter((act) => act.action === 'give-rshim-back')).toHaveLength(1);
  });

  it('no bf.cfg, when something fails before the push', async () => {
    const world = freshWorld({ syntax: 'bash: line 1: syntax error' });

    const error = await provision(world).catch((thrown: unknown) => thrown);

    expect(world.pushes()).toBe(0);
    expect(world.files.has(config)).toBe(false);
    expect(error).toMatchObject({ code: 'command-failed' });
    expect(JSON.stringify([error, world.actions])).not.toContain('ubuntu_PASSWORD');
  });

  it('no driver of another push restarted under it', async () => {
    const world = freshWorld({ owner: 'bmc' });
    world.is.crash = (point) => {
      if (point === 'after save-arm-password') world.is.otherInstaller = '99 bfb-install --rshim rshim1\n';
    };

    expect(await codeOf(provision(world))).toBe('flash-running');
    expect(world.sent).not.toContain('systemctl restart rshim');
  });
});
