import { afterEach, describe, expect, it } from 'vitest';
import type { ConsoleDialogue } from '../../../src/domain/arm-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { consoleLogin, type ConsoleLoginEnd } from '../../../src/steps/console-login.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createArmAccess } from '../../../src/transport/ssh/arm-access.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { armCard, createHostPrograms } from './support/arm-world.ts';
import { canStartRealGetty, type Getty, type GettyAccount, startGetty, startRealGetty } from './support/getty.ts';
import { call, failureOfCall } from './support/slices.ts';
import { operatorKey, startFakeSsh } from './support/ssh-servers.ts';

const device = '/dev/rshim0/console';
const fresh = 'Zx9!kkQw-secret7';

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function setUp(starting: Promise<Getty>) {
  const getty = await starting;
  const programs = createHostPrograms();
  programs.consoleAt(getty.address);
  const host = await startFakeSsh({ programs: programs.folder });
  const redactor = createRedactor();
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
  const open = (path = device): Promise<ConsoleDialogue> => arm.console(card, path, call);
  const login = async (passwords: readonly string[], newPassword = fresh, commands: readonly string[] = []) => {
    const dialogue = await open();
    try {
      const secrets = passwords.map((password) => new Secret(password));
      const parts = { target: card.dpu.name, user: 'ubuntu', passwords: secrets, commands, answerMs: 5_000 };
      return await consoleLogin(dialogue, { ...parts, newPassword: new Secret(newPassword) });
    } finally {
      await dialogue.close();
    }
  };
  return { getty, programs, host, arm, card, open, login };
}

const withAccount = async (account: GettyAccount) => setUp(startGetty(account));
const factory = (): GettyAccount => ({ password: 'ubuntu', expired: true });

const real = canStartRealGetty();
const gettys: readonly (readonly [string, () => Promise<Getty>])[] = [
  ['a getty of this test', () => startGetty(factory())],
  ...(real ? [['agetty and login(1)', startRealGetty] as const] : []),
];

it('the console login is also run against agetty and login(1)', (context) => {
  context.skip(!real, 'needs root, agetty, login(1), useradd and socat');
  expect(gettys.map(([name]) => name)).toContain('agetty and login(1)');
});

describe.each(gettys)('login at the serial console: %s', (_name, start) => {
  it('answers the forced change, runs lines in the shell and logs out; the new password is right then', async () => {
    const { login } = await setUp(start());
    const first = await login(['ubuntu'], fresh, ['echo $((40+2))']);
    const second = await login(['ubuntu', fresh]);
    expect(first).toEqual({ state: 'changed', used: 0, outputs: ['42\n'] } satisfies ConsoleLoginEnd);
    expect(second).toEqual({ state: 'in', used: 1, outputs: [] } satisfies ConsoleLoginEnd);
  });

  it('says refused when no password is right', async () => {
    const { login } = await setUp(start());
    expect(await login(['wrong-one'])).toEqual({ state: 'refused' });
  });

  it('keeps the old password when the new one is refused, and tells the reason', async () => {
    const { login } = await setUp(start());
    const failure = await failureOfCall(login(['ubuntu'], 'Zx9'));
    const again = await login(['ubuntu']);
    expect(failure.code).toBe('arm-password-refused');
    expect(failure.text).toMatch(/shorter than 12|must choose a longer/);
    expect(again.state).toBe('changed');
  });

  it('fails with the output of a line that fails', async () => {
    const { login } = await setUp(start());
    const failure = await failureOfCall(login(['ubuntu'], fresh, ['echo full; false']));
    expect(failure.code).toBe('command-failed');
    expect(failure.text).toContain('full');
  });
});

describe('login at a serial console that is in another state than expected', () => {
  it('is not led astray by what was said before', async () => {
    const backlog =
      '\r\nlocalhost login: ubuntu\r\nPassword: \r\n\r\nLogin incorrect\r\nlocalhost login: \u001b[0;32m  OK  \u001b[0m';
    const { login, getty } = await withAccount({ ...factory(), backlog });
    const end = await login(['ubuntu']);
    expect(end.state).toBe('changed');
    expect(getty.typed.join('').split('\r')).toEqual(['', 'ubuntu', 'ubuntu', 'ubuntu', fresh, fresh, 'exit', '']);
  });

  it('leaves a shell that somebody left open', async () => {
    const { login } = await withAccount({ password: 'ubuntu', expired: false, inShell: true });
    expect((await login(['ubuntu'])).state).toBe('in');
  });

  it('says that it stays silent, after several tries to wake it', async () => {
    const { card, open } = await withAccount({ ...factory(), mute: true });
    const dialogue = await open();
    const passwords = [new Secret('ubuntu')];
    const parts = { target: card.dpu.name, user: 'ubuntu', passwords, newPassword: new Secret(fresh), answerMs: 100 };
    const failure = await failureOfCall(consoleLogin(dialogue, parts));
    expect(failure.code).toBe('console-silent');
    expect(failure.text).toContain('It said nothing at all');
  });

  it('shows what stands there instead of a login', async () => {
    const { card, open } = await withAccount({ ...factory(), mute: true, backlog: '\u001b[1mShell> \u001b[0m' });
    const dialogue = await open();
    const failure = await failureOfCall(dialogue.expect([/login: $/], 300));
    expect(card.dpu.name).toBe('host-01-dpu0');
    expect(failure.text).toContain('It said last: Shell>');
  });
});

describe('the console of a card', () => {
  it('is for one reader of this worker, and free again when it is closed', async () => {
    const { open } = await withAccount(factory());
    const first = await open();
    const failure = await failureOfCall(open());
    await first.close();
    const second = await open();
    await second.send('');
    const seen = await second.expect([/login: $/], 5_000);
    expect(failure.code).toBe('console-busy');
    expect(failure.text).toContain('dpubot itself');
    expect(seen.text).toBe('\n\nlocalhost login: ');
  });

  it('is not opened while another program reads it', async () => {
    const { open, programs, host } = await withAccount(factory());
    programs.readers('4711');
    const failure = await failureOfCall(open());
    expect(failure.code).toBe('console-busy');
    expect(failure.text).toContain('Process 4711');
    expect(host.commands.filter((line) => line.includes('socat'))).toEqual([]);
  });

  it('is given up when another program has opened it at the same moment', async () => {
    const { open, programs, getty } = await withAccount(factory());
    programs.readers('', '4711 4712', '');
    const failure = await failureOfCall(open());
    const dialogue = await open();
    expect(failure.code).toBe('console-busy');
    expect(failure.text).toContain('Processes 4711, 4712');
    expect(getty.typed).toEqual([]);
    await dialogue.close();
  });

  it('needs fuser on the host', async () => {
    const { open, programs } = await withAccount(factory());
    programs.fuserFails('sudo: fuser: command not found');
    const failure = await failureOfCall(open());
    expect(failure.code).toBe('host-tool-missing');
    expect(failure.text).toContain('psmisc');
  });

  it('is one of an rshim and nothing else', async () => {
    const { open, host } = await withAccount(factory());
    for (const path of ['/dev/ttyS0', '/dev/rshim0/console,exec=x', '/dev/rshim0/../sda', 'EXEC:sh']) {
      const failure = await failureOfCall(open(path));
      expect(failure.code).toBe('bug');
    }
    expect(host.commands).toEqual([]);
  });

  it('says why socat could not open it', async () => {
    const { open, programs } = await withAccount(factory());
    programs.consoleAt('UNIX-CONNECT:/nowhere/console');
    const dialogue = await open();
    const failure = await failureOfCall(dialogue.expect([/login: $/], 5_000));
    expect(failure.code).toBe('command-failed');
    expect(failure.text).toMatch(/No such file|ENOENT/);
  });

  it('is lost with the connection to the host', async () => {
    const { open, host } = await withAccount(factory());
    const dialogue = await open();
    const waiting = failureOfCall(dialogue.expect([/login: $/], 5_000));
    host.drop();
    const failure = await waiting;
    const sending = await failureOfCall(dialogue.send('late'));
    expect([failure.code, sending.code]).toEqual(['ssh-lost', 'ssh-lost']);
  });

  it('is typed at in pieces that fit the FIFO of a UART, in order', async () => {
    const { open, getty } = await withAccount(factory());
    const dialogue = await open();
    const line = `echo ${'0123456789'.repeat(20)}`;
    await Promise.all([dialogue.send(line), dialogue.send('second')]);
    await dialogue.expect([/Password: $/], 5_000);
    expect(getty.typed.join('').startsWith(`${line}\rsecond`)).toBe(true);
  });

  it('takes a secret out of what the card echoes', async () => {
    const { open } = await withAccount(factory());
    const dialogue = await open();
    await dialogue.send(new Secret(fresh));
    const { text } = await dialogue.expect([/Password: $/], 5_000);
    expect(text).toBe('[redacted]\nPassword: ');
  });

  it('rejects with the reason of the caller when the caller aborts', async () => {
    const { arm, card } = await withAccount(factory());
    const controller = new AbortController();
    const reason = new Error('run 418 was cancelled');
    const dialogue = await arm.console(card, device, { ...call, signal: controller.signal });
    const waiting = dialogue.expect([/never/], 5_000);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(dialogue.send('x')).rejects.toBe(reason);
  });
});
