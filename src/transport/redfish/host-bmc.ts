import type {
  BmcSession,
  CallOptions,
  CredentialStore,
  DeviceClock,
  HostBmcAccess,
  LoginBudget,
} from '../../domain/device-ports.ts';
import type { HostBmcEndpoint, HostSlice } from '../../domain/inventory.ts';
import { errors, type OpsError } from '../../errors.ts';
import { guardAddress } from '../address-guard.ts';
import { type Call, type TransportLog, withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import { attempt, type AttemptDeps, noteRefusal, refusedUntilMs } from './attempt.ts';
import { type BmcAuth, logout } from './auth.ts';
import { type Candidate, candidate } from './candidates.ts';
import { findSessions, slashTolerant, tryHostLogin } from './host-bmc-login.ts';
import { type BmcHttp, createBmcHttp } from './http.ts';
import { createLoginStates, defaultConnectTimeoutMs, type LoginState, logoutTimeoutMs } from './login-states.ts';
import { countdown } from './retry.ts';
import { createRedfishSession, type OpenRedfishSession } from './session.ts';

export interface HostBmcAccessOptions {
  readonly credentials: Pick<CredentialStore, 'named'>;
  /** Shared with the logins to DPU BMCs: wrong tries of all workers count together. */
  readonly budget: LoginBudget;
  /** The device clock of the site a host belongs to. */
  readonly clock: (slice: HostSlice) => DeviceClock;
  readonly redactor: Redactor;
  readonly log?: TransportLog;
  readonly random?: () => number;
  readonly connectTimeoutMs?: number;
}

interface Pooled {
  /** Of the password that made the session. */
  readonly candidateId: string;
  readonly session: OpenRedfishSession;
}

/** One account of one controller, ready for a login. */
interface Account {
  readonly slice: HostSlice;
  readonly bmc: HostBmcEndpoint;
  readonly state: LoginState<Pooled>;
  readonly one: Candidate;
  readonly http: BmcHttp;
  readonly redactor: Redactor;
  readonly deps: Omit<AttemptDeps, 'tryLogin'>;
}

/**
 * Redfish of the management controllers of hosts (iDRAC, iLO ...), for power. Not a byte is sent to a certificate other
 * than the pinned one. The password is tried once; refused, it is `host-bmc-login-refused` and not sent again for 10
 * minutes of device time, unless another one was imported; `bmc-locked` when the tries of all workers are used up.
 * Sessions are kept per controller and reused. `close` ends them.
 */
export function createHostBmcAccess(options: HostBmcAccessOptions): HostBmcAccess & { close(): Promise<void> } {
  const states = createLoginStates<Pooled>();

  async function openNow(
    slice: HostSlice,
    bmc: HostBmcEndpoint,
    state: LoginState<Pooled>,
    call: Call,
  ): Promise<BmcSession> {
    const password = await options.credentials.named(bmc.password);
    const one = candidate('current', password);
    if (state.pooled?.candidateId === one.id) return state.pooled.session;
    states.drop(state);
    const account = accountOf({ slice, bmc, state, one }, options);
    const auth = await login(account, { timeoutMs: Math.max(1, call.remainingMs()), signal: call.signal });
    options.log?.debug({ host: slice.name, auth: auth.kind }, 'host bmc login');
    state.pooled = { candidateId: one.id, session: sessionFor(account, auth) };
    return state.pooled.session;
  }

  return {
    async open(slice, callOptions) {
      const { bmc } = slice.entry;
      if (bmc === undefined) return undefined;
      guardAddress({ simulated: slice.simulated, name: slice.name }, bmc.address);
      const id = `${slice.name} ${budgetKeyOf(slice, bmc)} ${bmc.user} ${bmc.certSha256}`;
      const state = states.of(id);
      return withCall(
        callOptions,
        () => noAnswer(slice, callOptions),
        async (call) => {
          const release = await state.gate.acquire(call.signal);
          try {
            return await openNow(slice, bmc, state, call);
          } finally {
            release();
          }
        },
      );
    },
    close: async () => states.close(),
  };
}

function accountOf(parts: Pick<Account, 'slice' | 'bmc' | 'state' | 'one'>, options: HostBmcAccessOptions): Account {
  const { slice, bmc, state } = parts;
  const { budget, redactor, random = Math.random, connectTimeoutMs = defaultConnectTimeoutMs } = options;
  const dial = { target: slice.name, address: bmc.address, port: bmc.port, connectTimeoutMs };
  const http = slashTolerant(createBmcHttp(dial, bmc.certSha256, redactor));
  const deps = {
    target: slice.name,
    trusted: bmc.certSha256,
    budget,
    budgetKey: budgetKeyOf(slice, bmc),
    memory: state.memory,
    refusedForWindows: 1,
    clock: options.clock(slice),
    random,
  };
  return { ...parts, http, redactor, deps };
}

/** One try, unless this password was refused a short while ago. */
async function login(account: Account, options: CallOptions): Promise<BmcAuth> {
  const { slice, bmc, one, http, redactor, deps } = account;
  const left = countdown(options);
  throwIfRefused(account);
  const sessions = await findSessions({ ...deps, http, redactor }, left());
  const tryLogin: AttemptDeps['tryLogin'] = (password, callOptions) =>
    tryHostLogin(http, { user: bmc.user, sessions }, password, redactor, callOptions);
  const result = await attempt({ ...deps, tryLogin }, one, left());
  if (result.kind === 'locked')
    throw errors.bmcLocked({ target: slice.name, untilIso: new Date(result.untilMs).toISOString() });
  if (result.kind === 'wrong') throw refused(account);
  if (!result.mustChange) return result.auth;
  await logout(http, result.auth, { ...options, timeoutMs: logoutTimeoutMs }).catch(() => undefined);
  throw errors.hostBmcLoginRefused({
    host: slice.name,
    user: bmc.user,
    credential: bmc.password,
    why: 'The controller accepts its password only to have it changed, which dpubot does not do.',
  });
}

function sessionFor(account: Account, auth: BmcAuth): OpenRedfishSession {
  const { http, redactor, deps } = account;
  return createRedfishSession({
    http: auth.kind === 'password' ? refusalAware(account) : http,
    auth,
    clock: deps.clock,
    redactor,
    random: deps.random,
    renew: (callOptions) => login(account, callOptions),
    onWrite: () => undefined,
  });
}

/** Basic authentication tries the password with each request: once refused, it is not sent any more. */
function refusalAware(account: Account): BmcHttp {
  const { http, one, deps } = account;
  return {
    target: http.target,
    async send(request, options) {
      throwIfRefused(account);
      const reply = await http.send(request, options);
      if (reply.status !== 401) return reply;
      await noteRefusal(deps, one);
      throw refused(account);
    },
  };
}

function throwIfRefused(account: Account): void {
  const { state, one, deps } = account;
  if (refusedUntilMs(state.memory, deps.trusted, one) > deps.clock.nowMs()) throw refused(account);
}

function refused({ slice, bmc, state, one, deps }: Account): OpsError {
  const untilIso = new Date(refusedUntilMs(state.memory, deps.trusted, one)).toISOString();
  return errors.hostBmcLoginRefused({
    host: slice.name,
    user: bmc.user,
    credential: bmc.password,
    why: `The password in the credential "${bmc.password}" is not accepted there. It was tried once and is not sent again before ${untilIso}, so that the account is not locked.`,
  });
}

/** Lock-outs belong to a controller, not to a name. */
function budgetKeyOf(slice: HostSlice, { address, port }: HostBmcEndpoint): string {
  return `${slice.site}/${address}:${port}`;
}

function noAnswer(slice: HostSlice, { timeoutMs }: CallOptions): OpsError {
  return errors.bmcTimeout({ target: slice.name, request: 'the login', timeoutMs, state: 'unchanged' });
}
