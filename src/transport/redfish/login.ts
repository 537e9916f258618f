import type {
  BmcAccess,
  BmcLogin,
  CallOptions,
  CardRecords,
  CardRef,
  CredentialSlot,
  CredentialStore,
  DeviceClock,
  LoginBudget,
  PinStore,
} from '../../domain/device-ports.ts';
import { knownBmc } from '../../domain/credential-key.ts';
import type { BmcEndpoint, HostSlice } from '../../domain/inventory.ts';
import type { Secret } from '../../domain/secret.ts';
import { errors, type OpsError } from '../../errors.ts';
import { guardAddress } from '../address-guard.ts';
import { type Call, type TransportLog, withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import type { TunnelAccess } from '../ssh/host-access.ts';
import { attempt, type AttemptDeps, wasRefused } from './attempt.ts';
import { type BmcAuth, probeStanding, tryLogin } from './auth.ts';
import { type Candidate, candidate, factoryPassword, listCandidates } from './candidates.ts';
import { type BmcHttp, createBmcHttp } from './http.ts';
import { createLoginStates, defaultConnectTimeoutMs, type LoginState } from './login-states.ts';
import { createRedfishSession, type OpenRedfishSession } from './session.ts';
import { type BmcDial, readFingerprint } from './tls.ts';

export { factoryPassword } from './candidates.ts';

export interface BmcAccessOptions {
  readonly hosts: TunnelAccess;
  readonly credentials: Pick<CredentialStore, 'bmc'>;
  readonly pins: Pick<PinStore, 'get'>;
  /** Where the addresses are that the inventory gives as `auto`. */
  readonly records: Pick<CardRecords, 'get'>;
  readonly budget: LoginBudget;
  /** The device clock of the site a host belongs to. */
  readonly clock: (slice: HostSlice) => DeviceClock;
  readonly redactor: Redactor;
  readonly factory?: Secret;
  readonly log?: TransportLog;
  readonly random?: () => number;
  readonly connectTimeoutMs?: number;
}

/** Longer than one window, so that the next window goes on with the candidates that were not reached in this one. */
const refusedForWindows = 2.5;

interface Pooled {
  readonly secret: Secret;
  /** Fingerprint of the certificate the session is bound to. */
  readonly trusted: string;
  readonly address: string;
  readonly http: BmcHttp;
  readonly session: OpenRedfishSession;
}

/**
 * Logins to DPU BMCs by the house rules: to a certificate without a pin only the factory password is sent; otherwise
 * pending, current, factory, previous, of those that exist, within 2 wrong tries per lock-out window. Sessions are kept
 * per card and reused. Resets sent through its sessions are noted by themselves. An address `auto` is looked up anew at
 * each call; unknown, it is `bmc-address-auto`.
 */
export function createBmcAccess(options: BmcAccessOptions): BmcAccess {
  const states = createLoginStates<Pooled>();

  function stateOf(card: CardRef): LoginState<Pooled> {
    return states.of(`${card.dpu.name} ${budgetKeyOf(card.slice, card.dpu.bmc)}`);
  }

  return {
    async fingerprint(card, callOptions) {
      return withCall(
        callOptions,
        () => noAnswer(card, callOptions),
        async (call) => readFingerprint(dialOf(card, await bmcOf(card, options), options), call),
      );
    },
    async login(card, callOptions) {
      const state = stateOf(card);
      return withCall(
        callOptions,
        () => noAnswer(card, callOptions),
        async (call) => {
          const release = await state.gate.acquire(call.signal);
          try {
            const bmc = await bmcOf(card, options);
            const dial = dialOf(card, bmc, options);
            const { knownOnly = false, fresh = false } = callOptions;
            if (fresh) states.drop(state);
            return await loginNow({ card, bmc, dial, state, call, options, knownOnly, drop: () => states.drop(state) });
          } finally {
            release();
          }
        },
      );
    },
    forget(card) {
      const state = stateOf(card);
      state.memory.refused.clear();
      states.drop(state);
    },
    noteReset(card) {
      const state = stateOf(card);
      noteReset(state, options.clock(card.slice));
      states.drop(state);
    },
    close: async () => states.close(),
  };
}

interface LoginContext {
  readonly card: CardRef;
  /** The BMC with its real address. */
  readonly bmc: BmcEndpoint;
  readonly dial: BmcDial;
  readonly state: LoginState<Pooled>;
  readonly call: Call;
  readonly options: BmcAccessOptions;
  readonly knownOnly: boolean;
  readonly drop: () => void;
}

async function loginNow(context: LoginContext): Promise<BmcLogin> {
  const { card, bmc, dial, state, call, options } = context;
  const { redactor, factory = factoryPassword } = options;
  const pin = card.dpu.bmc.certSha256 ?? (await options.pins.get('bmc-certificate', card.dpu.name));
  if (context.knownOnly && pin === undefined) return { state: 'unpinned' };
  const trusted = pin ?? (await readFingerprint(dial, call));
  const all =
    pin === undefined
      ? [candidate('factory', factory)]
      : await listCandidates(options.credentials, card, bmc, pin, factory);
  const candidates = context.knownOnly ? all.filter(({ slot }) => slot === 'current') : all;
  for (const { secret } of all) redactor.add(secret);
  // A session that stands costs no try, whatever password it was opened with.
  const reused = await reuse(context, trusted, all);
  if (reused !== undefined) return reused;
  if (candidates.length === 0) return { state: 'refused', tried: [] };
  context.drop();

  const http = createBmcHttp(dial, trusted, redactor);
  const deps = attemptDeps(context, http, trusted);
  const tried: CredentialSlot[] = [];
  for (const one of candidates) {
    tried.push(one.slot);
    if (wasRefused(state.memory, trusted, one, deps.clock.nowMs())) continue;
    const result = await attempt(deps, one, left(call));
    if (result.kind === 'locked') return { state: 'locked', untilMs: result.untilMs };
    if (result.kind === 'wrong') continue;
    options.log?.debug({ dpu: card.dpu.name, slot: one.slot }, 'bmc login');
    return signIn(context, { ...deps, http }, one, result);
  }
  return pin === undefined ? { state: 'unpinned' } : { state: 'refused', tried };
}

/** The pooled session, when its password is still the one to use and the BMC still knows it. */
async function reuse(
  { state, call, options, card, dial }: LoginContext,
  trusted: string,
  candidates: readonly Candidate[],
): Promise<BmcLogin | undefined> {
  const { pooled } = state;
  if (pooled === undefined || pooled.trusted !== trusted || pooled.address !== dial.address) return undefined;
  const match = candidates.find(({ secret }) => secret.reveal() === pooled.secret.reveal());
  // Superseded, or about to be: a pending password that was not tried yet decides which one is in force.
  if (match === undefined || match.slot === 'previous') return undefined;
  const nowMs = options.clock(card.slice).nowMs();
  const undecided = candidates.some(
    (one) => one.slot === 'pending' && one !== match && !wasRefused(state.memory, trusted, one, nowMs),
  );
  if (undecided) return undefined;
  const { redactor, random = Math.random } = options;
  const deps = { http: pooled.http, redactor, random, clock: options.clock(card.slice) };
  const standing = await probeStanding(deps, pooled.session.auth(), left(call));
  if (standing === 'expired') return undefined;
  return { state: 'in', slot: match.slot, mustChange: standing === 'must-change', session: pooled.session };
}

async function signIn(
  context: LoginContext,
  deps: AttemptDeps & { readonly http: BmcHttp },
  one: Candidate,
  verdict: { readonly mustChange: boolean; readonly auth: BmcAuth },
): Promise<BmcLogin> {
  const { state, call, dial, options } = context;
  const { http, trusted, clock, random } = deps;
  const { redactor } = options;
  const session = createRedfishSession({
    http,
    auth: verdict.auth,
    clock,
    redactor,
    random,
    renew: (callOptions) => renew(deps, one, callOptions),
    onWrite: (path) => {
      // A password may be about to become the right one, or a right one wrong.
      if (path.includes('/AccountService/')) state.memory.refused.clear();
      if (/\/Actions\/Manager\.Reset(ToDefaults)?$/.test(path)) noteReset(state, clock);
    },
  });
  state.pooled = { secret: one.secret, trusted, address: dial.address, http, session };
  const standing = verdict.mustChange
    ? 'must-change'
    : await probeStanding({ ...deps, redactor }, verdict.auth, left(call));
  return { state: 'in', slot: one.slot, mustChange: standing === 'must-change', session };
}

/** A new login with the password that was right before; it costs a try when it is not any more. */
async function renew(deps: AttemptDeps, one: Candidate, options: CallOptions): Promise<BmcAuth> {
  const { target } = deps;
  const result = await attempt(deps, one, options);
  if (result.kind === 'right') return result.auth;
  if (result.kind === 'locked') throw errors.bmcLocked({ target, untilIso: new Date(result.untilMs).toISOString() });
  throw errors.bmcLoginRefused({ target, tried: [one.slot] });
}

function noteReset(state: LoginState<Pooled>, clock: DeviceClock): void {
  state.memory.resetAtMs = clock.nowMs();
  state.memory.refused.clear();
}

function attemptDeps({ card, bmc, state, options }: LoginContext, http: BmcHttp, trusted: string): AttemptDeps {
  const { budget, redactor, random = Math.random } = options;
  return {
    target: card.dpu.name,
    tryLogin: (password, callOptions) => tryLogin(http, password, redactor, callOptions),
    trusted,
    budget,
    budgetKey: budgetKeyOf(card.slice, bmc),
    memory: state.memory,
    refusedForWindows,
    clock: options.clock(card.slice),
    random,
  };
}

/** Lock-outs belong to a BMC, not to a name: two entries with one address share them. */
function budgetKeyOf(slice: HostSlice, { address, port, via }: BmcEndpoint): string {
  return `${slice.site}/${via === 'host' ? `${slice.name}/` : ''}${address}:${port}`;
}

async function bmcOf(card: CardRef, options: BmcAccessOptions): Promise<BmcEndpoint> {
  const bmc = await knownBmc(card, options.records);
  if (bmc === undefined) throw errors.bmcAddressAuto({ target: card.dpu.name });
  return bmc;
}

function dialOf({ slice, dpu }: CardRef, bmc: BmcEndpoint, options: BmcAccessOptions): BmcDial {
  const { address, port, via } = bmc;
  guardAddress({ simulated: slice.simulated, name: dpu.name }, address);
  const openStream = (call: Call) => options.hosts.openTunnel(slice, address, port, left(call));
  return {
    target: dpu.name,
    address,
    port,
    connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    openStream: via === 'host' ? openStream : undefined,
  };
}

function left(call: Call): CallOptions {
  return { timeoutMs: Math.max(1, call.remainingMs()), signal: call.signal };
}

function noAnswer({ dpu }: CardRef, { timeoutMs }: CallOptions): OpsError {
  return errors.bmcTimeout({ target: dpu.name, request: 'the login', timeoutMs, state: 'unchanged' });
}
