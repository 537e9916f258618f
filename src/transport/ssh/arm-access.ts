import type { ArmAccess } from '../../domain/arm-ports.ts';
import type { CardRef, HostAccess, PinStore } from '../../domain/device-ports.ts';
import type { ArmAccount } from '../../domain/profile.ts';
import type { Secret } from '../../domain/secret.ts';
import { errors, OpsError } from '../../errors.ts';
import { type TransportLog, withCall } from '../call.ts';
import { createConsoles } from '../console/console.ts';
import type { Pace } from '../console/dialogue.ts';
import type { Redactor } from '../redact.ts';
import { createPasswordConnections } from './arm-connections.ts';
import { type ArmLoginDeps, loginByKey, loginByPassword } from './arm-login.ts';
import { publicKeyLine } from './arm-public-key.ts';
import { armHop, defaultRoute } from './arm-route.ts';
import { type ProcessAccess, sshLimits, type TunnelAccess } from './host-access.ts';
import { createPool, type PoolOptions } from './pool.ts';

export interface ArmAccessOptions {
  readonly hosts: HostAccess & TunnelAccess & ProcessAccess;
  /** Gives the private key that the profile names; throws `credential-missing`. */
  readonly key: (ref: string) => Promise<Secret>;
  readonly pins: Pick<PinStore, 'get'>;
  readonly redactor: Redactor;
  readonly log?: TransportLog;
  readonly limits?: Partial<Omit<PoolOptions, 'key' | 'log' | 'maxChannels'>>;
  /** Longest wait for an answer in a dialogue about a password, and for the first command of a login. */
  readonly answerMs?: number;
  /** How fast is typed at a serial console. */
  readonly consolePace?: Pace;
}

const defaultAnswerMs = 15_000;
/** OpenSSH's MaxSessions is 10. */
const maxChannels = 8;
/** The Arm is not there now, for a reason that may pass. */
const notThere: ReadonlySet<string> = new Set(['ssh-unreachable', 'ssh-lost', 'ssh-timeout', 'sudo-refused']);

/** SSH to the Arms of cards, pinned by card; consoles. Every secret it is given is known to the redactor from then on. */
export function createArmAccess(options: ArmAccessOptions): ArmAccess {
  const { hosts, redactor, log, answerMs = defaultAnswerMs } = options;
  const limits = { ...sshLimits, ...options.limits, maxChannels };
  const key = async (ref: string): Promise<Secret> => {
    const secret = await options.key(ref);
    redactor.add(secret);
    return secret;
  };
  const pool = createPool({ ...limits, key, log });
  const byPassword = createPasswordConnections();
  const deps: ArmLoginDeps = { pool, byPassword, redactor, log, limits, answerMs };
  const consoles = createConsoles({ hosts, redactor, pace: options.consolePace });

  return {
    async login(card, { route = defaultRoute(card), ...callOptions }) {
      const account = accountOf(card);
      const hostKey = await options.pins.get('ssh-host-key', card.dpu.name);
      if (hostKey === undefined) return { state: 'unpinned' };
      const hop = armHop(card, route, hosts, { ...account, hostKey });
      const onTimeout = (): Error => tooSlow(hop.host, `${hop.endpoint.address}:${hop.endpoint.port}`);
      try {
        return await withCall(callOptions, onTimeout, async (call) =>
          loginByKey(deps, card, hop, { timeoutMs: call.remainingMs(), signal: call.signal }),
        );
      } catch (error) {
        if (!(error instanceof OpsError)) throw error;
        if (error.code === 'ssh-auth-failed') return { state: 'refused' };
        if (notThere.has(error.code)) return { state: 'unreachable', failure: error.failure };
        throw error;
      }
    },
    async loginWithPassword(card, attempt, callOptions) {
      redactor.add(attempt.password);
      redactor.add(attempt.newPassword);
      const hop = armHop(card, attempt.route, hosts, { ...attempt, key: 'a password' });
      const onTimeout = (): Error => tooSlow(hop.host, `${hop.endpoint.address}:${hop.endpoint.port}`);
      return withCall(callOptions, onTimeout, async (call) => loginByPassword(deps, card, hop, attempt, call));
    },
    async publicKey(card) {
      const account = accountOf(card);
      return publicKeyLine(card.dpu.name, account.key, await key(account.key));
    },
    console: async (card, device, callOptions) => consoles.open(card, device, callOptions),
    forget(card) {
      pool.drop(card.dpu.name);
      byPassword.drop(card);
    },
    async close() {
      await consoles.close();
      byPassword.close();
      await pool.close();
    },
  };
}

function accountOf(card: CardRef): ArmAccount {
  const account = card.slice.profiles[card.dpu.name]?.arm;
  if (account === undefined) throw errors.armAccountMissing({ target: card.dpu.name });
  return account;
}

function tooSlow(host: string, address: string): Error {
  return errors.sshUnreachable({ host, address, cause: new Error('no login in time') });
}
