import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { recoverArmPassword } from '../../../src/steps/recover-arm-password.ts';
import { recoverArmRunning } from '../../../src/steps/recover-arm-running.ts';
import { recoverRshim } from '../../../src/steps/recover-rshim.ts';
import { recoverUefiPassword } from '../../../src/steps/recover-uefi-password.ts';
import { fixture } from '../../support/fixture.ts';
import { codeOf, contextOf, createArmWorld, ourKey } from '../../support/arm-world.ts';
import { failing, RecoverWorld, serial } from './recover-world.ts';

const said = (stdout: string) => ({ ...failing(0, ''), stdout });
const bfrecSaid = '***    Reboot the system to process the platform firmware updates   ***\n';
const capsuleLine = 'arm: bfrec --capsule /lib/firmware/mellanox/boot/capsule/EnrollKeysCap';

function uefiWorld(change: Partial<RecoverWorld> = {}): RecoverWorld {
  const world = Object.assign(new RecoverWorld(), change);
  world.answers['arm: bfrec'] = said(bfrecSaid);
  return world;
}

const resetsOf = (world: RecoverWorld): number =>
  world.log.filter((line) => line.includes('ComputerSystem.Reset')).length;

describe('recover-uefi-password', () => {
  it('takes the capsule, boots, sends the new password, boots twice, and files it', async () => {
    const world = uefiWorld();

    expect(await world.carryOut(recoverUefiPassword)).toBe('applied');

    const [current] = await world.credentials.bmc({ uefiSerial: serial });
    expect(current?.slot).toBe('current');
    expect(world.bodies.filter((body) => JSON.stringify(body).includes('Attributes'))).toEqual([
      { Attributes: { CurrentUefiPassword: 'bluefield', UefiPassword: current?.secret } },
    ]);
    expect(world.log.filter((line) => line === capsuleLine || /^(?:PATCH|POST) /.test(line))).toEqual([
      capsuleLine,
      'POST /redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset',
      'PATCH /redfish/v1/Systems/Bluefield/Bios/Settings',
      'POST /redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset',
      'POST /redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset',
    ]);
  });

  it('switches Secure Boot off in the same boots where the capsule has brought it and the profile wants it off', async () => {
    const world = uefiWorld({ secureBoot: true, profile: { secureBoot: 'off' } });

    expect(await world.carryOut(recoverUefiPassword)).toBe('applied');
    expect(world.log).toContain('PATCH /redfish/v1/Systems/Bluefield/SecureBoot');
    expect(resetsOf(world)).toBe(3);
  });

  it('goes on with what is left after the worker died', async () => {
    const world = uefiWorld();
    for (const action of ['take-capsule', 'reset-with-capsule', 'send-uefi-password', 'reset-to-fetch'])
      world.actions.push({ action, done: true, atMs: 0 });
    await world.credentials.savePending({ uefiSerial: serial }, new Secret('Filed-before#123'), 'age1test');

    expect(await world.carryOut(recoverUefiPassword)).toBe('applied');
    expect(world.log).not.toContain(capsuleLine);
    expect(resetsOf(world)).toBe(1);
    const [current] = await world.credentials.bmc({ uefiSerial: serial });
    expect(current?.secret.reveal()).toBe('Filed-before#123');
  });

  it.each<readonly [string, string, Partial<RecoverWorld>, string]>([
    ['there is no login on the Arm', '', { armLogin: 'refused' }, 'arm-login-needed'],
    ['the image has no capsule', 'arm: test -f', {}, 'uefi-capsule-missing'],
    ['an image is pushed', 'host: pgrep', {}, 'reboot-while-flashing'],
    ['the BMC is of another card', '', { bmcSerial: 'MT1' }, 'wrong-card'],
    ['bfrec does not hand it to UEFI', 'arm: bfrec', {}, 'uefi-capsule-refused'],
    ['the card does not come up with it', '', { boot: ['UEFI'] }, 'dpu-not-ready'],
  ])('stops where %s, with the old password in force', async (_what, line, change, code) => {
    const world = uefiWorld(change);
    if (line === 'arm: test -f') world.answers[line] = failing(1, '');
    else if (line === 'host: pgrep') world.answers[line] = said('99 bfb-install -r rshim0\n');
    else if (line !== '') world.answers[line] = said('cannot find EFI System Partition\n');

    expect(await world.carryOut(recoverUefiPassword)).toBe(code);
    expect(world.log.filter((one) => one.startsWith('PATCH'))).toEqual([]);
  });
});

describe('recover-arm-running', () => {
  it.each([
    ['waits for the boot', ['UEFI', 'OsStarting', 'OsIsRunning'], 'satisfied'],
    ['needs a person when none comes', ['UEFI'], 'refused'],
  ])('%s', async (_what, boot, kind) => {
    const world = Object.assign(new RecoverWorld(), { boot });
    await world.context().bmc.login(world.context().card, { timeoutMs: 1 });

    expect((await world.decide(recoverArmRunning)).kind).toBe(kind);
  });
});

const works = `=== rshim0\n${fixture('rshim/misc-level-0.txt')}`;
const busy = '=== rshim0 silent\ncat: /dev/rshim0/misc: Device or resource busy\n';
const rebind = 'host: sh -c echo 1 >';
const isRestart = (line: string): boolean => line === 'host: systemctl restart rshim';

/** A host whose devices answer so until the measure of that name has been taken. */
function rshimWorld(before: string, until: (line: string) => boolean): RecoverWorld {
  const world = new RecoverWorld();
  world.answers['host: sh -c for m in'] = () => said(world.log.some(until) ? works : before);
  return world;
}

describe('recover-rshim', () => {
  it('leaves a device alone that answers', async () => {
    expect(await rshimWorld(works, () => true).carryOut(recoverRshim)).toBe('satisfied');
  });

  it.each([
    ['cannot be opened', busy],
    ['is not there', ''],
  ])('restarts the driver where the device %s, and does no more than that', async (_what, before) => {
    const world = rshimWorld(before, isRestart);

    expect(await world.carryOut(recoverRshim)).toBe('applied');
    expect(world.actions.map(({ action }) => action)).toEqual(['restart-rshim']);
  });

  it('asks the other side for a card in drop mode over the driver when the BMC cannot be asked', async () => {
    const world = rshimWorld(fixture('rshim/list-drop-mode.txt'), (line) => line.includes('FORCE_CMD 1'));
    world.logins = ['refused'];

    expect(await world.carryOut(recoverRshim)).toBe('applied');
    expect(world.actions.map(({ action }) => action)).toEqual(['force-rshim']);
  });

  it('finds the function of that card anew when a restart was not enough, and no other', async () => {
    const world = rshimWorld(busy, (line) => line.startsWith(rebind));

    expect(await world.carryOut(recoverRshim)).toBe('applied');
    expect(world.actions.map(({ action }) => action)).toEqual(['restart-rshim', 'rebind-rshim']);
    expect(world.log.filter((line) => line.startsWith(rebind))).toEqual([expect.stringMatching(/ 0000:e1:00\.2$/)]);
  });

  it('names the cold power cycle when nothing has helped', async () => {
    const world = rshimWorld(busy, () => false);

    expect(await world.carryOut(recoverRshim)).toBe('rshim-stuck');
  });

  it('restarts nothing while an image is pushed', async () => {
    const world = rshimWorld(busy, isRestart);
    world.answers['host: pgrep'] = said('99 bfb-install -r rshim1\n');

    expect(await world.carryOut(recoverRshim)).toBe('reboot-while-flashing');
    expect(world.log.some(isRestart)).toBe(false);
  });
});

describe('recover-arm-password', () => {
  const decide = (login: string): unknown =>
    recoverArmPassword.diff(
      { login, user: 'ubuntu', image: 'bf-2.9.2', isDone: false },
      {},
      contextOf(createArmWorld()).dpu,
    );

  it('loses nothing where the login by key works, and warns of nothing', () => {
    expect(decide('in')).toMatchObject({ kind: 'change' });
    expect(JSON.stringify(decide('in'))).not.toContain('reflash');
  });

  it.each(['refused', 'unpinned', 'other-key', 'unreachable'])(
    'says beforehand what is left if nothing opens, with the login %s',
    (login) => {
      expect(JSON.stringify(decide(login))).toContain('/dpu reflash as7-dpu0 --image bf-2.9.2');
    },
  );

  it('makes two wrong tries at most, and gives the tmfifo link back', async () => {
    const world = createArmWorld({ password: 'of somebody else', mustChange: false });
    world.passwords.set('current', new Secret('of dpubot'));
    const context = contextOf(world, { oobAddress: '10.0.0.7', profile: { image: 'bf-2.9.2' } });

    const end = await codeOf(async () => recoverArmPassword.apply?.(context, [], {}, { login: 'refused' }));

    expect(end).toBe('arm-locked-out');
    expect(world.wrongTries).toBe(2);
    expect(world.host.links.has('tmfifo_net0')).toBe(true);
    expect(world.arm.keys).not.toContain(ourKey);
  });
});
