import { createHash } from 'node:crypto';
import { knownBmc } from '../../../src/domain/credential-key.ts';
import type { BmcAccess, BmcLogin, CallOptions, CardRef, CredentialSlot } from '../../../src/domain/device-ports.ts';
import type { BmcEndpoint } from '../../../src/domain/inventory.ts';
import { errors } from '../../../src/errors.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { attempt, wasRefused } from '../../../src/transport/redfish/attempt.ts';
import type { AttemptDeps, LoginMemory } from '../../../src/transport/redfish/attempt.ts';
import { probeStanding, tryLogin } from '../../../src/transport/redfish/auth.ts';
import type { BmcAuth } from '../../../src/transport/redfish/auth.ts';
import { candidate, factoryPassword, listCandidates } from '../../../src/transport/redfish/candidates.ts';
import type { Candidate } from '../../../src/transport/redfish/candidates.ts';
import type { BmcHttp } from '../../../src/transport/redfish/http.ts';
import { createRedfishSession } from '../../../src/transport/redfish/session.ts';
import type { OpenRedfishSession } from '../../../src/transport/redfish/session.ts';
import type { World } from '../engine-world.ts';

interface CardState {
  readonly memory: LoginMemory;
  pooled?: { readonly session: OpenRedfishSession; readonly one: Candidate; readonly pin: string } | undefined;
}

/**
 * Logins to the BMCs of a rack model with the sessions, tries, retries and the budget of the real transport: only its HTTPS
 * is left out, and what a fault does to a reply is done here. Time passes where a real call would have waited for it.
 */
export function createWireBmcs({ rack, stores, clock }: World): BmcAccess {
  const redactor = createRedactor();
  const random = (): number => 0.5;
  const states = new Map<string, CardState>();

  function stateOf({ dpu }: CardRef): CardState {
    const state = states.get(dpu.name) ?? { memory: { refused: new Map() } };
    states.set(dpu.name, state);
    return state;
  }

  async function endpointOf(card: CardRef): Promise<BmcEndpoint> {
    const bmc = await knownBmc(card, stores.records);
    if (bmc === undefined) throw errors.bmcAddressAuto({ target: card.dpu.name });
    return bmc;
  }

  function certificateOf({ dpu }: CardRef): string {
    const card = rack.card(dpu.name);
    const changed = rack.hasFault('bmc-cert-changed', dpu.name) ? 'another' : '';
    if (!card.bmcIsUp()) throw errors.bmcUnreachable({ target: dpu.name, address: card.addresses.bmc });
    return createHash('sha256').update(`${dpu.name} ${card.certificateGeneration()} ${changed}`).digest('hex');
  }

  function httpOf(ref: CardRef, pin: string): BmcHttp {
    const target = ref.dpu.name;
    const card = rack.card(target);
    return {
      target,
      send: async ({ method, path, headers, body }, { timeoutMs }) => {
        const request = `${method} ${path}`;
        const seen = certificateOf(ref);
        if (seen !== pin) throw errors.bmcCertChanged({ target, seen, pinned: pin });
        const lowered = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
        const answer = card.redfish({
          method,
          path,
          headers: { ...Object.fromEntries(lowered), 'content-type': 'application/json', host: card.addresses.bmc },
          body: body?.() ?? '',
        });
        if ('refused' in answer) throw errors.bmcUnreachable({ target, address: card.addresses.bmc });
        if (answer.fault === 'hang') {
          clock.advance(timeoutMs);
          throw errors.bmcTimeout({ target, request, timeoutMs, state: method === 'GET' ? 'unchanged' : 'unknown' });
        }
        if (answer.fault !== undefined) throw errors.bmcReplyLost({ target, request });
        const replied = Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]);
        await Promise.resolve();
        return { status: answer.status, headers: Object.fromEntries(replied), text: answer.body };
      },
    };
  }

  function attemptDeps(card: CardRef, http: BmcHttp, pin: string): AttemptDeps {
    return {
      target: card.dpu.name,
      tryLogin: async (password, options) => tryLogin(http, password, redactor, options),
      trusted: pin,
      budget: stores.loginBudget,
      budgetKey: card.dpu.name,
      memory: stateOf(card).memory,
      refusedForWindows: 2.5,
      clock,
      random,
    };
  }

  async function renew(deps: AttemptDeps, one: Candidate, options: CallOptions): Promise<BmcAuth> {
    const result = await attempt(deps, one, options);
    if (result.kind === 'right') return result.auth;
    if (result.kind === 'wrong') throw errors.bmcLoginRefused({ target: deps.target, tried: [one.slot] });
    throw errors.bmcLocked({ target: deps.target, untilIso: new Date(result.untilMs).toISOString() });
  }

  /** The session of an earlier login, where its password is still the one to use and the BMC still knows it. */
  async function reused(
    card: CardRef,
    pin: string,
    all: readonly Candidate[],
    options: CallOptions,
  ): Promise<BmcLogin | undefined> {
    const { pooled, memory } = stateOf(card);
    if (pooled === undefined || pooled.pin !== pin) return undefined;
    const match = all.find(({ secret }) => secret.reveal() === pooled.one.secret.reveal());
    if (match === undefined || match.slot === 'previous') return undefined;
    const [first] = all;
    if (first?.slot === 'pending' && first !== match && !wasRefused(memory, pin, first, clock.nowMs()))
      return undefined;
    const { session } = pooled;
    const standing = await probeStanding({ http: httpOf(card, pin), redactor, random, clock }, session.auth(), options);
    if (standing === 'expired') return undefined;
    return { state: 'in', slot: match.slot, mustChange: standing === 'must-change', session };
  }

  function sessionOf(
    card: CardRef,
    deps: AttemptDeps,
    http: BmcHttp,
    one: Candidate,
    auth: BmcAuth,
  ): OpenRedfishSession {
    const { memory } = stateOf(card);
    const session = createRedfishSession({
      http,
      auth,
      clock,
      redactor,
      random,
      renew: async (options) => renew(deps, one, options),
      onWrite: (path) => {
        if (path.includes('/AccountService/')) memory.refused.clear();
        if (/\/Actions\/Manager\.Reset(ToDefaults)?$/.test(path)) noteReset(card);
      },
    });
    return session;
  }

  function noteReset(card: CardRef): void {
    const { memory } = stateOf(card);
    memory.resetAtMs = clock.nowMs();
    memory.refused.clear();
  }

  return {
    fingerprint: async (card) => {
      await endpointOf(card);
      return certificateOf(card);
    },
    login: async (card, { knownOnly = false, ...options }) => {
      const bmc = await endpointOf(card);
      const pinned = await stores.pins.get('bmc-certificate', card.dpu.name);
      if (knownOnly && pinned === undefined) return { state: 'unpinned' };
      const pin = pinned ?? certificateOf(card);
      const filed = await listCandidates(stores.credentials, card, bmc, pin, factoryPassword);
      const all = pinned === undefined ? [candidate('factory', factoryPassword)] : filed;
      const reuse = await reused(card, pin, all, options);
      if (reuse !== undefined) return reuse;
      const http = httpOf(card, pin);
      const deps = attemptDeps(card, http, pin);
      const state = stateOf(card);
      const tried: CredentialSlot[] = [];
      for (const one of knownOnly ? all.filter(({ slot }) => slot === 'current') : all) {
        tried.push(one.slot);
        if (wasRefused(state.memory, pin, one, clock.nowMs())) continue;
        const result = await attempt(deps, one, options);
        if (result.kind === 'locked') return { state: 'locked', untilMs: result.untilMs };
        if (result.kind === 'wrong') continue;
        const session = sessionOf(card, deps, http, one, result.auth);
        state.pooled = { session, one, pin };
        const standing = result.mustChange
          ? 'must-change'
          : await probeStanding({ http, redactor, random, clock }, result.auth, options);
        return { state: 'in', slot: one.slot, mustChange: standing === 'must-change', session };
      }
      return pinned === undefined ? { state: 'unpinned' } : { state: 'refused', tried };
    },
    forget: (card) => {
      const state = stateOf(card);
      state.memory.refused.clear();
      state.pooled = undefined;
    },
    noteReset: (card) => {
      noteReset(card);
      stateOf(card).pooled = undefined;
    },
    close: async () => undefined,
  };
}
