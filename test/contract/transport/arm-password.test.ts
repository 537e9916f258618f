import { afterEach, describe, expect, it } from 'vitest';
import type { ArmAccess, PasswordLogin } from '../../../src/domain/arm-ports.ts';
import type { CardRef } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createArmAccess } from '../../../src/transport/ssh/arm-access.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { armCard } from './support/arm-world.ts';
import {
  canStartPamSshd,
  type PasswordServer,
  startPamSshd,
  startPasswordServer,
  type Style,
} from './support/password-servers.ts';
import { call, failureOfCall } from './support/slices.ts';
import { operatorKey } from './support/ssh-servers.ts';

const fresh = 'Zx9!kkQw-secret7';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Door {
  readonly server: PasswordServer;
  readonly arm: ArmAccess;
  readonly card: CardRef;
  readonly redacted: (text: string) => string;
  enter(password?: string, newPassword?: string, hostKey?: string): Promise<PasswordLogin>;
}

async function openDoor(starting: Promise<PasswordServer>): Promise<Door> {
  const server = await starting;
  const redactor = createRedactor();
  const key = (): Promise<Secret> => Promise.resolve(new Secret(operatorKey.private));
  const hosts = createHostAccess({ key, redactor });
  const pins = { get: () => Promise.resolve(server.hostKey) };
  const arm = createArmAccess({ hosts, key, pins, redactor, answerMs: 8_000 });
  const card = armCard({ arm: { port: server.port } });
  cleanUps.push(
    () => server.stop(),
    () => hosts.close(),
    () => arm.close(),
  );
  return {
    server,
    arm,
    card,
    redacted: (text) => redactor.redact(text),
    enter: (password = 'ubuntu', newPassword = fresh, hostKey = server.hostKey) =>
      arm.loginWithPassword(
        card,
        {
          route: { kind: 'oob' },
          user: 'ubuntu',
          hostKey,
          password: new Secret(password),
          newPassword: new Secret(newPassword),
        },
        call,
      ),
  };
}

const withPam = canStartPamSshd();
const servers: readonly (readonly [string, string, () => Promise<PasswordServer>])[] = [
  ['at a terminal', 'ssh2 server', () => startPasswordServer('terminal')],
  ['within keyboard-interactive', 'ssh2 server', () => startPasswordServer('keyboard-interactive')],
  ['by a change request', 'ssh2 server', () => startPasswordServer('change-request')],
  ...(withPam
    ? ([
        ['at a terminal', 'OpenSSH with PAM', () => startPamSshd('password')],
        ['within keyboard-interactive', 'OpenSSH with PAM', () => startPamSshd('keyboard-interactive')],
      ] as const)
    : []),
];

it.skipIf(!withPam)('the change of a password is also run against OpenSSH with PAM', () => {
  expect(servers.map(([, name]) => name)).toContain('OpenSSH with PAM');
});

describe.each(servers)('a password that has to be changed %s: %s', (_way, _name, start) => {
  it('is changed; the new one opens a session then, and the old one is refused', async () => {
    const door = await openDoor(start());
    const first = await door.enter();
    const second = await door.enter(fresh);
    if (second.state !== 'in') throw new Error(`the new password is ${second.state}`);
    const result = await second.session.run(['echo', 'inside'], call);
    const old = await door.enter('ubuntu');
    expect(first).toEqual({ state: 'changed' });
    expect(result.stdout).toBe('inside\n');
    expect(old).toEqual({ state: 'refused' });
  });

  it('stays as it is when the new one is refused, and the reason is told', async () => {
    const door = await openDoor(start());
    const failure = await failureOfCall(door.enter('ubuntu', 'Zx9'));
    const again = await door.enter();
    expect(failure.code).toBe('arm-password-refused');
    expect(failure.text).toMatch(/BAD PASSWORD: The password is shorter|You must choose a longer password/);
    expect(failure.text).not.toContain('Zx9');
    expect(again).toEqual({ state: 'changed' });
  });

  it('is not asked for a change when it was wrong', async () => {
    const door = await openDoor(start());
    expect(await door.enter('not-the-password')).toEqual({ state: 'refused' });
  });
});

describe('login on the Arm with a password', () => {
  const open = async (style: Style, first?: string): Promise<Door> => openDoor(startPasswordServer(style, first));

  it('is one try: a wrong password is sent once', async () => {
    const door = await open('settled', 'right-password');
    const login = await door.enter('wrong-password');
    expect(login).toEqual({ state: 'refused' });
    expect(door.server.heard).toEqual(['wrong-password']);
  });

  it('sends nothing to a server with another host key', async () => {
    const door = await open('settled');
    const failure = await failureOfCall(door.enter('ubuntu', fresh, `SHA256:${'B'.repeat(43)}`));
    expect(failure.code).toBe('ssh-host-key-changed');
    expect(door.server.heard).toEqual([]);
  });

  it('sends no password to a server that takes keys only, and says what it offers', async () => {
    const door = await open('no-password');
    const failure = await failureOfCall(door.enter());
    expect(failure.code).toBe('arm-password-not-offered');
    expect(failure.text).toContain('publickey only');
    expect(door.server.heard).toEqual([]);
  });

  it('answers no question that it does not know', async () => {
    const door = await open('one-time-code');
    const failure = await failureOfCall(door.enter());
    expect(failure.code).toBe('arm-login-unclear');
    expect(failure.text).toContain('It said: Verification code:');
    expect(door.server.heard).toEqual([]);
  });

  it('says that the outcome is unknown when the line dies after the new password', async () => {
    const door = await open('dies');
    const failure = await failureOfCall(door.enter());
    expect(failure).toMatchObject({ code: 'ssh-lost', state: 'unknown' });
  });

  it('gives a session that ends for good when it is forgotten', async () => {
    const door = await open('settled');
    const login = await door.enter();
    if (login.state !== 'in') throw new Error(login.state);
    door.arm.forget(door.card);
    const failure = await failureOfCall(login.session.run(['true'], call));
    expect(failure.code).toBe('ssh-lost');
  });

  it('makes both passwords known to the redactor', async () => {
    const door = await open('settled', 'an-old-secret');
    await door.enter('an-old-secret');
    expect(door.redacted(`an-old-secret ${fresh}`)).toBe('[redacted] [redacted]');
  });

  it('is unreachable where nobody listens', async () => {
    const door = await open('settled');
    await door.server.stop();
    const failure = await failureOfCall(door.enter());
    expect(failure.code).toBe('ssh-unreachable');
  });
});
