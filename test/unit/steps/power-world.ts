import type { BmcSession, CardRef, CommandResult, HostSession } from '../../../src/domain/device-ports.ts';
import { DpuEntry, HostEntry } from '../../../src/domain/inventory.ts';
import type { HostSlice } from '../../../src/domain/inventory.ts';
import { Profile } from '../../../src/domain/profile.ts';
import type { ActionRecord, ApplyContext } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { fixture } from '../../support/fixture.ts';
import { createFakeClock } from '../../support/rack-devices.ts';

/** Thrown where a worker dies. */
export class Death extends Error {}

const resetPath = '/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset';

/**
 * A host with a BMC and one card, from field-guide 4.2 and 9.2: power states, boot ids, firmware that is taken over only when
 * the slot loses its power. Time passes only while somebody waits.
 */
export class PowerWorld {
  readonly clock = createFakeClock();
  readonly actions: ActionRecord[] = [];
  readonly posts: string[] = [];
  readonly forgotten: string[] = [];
  power = 'On';
  bootId = '00000000-0000-0000-0000-000000000001';
  firmware = { running: '32.39.2048', staged: '32.43.1014' };
  engine = { current: 'ENABLED(0)', next: 'ENABLED(0)' };
  /** What the second card holds, which the run does not name; undefined: its slot is empty. */
  otherEngine: PowerWorld['engine'] | undefined;
  resetTypes = ['On', 'ForceOff', 'GracefulShutdown', 'PowerCycle'];
  /** Faults. */
  ignoresGraceful = false;
  ignoresForceOff = false;
  slotKeepsPower = false;
  /** What `pgrep -af bfb-install` shows. */
  installers: readonly string[] = [];
  neverBoots = false;
  cardState = 'OsIsRunning';
  cardStaysDown = false;
  /** Dies right before or after that act, once. */
  dieAt: string | undefined;
  #sshFromMs = 0;
  #cardFromMs = 0;
  #offAtMs = Infinity;
  #boots = 1;

  readonly slice: HostSlice;

  constructor(options: { readonly hostBmc?: boolean } = {}) {
    const bmc = { address: '127.0.0.9', password: 'idrac', certSha256: 'ab'.repeat(32) };
    const dpus = ['as7-dpu0', 'as7-dpu1'].map((name) => DpuEntry.parse({ name, bmc: { address: '127.0.0.1' } }));
    const entry = HostEntry.parse({
      site: 's',
      rack: 'r',
      ssh: { address: '127.0.0.1', key: 'ops', hostKeys: [`SHA256:${'A'.repeat(43)}`] },
      ...(options.hostBmc === false ? {} : { bmc }),
      dpus,
    });
    this.slice = {
      name: 'as7',
      site: 's',
      simulated: false,
      recipient: 'age1',
      entry,
      profiles: {},
      hostProfile: Profile.parse({}),
      images: {},
    };
  }

  /** The context a step gets; `bmc` and `host` answer as the world stands at that moment. */
  context(): ApplyContext {
    const [dpu] = this.slice.entry.dpus;
    if (dpu === undefined) throw new Error('a host without cards');
    const card: CardRef = { slice: this.slice, dpu, serial: 'MT2334XZ0ABC' };
    const context: Partial<ApplyContext> = {
      runId: 7,
      slice: this.slice,
      card,
      dpu,
      cards: [card],
      host: this.#host(),
      bmc: {
        ...({} as ApplyContext['bmc']),
        login: async () => ({ state: 'in', slot: 'current', mustChange: false, session: this.#dpuBmc() }),
        forget: (one) => void this.forgotten.push(one.dpu.name),
        noteReset: () => undefined,
      },
      arm: { ...({} as ApplyContext['arm']), forget: () => undefined },
      hostBmc: {
        open: async () => (this.slice.entry.bmc === undefined ? undefined : this.#hostBmc()),
      },
      records: { get: async () => undefined, put: async () => undefined },
      clock: this.clock,
      signal: new AbortController().signal,
      actions: this.actions,
      progress: async () => undefined,
      act: async ({ name, before }, work) => {
        this.actions.push({ action: name, ...(before === undefined ? {} : { before }), done: false, atMs: 0 });
        this.#mayDie(`before ${name}`);
        const { value } = await work();
        this.#mayDie(`after ${name}`);
        const last = this.actions.length - 1;
        this.actions[last] = { action: name, ...(before === undefined ? {} : { before }), done: true, atMs: 0 };
        return value;
      },
    };
    return context as ApplyContext;
  }

  #mayDie(point: string): void {
    if (this.dieAt !== point) return;
    this.dieAt = undefined;
    throw new Death(point);
  }

  #now(): number {
    const nowMs = this.clock.nowMs();
    if (this.power === 'On' && nowMs >= this.#offAtMs) this.#goOff();
    return nowMs;
  }

  #goOff(): void {
    this.power = 'Off';
    this.#offAtMs = Infinity;
    if (this.slotKeepsPower) return;
    this.firmware = { running: this.firmware.staged, staged: this.firmware.staged };
    this.engine = { current: this.engine.next, next: this.engine.next };
  }

  #goOn(): void {
    this.power = 'On';
    this.#boots += 1;
    this.bootId = `00000000-0000-0000-0000-00000000000${this.#boots}`;
    this.#sshFromMs = this.neverBoots ? Infinity : this.clock.nowMs() + 120_000;
    this.#cardFromMs = this.cardStaysDown ? Infinity : this.clock.nowMs() + 200_000;
  }

  #host(): HostSession {
    const read = async (argv: readonly string[]): Promise<CommandResult> => {
      const nowMs = this.#now();
      if (this.power !== 'On' || nowMs < this.#sshFromMs) throw errors.sshUnreachable({ host: 'as7', address: 'a' });
      // pgrep(1): exit code 1 where nothing matches.
      if (argv.includes('pgrep'))
        return {
          stdout: this.installers.join('\n'),
          stderr: '',
          exitCode: this.installers.length === 0 ? 1 : 0,
          truncated: false,
          durationMs: 1,
        };
      const text = this.#output(argv.join(' '));
      return { stdout: text, stderr: '', exitCode: 0, truncated: false, durationMs: 1 };
    };
    const host: Partial<HostSession> = { name: 'as7', read: ({ argv }) => read(argv), run: (argv) => read(argv) };
    return host as HostSession;
  }

  #output(line: string): string {
    if (line.includes('boot_id')) return `${this.bootId}\n`;
    if (line.includes('lspci'))
      return fixture(this.otherEngine === undefined ? 'lspci/one-b3240.txt' : 'lspci/two-cards-older-pciutils.txt');
    if (line.includes('flint')) {
      const { running, staged } = this.firmware;
      const extra = running === staged ? '' : `FW Version(Running):   ${running}\n`;
      return `FW Version:            ${staged}\n${extra}`;
    }
    if (line.includes(' set ')) {
      this.engine = { ...this.engine, next: line.includes('OFFLOAD_ENGINE=1') ? 'DISABLED(1)' : 'ENABLED(0)' };
      return 'Applying... Done!\n-I- Please reboot machine to load new configurations.\n';
    }
    const { current, next } = line.includes('21:00.0') ? (this.otherEngine ?? this.engine) : this.engine;
    return [
      'Configurations:        Default         Current         Next Boot',
      `  INTERNAL_CPU_OFFLOAD_ENGINE  ENABLED(0) ${current} ${next}`,
      '  INTERNAL_CPU_MODEL  EMBEDDED_CPU(1) EMBEDDED_CPU(1) EMBEDDED_CPU(1)',
    ].join('\n');
  }

  #hostBmc(): BmcSession {
    const session: Partial<BmcSession> = {
      target: 'as7 (host BMC)',
      get: async ({ path }) => {
        this.#now();
        if (path === '/redfish/v1/Systems')
          return { Members: [{ '@odata.id': '/redfish/v1/Systems/System.Embedded.1' }] };
        const action = { target: resetPath, 'ResetType@Redfish.AllowableValues': this.resetTypes };
        return { PowerState: this.power, Model: 'PowerEdge R760', Actions: { '#ComputerSystem.Reset': action } };
      },
      post: async (path, body) => {
        const { ResetType: type } = body as { ResetType: string };
        if (path !== resetPath) throw new Error(`unexpected ${path}`);
        this.posts.push(type);
        if (type === 'GracefulShutdown' && !this.ignoresGraceful) this.#offAtMs = this.clock.nowMs() + 40_000;
        if (type === 'ForceOff' && !this.ignoresForceOff) this.#goOff();
        if (type === 'On') this.#goOn();
        if (type === 'PowerCycle') {
          this.#goOff();
          this.#goOn();
        }
        return { status: 204, body: null, headers: {} };
      },
    };
    return session as BmcSession;
  }

  #dpuBmc(): BmcSession {
    const session: Partial<BmcSession> = {
      target: 'as7-dpu0',
      get: async () => {
        if (this.power !== 'On') throw errors.bmcUnreachable({ target: 'as7-dpu0', address: 'a' });
        const state = this.clock.nowMs() < this.#cardFromMs ? 'UEFI' : this.cardState;
        return { SerialNumber: 'MT2334XZ0ABC', PowerState: 'On', BootProgress: { OemLastState: state } };
      },
    };
    return session as BmcSession;
  }
}
