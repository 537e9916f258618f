import { describe, expect, it } from 'vitest';
import { errors } from '../../../src/errors.ts';
import { consoleLook } from '../../../src/looks/console.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import type { LookWish, LookWorld } from './look-world.ts';
import { createLookWorld, oneCard, warningsOf } from './look-world.ts';

const noInstaller = [/pgrep -af/, { exitCode: 1 }] as const;
const devices = (text: string) => [/for m in \/dev\/rshim/, text] as const;
const idle = devices(fixture('rshim/list-two-cards.txt'));
const misc = (fields: Readonly<Record<string, string>>, log?: string): string => {
  const all = { DISPLAY_LEVEL: '0', BF_MODE: 'DPU mode', DROP_MODE: '0', DEV_NAME: 'pcie-0000:e1:00.2', ...fields };
  const head = Object.entries(all).map(([key, value]) => `${key.padEnd(16)}${value}`);
  const rule = '---------------------------------------';
  return `=== rshim0\n${[...head, ...(log === undefined ? [] : [rule, '             Log Messages', rule, log])].join('\n')}\n`;
};

function worldOf(wish: Omit<LookWish, 'host'> & { readonly host?: LookWish['host'] }): LookWorld {
  return createLookWorld({ ...wish, host: wish.host ?? [oneCard, noInstaller, idle] });
}

const login = { lines: ['Ubuntu 22.04.5 LTS localhost hvc0', '', 'localhost login:'], receivedBytes: 60 };
const nothing = { lines: [], receivedBytes: 0 };

describe('looking at a console', () => {
  it('reads what it says and recognises the login, alone, and types nothing', async () => {
    const world = worldOf({ screens: [login] });

    const summary = await consoleLook.run(world.context);

    expect(summary).toBe('Console of as7-dpu0: It waits for a login.');
    expect(world.alone).toEqual(['console as7-dpu0']);
    expect(world.opened).toEqual(['/dev/rshim0/console']);
    expect([world.typed, world.closed]).toEqual([[], 1]);
    expect(world.reported).toMatchObject([{ title: 'Console of as7-dpu0', text: login.lines.join('\n') }]);
    expect(world.reported[0]?.rows).toContainEqual({ label: 'Typed', value: 'nothing' });
  });

  it('presses Enter once at a console that says nothing, and says so', async () => {
    const world = worldOf({ screens: [nothing] });
    const waking = worldOf({ screens: [...Array.from({ length: 9 }, () => nothing), login] });

    await consoleLook.run(world.context);
    await consoleLook.run(waking.context);

    expect(world.typed).toEqual(['']);
    expect(waking.typed).toEqual(['']);
    expect(waking.reported[0]?.rows).toContainEqual({ label: 'Typed', value: 'one Enter, because it said nothing' });
    expect(waking.reported[0]?.summary).toBe('It waits for a login.');
  });

  it('shows the boot log of the driver where the console stays silent, and says what it is', async () => {
    const log = ' INFO[UEFI]: eMMC init\n INFO[UEFI]: exit Boot Service';
    const world = worldOf({ host: [oneCard, noInstaller, devices(misc({ DISPLAY_LEVEL: '2' }, log))] });

    await consoleLook.run(world.context);

    expect(world.reported[0]?.text).toBe('INFO[UEFI]: eMMC init\nINFO[UEFI]: exit Boot Service');
    expect(warningsOf(world.reported[0]).join(' ')).toContain('not the console');
  });

  it('says that a card in NIC mode is silent because its Arm does not run', async () => {
    const world = worldOf({ host: [oneCard, noInstaller, devices(misc({ BF_MODE: 'NIC mode' }))] });

    await consoleLook.run(world.context);

    expect(warningsOf(world.reported[0]).join(' ')).toMatch(/NIC mode.*no boot log/);
  });

  it('keeps to the number of lines that was asked for', async () => {
    const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`);
    const world = worldOf({ screens: [{ lines, receivedBytes: 3_000 }], options: { lines: 120 } });

    await consoleLook.run(world.context);

    expect(world.reported[0]?.text?.split('\n')).toEqual(lines.slice(-120));
  });

  it('follows for as long as was asked for, and shows the last line meanwhile', async () => {
    const world = worldOf({ screens: [login], options: { followSeconds: 60 } });
    const startMs = world.nowMs;

    await consoleLook.run(world.context);

    expect(world.nowMs - startMs).toBeGreaterThanOrEqual(60_000);
    expect(world.signs).toContain('reading the console of as7-dpu0|localhost login:');
  });

  it('ends when it is cancelled: closes the console, tells what was seen, and throws the reason', async () => {
    const reason = new Error('run 418 was cancelled');
    const world = worldOf({
      screens: [login],
      options: { followSeconds: 600 },
      onScreen: (look, { cancel }) => (look === 5 ? cancel.abort(reason) : undefined),
    });

    await expect(consoleLook.run(world.context)).rejects.toBe(reason);

    expect(world.closed).toBe(1);
    expect(warningsOf(world.reported[0]).join(' ')).toContain('cancelled');
    expect(world.reported[0]?.text).toContain('localhost login:');
  });

  it('tells what was seen when the connection ends, and fails when nothing was', async () => {
    const ended = errors.sshLost({ host: 'as7', command: 'socat' });
    const some = worldOf({ screens: [{ ...login, ended }] });
    const none = worldOf({ screens: [{ ...nothing, ended }] });

    await consoleLook.run(some.context);

    expect(warningsOf(some.reported[0]).join(' ')).toContain('was lost');
    await expect(consoleLook.run(none.context)).rejects.toMatchObject({ code: 'ssh-lost' });
    expect(none.reported).toEqual([]);
  });
});

describe('the console of a card that is being flashed', () => {
  const serial = /\[SN\] Serial number: (\S+)/.exec(fixture('lspci/one-b3240.txt'))?.[1] ?? '';
  const own = [
    /pgrep -af/,
    `711 sh -c bfb-install --rshim rshim0 --bfb /x.bfb --config /run/dpubot/${serial}.cfg\n`,
  ] as const;
  const path = `/var/lib/dpubot/jobs/run7-install-bfb-${serial}-1/log`;
  const log = [/install-bfb-/, `=== ${path}\n${fixture('bfb-install/success-with-pv.txt').slice(0, 900)}`] as const;

  it('is left alone with all of its rshim: the log of the flash is shown instead', async () => {
    const world = worldOf({ host: [oneCard, own, log], screens: [login] });

    const summary = await consoleLook.run(world.context);

    expect(summary).toContain('dpubot is flashing as7-dpu0');
    expect(world.opened).toEqual([]);
    expect(world.commands.filter((line) => line.includes('/dev/rshim'))).toEqual([]);
    expect(world.reported[0]?.rows).toEqual([{ label: 'Read', value: `${path} on as7` }]);
    expect(warningsOf(world.reported[0]).join(' ')).toContain('were not touched');
  });

  it.each([
    ['Pushing bfb + cfg\n', 'pushing the image.'],
    ['Pushing bfb + cfg\n1.41GiB 0:02:02 [11.7MiB/s] [   <=>   ]\r', 'pushing the image, 1.41 GiB sent at 11.7 MiB/s.'],
    ['Pushing bfb + cfg\n 512KiB 0:00:01 [ 512KiB/s] [ <=> ]\r', 'pushing the image, 0.5 MiB sent at 0.5 MiB/s.'],
    ['Pushing bfb\nCollecting BlueField booting status.\n INFO[MISC]: Installing OS image\n', 'Installing OS image.'],
  ])('says what the flash does, with what pv has counted: %j', async (text, stage) => {
    const world = worldOf({ host: [oneCard, own, [/install-bfb-/, `=== ${path}\n${text}`]] });

    expect(await consoleLook.run(world.context)).toBe(`dpubot is flashing as7-dpu0: ${stage}`);
  });

  it('is followed by its log', async () => {
    const world = worldOf({ host: [oneCard, own, log], options: { followSeconds: 30 } });

    await consoleLook.run(world.context);

    expect(world.signs.length).toBeGreaterThan(10);
    expect(world.reported).toHaveLength(1);
  });

  it('is also left alone when the flash is that of somebody else, whose card cannot be told', async () => {
    const busy = devices('=== rshim0 busy\n');
    const foreign = [/^tail .*rshim0\.log$/, 'Pushing bfb\n'] as const;
    const world = worldOf({ host: [oneCard, noInstaller, busy, foreign], screens: [login] });

    await consoleLook.run(world.context);

    expect(world.opened).toEqual([]);
    expect(world.reported[0]?.text).toBe('Pushing bfb');
    expect(warningsOf(world.reported[0]).join(' ')).toContain('may be this one');
  });
});

describe('the console of a card whose rshim the host does not have', () => {
  const bmc = {
    '/redfish/v1/Systems/Bluefield': {
      ...(jsonFixture('redfish/system.bf24.10.txt') as object),
      SerialNumber: 'MT2334XZ0ABC',
    },
    '/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia': { BmcRShim: { BmcRShimEnabled: true } },
    '/redfish/v1/Systems/Bluefield/Oem/Nvidia': { HostRshim: 'Disabled' },
  };
  const drop = (log?: string) => devices(misc({ DROP_MODE: '1', DISPLAY_LEVEL: log === undefined ? '0' : '2' }, log));

  it('is an error that says who owns it and where the console is', async () => {
    const world = worldOf({ host: [oneCard, noInstaller, drop()], bmc });

    await expect(consoleLook.run(world.context)).rejects.toMatchObject({
      code: 'rshim-not-found',
      failure: {
        why: expect.stringContaining('BMC of the card owns it') as string,
        next: expect.stringMatching(/ssh -p 2200.*\/dpu recover as7-dpu0 stuck-rshim/) as string,
      },
    });
    expect(world.opened).toEqual([]);
  });

  it('shows the boot log where the driver still has one', async () => {
    const world = worldOf({ host: [oneCard, noInstaller, drop(' INFO[MISC]: DPU is ready')], bmc });

    await consoleLook.run(world.context);

    expect(world.reported[0]).toMatchObject({ title: 'Boot log of as7-dpu0, instead of its console' });
    expect(world.reported[0]?.text).toBe('INFO[MISC]: DPU is ready');
  });

  it('is an error also when the BMC cannot be asked', async () => {
    const world = worldOf({ host: [oneCard, noInstaller, devices('')] });

    await expect(consoleLook.run(world.context)).rejects.toMatchObject({
      code: 'rshim-not-found',
      failure: { why: expect.stringContaining('could not be asked') as string },
    });
  });
});
