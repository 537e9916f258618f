import { describe, expect, it } from 'vitest';
import type { BmcSession, CardRecord } from '../../../src/domain/device-ports.ts';
import type { ActionRecord, ApplyContext, Diff } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { chooseFlashWay } from '../../../src/steps/choose-flash-way.ts';
import { disableSecureBoot } from '../../../src/steps/disable-secure-boot.ts';
import { awaitInstalled } from '../../../src/steps/update-boot.ts';
import { updateBfb } from '../../../src/steps/update-bfb.ts';
import { imageUri, updateOf } from '../../../src/steps/update-attempts.ts';
import { giveRshimToBmc } from '../../../src/steps/update-rshim.ts';
import { transferImage } from '../../../src/steps/update-transfer.ts';
import { createFakeClock } from '../../support/rack-devices.ts';
import { codeOf } from './flash-run.ts';
import { params, version } from './flash-world.ts';

const image = { ...params.image, url: 'http://images.test:8080/bfb/bf.bfb' };
const address = 'images.test:8080//bfb/bf.bfb';
const wanted = { ...params, image };
const tasksPath = '/redfish/v1/TaskService/Tasks';

describe('choose-flash-way', () => {
  const dpu = { name: 'as7-dpu0' } as never;
  const choose = (seen: object, change: object): Diff =>
    chooseFlashWay.diff(
      { hasRshim: true, manager: { firmware: 'BF-24.10-10', lastResetTime: 'T' }, ...seen },
      { via: 'auto', image, bringsRshim: false, ...change },
      dpu,
    );

  it.each<readonly [string, object, object, string]>([
    ['rshim where the host has it', {}, {}, 'over rshim:'],
    ['rshim where this run brings it', { hasRshim: false }, { bringsRshim: true }, 'over rshim:'],
    ['Redfish where the host has none', { hasRshim: false }, {}, 'over Redfish:'],
    ['what was asked for', {}, { via: 'redfish' }, 'over Redfish, as asked for:'],
  ])('takes %s, and says why', (_what, seen, change, reason) => {
    expect(choose(seen, change)).toMatchObject({ kind: 'satisfied', reason: expect.stringContaining(reason) });
  });

  it.each<readonly [string, object, object, string]>([
    ['a host without rshim', { hasRshim: false }, { via: 'rshim' }, '`--via redfish` is possible'],
    ['an old BMC', { manager: { firmware: 'BF-24.04-5', lastResetTime: 'T' } }, { via: 'redfish' }, '`--via rshim`'],
    ['a BMC of unknown age', { manager: { firmware: 'x', lastResetTime: 'T' } }, { via: 'redfish' }, '`--via rshim`'],
    [
      'a file of the worker and no rshim',
      { hasRshim: false },
      { image: { ...image, url: undefined, file: '/srv/bf.bfb' } },
      'The other way is closed too',
    ],
  ])('refuses %s and names what is possible', (_what, seen, change, next) => {
    expect(choose(seen, change)).toMatchObject({
      kind: 'refused',
      failure: { code: 'flash-way-missing', next: expect.stringContaining(next) },
    });
  });
});

describe('choose-flash-way, while nobody can log in to the BMC', () => {
  const unpinned = { met: false, failure: { code: 'bmc-unpinned', what: 'Its certificate is not pinned.' } };
  const choose = (seen: object, change: object = {}): Diff => {
    const params = { via: 'auto', image, bringsRshim: false, ...change } as const;
    return chooseFlashWay.diff({ hasRshim: false, manager: unpinned, ...seen }, params, {
      name: 'as7-dpu0',
    } as never);
  };

  it.each<readonly [string, Diff, object]>([
    ['rshim needs no BMC', choose({ hasRshim: true, manager: undefined }), { kind: 'satisfied' }],
    ['Redfish is looked at again', choose({}), { kind: 'deferred', awaits: 'bmc-session' }],
    [
      'after a lock-out it is waited for',
      choose({ manager: { ...unpinned, untilMs: 7 } }),
      { kind: 'waiting', untilMs: 7 },
    ],
    [
      'an image without a URL is refused at once',
      choose({}, { image: { ...image, url: undefined, file: '/srv/bf.bfb' } }),
      { kind: 'refused', failure: { code: 'flash-way-missing' } },
    ],
    [
      'a password that nobody knows is refused',
      choose({ manager: { met: false, failure: { code: 'bmc-login-refused', what: 'No.' } } }),
      { kind: 'refused', failure: { code: 'bmc-login-refused' } },
    ],
  ])('%s', (_what, diff, expected) => {
    expect(diff).toMatchObject(expected);
  });
});

describe('the address that a BMC is told', () => {
  it('has no scheme and keeps port and path', () => {
    expect(imageUri(image)).toEqual({ address, host: 'images.test:8080', protocol: 'HTTP' });
    expect(imageUri({ url: 'https://h/a/b.bfb?x=1' })).toMatchObject({ address: 'h//a/b.bfb?x=1', protocol: 'HTTPS' });
  });
});

/** A BMC with an update service, by what the BlueField documentation says of it. */
class UpdatingBmc {
  readonly clock = createFakeClock();
  readonly actions: ActionRecord[] = [];
  readonly sent: string[] = [];
  tasks: { readonly id: string; readonly body: string }[] = [];
  /** What the task ends with. */
  fails: string | undefined;
  isBusy = false;
  losesReply = false;
  /** The request never gets to the BMC, which nobody can see. */
  isDeaf = false;
  isForgotten = false;
  /** It does not answer in the middle of a transfer. */
  isAway = false;
  /** It came back with the installation: the card stays in UEFI. */
  secureBoot = false;
  #resets = 0;
  /** The worker dies in the restart of the BMC. */
  diesInReset = false;
  record: CardRecord | undefined = { origin: 'flashed', image: { name: 'old', sha256: 'b' }, runId: 1, atMs: 0 };
  #starts = 1;

  context(): ApplyContext {
    const session: Pick<BmcSession, 'target' | 'get' | 'patch' | 'post' | 'waitTask'> = {
      target: 'as7-dpu0',
      get: ({ path }) => Promise.resolve(this.#get(path)),
      patch: (_path, body) => {
        this.sent.push(`PATCH ${JSON.stringify(body)}`);
        this.secureBoot = false;
        return Promise.resolve({ status: 200, body: null, headers: {} });
      },
      post: (path, body) => this.#post(path, body),
      waitTask: (path) => {
        this.sent.push(`follow ${path.split('/').at(-1)}`);
        if (this.isAway) return Promise.reject(errors.bmcUnreachable({ target: 'as7-dpu0', address: '10.0.0.2' }));
        if (this.isForgotten) return Promise.reject(errors.redfishTaskLost({ target: 'as7-dpu0', task: '6' }));
        if (this.fails === undefined) return Promise.resolve({ TaskState: 'Completed' });
        const task = { target: 'as7-dpu0', task: '6', state: 'Exception', message: this.fails };
        return Promise.reject(errors.redfishTaskFailed(task));
      },
    };
    const login = () => Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session });
    const context: Partial<ApplyContext> = {
      runId: 7,
      clock: this.clock,
      signal: new AbortController().signal,
      actions: this.actions,
      act: async ({ name, before }, work) => {
        const open = this.actions.push({ action: name, before, done: false, atMs: 0 }) - 1;
        const { value } = await work();
        this.actions[open] = { action: name, before, done: true, atMs: 0 };
        return value;
      },
      progress: () => Promise.resolve(),
      records: {
        get: () => Promise.resolve(this.record),
        put: (_serial, record) => Promise.resolve(void (this.record = record)),
      },
    };
    const bmc = { login, forget: () => undefined, noteReset: () => undefined };
    return { ...context, dpu: { name: 'as7-dpu0' }, card: { serial: 'MT1' }, bmc } as unknown as ApplyContext;
  }

  transfer(): Promise<unknown> {
    return transferImage(this.context(), wanted, version);
  }

  #get(path: string): unknown {
    if (path === tasksPath) return { Members: this.tasks.map(({ id }) => ({ '@odata.id': `${tasksPath}/${id}` })) };
    const task = this.tasks.find(({ id }) => path === `${tasksPath}/${id}`);
    if (task) return { TaskState: 'Running', Payload: { JsonBody: task.body } };
    if (path.endsWith('Managers/Bluefield_BMC'))
      return { FirmwareVersion: 'BF-24.10-10', LastResetTime: `start ${this.#starts}` };
    if (path.endsWith('DPU_OS')) return { Version: version };
    if (path.endsWith('SecureBoot'))
      return {
        '@odata.id': path,
        SecureBootEnable: this.secureBoot,
        SecureBootCurrentBoot: this.secureBoot ? 'Enabled' : 'Disabled',
        SecureBootMode: 'UserMode',
      };
    return {
      SerialNumber: 'MT1',
      PowerState: this.secureBoot ? 'Paused' : 'On',
      BootProgress: { OemLastState: this.secureBoot ? 'UEFI' : 'OsIsRunning', LastStateTime: `T${1 + this.#resets}` },
    };
  }

  #post(path: string, body: unknown): ReturnType<BmcSession['post']> {
    this.sent.push(`${path.split('.').at(-1)} ${JSON.stringify(body)}`);
    if (path.endsWith('Manager.Reset')) {
      if (this.diesInReset) return Promise.reject(new Error('the worker dies'));
      this.#starts += 1;
      return Promise.resolve({ status: 200, body: null, headers: {} });
    }
    if (path.endsWith('ComputerSystem.Reset')) {
      this.#resets += 1;
      return Promise.resolve({ status: 200, body: null, headers: {} });
    }
    const where = { target: 'as7-dpu0', request: path };
    if (this.isBusy)
      return Promise.reject(
        errors.redfishError({
          ...where,
          status: 400,
          message: 'An update is in progress.',
          messageId: 'UpdateInProgress',
        }),
      );
    if (this.isDeaf) return Promise.reject(errors.bmcReplyLost(where));
    this.tasks.push({ id: '6', body: JSON.stringify(body) });
    if (this.losesReply) return Promise.reject(errors.bmcReplyLost(where));
    return Promise.resolve({ status: 202, body: { '@odata.id': `${tasksPath}/6` }, headers: {} });
  }
}

const request = `SimpleUpdate ${JSON.stringify({
  TransferProtocol: 'HTTP',
  ImageURI: address,
  Targets: ['redfish/v1/UpdateService/FirmwareInventory/DPU_OS'],
})}`;

describe('an update through the BMC', () => {
  it('is one request without a scheme, followed to the end of the transfer', async () => {
    const bmc = new UpdatingBmc();

    await bmc.transfer();

    expect(bmc.sent).toEqual([request, 'follow 6']);
  });

  it('whose reply is lost is found among the tasks and not sent again', async () => {
    const bmc = new UpdatingBmc();
    bmc.losesReply = true;

    await bmc.transfer();

    expect(bmc.sent).toEqual([request, 'follow 6']);
  });

  it('whose worker died is found among the tasks by its image, and others are left alone', async () => {
    const bmc = new UpdatingBmc();
    bmc.actions.push({
      action: 'simple-update-1',
      before: { bootState: 'OsIsRunning', dpuOs: '' },
      done: false,
      atMs: 0,
    });
    bmc.tasks = [
      { id: '4', body: '{"ImageURI":"elsewhere//x.bfb"}' },
      { id: '5', body: JSON.stringify({ ImageURI: address }) },
    ];

    await bmc.transfer();

    expect(bmc.sent).toEqual(['follow 5']);
  });

  it('of which the BMC has no trace after a crash is for a person: nothing is sent a second time', async () => {
    const bmc = new UpdatingBmc();
    bmc.actions.push({
      action: 'simple-update-1',
      before: { bootState: 'OsIsRunning', dpuOs: '' },
      done: false,
      atMs: 0,
    });

    expect(await codeOf(bmc.transfer())).toBe('flash-interrupted');
    expect(bmc.sent).toEqual([]);

    await bmc.transfer();
    expect(bmc.sent, 'a person has resumed the run').toEqual([request, 'follow 6']);
  });

  it('is not taken for one of an earlier run that fetched the same image', async () => {
    const bmc = new UpdatingBmc();
    bmc.tasks = [{ id: '3', body: JSON.stringify({ ImageURI: address }) }];
    bmc.isDeaf = true;

    expect(await codeOf(bmc.transfer())).toBe('flash-interrupted');
    expect(bmc.sent).toEqual([request]);
  });

  it('leaves behind that the image of before is gone, unless the BMC did not take it', async () => {
    const bmc = new UpdatingBmc();
    const { record } = bmc;
    bmc.isBusy = true;
    await bmc.transfer().catch(() => undefined);
    expect(bmc.record).toEqual(record);

    bmc.isBusy = false;
    bmc.fails = 'Transfer failed';
    await bmc.transfer().catch(() => undefined);
    expect(bmc.record).toMatchObject({ origin: 'flashed', runId: 7 });
    expect(bmc.record?.image).toBeUndefined();
  });

  it('whose worker died in the restart of the BMC that follows a failure restarts it before the next request', async () => {
    const bmc = new UpdatingBmc();
    bmc.fails = 'Transfer failed';
    bmc.diesInReset = true;
    await expect(bmc.transfer()).rejects.toThrow('the worker dies');
    bmc.fails = undefined;
    bmc.diesInReset = false;
    bmc.sent.length = 0;

    await bmc.transfer();

    expect(bmc.sent).toEqual(['Reset {"ResetType":"GracefulRestart"}', request, 'follow 6']);
  });

  it('that the BMC has forgotten in the middle is for a person, and a resume sends it anew', async () => {
    const bmc = new UpdatingBmc();
    bmc.isForgotten = true;
    expect(await codeOf(bmc.transfer())).toBe('flash-interrupted');
    bmc.isForgotten = false;

    await bmc.transfer();

    expect(bmc.sent).toEqual([request, 'follow 6', request, 'follow 6']);
  });

  it('waits for nobody: another one that runs is said', async () => {
    const bmc = new UpdatingBmc();
    bmc.isBusy = true;

    expect(await codeOf(bmc.transfer())).toBe('update-running');

    bmc.isBusy = false;
    await bmc.transfer();
    expect(bmc.sent, 'the other one has ended').toEqual([request, request, 'follow 6']);
  });

  it.each([
    [
      'update-transfer-failed',
      "Transfer of image '/bf.bfb' to '/dev/rshim0/boot' failed. Unknown Host: x Check and restart",
    ],
    ['image-refused-by-bmc', "has detected errors of type 'Invalid FW Package'."],
  ])('that fails is %s; the BMC is restarted once, and a resume sends it anew', async (code, message) => {
    const bmc = new UpdatingBmc();
    bmc.fails = message;

    expect(await codeOf(bmc.transfer())).toBe(code);
    expect(bmc.sent).toEqual([request, 'follow 6', 'Reset {"ResetType":"GracefulRestart"}']);
    expect(updateOf(bmc.actions)).toMatchObject({ attempt: 2, underWay: false });

    bmc.fails = undefined;
    await bmc.transfer();
    expect(bmc.sent.slice(3)).toEqual([request, 'follow 6']);
  });

  it('is a change each time it is asked for, and satisfied only when this run has done it', () => {
    const seen = { dpuOs: version, isRecorded: false, underWay: false, secureBoot: undefined };
    const dpu = { name: 'as7-dpu0' } as never;

    expect(updateBfb.diff(seen, wanted, dpu)).toMatchObject({ kind: 'change' });
    const done = { ...seen, isRecorded: true };
    expect(updateBfb.diff(done, wanted, dpu)).toMatchObject({ kind: 'satisfied' });
    expect(updateBfb.diff({ ...done, dpuOs: undefined }, wanted, dpu), 'the BMC has just started').toMatchObject({
      kind: 'satisfied',
    });
    expect(updateBfb.diff({ ...done, dpuOs: 'another' }, wanted, dpu)).toMatchObject({ kind: 'change' });
  });
});

const gaveRshim: ActionRecord = {
  action: 'give-rshim-to-bmc',
  before: { service: 'running', bmcEnabled: false, host: 'Enabled' },
  done: true,
  atMs: 0,
};

describe('what an update leaves alone', () => {
  it('the switches of rshim, while the BMC may still be writing over it', async () => {
    const bmc = new UpdatingBmc();
    bmc.actions.push(gaveRshim);
    bmc.isAway = true;

    const flashing = updateBfb.apply?.(bmc.context(), [], wanted, undefined);

    await expect(flashing).rejects.toMatchObject({
      code: 'bmc-unreachable',
      failure: { deviceState: 'unknown', next: expect.stringContaining('may still be writing') },
    });
    expect(bmc.actions.map(({ action }) => action)).not.toContain('take-rshim-back');
  });

  it('the Arm, which is not reset for Secure Boot before its installation has come to its end', async () => {
    const actions: ActionRecord[] = [{ action: 'simple-update-1', done: true, atMs: 0 }];
    const context = { dpu: { name: 'as7-dpu0' }, card: {}, actionsIn: () => actions } as unknown as ApplyContext;

    expect(disableSecureBoot.diff(await disableSecureBoot.observe(context, {}), {}, context.dpu)).toMatchObject({
      kind: 'satisfied',
    });
  });
});

describe('the boot into an image that is not signed', () => {
  const unsigned = { ...wanted, secureBootMustBeOff: true };
  const update = { attempt: 1, before: { bootState: 'OsIsRunning', bootStateTime: 'T0', dpuOs: 'old' } };

  it('is freed from Secure Boot that came back with the installation', async () => {
    const bmc = new UpdatingBmc();
    bmc.secureBoot = true;

    await awaitInstalled(bmc.context(), unsigned, update);

    expect(bmc.sent).toEqual(['PATCH {"SecureBootEnable":false}', 'Reset {"ResetType":"ForceRestart"}']);
    expect(bmc.actions.at(0)).toMatchObject({ action: 'await-installed-1', done: true });
  });

  it('of a signed one is for a person', async () => {
    const bmc = new UpdatingBmc();
    bmc.secureBoot = true;

    expect(await codeOf(awaitInstalled(bmc.context(), wanted, update))).toBe('uefi-shell');
    expect(bmc.sent).toEqual([]);
  });
});

describe('the rshim on its way to the BMC', () => {
  it('that the BMC never gets is an error that says who has it, and nothing is sent', async () => {
    const clock = createFakeClock();
    const sent: unknown[] = [];
    const session = {
      target: 'as7-dpu0',
      get: ({ path }: { path: string }) => {
        if (path.endsWith('DPU_OS')) return Promise.resolve({ Version: version });
        return Promise.resolve({ BmcRShim: { BmcRShimEnabled: false }, Mode: 'DpuMode', HostRshim: 'Disabled' });
      },
      patch: (_path: string, body: unknown) => Promise.resolve(void sent.push(body)),
    };
    const answers: Readonly<Record<string, readonly [string, number]>> = {
      'rshim service': ['LoadState=loaded\nActiveState=inactive\n', 0],
      'running bfb-install': ['', 1],
    };
    const context = {
      runId: 7,
      clock,
      signal: new AbortController().signal,
      actions: [],
      act: async (_action: unknown, work: () => Promise<{ value: unknown }>) => (await work()).value,
      progress: () => Promise.resolve(),
      dpu: { name: 'as7-dpu0' },
      host: {
        name: 'as7',
        read: ({ name }: { name: string }) => {
          const [stdout = '', exitCode = 0] = answers[name] ?? [];
          return Promise.resolve({ stdout, stderr: '', exitCode, truncated: false, durationMs: 1 });
        },
      },
      bmc: { login: () => Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session }) },
      slice: { entry: { dpus: [] } },
    } as unknown as ApplyContext;

    await expect(giveRshimToBmc(context)).rejects.toMatchObject({
      code: 'rshim-owned-by-host',
      failure: { why: expect.stringContaining('BmcRShimEnabled is false') },
    });

    expect(sent).toContainEqual({ BmcRShim: { BmcRShimEnabled: true } });
  });
});
