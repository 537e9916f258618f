import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConsoleDialogue, PasswordLogin } from '../../../src/domain/arm-ports.ts';
import type { HostSession } from '../../../src/domain/device-ports.ts';
import { DpuEntry } from '../../../src/domain/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { ActionRecord, Step } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { addKeyLine } from '../../../src/steps/arm-console.ts';
import { installPublicKey } from '../../../src/steps/arm-authorized-key.ts';
import { openWithPassword } from '../../../src/steps/arm-password.ts';
import { consoleLogin } from '../../../src/steps/console-login.ts';
import { enrolArmLogin } from '../../../src/steps/enrol-arm-login.ts';
import { needChecks } from '../../../src/steps/needs.ts';
import { tmfifoMoves } from '../../../src/steps/tmfifo-link.ts';
import type { ArmWorld } from '../../support/arm-world.ts';
import { capturedFingerprint, codeOf, contextOf, createArmWorld, ourKey } from '../../support/arm-world.ts';

const image = { name: 'bf-2.9.2', sha256: 'a'.repeat(64), version: 'bf-bundle-2.9.2' };
const params = { adopt: false, image };
const namespace = 'dpubot-as7-dpu0';
const dpu = DpuEntry.parse({ name: 'as7-dpu0', bmc: { address: 'auto' } });

/** As the engine carries a step out: look, decide, act, look again. */
async function carryOut(
  world: ArmWorld,
  options: Parameters<typeof contextOf>[1] = {},
  step: Step = enrolArmLogin,
  wish: unknown = params,
): Promise<string> {
  const context = contextOf(world, options);
  const observed = await step.observe(context, wish);
  const diff = step.diff(observed, wish, context.dpu);
  if (diff.kind === 'refused') return diff.failure.code;
  if (diff.kind !== 'change') return diff.kind;
  const result = await step.apply?.(context, diff.changes, wish, observed);
  if (result?.kind === 'waiting') return `waiting ${Math.round((result.untilMs - context.clock.nowMs()) / 1000)} s`;
  const verdicts = (await step.verify?.(context, wish)) ?? [];
  const wrong = verdicts.filter((verdict) => !verdict.pass);
  return wrong.length === 0 ? 'applied' : `mismatch: ${wrong.map((one) => `${one.check} ${one.actual}`).join()}`;
}

class Crash extends Error {}

describe('enrol-arm-login: what it decides', () => {
  const judge = (observed: unknown, adopt = false): string => {
    const result = enrolArmLogin.diff(observed, { adopt, image }, dpu);
    if (result.kind === 'refused') return result.failure.code;
    return result.kind === 'change' ? `change ${result.changes.length}` : result.kind;
  };
  const flashed = { origin: 'flashed', runId: 1, atMs: 1 };

  it.each([
    ['a login on an Arm', { login: 'in', machine: 'aarch64' }, false, 'satisfied'],
    ['a login on something else', { login: 'in', machine: 'x86_64' }, false, 'arm-wrong-machine'],
    ['no host key', { login: 'unpinned' }, false, 'change 1'],
    ['another host key', { login: 'other-key', record: flashed }, false, 'change 1'],
    ['a refused key', { login: 'refused' }, false, 'change 1'],
    ['nobody at home', { login: 'unreachable' }, false, 'change 1'],
    ['a card set up by hand that is adopted', { login: 'in', machine: 'aarch64' }, true, 'change 1'],
    ['a card that dpubot flashed, adopted', { login: 'in', machine: 'aarch64', record: flashed }, true, 'satisfied'],
    ['an unknown card to adopt, without a login', { login: 'unpinned' }, true, 'change 2'],
  ])('%s', (_title, observed, adopt, expected) => {
    expect(judge(observed, adopt)).toBe(expected);
  });
});

describe('enrol-arm-login on a card that dpubot has flashed', () => {
  it('learns the host key over tmfifo, logs in by key, and gives the link back when the OOB address works', async () => {
    const world = createArmWorld({ keys: [ourKey] });

    await expect(carryOut(world, { oobAddress: '10.0.0.7' })).resolves.toBe('applied');

    expect(world.pins.get('as7-dpu0')).toBe(capturedFingerprint);
    expect(world.log.filter((line) => line.startsWith('arm: password'))).toEqual([]);
    expect([...world.host.namespaces.keys()]).toEqual([]);
    expect(world.host.links.has('tmfifo_net0')).toBe(true);
    await expect(carryOut(world, { oobAddress: '10.0.0.7' })).resolves.toBe('satisfied');
  });

  it('keeps the namespace when there is no other way to the card', async () => {
    const world = createArmWorld({ keys: [ourKey] });

    await expect(carryOut(world)).resolves.toBe('applied');

    expect(world.host.namespaces.get(namespace)?.get('tmfifo_net0')).toEqual({
      up: true,
      addresses: ['192.168.100.1/30'],
    });
  });

  it('waits for the SSH server of a card that still boots, and says so when it never comes', async () => {
    const late = createArmWorld({ keys: [ourKey], silentLooks: 20 });
    const never = createArmWorld({ keys: [ourKey], silentLooks: 1_000 });

    await expect(carryOut(late)).resolves.toBe('applied');
    await expect(codeOf(async () => carryOut(never))).resolves.toBe('arm-unreachable');
  });

  it('replaces the pin of a card that was flashed since it was learnt, and no other', async () => {
    const world = createArmWorld({ keys: [ourKey] });
    world.pins.set('as7-dpu0', 'SHA256:old');

    await expect(codeOf(async () => carryOut(world))).resolves.toBe('ssh-host-key-changed');
    expect(world.pins.get('as7-dpu0')).toBe('SHA256:old');
    world.records.set(world.serial, { origin: 'flashed', runId: 7, atMs: 1_700_000_000_000 });
    await expect(carryOut(world)).resolves.toBe('applied');
    expect(world.pins.get('as7-dpu0')).toBe(capturedFingerprint);

    world.pins.set('as7-dpu0', 'SHA256:yet another');
    await expect(codeOf(async () => carryOut(world))).resolves.toBe('ssh-host-key-changed');
  });

  it('says that the OOB address does not work, keeps the way it has, and gives it back once the address does', async () => {
    const world = createArmWorld({ keys: [ourKey], oob: 'down' });

    await expect(codeOf(async () => carryOut(world, { oobAddress: '10.0.0.7' }))).resolves.toBe('arm-oob-silent');

    expect([...world.host.namespaces.keys()]).toEqual([namespace]);
    world.arm.oob = 'up';
    await expect(carryOut(world, { oobAddress: '10.0.0.7' })).resolves.toBe('applied');
    expect(world.host.namespaces.size).toBe(0);
    expect(world.host.links.has('tmfifo_net0')).toBe(true);
    await expect(carryOut(world, { oobAddress: '10.0.0.7' })).resolves.toBe('satisfied');
  });
});

describe('enrol-arm-login on a card that was flashed by hand', () => {
  it('files the new password before it is sent, proves it, keeps it, and adds the key', async () => {
    const world = createArmWorld();

    await expect(carryOut(world)).resolves.toBe('applied');

    const order = world.log.filter((line) => !line.startsWith('host:'));
    expect(order).toEqual([
      'store: pending',
      'escrow',
      'arm: password factory',
      'arm: password other',
      'arm: authorized_keys',
    ]);
    expect(world.passwords.get('current')?.reveal()).toBe(world.arm.password);
    expect(world.passwords.has('pending')).toBe(false);
    expect(world.arm.password).toHaveLength(16);
    expect(world.escrow.entries.map((entry) => entry.label)).toEqual(['as7/as7-dpu0/arm']);
  });

  it('gives a card that demands no change a password of its own all the same', async () => {
    const world = createArmWorld({ mustChange: false });

    await expect(carryOut(world)).resolves.toBe('applied');

    expect(world.log).toContain('arm: chpasswd');
    expect(world.passwords.get('current')?.reveal()).toBe(world.arm.password);
  });

  it('tries two passwords, waits ten minutes, and tries the others then', async () => {
    const world = createArmWorld();
    world.passwords.set('pending', new Secret('pending one'));
    world.passwords.set('current', new Secret('current one'));
    const actions: ActionRecord[] = [];

    await expect(carryOut(world, { actions })).resolves.toBe('waiting 600 s');
    await expect(carryOut(world, { actions, laterMs: 500_000 })).resolves.toBe('waiting 100 s');
    expect(world.wrongTries).toBe(2);
    await expect(carryOut(world, { actions, laterMs: 600_001 })).resolves.toBe('applied');

    expect(world.wrongTries).toBe(2);
    expect(world.arm.password).toBe('pending one');
    expect(world.passwords.get('previous')?.reveal()).toBe('current one');
  });

  it('keeps to two wrong tries in ten minutes over all runs, and counts none of other times', async () => {
    const world = createArmWorld({ password: 'set by hand' });
    const run = async (laterMs: number): Promise<string> =>
      codeOf(async () => expect(await carryOut(world, { laterMs })).toMatch(/^waiting/));

    await expect(run(0)).resolves.toBe('arm-login-refused');
    await expect(run(1_000)).resolves.toBe('no error');
    await expect(run(2_000)).resolves.toBe('no error');
    expect(world.wrongTries).toBe(2);

    await run(700_000);
    expect(world.wrongTries).toBe(4);
    expect(world.records.get(world.serial)?.armWrongTriesAtMs).toHaveLength(2);
  });

  it('counts a login that got lost on the way as a wrong try: the password may have been sent', async () => {
    const world = createArmWorld();
    const actions: ActionRecord[] = [];
    const lost = errors.sshUnreachable({ host: 'as7-dpu0', address: 'x', cause: new Error('no login in time') });
    const context = contextOf(world, { actions });
    const door = async (): Promise<never> => Promise.reject(lost);

    await expect(codeOf(async () => openWithPassword(context, door))).resolves.toBe('ssh-unreachable');
    await expect(codeOf(async () => openWithPassword(contextOf(world, { actions }), door))).resolves.toBe(
      'ssh-unreachable',
    );

    await expect(openWithPassword(contextOf(world, { actions }), door)).resolves.toMatchObject({ kind: 'waiting' });
  });

  it('counts a new password that was taken and is refused afterwards', async () => {
    const world = createArmWorld();
    const states = ['changed', 'refused'] as const;
    let tries = 0;
    const door = async (): Promise<PasswordLogin> => Promise.resolve({ state: states[tries++] ?? 'refused' });

    await expect(codeOf(async () => openWithPassword(contextOf(world), door))).resolves.toBe('outcome-unknown');

    expect(world.records.get(world.serial)?.armWrongTriesAtMs).toHaveLength(1);
    expect(world.passwords.has('pending')).toBe(true);
  });

  it('gives up when every password was refused once, and tries none again in the same run', async () => {
    const world = createArmWorld({ password: 'set by hand' });
    world.passwords.set('current', new Secret('current one'));
    world.passwords.set('previous', new Secret('previous one'));
    const actions: ActionRecord[] = [];
    const later = async (laterMs: number): Promise<string> =>
      codeOf(async () => expect(await carryOut(world, { actions, laterMs })).toMatch(/^waiting/));

    await expect(later(0)).resolves.toBe('no error');
    // The new one that was filed, and the previous one.
    await expect(later(700_000)).resolves.toBe('arm-login-refused');
    await expect(later(9_000_000)).resolves.toBe('arm-login-refused');

    expect(world.wrongTries).toBe(4);
    expect(world.arm.keys).toEqual([]);
    expect(world.arm.password).toBe('set by hand');
  });

  it.each([true, false])(
    'goes to the serial console when SSH takes no passwords (a change is demanded: %s)',
    async (mustChange) => {
      const world = createArmWorld({ takesPasswords: false, mustChange });

      await expect(carryOut(world)).resolves.toBe('applied');

      expect(world.wrongTries).toBe(0);
      expect(world.log).toContain('arm: console password');
      expect(world.arm.keys).toContain(ourKey);
      expect(world.passwords.get('current')?.reveal()).toBe(world.arm.password);
      expect(world.arm.password).toHaveLength(16);
    },
  );

  it('adds no key at the console before the card has its new password, wherever the worker dies', async () => {
    const make = (): ArmWorld => createArmWorld({ takesPasswords: false, mustChange: false });
    const points: string[] = [];
    await carryOut(make(), { tick: (point) => points.push(point) });
    expect(points).toContain('before a key is added at the console');

    for (const [index, point] of points.entries()) {
      const world = make();
      const actions: ActionRecord[] = [];
      let passed = 0;
      const tick = (): void => {
        if (passed++ === index) throw new Crash(point);
      };
      await expect(carryOut(world, { tick, actions })).rejects.toThrow(Crash);
      if (world.arm.keys.length > 0) expect(world.arm.password, point).not.toBe('ubuntu');
      for (const laterMs of [0, 700_000]) await carryOut(world, { actions, laterMs });

      expect(world.arm.password, point).not.toBe('ubuntu');
      expect(world.arm.keys.length, point).toBe(1);
      const filed = [...world.passwords.values()].map((secret) => secret.reveal());
      expect(filed, point).toContain(world.arm.password);
    }
  });

  it('leaves no shell open at the console when a line fails', async () => {
    const sent: string[] = [];
    const says = ['x login: ', 'Password: ', '\nubuntu@x:~$ ', 'false; echo "dpubot-end:$?"\ndpubot-end:1\n'];
    const dialogue: ConsoleDialogue = {
      send: async (line) => Promise.resolve(void sent.push(String(line))),
      expect: async (patterns) => {
        const text = sent.length === 0 ? '' : (says.shift() ?? '');
        const index = patterns.findIndex((pattern) => pattern.test(text));
        if (text === '' || String(patterns[0]) === '/[^]/' || index < 0) {
          if (text !== '') says.unshift(text);
          throw errors.consoleSilent({ target: 'x', device: '/dev/rshim0/console', timeoutMs: 1, said: text });
        }
        return Promise.resolve({ index, text });
      },
      screen: async () => Promise.resolve({ lines: [], receivedBytes: 0 }),
      close: async () => Promise.resolve(),
    };
    const passwords = [new Secret('ubuntu')];
    const login = { target: 'x', user: 'ubuntu', passwords, newPassword: new Secret('new'), commands: ['false'] };

    await expect(codeOf(async () => consoleLogin(dialogue, login))).resolves.toBe('command-failed');

    expect(sent.at(-1)).toBe('exit');
  });

  it('keeps to the same two tries at the console', async () => {
    const world = createArmWorld({ takesPasswords: false, password: 'set by hand' });
    world.passwords.set('pending', new Secret('pending one'));
    world.passwords.set('current', new Secret('current one'));

    await expect(carryOut(world)).resolves.toBe('waiting 600 s');

    expect(world.wrongTries).toBe(2);
  });

  it('adds a key at the console without its comment, and refuses what is no key', () => {
    expect(addKeyLine("ssh-ed25519 AAAAC3Nz it's me; rm -rf ~")).not.toContain('rm -rf');
    expect(() => addKeyLine("ssh-ed25519 AAAA'; reboot; '")).toThrow('not in the form');
  });

  it('adds no key to a machine that is not an Arm, and leaves its password alone', async () => {
    const world = createArmWorld({ machine: 'x86_64', mustChange: false });

    await expect(codeOf(async () => carryOut(world))).resolves.toBe('arm-wrong-machine');

    expect(world.arm.keys).toEqual([]);
    expect(world.arm.password).toBe('ubuntu');
  });

  it('remembers an adopted card, with the image only when its release is that of the image', async () => {
    const same = createArmWorld();
    const other = createArmWorld({ release: 'bf-bundle-2.7.0' });

    await carryOut(same, {}, enrolArmLogin, { ...params, adopt: true });
    await carryOut(other, {}, enrolArmLogin, { ...params, adopt: true });

    expect(same.records.get(same.serial)).toMatchObject({
      origin: 'adopted',
      image: { name: 'bf-2.9.2', sha256: image.sha256, checked: 'release' },
    });
    expect(other.records.get(other.serial)).toMatchObject({ origin: 'adopted' });
    expect(other.records.get(other.serial)).not.toHaveProperty('image');
  });

  it('ends in the same state wherever the worker dies, with at most one wrong try and every password in the escrow', async () => {
    const points: string[] = [];
    await carryOut(createArmWorld(), { tick: (point) => points.push(point), oobAddress: '10.0.0.7' });
    expect(points.length).toBeGreaterThan(25);

    for (const [index, point] of points.entries()) {
      const world = createArmWorld();
      const actions: ActionRecord[] = [];
      let passed = 0;
      const tick = (): void => {
        if (passed++ === index) throw new Crash(point);
      };
      await expect(carryOut(world, { tick, actions, oobAddress: '10.0.0.7' })).rejects.toThrow(Crash);
      let again = await carryOut(world, { actions, oobAddress: '10.0.0.7' });
      // A try whose end is not known counts as wrong, so that the second one after it may have to wait.
      if (again.startsWith('waiting'))
        again = await carryOut(world, { actions, oobAddress: '10.0.0.7', laterMs: 700_000 });

      expect(['applied', 'satisfied'], `${point}: ${again}`).toContain(again);
      expect(world.arm.keys, point).toEqual([ourKey]);
      expect(world.wrongTries, point).toBeLessThanOrEqual(1);
      expect(world.pins.get('as7-dpu0'), point).toBe(capturedFingerprint);
      const kept = world.escrow.entries.map((entry) => entry.secret.reveal());
      expect(kept, point).toContain(world.arm.password);
      const filed = [...world.passwords.values()].map((secret) => secret.reveal());
      expect(filed, point).toContain(world.arm.password);
    }
  });
});

describe('the tmfifo link', () => {
  const way = { link: 'tmfifo_net0', namespace };
  const right = { name: 'tmfifo_net0', isUp: true, addresses: ['192.168.100.1/30'] };
  const lo = { name: 'lo', isUp: false, addresses: [] };
  const words = (moves: ReturnType<typeof tmfifoMoves>): string[] | undefined => moves?.map((one) => one.join(' '));

  it.each([
    ['all is right', [lo, right], false, []],
    [
      'nothing is there yet',
      undefined,
      true,
      [
        `netns add ${namespace}`,
        `link set dev tmfifo_net0 netns ${namespace}`,
        `-n ${namespace} addr add 192.168.100.1/30 dev tmfifo_net0`,
        `-n ${namespace} link set dev tmfifo_net0 up`,
      ],
    ],
    [
      'the link is there, down and with the addresses reversed',
      [{ ...right, isUp: false, addresses: ['192.168.100.2/30'] }],
      false,
      [
        `-n ${namespace} addr del 192.168.100.2/30 dev tmfifo_net0`,
        `-n ${namespace} addr add 192.168.100.1/30 dev tmfifo_net0`,
        `-n ${namespace} link set dev tmfifo_net0 up`,
      ],
    ],
    [
      'the link of another rshim is in it since the numbers changed',
      [right, { ...right, name: 'tmfifo_net1' }],
      false,
      [`-n ${namespace} link set dev tmfifo_net1 netns 1`],
    ],
    ['the link is nowhere', [lo], false, undefined],
  ])('is brought where it belongs: %s', (_what, inside, isOutside, expected) => {
    expect(words(tmfifoMoves(way, inside, isOutside))).toEqual(expected);
  });

  it.each<readonly [string, (world: ArmWorld) => void, string]>([
    ['socat is missing', (world) => (world.host.socat = false), 'host-tool-missing'],
    ['there is no rshim', (world) => (world.host.rshim = ''), 'rshim-not-found'],
    [
      'the BMC owns the rshim',
      (world) => (world.host.rshim = world.host.rshim.replace('DROP_MODE       0', 'DROP_MODE       1')),
      'rshim-not-found',
    ],
    [
      'the only rshim is that of another card',
      (world) => (world.host.rshim = world.host.rshim.replace('e1:00.2', '21:00.2')),
      'rshim-not-found',
    ],
    ['the link is gone', (world) => world.host.links.delete('tmfifo_net0'), 'tmfifo-missing'],
  ])('says what is wrong, and changes nothing, when %s', async (_what, spoil, code) => {
    const world = createArmWorld();
    spoil(world);

    await expect(codeOf(async () => carryOut(world))).resolves.toBe(code);
    expect(world.log).toEqual([]);
  });
});

describe('the authorized key', () => {
  it('is added once, behind a file without a last line end, with the modes that sshd wants', async () => {
    const home = mkdtempSync(join(tmpdir(), 'dpubot-home-'));
    try {
      mkdirSync(join(home, '.ssh'), { mode: 0o755 });
      writeFileSync(join(home, '.ssh/authorized_keys'), 'ssh-rsa AAAA somebody', { mode: 0o644 });
      const session: Pick<HostSession, 'name' | 'run'> = {
        name: 'arm',
        run: async ([program = '', ...words], { stdin }) => {
          const stdout = execFileSync(program, words, {
            input: String(stdin),
            env: { HOME: home, PATH: '/usr/bin:/bin' },
          });
          return Promise.resolve({ stdout: String(stdout), stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
        },
      };
      const context = contextOf(createArmWorld());

      await installPublicKey(context, session as HostSession);
      await installPublicKey(context, session as HostSession);

      const file = join(home, '.ssh/authorized_keys');
      expect(readFileSync(file, 'utf8')).toBe(`ssh-rsa AAAA somebody\n${ourKey}\n`);
      expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
      expect((statSync(join(home, '.ssh')).mode & 0o777).toString(8)).toBe('700');
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

describe('needs of the steps on an Arm', () => {
  it('arm-ssh is met by a key login, and says what is missing otherwise', async () => {
    const world = createArmWorld({ keys: [ourKey] });
    const answer = async (): Promise<unknown> => needChecks['arm-ssh'](contextOf(world));

    await expect(answer()).resolves.toMatchObject({ met: false, failure: { code: 'arm-unpinned' } });
    await carryOut(world);
    await expect(answer()).resolves.toEqual({ met: true });
    world.arm.keys = [];
    await expect(answer()).resolves.toMatchObject({ met: false, failure: { code: 'ssh-auth-failed' } });
  });

  it('drivers is met by the installed version only, also not by a driver without one', async () => {
    const world = createArmWorld({ keys: [ourKey] });
    await carryOut(world);
    const answer = async (): Promise<unknown> => needChecks.drivers(contextOf(world));

    await expect(answer()).resolves.toEqual({ met: true });
    world.arm.loaded = 'none';
    await expect(answer()).resolves.toMatchObject({ met: false, failure: { code: 'need-missing' } });
    world.arm.installed = 'none';
    await expect(answer()).resolves.toMatchObject({ met: false });
  });

  it('bmc-address is met once the address was found', async () => {
    const world = createArmWorld();
    const answer = async (): Promise<unknown> => needChecks['bmc-address'](contextOf(world));

    await expect(answer()).resolves.toMatchObject({ met: false, failure: { code: 'bmc-address-auto' } });
    world.records.set(world.serial, { origin: 'unknown', bmcAddress: '10.20.0.2', runId: 7, atMs: 1 });
    await expect(answer()).resolves.toEqual({ met: true });
  });
});
