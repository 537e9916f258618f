import { describe, expect, it } from 'vitest';
import { comparableSnapshot, createRack } from '../../../src/lab/rack/model.ts';
import { call, factoryPassword, get, goodPassword, openedRack, paths, startMs, testRack } from './helpers.ts';

const hostReads = [
  'uname -a',
  'sudo -n cat /dev/rshim0/misc',
  'sudo -n lspci -vvv -d 15b3:',
  'ip -json addr',
  'sudo -n mst status -v',
  'sudo -n flint -d e1:00.0 q',
  'sudo -n mlxconfig -d e1:00.0 -e q',
  'systemctl is-active rshim',
  'not-a-command',
];
const armReads = [
  'cat /etc/mlnx-release',
  'mokutil --sb-state',
  'sudo -n bfver',
  'sudo -n ipmitool lan print 1',
  'lscpu',
];

describe('comparableSnapshot', () => {
  it('is equal before and after a storm of reads, sessions and time', () => {
    const test = openedRack();
    const before = comparableSnapshot(test.rack.snapshot());

    for (let round = 0; round < 3; round += 1) {
      const login = call(test.card, 'POST', paths.sessions, {
        password: null,
        body: { UserName: 'root', Password: goodPassword },
      });
      const token = login.headers['X-Auth-Token'] ?? '';
      for (const path of Object.values(paths)) call(test.card, 'GET', path, { token });
      call(test.card, 'GET', `${paths.root}?$expand=*($levels=2)`);
      for (const line of hostReads) test.rack.host('as7').exec('ops', line);
      for (const line of armReads) test.card.armExec('ubuntu', line);
      if (round > 0) call(test.card, 'DELETE', login.headers['Location'] ?? '', { token });
      test.advance(3_600_000);
    }

    expect(comparableSnapshot(test.rack.snapshot())).toEqual(before);
  });

  it.each([
    ['a password change', () => undefined],
    ['an Arm reset', (test: ReturnType<typeof openedRack>) => test.card.resetArm()],
    [
      'a Secure Boot wish',
      (test: ReturnType<typeof openedRack>) =>
        call(test.card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false } }),
    ],
    [
      'a failed login',
      (test: ReturnType<typeof openedRack>) => call(test.card, 'GET', paths.system, { password: 'x' }),
    ],
    [
      'a staged setting',
      (test: ReturnType<typeof openedRack>) =>
        test.rack.host('as7').exec('ops', 'sudo -n mlxconfig -d e1:00.0 -y set NUM_OF_VFS=8'),
    ],
  ])('differs after %s', (name, change) => {
    const test = name === 'a password change' ? testRack() : openedRack();
    const before = comparableSnapshot(test.rack.snapshot());

    if (name === 'a password change')
      call(test.card, 'PATCH', paths.account, { password: factoryPassword, body: { Password: goodPassword } });
    else change(test);

    expect(comparableSnapshot(test.rack.snapshot())).not.toEqual(before);
  });
});

describe('a snapshot', () => {
  it('is plain JSON from which a rack goes on in the middle of a boot', () => {
    const test = openedRack();
    test.card.resetArm();
    test.advance(50_000);
    const saved = JSON.parse(JSON.stringify(test.rack.snapshot())) as ReturnType<typeof test.rack.snapshot>;
    let nowMs = saved.savedAtMs;

    const restored = createRack({ restore: saved, nowMs: () => nowMs });
    expect(restored.card('as7-dpu0').armIsUp()).toBe(false);
    nowMs += 45_000;

    expect(restored.card('as7-dpu0').armIsUp()).toBe(true);
    expect(get(restored.card('as7-dpu0'), paths.account)['PasswordChangeRequired']).toBe(false);
    expect(saved.savedAtMs).toBe(startMs + 50_000);
  });

  it('is the same for the same seed', () => {
    expect(testRack(undefined, 7).rack.snapshot()).toEqual(testRack(undefined, 7).rack.snapshot());
    expect(testRack(undefined, 7).rack.snapshot()).not.toEqual(testRack(undefined, 8).rack.snapshot());
  });
});
