import type { CommandResult, DetachedState, HostSession } from '../../src/domain/device-ports.ts';
import type { ActionRecord, ApplyContext } from '../../src/domain/step.ts';
import { Secret } from '../../src/domain/secret.ts';
import { errors } from '../../src/errors.ts';
import { fixture } from './fixture.ts';
import { createFakeClock } from './rack-devices.ts';

/** What a job or command answers, and what it leaves changed. */
export interface Answer {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** An Ubuntu machine, as far as package steps see it: settings may be changed by a test or by what is run. */
export interface PackageMachine {
  readonly name: string;
  osRelease: string;
  uname: string;
  loaded: string | undefined;
  built: string | undefined;
  packages: Map<string, { version: string; state: string }>;
  journal: string;
  rshim: 'active' | 'inactive' | 'not-found';
  hasHeaders: boolean;
  freeBytes: number;
  sourceList: string | undefined;
  tools: string[];
  keys: string;
  /** Answers of lslocks, one a look; the last one stays. */
  locks: string[];
  tailscale: 'missing' | 'down' | 'NeedsLogin' | 'NeedsMachineAuth' | 'Stopped' | 'Running' | 'Starting';
  /** A command of a job, by what its words contain: answer and effect. The last one that fits counts. */
  readonly jobs: { has: string; answer: () => Answer }[];
  /** The same for commands that are run at once. */
  readonly commands: { has: string; answer: (stdin: string) => Answer }[];
  /** Everything that was run or started, in order, and the folders of jobs. */
  readonly ran: string[];
  readonly folders: Map<string, { exitCode: number; log: string; isRunning?: boolean }>;
  /** How many further looks at a job get no answer. */
  silentLooks: number;
}

export function createPackageMachine(name = 'as7'): PackageMachine {
  return {
    name,
    osRelease: 'ID=ubuntu\nVERSION_ID="22.04"\n',
    uname: '5.15.0-119-generic x86_64\n',
    loaded: undefined,
    built: '5.15',
    packages: new Map([['base-files', { version: '12ubuntu4.7', state: 'ii ' }]]),
    journal: '',
    rshim: 'not-found',
    hasHeaders: true,
    freeBytes: 200 * 1024 ** 3,
    sourceList: undefined,
    tools: ['/usr/bin/curl', '/usr/bin/gpg', '/usr/bin/socat'],
    keys: fixture('gpg/one-key.txt'),
    locks: [''],
    tailscale: 'missing',
    jobs: [],
    commands: [],
    ran: [],
    folders: new Map(),
    silentLooks: 0,
  };
}

function result(answer: Answer): CommandResult {
  return { stdout: '', stderr: '', exitCode: 0, ...answer, truncated: false, durationMs: 1 };
}

function file(content: string | undefined): Answer {
  if (content !== undefined) return { stdout: content };
  return { exitCode: 1, stderr: 'cat: FILE: No such file or directory\n' };
}

function tailscaleAnswer(machine: PackageMachine): Answer {
  switch (machine.tailscale) {
    case 'missing':
      return { exitCode: 127, stderr: 'bash: line 1: tailscale: command not found\n' };
    case 'down':
      return { exitCode: 1, stderr: "failed to connect to local tailscaled; it doesn't appear to be running\n" };
    case 'NeedsLogin':
      return { stdout: fixture('tailscale/needs-login.txt') };
    case 'Running':
      return { stdout: fixture('tailscale/running.txt') };
    case 'NeedsMachineAuth':
    case 'Starting':
    case 'Stopped':
      return { stdout: JSON.stringify({ BackendState: machine.tailscale, TailscaleIPs: null, Self: {} }) };
  }
}

/** Answers of the reads that package steps make, by the words of the command. */
function read(machine: PackageMachine, words: string): Answer {
  const reads: Readonly<Record<string, () => Answer>> = {
    'uname -r -m': () => ({ stdout: machine.uname }),
    'cat /etc/os-release': () => ({ stdout: machine.osRelease }),
    'cat /sys/module/mlx5_core/version': () => file(machine.loaded === undefined ? undefined : `${machine.loaded}\n`),
    'modinfo -F version mlx5_core': () =>
      machine.built === undefined
        ? { exitCode: 1, stderr: 'modinfo: ERROR: Module mlx5_core not found.\n' }
        : { stdout: `${machine.built}\n` },
    'dpkg --audit': () => ({
      stdout: [...machine.packages]
        .flatMap(([name, { state }]) => (/^.[UF]/.test(state) ? [` ${name}  text\n`] : []))
        .join(''),
    }),
    'ls -A /var/lib/dpkg/updates': () => ({ stdout: machine.journal }),
    'which curl wget gpg': () => ({ stdout: machine.tools.map((tool) => `${tool}\n`).join(''), exitCode: 1 }),
  };
  const exact = reads[words];
  if (exact !== undefined) return exact();
  if (words.startsWith('dpkg-query -W'))
    return {
      stdout: [...machine.packages].map(([name, { version, state }]) => `${name}\t${version}\t${state}\n`).join(''),
    };
  if (words.startsWith('systemctl show rshim'))
    return machine.rshim === 'not-found'
      ? { stdout: 'LoadState=not-found\nActiveState=inactive\n' }
      : { stdout: `LoadState=loaded\nActiveState=${machine.rshim}\n` };
  if (words.startsWith('test -e /lib/modules/')) return { exitCode: machine.hasHeaders ? 0 : 1 };
  if (words.startsWith('df -B1')) return { stdout: `Avail\n${machine.freeBytes}\n${machine.freeBytes}\n` };
  if (words.startsWith('cat /etc/apt/sources.list.d/')) return file(machine.sourceList);
  if (words.includes('lslocks'))
    return { stdout: (machine.locks.length > 1 ? machine.locks.shift() : machine.locks[0]) ?? '' };
  if (words === 'socat -V')
    return machine.tools.includes('/usr/bin/socat') ? { stdout: 'socat version 1.7.4.1\n' } : { exitCode: 127 };
  if (words.includes('/dev/rshim')) return { stdout: '' };
  if (words.startsWith('tailscale status')) return tailscaleAnswer(machine);
  throw new Error(`the machine has no answer to: ${words}`);
}

function run(machine: PackageMachine, words: string, stdin: string): Answer {
  const special = machine.commands.findLast((entry) => words.includes(entry.has));
  if (special !== undefined) return special.answer(stdin);
  if (words.includes('--show-keys')) return { stdout: machine.keys, exitCode: machine.keys === '' ? 2 : 0 };
  if (words.includes('enable --now rshim')) {
    machine.rshim = 'active';
    return {};
  }
  if (words.includes('enable --now tailscaled')) {
    machine.tailscale = 'NeedsLogin';
    return {};
  }
  return {};
}

/** A session on the machine. A job ends at the second look at it. */
export function packageSession(machine: PackageMachine): HostSession {
  const look = (folder: string): DetachedState => {
    const job = machine.folders.get(folder);
    if (job === undefined) return { kind: 'absent' };
    if (job.isRunning === true) {
      job.isRunning = false;
      return { kind: 'running', pid: 7, logBytes: Buffer.byteLength(job.log) };
    }
    return { kind: 'exited', exitCode: job.exitCode, logBytes: Buffer.byteLength(job.log) };
  };
  return {
    name: machine.name,
    read: (command) => Promise.resolve(result(read(machine, command.argv.join(' ')))),
    run: (argv, options) => {
      machine.ran.push(argv.join(' '));
      const stdin = options.stdin instanceof Secret ? options.stdin.reveal() : (options.stdin ?? '');
      return Promise.resolve(result(run(machine, argv.join(' '), stdin)));
    },
    startDetached: (folder, argv, options) => {
      if (options.asRoot !== true) throw new Error('a package job was started without root');
      if (!machine.folders.has(folder)) {
        machine.ran.push(`job: ${argv.join(' ')}`);
        const answer = machine.jobs.findLast((job) => argv.join(' ').includes(job.has))?.answer() ?? {};
        const log = `${answer.stdout ?? 'done'}\n`;
        machine.folders.set(folder, { exitCode: answer.exitCode ?? 0, log, isRunning: true });
      }
      return Promise.resolve(look(folder));
    },
    observeDetached: (folder) => {
      if (machine.silentLooks > 0) {
        machine.silentLooks -= 1;
        return Promise.reject(errors.sshLost({ host: machine.name, command: 'look' }));
      }
      return Promise.resolve(look(folder));
    },
    readDetachedLog: (folder, fromByte) => {
      const text = Buffer.from(machine.folders.get(folder)?.log ?? '')
        .subarray(fromByte)
        .toString();
      return Promise.resolve({ text, nextByte: fromByte + Buffer.byteLength(text) });
    },
    stopDetached: () => Promise.reject(new Error('package jobs are never stopped')),
    upload: () => Promise.reject(new Error('nothing is sent')),
  };
}

/** What a context saw: texts of progress, snippets, and the acts as a journal would have them. */
export interface SeenContext {
  readonly acts: ActionRecord[];
  readonly texts: string[];
}

/** A context of the engine around the machine. `actions`: acts of this run from before. */
export function packageContext(
  machine: PackageMachine,
  actions: readonly ActionRecord[] = [],
): { readonly context: ApplyContext; readonly seen: SeenContext; readonly clock: ReturnType<typeof createFakeClock> } {
  const seen: SeenContext = { acts: [], texts: [] };
  const clock = createFakeClock();
  const session = packageSession(machine);
  const context: Partial<ApplyContext> = {
    runId: 418,
    clock,
    signal: new AbortController().signal,
    actions,
    host: session,
    act: async ({ name }, work) => {
      const entry = { action: name, done: false, atMs: clock.nowMs() };
      seen.acts.push(entry);
      const { evidence, value } = await work();
      seen.acts[seen.acts.indexOf(entry)] = { ...entry, done: true };
      seen.texts.push(evidence);
      return value;
    },
    progress: (sign) => {
      seen.texts.push(`${sign.text}: ${sign.lastLine ?? ''}`);
      return Promise.resolve();
    },
    snippet: (title, text) => {
      seen.texts.push(`${title}: ${text}`);
      return Promise.resolve();
    },
  };
  const others = {
    slice: { name: machine.name, entry: { dpus: [{ name: 'as7-dpu0' }] } },
    card: { serial: 'MT2306XZ00CX' },
    dpu: { name: 'as7-dpu0' },
    arm: { login: () => Promise.resolve({ state: 'in', session }) },
    credentials: { named: (ref: string) => Promise.resolve(new Secret(`tskey-auth-${ref}`)) },
  };
  return { context: { ...context, ...others } as unknown as ApplyContext, seen, clock };
}
