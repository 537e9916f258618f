import type { BmcLogin, CommandResult, HostSession, SecretBody } from '../../../src/domain/device-ports.ts';
import { Profile } from '../../../src/domain/profile.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { ActionRecord, ApplyContext, Diff, Step } from '../../../src/domain/step.ts';
import { errors, OpsError } from '../../../src/errors.ts';
import { fixture, jsonFixture } from '../../support/fixture.ts';
import { createMemoryCredentialStore, createMemoryEscrow } from '../../support/memory/secrets.ts';
import { createFakeClock } from '../../support/rack-devices.ts';

export const serial = 'MT2334XZ0ABC';
export const oldCertificate = 'ab'.repeat(32);

const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });

/** A command that ended badly. */
export function failing(exitCode: number, stderr: string): CommandResult {
  return { ...ok(), exitCode, stderr };
}

/**
 * A host, the Arm of its card and the BMC, as small as the recoveries need them. What a line is answered with may be set
 * before a step runs; all lines, and what came on stdin, can be looked at afterwards.
 */
export class RecoverWorld {
  readonly clock = createFakeClock();
  readonly actions: ActionRecord[] = [];
  /** `arm: words` and `host: words`, without sudo; requests as `PATCH path`. */
  readonly log: string[] = [];
  readonly stdin: string[] = [];
  readonly bodies: unknown[] = [];
  readonly credentials = createMemoryCredentialStore(this.clock);
  readonly escrow = createMemoryEscrow();
  readonly pins = new Map([['bmc-certificate', oldCertificate]]);
  /** What the BMC makes of a login, one after the other, the last one for good. */
  logins: (BmcLogin['state'] | 'factory' | 'pending' | 'away' | 'cert')[] = ['in'];
  armLogin: 'in' | 'refused' = 'in';
  certificate = oldCertificate;
  /** Answers by the beginning of the line; the rest is answered with an empty success. */
  readonly answers: Record<string, CommandResult | (() => CommandResult)> = {
    'arm: uname': ok('aarch64\n'),
    'arm: ipmitool -I open lan print': ok(fixture('ipmitool/lan-print-dhcp.txt')),
    'host: lspci -D -vvv': ok(fixture('lspci/one-b3240.txt')),
    'host: lspci -D -n': ok(fixture('lspci/rshim-functions.txt')),
    'host: pgrep': failing(1, ''),
    'host: systemctl show': ok('LoadState=loaded\nActiveState=active\n'),
  };
  readonly resources: Record<string, () => unknown> = {
    '/redfish/v1/Systems/Bluefield': () => this.system(),
    '/redfish/v1/Systems/Bluefield/SecureBoot': () => ({
      '@odata.id': '/redfish/v1/Systems/Bluefield/SecureBoot',
      SecureBootEnable: this.secureBoot,
      SecureBootCurrentBoot: this.secureBoot ? 'Enabled' : 'Disabled',
      SecureBootMode: 'UserMode',
    }),
    '/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia': () => jsonFixture('redfish/manager-oem.bf24.10.txt'),
    '/redfish/v1/Systems/Bluefield/Oem/Nvidia': () => jsonFixture('redfish/oem-nvidia.bf24.10.txt'),
  };
  secureBoot = false;
  bmcSerial = serial;
  /** Boot states one look after the other, the last one for good; each reset goes through them anew. */
  boot = ['BootRom', 'OsIsRunning'];
  profile: object = {};
  certSha256: string | undefined;
  #looks = Infinity;
  #boots = 0;

  system(): unknown {
    const state = this.boot[Math.min(this.#looks, this.boot.length - 1)];
    this.#looks += 1;
    const BootProgress = { OemLastState: state, LastStateTime: `T${this.#boots}-${state}` };
    return { SerialNumber: `${this.bmcSerial}   `, PowerState: 'On', BootProgress };
  }

  context(): ApplyContext {
    const { clock, actions, credentials, escrow } = this;
    const dpu = {
      name: 'as7-dpu0',
      bmc: { address: '10.0.0.2', port: 443, ...(this.certSha256 && { certSha256: this.certSha256 }) },
    };
    const arm = this.#session('arm', 'as7-dpu0');
    const context: Partial<ApplyContext> = {
      runId: 7,
      clock,
      actions,
      credentials,
      escrow,
      signal: new AbortController().signal,
      profile: Profile.parse({ arm: { key: 'k' }, image: 'bf-2.9.2', ...this.profile }),
      host: this.#session('host', 'as7'),
      random: { bytes: (count) => Uint8Array.from({ length: count }, (_one, index) => (index * 37 + 11) % 256) },
      act: async ({ name, before }, work) => {
        const at = actions.push({ action: name, before, done: false, atMs: clock.nowMs() }) - 1;
        const { value } = await work();
        actions[at] = { action: name, before, done: true, atMs: clock.nowMs() };
        return value;
      },
      progress: () => Promise.resolve(),
      pins: {
        get: (kind) => Promise.resolve(this.pins.get(kind)),
        set: (kind, _target, sha256) => Promise.resolve(void this.pins.set(kind, sha256)),
      },
      records: { get: () => Promise.resolve(undefined), put: () => Promise.resolve() },
    };
    const armAccess = {
      login: () => Promise.resolve(this.armLogin === 'in' ? { state: 'in', session: arm } : { state: 'refused' }),
    };
    const slice = { name: 'as7', recipient: 'age1test', images: {}, entry: {} };
    const card = { slice, dpu, serial };
    const whole = { ...context, slice, card, cards: [card], dpu, bmc: this.#bmc(), arm: armAccess };
    return whole as unknown as ApplyContext;
  }

  /** As the engine carries a step out: look, decide, act, look again. Returns how that ended. */
  async carryOut(step: Step): Promise<string> {
    const context = this.context();
    const diff = await this.decide(step);
    if (diff.kind === 'refused') return diff.failure.code;
    if (diff.kind !== 'change') return diff.kind;
    try {
      const result = await step.apply?.(context, diff.changes, {}, await step.observe(context, {}));
      if (result?.kind === 'waiting') return 'waiting after the change';
      const wrong = ((await step.verify?.(context, {})) ?? []).filter((verdict) => !verdict.pass);
      return wrong.length === 0 ? 'applied' : `mismatch: ${wrong.map(({ check }) => check).join()}`;
    } catch (error) {
      return error instanceof OpsError ? error.code : String(error);
    }
  }

  async decide(step: Step): Promise<Diff> {
    const context = this.context();
    return step.diff(await step.observe(context, {}), {}, context.dpu);
  }

  #session(where: 'arm' | 'host', name: string): HostSession {
    const answer = (argv: readonly string[], stdin?: string | Secret): Promise<CommandResult> => {
      const line = `${where}: ${(argv[0] === 'sudo' ? argv.slice(2) : argv).join(' ')}`;
      this.log.push(line);
      if (stdin !== undefined) this.stdin.push(stdin instanceof Secret ? stdin.reveal() : stdin);
      const key = Object.keys(this.answers).find((start) => line.startsWith(start));
      const found = key === undefined ? undefined : this.answers[key];
      return Promise.resolve(typeof found === 'function' ? found() : (found ?? ok()));
    };
    const session: Pick<HostSession, 'name' | 'read' | 'run'> = {
      name,
      read: ({ argv }) => answer(argv),
      run: (argv, { stdin }) => answer(argv, stdin),
    };
    return session as HostSession;
  }

  #bmc(): object {
    const target = 'as7-dpu0';
    const write = (method: string, path: string, body: unknown): Promise<object> => {
      this.log.push(`${method} ${path}`);
      this.bodies.push(body);
      if (path.endsWith('ComputerSystem.Reset')) {
        this.#looks = 0;
        this.#boots += 1;
      }
      if (path.endsWith('SecureBoot')) this.secureBoot = false;
      return Promise.resolve({ status: 200, body: null, headers: {} });
    };
    const session = {
      target,
      get: ({ path }: { path: string }) => Promise.resolve(this.resources[path]?.()),
      patch: (path: string, body: unknown) => write('PATCH', path, body),
      post: (path: string, body: unknown) => write('POST', path, body),
      patchSecret: (path: string, body: SecretBody) => write('PATCH', path, body),
    };
    const login = (): Promise<object> => {
      const next = this.logins.length > 1 ? this.logins.shift() : this.logins[0];
      if (next === 'away') return Promise.reject(errors.bmcUnreachable({ target, address: '10.0.0.2' }));
      if (next === 'cert')
        return Promise.reject(errors.bmcCertChanged({ target, seen: this.certificate, pinned: oldCertificate }));
      if (next === 'refused') return Promise.resolve({ state: 'refused', tried: ['current', 'factory'] });
      if (next === 'locked') return Promise.resolve({ state: 'locked', untilMs: this.clock.nowMs() + 600_000 });
      if (next === 'unpinned') return Promise.resolve({ state: 'unpinned' });
      const slot = next === 'in' ? 'current' : next;
      return Promise.resolve({ state: 'in', slot, mustChange: slot === 'factory', session });
    };
    const fingerprint = () => Promise.resolve(this.certificate);
    return { login, fingerprint, forget: () => undefined, noteReset: () => undefined };
  }
}
