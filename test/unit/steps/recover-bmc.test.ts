import { describe, expect, it } from 'vitest';
import { recoverBmcCertificate } from '../../../src/steps/recover-bmc-certificate.ts';
import { recoverBmcFactory } from '../../../src/steps/recover-bmc-factory.ts';
import { recoverBmcPassword } from '../../../src/steps/recover-bmc-password.ts';
import { failing, oldCertificate, RecoverWorld } from './recover-world.ts';

const newCertificate = 'cd'.repeat(32);
const inside = (sha256: string): string => `sha256 Fingerprint=${sha256.toUpperCase().match(/../g)?.join(':')}\n`;
const said = (stdout: string) => ({ ...failing(0, ''), stdout });

function worldWith(change: Partial<RecoverWorld>): RecoverWorld {
  return Object.assign(new RecoverWorld(), change);
}

describe('recover-bmc-password', () => {
  it.each<readonly [string, Partial<RecoverWorld>, string]>([
    ['a BMC that lets dpubot in needs nothing', { logins: ['in'] }, 'satisfied'],
    ['one with the factory password is for the next step', { logins: ['factory'] }, 'satisfied'],
    ['one whose certificate is not pinned has to wait for that', { logins: ['unpinned'] }, 'deferred'],
    ['one that is locked is waited for', { logins: ['locked'] }, 'waiting'],
    ['one that refuses all, with a login on the Arm, gets a new one', { logins: ['refused'] }, 'change'],
    ['and without a login there is refused', { logins: ['refused'], armLogin: 'refused' }, 'arm-login-needed'],
  ])('%s', async (_what, change, kind) => {
    const diff = await worldWith(change).decide(recoverBmcPassword);

    expect(diff.kind === 'refused' ? diff.failure.code : diff.kind).toBe(kind);
  });

  it('gives ipmitool the password twice on stdin, and never as a word', async () => {
    const world = worldWith({ logins: ['refused', 'refused', 'pending'] });

    expect(await world.carryOut(recoverBmcPassword)).toBe('applied');

    const password = world.escrow.entries[0]?.secret.reveal() ?? '';
    expect(password).toHaveLength(16);
    expect(world.stdin).toEqual([`${password}\n${password}\n`]);
    expect(world.log).toContain('arm: setsid -w ipmitool -I open user set password 1');
    expect(world.log.join('\n')).not.toContain(password);
  });

  it('loads the driver of /dev/ipmi0 first where it is missing', async () => {
    const world = worldWith({ logins: ['refused', 'refused', 'pending'] });
    const noDriver = failing(1, 'Could not open device at /dev/ipmi0 or /dev/ipmi/0: No such file or directory\n');
    const { 'arm: ipmitool -I open lan print': lan } = world.answers;
    const isLoaded = (): boolean => world.log.some((line) => line.startsWith('arm: modprobe'));
    world.answers['arm: ipmitool -I open lan print'] = () => (isLoaded() && typeof lan === 'object' ? lan : noDriver);

    expect(await world.carryOut(recoverBmcPassword)).toBe('applied');
    expect(world.log).toContain('arm: modprobe -a ipmi_msghandler ipmi_devintf');
  });

  it('waits for the lock-out window when no login may show that the new one works', async () => {
    const world = worldWith({ logins: ['refused', 'refused', 'locked'] });

    expect(await world.carryOut(recoverBmcPassword)).toBe('waiting after the change');
  });

  it.each<readonly [string, Partial<RecoverWorld>, string]>([
    ['the address refuses it: it may be of another card', { logins: ['refused'] }, 'outcome-unknown'],
    ['what answers as the Arm is no Arm', { logins: ['refused'], armLogin: 'in' }, 'arm-login-needed'],
  ])('stops where %s', async (_what, change, code) => {
    const world = worldWith(change);
    if (code === 'arm-login-needed') world.answers['arm: uname'] = said('x86_64\n');

    expect(await world.carryOut(recoverBmcPassword)).toBe(code);
  });

  it('says what ipmitool said when it fails', async () => {
    const world = worldWith({ logins: ['refused'] });
    world.answers['arm: setsid'] = failing(255, 'Set User Password command failed (user 1)');

    expect(await world.carryOut(recoverBmcPassword)).toBe('command-failed');
  });
});

describe('recover-bmc-factory', () => {
  it.each<readonly [string, Partial<RecoverWorld>, string]>([
    ['over Redfish where a login works', { logins: ['in'] }, 'change'],
    ['over the Arm where none does', { logins: ['refused'] }, 'change'],
    ['over the Arm of a BMC with another certificate', { logins: ['cert'] }, 'change'],
    ['not at all without either', { logins: ['refused'], armLogin: 'refused' }, 'arm-login-needed'],
    ['later where only the lock-out window is in the way', { logins: ['locked'], armLogin: 'refused' }, 'waiting'],
    ['never on the BMC of another card', { bmcSerial: 'MT1' }, 'wrong-card'],
  ])('is done %s', async (_how, change, kind) => {
    const diff = await worldWith(change).decide(recoverBmcFactory);

    expect(diff.kind === 'refused' ? diff.failure.code : diff.kind).toBe(kind);
  });

  it('names all that it costs', async () => {
    const diff = await new RecoverWorld().decide(recoverBmcFactory);

    expect(JSON.stringify(diff)).toMatch(/passwords, accounts, certificate, logs and a static address/);
  });

  it('is not done while an image is pushed', async () => {
    const world = new RecoverWorld();
    world.answers['host: pgrep'] = said('99 /bin/bash /usr/sbin/bfb-install -r rshim1\n');

    expect(await world.carryOut(recoverBmcFactory)).toBe('reboot-while-flashing');
  });

  it('is over when the factory password works', async () => {
    const world = worldWith({ logins: [...Array<'in'>(7).fill('in'), 'away', 'away', 'factory'] });

    expect(await world.carryOut(recoverBmcFactory)).toBe('applied');
    expect(world.bodies).toEqual([{ ResetToDefaultsType: 'ResetAll' }]);
  });

  it('is over when another certificate is shown; no password goes there', async () => {
    const world = worldWith({ logins: ['refused', 'refused', 'away', 'cert'] });

    expect(await world.carryOut(recoverBmcFactory)).toBe('applied');
    expect(world.log).toContain('arm: ipmitool -I open raw 0x32 0x66');
    expect(world.log).toContain('arm: ipmitool -I open mc reset cold');
  });

  it('of a BMC that had the factory password already has to be seen', async () => {
    const world = worldWith({ logins: ['factory'] });

    expect(await world.carryOut(recoverBmcFactory)).toBe('bmc-not-back');
  });

  it.each([
    ['was sent before the worker died is not sent again', ['factory'] as const, 0],
    ['was not sent is sent', ['refused', 'refused', 'refused', 'away', 'factory'] as const, 1],
  ])('that %s', async (_what, logins, times) => {
    const world = worldWith({ logins: [...logins] });
    world.actions.push({ action: 'reset-to-factory', before: 'refused', done: false, atMs: 0 });

    expect(await world.carryOut(recoverBmcFactory)).toBe('applied');
    expect(world.log.filter((line) => line.endsWith('raw 0x32 0x66'))).toHaveLength(times);
  });
});

describe('recover-bmc-certificate', () => {
  it('leaves the pin where the BMC kept its certificate', async () => {
    expect((await new RecoverWorld().decide(recoverBmcCertificate)).kind).toBe('satisfied');
  });

  it('pins another one that the Arm sees inside of the card and the network shows too', async () => {
    const world = worldWith({ certificate: newCertificate });
    world.answers['arm: sh -c timeout 20 openssl'] = said(inside(newCertificate));

    expect(await world.carryOut(recoverBmcCertificate)).toBe('applied');
    expect(world.pins.get('bmc-certificate')).toBe(newCertificate);
  });

  it.each<readonly [string, Partial<RecoverWorld>, string, RegExp]>([
    ['the Arm sees another one', {}, inside('ef'.repeat(32)), /its own Arm sees another one: efef/i],
    ['nothing shows one to the Arm', {}, '', /192\.168\.240\.1/],
    ['there is no login on the Arm', { armLogin: 'refused' }, inside(newCertificate), /Arm cannot be asked/],
    ['the old one stands in the inventory', { certSha256: oldCertificate }, inside(newCertificate), /certSha256/],
  ])('needs a person where %s, and keeps the pin', async (_what, change, text, why) => {
    const world = worldWith({ certificate: newCertificate, ...change });
    world.answers['arm: sh -c timeout 20 openssl'] = said(text);

    const diff = await world.decide(recoverBmcCertificate);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'bmc-cert-changed', kind: 'needs-human' } });
    expect(JSON.stringify(diff)).toMatch(why);
    expect(world.pins.get('bmc-certificate')).toBe(oldCertificate);
  });
});
