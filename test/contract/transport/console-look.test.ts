import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceClock } from '../../../src/domain/device-ports.ts';
import type { LookContext } from '../../../src/domain/look.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { consoleLook } from '../../../src/looks/console.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createArmAccess } from '../../../src/transport/ssh/arm-access.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { fixture } from '../../support/fixture.ts';
import { createLookWorld } from '../../unit/looks/look-world.ts';
import { armCard, createHostPrograms } from './support/arm-world.ts';
import { canStartRealGetty, type Getty, startGetty, startRealGetty } from './support/getty.ts';
import { call, failureOfCall } from './support/slices.ts';
import { operatorKey, startFakeSsh } from './support/ssh-servers.ts';

const secret = 'Zx9!kkQw-secret7';
const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Faster than the wall: twenty times, silence lasts 150 ms. */
const clockOf = (factor: number): DeviceClock => ({
  nowMs: () => Date.now(),
  poll: async (ms, signal) => {
    await sleepMs(ms / factor, undefined, { signal });
  },
  deadlineMs: (ms) => ms / factor,
  stepLimitMs: (ms) => ms / factor,
  wallMs: (ms) => ms / factor,
});

/** What the host says of its cards is known from elsewhere; its console is real: SSH, sudo, fuser, socat, a getty. */
async function setUp(starting: Promise<Getty>, options: Readonly<Record<string, unknown>> = {}, factor = 20) {
  const getty = await starting;
  const programs = createHostPrograms();
  programs.consoleAt(getty.address);
  const host = await startFakeSsh({ programs: programs.folder });
  const redactor = createRedactor();
  redactor.add(new Secret(secret));
  const key = (): Promise<Secret> => Promise.resolve(new Secret(operatorKey.private));
  const hosts = createHostAccess({ key, redactor });
  const arm = createArmAccess({ hosts, key, pins: { get: () => Promise.resolve(undefined) }, redactor });
  const card = armCard({ host: host.endpoint });
  cleanUps.push(
    () => getty.stop(),
    () => programs.remove(),
    () => host.stop(),
    () => hosts.close(),
    () => arm.close(),
  );
  const world = createLookWorld({
    options,
    host: [
      [/lspci/, fixture('lspci/one-b3240.txt')],
      [/pgrep -af/, { exitCode: 1 }],
      [/for m in/, fixture('rshim/list-two-cards.txt')],
    ],
  });
  const context: LookContext = {
    ...world.context,
    clock: clockOf(factor),
    console: (_card, device, callOptions) => arm.console(card, device, callOptions),
  };
  return {
    getty,
    programs,
    world,
    context,
    free: async () => (await arm.console(card, '/dev/rshim0/console', call)).close(),
  };
}

describe('looking at a console over SSH', () => {
  it('wakes a silent getty with one Enter and nothing else, and shows its login prompt', async () => {
    const { getty, world, context, free } = await setUp(startGetty({ password: 'ubuntu', expired: true }));

    const summary = await consoleLook.run(context);

    expect(summary).toContain('It waits for a login.');
    expect(getty.typed.join('')).toBe('\r');
    expect(world.reported[0]?.text).toContain('localhost login:');
    await free();
  });

  it('types nothing where something is said, and shows it as a terminal would, without secrets', async () => {
    const backlog = `\u001b[2J\u001b[1;1H 10 %\r 99 %\r\n\u001b[1;31mpsk\u001b[0m ${secret}\r\nubuntu@dpu-07:~$ \u001b[6n\u001b[c`;
    const { getty, world, context } = await setUp(startGetty({ password: 'x', expired: false, mute: true, backlog }));

    await consoleLook.run(context);

    expect(getty.typed).toEqual([]);
    expect(world.reported[0]).toMatchObject({
      summary: 'A shell is open: somebody is logged in.',
      text: ' 99 %\npsk [redacted]\nubuntu@dpu-07:~$',
    });
  });

  it('is refused while another program reads, and types nothing', async () => {
    const { getty, programs, world, context } = await setUp(startGetty({ password: 'x', expired: false }));
    programs.readers('4711');

    const failure = await failureOfCall(consoleLook.run(context));

    expect(failure.code).toBe('console-busy');
    expect(failure.text).toContain('Process 4711');
    expect([getty.typed, world.reported]).toEqual([[], []]);
  });

  it('ends in the middle of a follow when it is cancelled, says what was seen, and gives the console back', async () => {
    const backlog = 'localhost login: ';
    const parts = { password: 'x', expired: false, mute: true, backlog };
    const { world, context, free } = await setUp(startGetty(parts), { followSeconds: 600 });
    const reason = new Error('run 418 was cancelled');

    const looking = consoleLook.run(context);
    await expect.poll(() => world.signs.some((sign) => sign.endsWith('login:'))).toBe(true);
    world.cancel.abort(reason);

    await expect(looking).rejects.toBe(reason);
    expect(world.reported[0]?.text).toBe('localhost login:');
    await free();
  });

  it('wakes agetty and login(1)', async (context) => {
    context.skip(!canStartRealGetty(), 'needs root, agetty, login(1), useradd and socat');
    const real = await setUp(startRealGetty(), {}, 2);

    const summary = await consoleLook.run(real.context);

    expect(summary).toContain('It waits for a login.');
  });
});
