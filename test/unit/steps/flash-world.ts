import type {
  BmcSession,
  CardRecord,
  DetachedState,
  DeviceClock,
  HostSession,
  RedfishReply,
} from '../../../src/domain/device-ports.ts';
import { DpuEntry } from '../../../src/domain/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { ActionRecord, ApplyContext } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { FlashParams } from '../../../src/steps/flash-params.ts';
import { fixture } from '../../support/fixture.ts';

export const serial = 'MT2334XZ0ABC';
export const version = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod';
const second = 1000;

export const params: FlashParams = FlashParams.parse({
  image: {
    name: 'bf-2-9-2',
    url: 'http://images.test/bf.bfb',
    sha256: 'a'.repeat(64),
    bytes: Math.round(1.41 * 1024 ** 3),
    version,
    docaVersion: '2.9.2',
    signed: true,
  },
  bmcComponents: 'skip',
  user: 'ubuntu',
  hostname: serial,
  adopt: false,
  reflash: false,
  secureBootMustBeOff: false,
});

/** What one bfb-install does: the log it writes, how long it takes, and how it ends. */
export interface Job {
  readonly log: string;
  readonly seconds: number;
  /** After so many seconds it has written all, and goes on in silence. */
  readonly writtenInSeconds?: number;
  /** `hangs`: it never ends by itself. `host-reboot`: gone without an exit file. */
  readonly ends: 'exit-0' | 'exit-1' | 'hangs' | 'host-reboot';
}

export const goodJob: Job = { log: fixture('bfb-install/success-with-pv.txt'), seconds: 600, ends: 'exit-0' };

export interface FlashWorld {
  readonly context: ApplyContext;
  readonly clock: DeviceClock & { now: number };
  readonly actions: ActionRecord[];
  /** Everything that was sent to host and BMC, in order. */
  readonly sent: string[];
  readonly snippets: string[];
  readonly progress: { readonly text: string; readonly percent?: number }[];
  readonly files: Map<string, string>;
  readonly records: Map<string, CardRecord>;
  readonly passwords: Map<string, Secret>;
  readonly pushes: () => number;
  /** Knobs. */
  readonly is: {
    jobs: Job[];
    owner: 'host' | 'bmc' | 'bmc-drop' | 'nobody' | 'in-use';
    /** Name that the driver of the host gives the device of the card. */
    device: string;
    /** What becomes true between the look of the worker and the push. */
    beforePush: () => void;
    /** Until then the BMC does not answer. */
    bmcAwayUntilMs: number;
    /** What the Arm says of itself, where a login works. */
    arm: { readonly marker: unknown; readonly release: string } | undefined;
    /** What `bash -n` thinks of the bf.cfg. */
    syntax: string;
    /** The BMC lets go of the rshim when it is asked to. */
    yields: boolean;
    otherInstaller: string;
    /** What the card does after its installation. */
    boots: 'up' | 'up-unready' | 'uefi-shell' | 'stays-in-uefi' | 'silent';
    dpuOs: string;
    secureBoot: boolean;
    /** Arm resets, counted from the PATCH, until Secure Boot is off and a system that is not signed starts. */
    resetsUntilFree: number;
    factory: boolean;
    /** Between these times the host does not answer. */
    lost: readonly [number, number];
    /** Called before each intent and after each done: may throw to end the worker there. */
    crash: (point: string) => void;
  };
}

interface Running extends Job {
  readonly startedAtMs: number;
  stopped: boolean;
}

/** One host with one card, written from what the field guide says of rshim, bfb-install and the BMC. */
export function createFlashWorld(): FlashWorld {
  const jobs = new Map<string, Running>();
  const world = {
    actions: [] as ActionRecord[],
    sent: [] as string[],
    snippets: [] as string[],
    progress: [] as { text: string; percent?: number }[],
    files: new Map<string, string>(),
    records: new Map<string, CardRecord>(),
    passwords: new Map<string, Secret>(),
    pushes: () => jobs.size,
    clock: createClock(),
    is: {
      jobs: [goodJob],
      owner: 'host',
      device: 'rshim0',
      beforePush: () => undefined,
      bmcAwayUntilMs: 0,
      arm: undefined,
      syntax: '',
      yields: true,
      otherInstaller: '',
      boots: 'up',
      dpuOs: 'bf-bundle-2.7.0-33_24.04_ubuntu-22.04_prod',
      secureBoot: false,
      resetsUntilFree: 2,
      factory: false,
      lost: [0, 0],
      crash: () => undefined,
    } as FlashWorld['is'],
  };
  const lastJob = (): Running | undefined => [...jobs.values()].at(-1);
  const installedAtMs = (): number => {
    const job = lastJob();
    return job === undefined ? Infinity : job.startedAtMs + job.seconds * second;
  };
  const host = createHost(world, jobs, installedAtMs);
  const bmc = createBmc(world, installedAtMs);
  const dpu = DpuEntry.parse({ name: 'as7-dpu0', serial, bmc: { address: '10.0.0.2' } });
  const context = {
    runId: 418,
    dpu,
    card: { dpu, serial },
    slice: { name: 'as7', recipient: 'age1test' },
    host,
    bmc: {
      login: async () => {
        if (world.clock.now < world.is.bmcAwayUntilMs)
          throw errors.bmcUnreachable({ target: 'as7-dpu0', address: '10.0.0.2' });
        const slot = world.is.factory ? 'factory' : 'current';
        return Promise.resolve({ state: 'in', slot, mustChange: false, session: bmc });
      },
      forget: () => undefined,
      noteReset: () => world.sent.push('note BMC reset'),
    },
    arm: {
      login: () => Promise.resolve(world.is.arm ? { state: 'in', session: createArm(world) } : { state: 'unpinned' }),
      publicKey: () => Promise.resolve('ssh-ed25519 AAAAC3Nz ops'),
      forget: () => world.sent.push('forget Arm'),
    },
    records: {
      get: (of: string) => Promise.resolve(world.records.get(of)),
      put: (of: string, record: CardRecord) => Promise.resolve(void world.records.set(of, record)),
    },
    credentials: createCredentials(world.passwords),
    escrow: {
      write: ({ label, secret }: { label: string; secret: Secret }) =>
        Promise.resolve(void world.passwords.set(`escrow ${label}`, secret)),
    },
    random: { bytes: (count: number) => Uint8Array.from({ length: count }, (_, index) => (index * 37 + 11) % 256) },
    clock: world.clock,
    signal: new AbortController().signal,
    actions: world.actions,
    act: createAct(world),
    progress: (sign: { text: string; percent?: number }) => Promise.resolve(void world.progress.push(sign)),
    snippet: (title: string, text: string) => Promise.resolve(void world.snippets.push(`${title}\n${text}`)),
  };
  return { ...world, context: context as unknown as ApplyContext };
}

type Inside = Omit<FlashWorld, 'context'>;

function createClock(): DeviceClock & { now: number } {
  const clock = {
    now: 1_800_000_000_000,
    nowMs: () => clock.now,
    poll: (deviceMs: number) => {
      clock.now += deviceMs;
      return Promise.resolve();
    },
    deadlineMs: (deviceMs: number) => deviceMs,
    stepLimitMs: (deviceMs: number) => deviceMs,
    wallMs: (deviceMs: number) => deviceMs,
  };
  return clock;
}

/** Journals as the engine does: a `done` belongs to the newest intent of that name. */
function createAct(world: Inside): ApplyContext['act'] {
  return async ({ name, before }, fn) => {
    world.is.crash(`before ${name}`);
    world.actions.push({ action: name, before, done: false, atMs: world.clock.now });
    world.is.crash(`in ${name}`);
    const { value } = await fn();
    world.is.crash(`after ${name}`);
    const index = world.actions.findLastIndex((act) => act.action === name);
    const known = world.actions[index];
    if (known) world.actions[index] = { ...known, done: true };
    return value;
  };
}

function createHost(world: Inside, jobs: Map<string, Running>, installedAtMs: () => number): HostSession {
  const { is, clock } = world;
  const answer = (stdout: string, exitCode = 0) => ({ stdout, stderr: '', exitCode, truncated: false, durationMs: 1 });
  const reach = (): void => {
    if (clock.now >= is.lost[0] && clock.now < is.lost[1]) throw errors.sshUnreachable({ host: 'as7', address: 'x' });
  };
  const misc = (): string => {
    const drop = is.owner === 'bmc-drop' ? fixture('rshim/list-drop-mode.txt').split('\n').slice(1).join('\n') : '';
    if (drop !== '') return drop;
    if (clock.now < installedAtMs() + 120 * second) return fixture('rshim/misc-level-0.txt');
    if (is.boots === 'up-unready') return fixture('rshim/misc-level-2-after-flash.txt').replace(/.*DPU is ready\n/, '');
    return fixture(is.boots === 'up' ? 'rshim/misc-level-2-after-flash.txt' : 'rshim/misc-level-2-uefi-only.txt');
  };
  const reads: Readonly<Record<string, () => ReturnType<typeof answer>>> = {
    'lspci BlueField-3 functions': () => answer(fixture('lspci/one-b3240.txt').replaceAll('MT2334XZ0ABC', serial)),
    'rshim devices': () => {
      if (is.owner === 'in-use') return answer('=== rshim0 busy\n');
      return answer(is.owner === 'bmc' || is.owner === 'nobody' ? '' : `=== ${is.device}\n${misc()}`);
    },
    'rshim service': () => answer('LoadState=loaded\nActiveState=active\n'),
    'running bfb-install': () => answer(is.otherInstaller, is.otherInstaller === '' ? 1 : 0),
  };
  const stateOf = (folder: string): DetachedState => {
    const job = jobs.get(folder);
    if (job === undefined) return { kind: 'absent' };
    const logBytes = written(job).length;
    const isOver = job.stopped || (job.ends !== 'hangs' && clock.now - job.startedAtMs >= job.seconds * second);
    if (!isOver) return { kind: 'running', pid: 1, logBytes };
    if (job.ends === 'host-reboot') return { kind: 'unknown', reason: 'the host was restarted while the command ran' };
    return { kind: 'exited', exitCode: job.ends === 'exit-1' ? 1 : 0, logBytes };
  };
  /** The log grows evenly; a piece may end in the middle of a line. */
  const written = (job: Running): string => {
    const part = (clock.now - job.startedAtMs) / ((job.writtenInSeconds ?? job.seconds) * second);
    return job.log.slice(0, Math.floor(job.log.length * part));
  };
  return {
    name: 'as7',
    read: async ({ name }) => {
      reach();
      const read = reads[name];
      if (read === undefined) throw new Error(`nobody answers "${name}"`);
      return Promise.resolve(read());
    },
    run: (argv, { stdin }) => {
      reach();
      const words = argv.slice(2);
      world.sent.push(words.filter((word) => !word.includes('\n') && !word.includes('"$')).join(' '));
      if (words[3] === 'dpubot-write')
        world.files.set(words[4] ?? '', String(stdin instanceof Secret ? stdin.reveal() : stdin));
      if (words[0] === 'rm') world.files.delete(words.at(-1) ?? '');
      if (words[0] === 'bash' && is.syntax !== '')
        return Promise.resolve({
          ...answer('', 2),
          stderr: `${is.syntax}${world.files.get(words.at(-1) ?? '') ?? ''}`,
        });
      if (is.yields && (words[1] === 'restart' || words.includes('FORCE_CMD 1'))) is.owner = 'host';
      return Promise.resolve(answer(''));
    },
    startDetached: (folder, argv) => {
      reach();
      const known = stateOf(folder);
      if (known.kind !== 'absent') return Promise.resolve(known);
      const [rshim = '', device = '', ...paths] = argv.slice(4);
      world.sent.push(`start ${[rshim, device, ...paths].join(' ')}`);
      is.beforePush();
      const job = refusal(is, rshim) ?? is.jobs[jobs.size] ?? goodJob;
      jobs.set(folder, { ...job, startedAtMs: clock.now, stopped: false });
      return Promise.resolve(stateOf(folder));
    },
    observeDetached: async (folder) => {
      reach();
      return Promise.resolve(stateOf(folder));
    },
    readDetachedLog: async (folder, fromByte) => {
      reach();
      const job = jobs.get(folder);
      const text = job === undefined ? '' : written(job).slice(fromByte, fromByte + 500);
      return Promise.resolve({ text, nextByte: fromByte + text.length });
    },
    stopDetached: (folder) => {
      world.sent.push('stop');
      const job = jobs.get(folder);
      if (job) job.stopped = true;
      return Promise.resolve(stateOf(folder));
    },
    upload: () => Promise.reject(new Error('nothing is sent by SFTP here')),
  };
}

/** What the script of a push says on the host instead of pushing. */
function refusal({ otherInstaller, device }: FlashWorld['is'], rshim: string): Job | undefined {
  const said =
    otherInstaller === ''
      ? `${rshim} was pcie-0000:e1:00.2 and is pcie-0000:21:00.2 now`
      : `another push runs: ${otherInstaller.trim()}`;
  return otherInstaller === '' && rshim === device
    ? undefined
    : { log: `dpubot: ${said}\n`, seconds: 1, ends: 'exit-1' };
}

function createArm({ is }: Inside): unknown {
  const files: Readonly<Record<string, unknown>> = {
    'image marker': JSON.stringify(is.arm?.marker),
    'mlnx-release': is.arm?.release,
  };
  return {
    name: 'as7-dpu0',
    read: ({ name }: { name: string }) =>
      Promise.resolve({ stdout: files[name], stderr: '', exitCode: 0, truncated: false, durationMs: 1 }),
  };
}

function createBmc(world: Inside, installedAtMs: () => number): BmcSession {
  const { is, clock } = world;
  const switches: { bmc?: boolean; host: string } = { host: 'Enabled' };
  const secure = { enable: undefined as boolean | undefined, resets: 0 };
  const system = (): unknown => {
    const sinceMs = clock.now - installedAtMs();
    if (!Number.isFinite(sinceMs)) return systemOf('On', 'OsIsRunning', 'T1');
    if (sinceMs < 30 * second) return systemOf('On', 'OsIsRunning', 'T1');
    if (is.boots === 'uefi-shell') return systemOf('Paused', 'UEFI', 'T2');
    if (is.boots === 'stays-in-uefi') return systemOf('On', 'UEFI', `T2 after ${secure.resets} resets`);
    return sinceMs < 90 * second
      ? systemOf('On', 'OsStarting', 'T3')
      : systemOf('On', 'OsIsRunning', `T4 of push ${world.pushes()}`);
  };
  const get = (path: string): unknown => {
    if (path.endsWith('/DPU_OS')) return { Version: clock.now > installedAtMs() + 150 * second ? version : is.dpuOs };
    if (path.endsWith('/SecureBoot'))
      return {
        '@odata.id': path,
        SecureBootEnable: secure.enable ?? is.secureBoot,
        SecureBootCurrentBoot: is.secureBoot ? 'Enabled' : 'Disabled',
      };
    if (path.endsWith('Bluefield_BMC/Oem/Nvidia'))
      return { BmcRShim: { BmcRShimEnabled: switches.bmc ?? is.owner.startsWith('bmc') } };
    if (path.endsWith('Systems/Bluefield/Oem/Nvidia')) return { Mode: 'DpuMode', HostRshim: switches.host };
    return system();
  };
  /** The first boot after the PATCH fetches the setting, the second runs with it. */
  const restart = (): void => {
    secure.resets += 1;
    if (secure.enable !== false || secure.resets < is.resetsUntilFree) return;
    is.secureBoot = false;
    is.boots = 'up';
  };
  const reply: RedfishReply = { status: 204, body: null, headers: {} };
  const write = (verb: string) => (path: string, body: unknown) => {
    world.sent.push(`${verb} ${path.split('/').slice(-2).join('/')} ${JSON.stringify(body)}`);
    if (JSON.stringify(body).includes('"BmcRShimEnabled":true')) switches.bmc = true;
    if (JSON.stringify(body).includes('"BmcRShimEnabled":false')) switches.bmc = false;
    if (path.endsWith('/SecureBoot')) secure.enable = false;
    if (path.endsWith('.Reset')) restart();
    return Promise.resolve(reply);
  };
  return {
    target: 'as7-dpu0',
    get: async ({ path }) => Promise.resolve(get(path)),
    patch: write('PATCH'),
    post: write('POST'),
    patchSecret: () => Promise.reject(new Error('no secret is sent to the BMC here')),
    waitTask: () => Promise.reject(new Error('no task here')),
  };
}

function systemOf(power: string, state: string, stamp: string): unknown {
  const BootProgress = { LastState: 'OEM', OemLastState: state, LastStateTime: stamp };
  return { SerialNumber: serial, PowerState: power, BootProgress };
}

function createCredentials(passwords: Map<string, Secret>): unknown {
  const nameOf = (key: { armSerial?: string }): string => (key.armSerial === undefined ? 'bmc' : 'arm');
  return {
    bmc: (key: object) =>
      Promise.resolve(
        ['pending', 'current'].flatMap((slot) => {
          const secret = passwords.get(`${nameOf(key)} ${slot}`);
          return secret === undefined ? [] : [{ slot, secret, savedAtMs: 0 }];
        }),
      ),
    savePending: (key: object, secret: Secret) => Promise.resolve(void passwords.set(`${nameOf(key)} pending`, secret)),
    promote: (key: object) => {
      const pending = passwords.get(`${nameOf(key)} pending`);
      if (pending) passwords.set(`${nameOf(key)} current`, pending);
      passwords.delete(`${nameOf(key)} pending`);
      return Promise.resolve();
    },
  };
}
