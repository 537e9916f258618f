import { describe, expect, it } from 'vitest';
import { Doca } from '../../../src/domain/profile.ts';
import type { ActionRecord } from '../../../src/domain/step.ts';
import { installDoca } from '../../../src/steps/install-doca.ts';
import type { PackageMachine } from '../../support/package-machine.ts';
import { createPackageMachine, packageContext } from '../../support/package-machine.ts';
import { fixture } from '../../support/fixture.ts';

const pinned = 'BAFFC66CFD37CDA3146E3D0B5500551ACDF85A3C';
const doca = Doca.parse({
  version: '2.9.2',
  driver: '24.10-2.1.8',
  repository: 'https://linux.example.com/public/repo/doca/2.9.2/ubuntu22.04/x86_64/',
  keyUrl: 'https://linux.example.com/public/repo/doca/GPG-KEY.pub',
  keyFingerprint: pinned,
  supports: [{ os: 'ubuntu', release: '22.04', kernels: ['5.15.'] }],
});

function installed(version: string, state = 'ii '): { version: string; state: string } {
  return { version, state };
}

/** A host as it comes from the installer of Ubuntu, on which packages, driver and rshim can be had. */
function freshHost(): PackageMachine {
  const machine = createPackageMachine();
  machine.jobs.push(
    {
      has: 'install -- doca-all',
      answer: () => {
        machine.packages.set('doca-all', installed('2.9.2-012000'));
        machine.packages.set('mlnx-ofed-kernel-dkms', installed('24.10.OFED.24.10.2.1.8.1-1'));
        machine.built = doca.driver;
        machine.rshim = 'inactive';
        return { stdout: 'Setting up doca-all (2.9.2-012000) ...' };
      },
    },
    {
      has: 'openibd',
      answer: () => {
        machine.loaded = machine.built;
        return { stdout: 'Loading HCA driver and Access Layer:   [  OK  ]' };
      },
    },
  );
  return machine;
}

function doneHost(): PackageMachine {
  const machine = createPackageMachine();
  machine.packages.set('doca-all', installed('2.9.2-012000'));
  Object.assign(machine, { loaded: doca.driver, built: doca.driver, rshim: 'active' });
  return machine;
}

async function plan(machine: PackageMachine, params: Doca = doca): Promise<ReturnType<typeof installDoca.diff>> {
  const { context } = packageContext(machine);
  return installDoca.diff(await installDoca.observe(context, params), params, context.dpu);
}

async function apply(
  machine: PackageMachine,
  options: { readonly params?: Doca; readonly actions?: readonly ActionRecord[] } = {},
): Promise<ReturnType<typeof packageContext>> {
  const params = options.params ?? doca;
  const around = packageContext(machine, options.actions);
  const observed = await installDoca.observe(around.context, params);
  const diff = installDoca.diff(observed, params, around.context.dpu);
  if (diff.kind !== 'change') throw new Error(`nothing to apply: ${diff.kind}`);
  await installDoca.apply?.(around.context, diff.changes, params, observed);
  return around;
}

const outcome = (diff: Awaited<ReturnType<typeof plan>>): string =>
  diff.kind === 'refused' ? diff.failure.code : diff.kind;

describe('install-doca: plan', () => {
  it.each<readonly [string, (machine: PackageMachine) => void, string]>([
    ['a host as Ubuntu installs it', () => undefined, 'change'],
    ['the wanted packages and driver, with rshim running', (m) => Object.assign(m, doneHost()), 'satisfied'],
    ['a package that is not configured', (m) => Object.assign(m, doneHost(), half('doca-all')), 'change'],
    [
      'packages without the wanted driver in the kernel',
      (m) => Object.assign(m, doneHost(), { loaded: undefined }),
      'change',
    ],
    ['everything but a running rshim', (m) => Object.assign(m, doneHost(), { rshim: 'inactive' }), 'change'],
    ['an older DOCA with its driver', (m) => Object.assign(m, doneHost(), { loaded: '24.07-0.6.1' }), 'change'],
    ['another release of Ubuntu', (m) => (m.osRelease = 'ID=ubuntu\nVERSION_ID="24.04"\n'), 'os-unsupported'],
    ['another system', (m) => (m.osRelease = 'ID=debian\nVERSION_ID="12"\n'), 'os-unsupported'],
    ['a kernel that is not named', (m) => (m.uname = '6.8.0-45-generic x86_64\n'), 'os-unsupported'],
    ['an Arm host and a repository for x86_64', (m) => (m.uname = '5.15.0-1-generic aarch64\n'), 'os-unsupported'],
    ['a driver of MLNX_OFED', (m) => m.packages.set('ofed-scripts', installed('24.10.OFED')), 'foreign-ofed'],
    ['too little room', (m) => (m.freeBytes = 2 * 1024 ** 3), 'host-disk-full'],
  ])('%s', async (_what, arrange, expected) => {
    const machine = createPackageMachine();
    arrange(machine);

    expect(outcome(await plan(machine))).toBe(expected);
  });

  it('takes driver packages of its own installation that was cut off for no foreigners', async () => {
    const machine = createPackageMachine();
    machine.packages.set('ofed-scripts', installed('24.10.OFED', 'iU '));
    machine.sourceList = 'deb ...';

    expect(outcome(await plan(machine))).toBe('change');
  });

  it('says what is installed, that links drop, and what has to come first', async () => {
    const machine = createPackageMachine();
    Object.assign(machine, { hasHeaders: false }, half('some-package', machine));

    const diff = await plan(machine);

    const text = diff.kind === 'change' ? (diff.changes[0]?.text ?? '') : '';
    expect(text).toContain('DOCA 2.9.2');
    expect(text).toContain('links');
    expect(text).toContain('some-package');
    expect(text).toContain('headers for kernel 5.15.0-119-generic');
  });

  it.each<readonly [string, Partial<PackageMachine>]>([
    ['driver', { loaded: '25.01-0.6.0' }],
    ['package', { packages: new Map([['doca-all', installed('3.2.0-125000')]]), loaded: '25.10-1.2.8' }],
  ])('leaves a newer %s alone, with a warning', async (_what, change) => {
    const diff = await plan(Object.assign(doneHost(), change));

    expect(diff).toMatchObject({ kind: 'satisfied', warning: expect.stringContaining('not downgrade') });
  });

  it('warns of a system outside the matrix on which the wanted driver runs', async () => {
    const diff = await plan(Object.assign(doneHost(), { uname: '6.8.0-45-generic x86_64\n' }));

    expect(diff).toMatchObject({ kind: 'satisfied', warning: expect.stringContaining('6.8.0-45-generic') });
  });

  it('refuses no machine by a mirror whose address names none', async () => {
    const machine = createPackageMachine();
    machine.uname = '5.15.0-1-generic aarch64\n';

    expect(outcome(await plan(machine, { ...doca, repository: 'https://mirror.example.com/doca/' }))).toBe('change');
  });
});

/** A package whose configuration did not succeed. */
it('leaves an rshim alone that this run has stopped for the update of a card through its BMC', async () => {
  const { context } = packageContext(Object.assign(doneHost(), { rshim: 'inactive' }));
  const given = { action: 'give-rshim-to-bmc', before: { bmcEnabled: false, service: 'running' }, atMs: 0 };
  const planWith = async (done: readonly ActionRecord[]): Promise<ReturnType<typeof installDoca.diff>> =>
    installDoca.diff(await installDoca.observe({ ...context, actionsIn: () => done }, doca), doca, context.dpu);

  expect(await planWith([])).toMatchObject({ kind: 'change' });
  expect(await planWith([{ ...given, done: false }])).toMatchObject({ kind: 'satisfied' });
  const back = { action: 'take-rshim-back', done: true, atMs: 0 };
  expect(await planWith([{ ...given, done: true }, back])).toMatchObject({ kind: 'change' });
});

function half(name: string, machine = doneHost()): Pick<PackageMachine, 'packages'> {
  return { packages: new Map([...machine.packages, [name, installed('2.9.2-012000', 'iF ')]]) };
}

describe('install-doca: carrying it out', () => {
  it('brings a fresh host to the wanted driver and a running rshim', async () => {
    const machine = freshHost();

    const { context, seen } = await apply(machine);

    const verdicts = (await installDoca.verify?.(context, doca)) ?? [];
    expect(verdicts.map((verdict) => verdict.pass)).toEqual([true, true, true]);
    expect(verdicts[2]?.actual).toContain('the BMC of the card may own rshim');
    expect(seen.acts.every((act) => act.done)).toBe(true);
    expect(outcome(await plan(machine))).toBe('satisfied');
  });

  it('compares the key before it goes to apt, and names our list before the packages', async () => {
    const machine = freshHost();

    await apply(machine);

    const order = [
      '--output /run/dpubot/doca-key',
      '--show-keys',
      '--import',
      'dpubot-doca.list',
      'sourceparts',
      'doca-all',
      'openibd',
      'rshim',
    ];
    const places = order.map((words) => machine.ran.findIndex((line) => line.includes(words)));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('installs nothing and trusts nothing when the key is another one', async () => {
    const machine = freshHost();
    const params = { ...doca, keyFingerprint: 'A'.repeat(40) };

    await expect(apply(machine, { params })).rejects.toMatchObject({
      code: 'repo-key-mismatch',
      failure: { why: expect.stringContaining(pinned) },
    });

    expect(machine.ran.some((line) => line.includes('--import') || line.includes('doca-all'))).toBe(false);
    expect(machine.ran.at(-1)).toContain('rm -f /run/dpubot/doca-key');
  });

  it('accepts a file of several keys when the pinned one is among them', async () => {
    const machine = freshHost();
    machine.keys = fixture('gpg/two-keys.txt');

    await apply(machine);

    expect(machine.loaded).toBe(doca.driver);
  });

  it('refuses what is no key at all', async () => {
    const machine = freshHost();
    machine.keys = '';

    await expect(apply(machine)).rejects.toMatchObject({ code: 'repo-key-mismatch' });
  });

  it.each([
    ['/usr/bin/curl', 6, 'the name of the server could not be resolved'],
    ['/usr/bin/curl', 22, 'the server answered with an error'],
    ['/usr/bin/wget', 4, 'the network failed'],
  ])('says why %s could not fetch the key (exit %i)', async (tool, exitCode, why) => {
    const machine = freshHost();
    machine.tools = [tool, '/usr/bin/gpg'];
    machine.commands.push({ has: '/run/dpubot/doca-key https', answer: () => ({ exitCode }) });
    machine.commands.push({ has: `-O /run/dpubot/doca-key`, answer: () => ({ exitCode }) });

    await expect(apply(machine)).rejects.toMatchObject({
      code: 'download-failed',
      failure: { why: expect.stringContaining(why) },
    });
  });

  it('goes through the proxy of the profile everywhere', async () => {
    const machine = freshHost();
    const proxy = 'http://proxy.example.com:3128';

    await apply(machine, { params: { ...doca, proxy } });

    expect(machine.ran.find((line) => line.includes('curl'))).toContain(`--proxy ${proxy}`);
    const apt = machine.ran.filter((line) => line.includes('apt-get'));
    expect(apt.every((line) => line.includes(`Acquire::https::Proxy=${proxy}`))).toBe(true);
  });

  it('installs headers and gpg first where they are missing', async () => {
    const machine = freshHost();
    Object.assign(machine, { hasHeaders: false, tools: ['/usr/bin/wget', '/usr/bin/socat'] });
    machine.jobs.push({
      has: 'linux-headers-5.15.0-119-generic gnupg',
      answer: () => {
        machine.hasHeaders = true;
        return {};
      },
    });

    await apply(machine);

    expect(machine.loaded).toBe(doca.driver);
  });

  it('brings socat, which the way to the Arm needs, where it is missing', async () => {
    const machine = freshHost();
    machine.tools = ['/usr/bin/curl', '/usr/bin/gpg'];

    await apply(machine);

    expect(machine.ran.some((line) => line.endsWith('install -- socat'))).toBe(true);
  });

  it('refuses an address with a password in it, which anybody on the host could read', () => {
    const proxy = 'http://user:secret@proxy.example.com:3128';

    expect(Doca.safeParse({ ...doca, proxy }).success).toBe(false);
    expect(Doca.safeParse({ ...doca, proxy: 'http://proxy.example.com:3128' }).success).toBe(true);
  });

  it('repairs an interrupted dpkg before anything else', async () => {
    const machine = freshHost();
    machine.journal = '0000\n';

    await apply(machine);

    expect(machine.ran[0]).toContain('dpkg --force-confold --configure -a');
  });

  it('does not reload a driver that is the wanted one', async () => {
    const machine = Object.assign(freshHost(), { loaded: doca.driver });

    await apply(machine);

    expect(machine.ran.some((line) => line.includes('openibd'))).toBe(false);
  });

  it('starts rshim alone when nothing else is missing', async () => {
    const machine = Object.assign(doneHost(), { rshim: 'inactive' });

    const { seen } = await apply(machine);

    expect(seen.acts.map((act) => act.action)).toEqual(['start-rshim']);
  });

  it('loads the driver of a newer DOCA that is installed and not loaded, and installs nothing', async () => {
    const machine = freshHost();
    machine.packages.set('doca-all', installed('3.2.0-125000'));
    Object.assign(machine, { built: '25.10-1.2.8', rshim: 'active' });

    const { context } = await apply(machine);

    expect(machine.ran.filter((line) => line.startsWith('job:'))).toHaveLength(1);
    expect((await installDoca.verify?.(context, doca))?.every((verdict) => verdict.pass)).toBe(true);
  });
});

describe('install-doca: the package lock', () => {
  it('waits while somebody holds it, and says who', async () => {
    const machine = freshHost();
    machine.locks = ['991 unattended-upgr /var/lib/dpkg/lock-frontend\n', ''];

    const { seen } = await apply(machine);

    expect(seen.texts.join('\n')).toContain('held by unattended-upgr (process 991)');
    expect(machine.loaded).toBe(doca.driver);
  });

  it('gives up after ten minutes, having changed nothing', async () => {
    const machine = freshHost();
    machine.locks = ['991 unattended-upgr /var/lib/apt/lists/lock\n'];

    await expect(apply(machine)).rejects.toMatchObject({
      code: 'dpkg-locked',
      failure: { deviceState: 'unchanged', why: expect.stringContaining('unattended-upgr (process 991)') },
    });

    expect(machine.ran).toEqual([]);
  });
});

describe('install-doca: what apt and the kernel say', () => {
  it.each([
    ['sourceparts', 'apt/update-other-key.txt', 'repo-key-mismatch'],
    ['sourceparts', 'apt/update-not-found.txt', 'download-failed'],
    ['sourceparts', 'apt/update-no-network.txt', 'download-failed'],
    ['sourceparts', 'apt/update-locked.txt', 'dpkg-locked'],
    ['doca-all', 'apt/install-locked.txt', 'dpkg-locked'],
    ['doca-all', 'apt/install-unknown-package.txt', 'package-install-failed'],
    ['doca-all', 'apt/install-dkms-failed.txt', 'package-install-failed'],
  ])('%s with %s is %s', async (has, log, code) => {
    const machine = freshHost();
    machine.jobs.push({ has, answer: () => ({ exitCode: 100, stdout: fixture(log) }) });

    await expect(apply(machine)).rejects.toMatchObject({ code });

    expect(machine.loaded).toBeUndefined();
  });

  it('names the log of a module that could not be built', async () => {
    const machine = freshHost();
    const stdout = fixture('apt/install-dkms-failed.txt');
    machine.jobs.push({ has: 'doca-all', answer: () => ({ exitCode: 100, stdout }) });

    await expect(apply(machine)).rejects.toMatchObject({
      failure: { why: expect.stringContaining('/build/make.log'), deviceState: 'changed' },
    });
  });

  it('calls a disk that filled up during the installation by its name', async () => {
    const machine = freshHost();
    const stdout = "E: You don't have enough free space in /var/cache/apt/archives/.";
    machine.jobs.push({ has: 'doca-all', answer: () => ({ exitCode: 100, stdout }) });

    await expect(apply(machine)).rejects.toMatchObject({ code: 'host-disk-full', failure: { deviceState: 'changed' } });
  });

  it('passes over somebody else’s repository that fails', async () => {
    const machine = freshHost();
    machine.jobs.unshift({ has: 'update', answer: () => ({ exitCode: 100, stdout: 'E: other repository' }) });
    machine.jobs.push({ has: 'sourceparts', answer: () => ({ stdout: fixture('apt/update-own-list.txt') }) });

    await apply(machine);

    expect(machine.loaded).toBe(doca.driver);
  });

  it.each([
    ["modprobe: ERROR: could not insert 'mlx5_core': Key was rejected by service", 'Secure Boot of as7', 'mokutil'],
    ['rmmod: ERROR: Module mlx_compat is in use by: nvme_core nvme_fabrics', 'cannot be unloaded', 'restart as7'],
    ['Loading HCA driver and Access Layer: [FAILED]', 'ended with 1', 'Restart as7'],
  ])('explains a driver that does not load: %s', async (stdout, why, next) => {
    const machine = freshHost();
    machine.jobs.push({ has: 'openibd', answer: () => ({ exitCode: 1, stdout }) });

    await expect(apply(machine)).rejects.toMatchObject({
      code: 'driver-not-loaded',
      failure: { why: expect.stringContaining(why), next: expect.stringContaining(next), deviceState: 'changed' },
    });
  });

  it('does not believe a reload that ends well and leaves the old driver', async () => {
    const machine = freshHost();
    machine.jobs.push({ has: 'openibd', answer: () => ({ stdout: 'Loading HCA driver and Access Layer: [  OK  ]' }) });

    await expect(apply(machine)).rejects.toMatchObject({ code: 'driver-not-loaded' });
  });

  it('builds the module where the package did not, and says when that fails', async () => {
    const machine = freshHost();
    machine.jobs.push({ has: 'doca-all', answer: () => ({}) });
    machine.jobs.push({ has: 'dkms autoinstall', answer: () => ({ exitCode: 11, stdout: 'Error! build failed' }) });

    await expect(apply(machine)).rejects.toMatchObject({
      code: 'driver-not-loaded',
      failure: { why: expect.stringContaining('could not be built for kernel 5.15.0-119-generic') },
    });
    expect(machine.ran.some((line) => line.includes('openibd'))).toBe(false);
  });

  it('says that the profile names another driver than its repository has', async () => {
    const machine = freshHost();

    await expect(apply(machine, { params: { ...doca, driver: '24.10-3.0.0' } })).rejects.toMatchObject({
      code: 'driver-not-loaded',
      failure: { why: expect.stringContaining('does not fit its repository') },
    });
  });

  it.each<readonly [string, PackageMachine['rshim'], string]>([
    ['was brought by no package', 'not-found', 'No package brought it'],
    ['does not stay up', 'inactive', 'not active'],
  ])('says that rshim %s', async (_what, rshim, why) => {
    const machine = Object.assign(doneHost(), { rshim });
    machine.commands.push({ has: 'enable --now rshim', answer: () => ({ exitCode: 1 }) });

    await expect(apply(machine)).rejects.toMatchObject({
      code: 'rshim-not-running',
      failure: { why: expect.stringContaining(why) },
    });
  });
});

describe('install-doca: taken up again', () => {
  it('finishes once the cause is gone', async () => {
    const machine = freshHost();
    const broken = { has: 'doca-all', answer: () => ({ exitCode: 100, stdout: 'E: Sub-process failed' }) };
    machine.jobs.push(broken);
    const first = packageContext(machine);
    const observed = await installDoca.observe(first.context, doca);
    await expect(installDoca.apply?.(first.context, [], doca, observed)).rejects.toMatchObject({
      code: 'package-install-failed',
    });
    machine.jobs.splice(machine.jobs.indexOf(broken), 1);

    await apply(machine, { actions: first.seen.acts });

    expect(machine.loaded).toBe(doca.driver);
  });

  it('waits for the installation that a dead worker began, and starts no second one', async () => {
    const machine = freshHost();
    const folder = '/var/lib/dpubot/jobs/run418-doca-install-packages-as7-1';
    machine.folders.set(folder, { exitCode: 0, log: 'Setting up doca-all ...\n', isRunning: true });
    Object.assign(machine, { built: doca.driver, rshim: 'inactive' });

    const actions = [{ action: 'install-packages-1', done: false, atMs: 1 }];
    await apply(machine, { actions });

    expect(machine.ran.some((line) => line.includes('install -- doca-all'))).toBe(false);
    expect(machine.loaded).toBe(doca.driver);
  });

  it('waits for its own installation that still runs, however long that holds the package lock', async () => {
    const machine = freshHost();
    const folder = '/var/lib/dpubot/jobs/run418-doca-install-packages-as7-1';
    const job = { exitCode: 0, log: 'Setting up doca-all ...\n', isRunning: true };
    machine.folders.set(folder, job);
    machine.packages.set('doca-all', installed('2.9.2-012000', 'iU '));
    Object.assign(machine, { built: doca.driver, rshim: 'inactive' });
    const held = ['4242 apt-get /var/lib/dpkg/lock-frontend\n'];
    Object.defineProperty(machine, 'locks', { get: () => (job.isRunning ? held : ['']) });

    await apply(machine, { actions: [{ action: 'install-packages-1', done: false, atMs: 1 }] });

    expect(machine.ran.some((line) => line.includes('install -- doca-all'))).toBe(false);
    expect(machine.loaded).toBe(doca.driver);
  });

  it('has nobody else’s services restarted by an installation', async () => {
    const machine = freshHost();

    await apply(machine);

    const installations = machine.ran.filter((line) => line.includes(' install -- '));
    expect(installations.length).toBeGreaterThan(0);
    expect(installations.every((line) => line.includes('NEEDRESTART_MODE=l'))).toBe(true);
  });

  it('reloads the driver anew after an attempt that ended and did not help', async () => {
    const machine = freshHost();
    const useless = { has: 'openibd', answer: () => ({ stdout: 'Loading HCA driver and Access Layer: [  OK  ]' }) };
    machine.jobs.push(useless);
    const first = packageContext(machine);
    const observed = await installDoca.observe(first.context, doca);
    await expect(installDoca.apply?.(first.context, [], doca, observed)).rejects.toMatchObject({
      code: 'driver-not-loaded',
    });
    machine.jobs.splice(machine.jobs.indexOf(useless), 1);

    await apply(machine, { actions: first.seen.acts });

    expect(machine.ran.filter((line) => line.includes('openibd'))).toHaveLength(2);
    expect(machine.loaded).toBe(doca.driver);
  });

  it('gives a kernel that came without headers what its module is built with', async () => {
    const machine = freshHost();
    machine.packages.set('doca-all', installed('2.9.2-012000'));
    Object.assign(machine, { hasHeaders: false, rshim: 'active' });
    machine.jobs.push({
      has: 'linux-headers-5.15.0-119-generic',
      answer: () => {
        machine.hasHeaders = true;
        machine.built = doca.driver;
        return {};
      },
    });

    await apply(machine);

    expect(machine.loaded).toBe(doca.driver);
  });

  it('goes on when the host is out of reach for a moment, and gives up after five minutes', async () => {
    const moment = Object.assign(freshHost(), { silentLooks: 5 });
    const forGood = Object.assign(freshHost(), { silentLooks: 1_000 });

    await apply(moment);

    expect(moment.loaded).toBe(doca.driver);
    await expect(apply(forGood)).rejects.toMatchObject({ code: 'ssh-lost' });
  });
});
