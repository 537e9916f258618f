import type {
  BmcCredential,
  Clock,
  CredentialKey,
  CredentialStore,
  Escrow,
  LoginBudget,
} from '../../../src/domain/device-ports.ts';
import type { Secret } from '../../../src/domain/secret.ts';
import { errors } from '../../../src/errors.ts';
import { LOGIN_BUDGET_TRIES } from '../../../src/store/login-budget.ts';
import { breathe } from './copy.ts';

type Slot = BmcCredential['slot'];

/** Credentials without encryption. `named` holds what `dpubot credentials import` would have filed. */
export function createMemoryCredentialStore(
  clock: Clock,
  named: ReadonlyMap<string, Secret> = new Map(),
): CredentialStore {
  const cards = new Map<string, Partial<Record<Slot, BmcCredential>>>();
  const idOf = (key: CredentialKey): string => {
    if ('armSerial' in key) return `Arm ${key.armSerial}`;
    if ('uefiSerial' in key) return `UEFI ${key.uefiSerial}`;
    return 'serial' in key ? `serial ${key.serial}` : `certificate ${key.certSha256} ${key.address}`;
  };
  const slotsOf = (key: CredentialKey): Partial<Record<Slot, BmcCredential>> => cards.get(idOf(key)) ?? {};
  const as = (slot: Slot, credential: BmcCredential): BmcCredential => ({ ...credential, slot });

  return {
    async named(ref) {
      await breathe();
      const secret = named.get(ref);
      if (secret === undefined) throw errors.credentialMissing({ ref });
      return secret;
    },
    async bmc(key) {
      await breathe();
      const { pending, current, previous } = slotsOf(key);
      return [pending, current, previous].filter((credential) => credential !== undefined);
    },
    async savePending(key, secret, _recipient, options) {
      await breathe();
      const { pending } = slotsOf(key);
      if (pending?.secret.reveal() === secret.reveal()) return;
      if (pending && options?.replace !== true) throw errors.credentialPending({ ref: idOf(key) });
      const saved: BmcCredential = { slot: 'pending', secret, savedAtMs: clock.nowMs() };
      cards.set(idOf(key), { ...slotsOf(key), pending: saved });
    },
    async promote(key) {
      await breathe();
      const { pending, current, previous } = slotsOf(key);
      if (!pending) return;
      const older = current ? as('previous', current) : previous;
      cards.set(idOf(key), { current: as('current', pending), ...(older && { previous: older }) });
    },
    async retire(key) {
      await breathe();
      const { current, previous } = slotsOf(key);
      const older = current ? as('previous', current) : previous;
      cards.set(idOf(key), older ? { previous: older } : {});
    },
    async rekey(from, to) {
      await breathe();
      const moved = cards.get(idOf(from));
      if (moved === undefined || idOf(from) === idOf(to)) return;
      const { pending, current, previous } = slotsOf(to);
      const kept = moved.current
        ? { ...(previous && { previous }), ...(current && { previous: as('previous', current) }) }
        : { ...(pending && { pending }), ...(current && { current }), ...(previous && { previous }) };
      cards.set(idOf(to), { ...kept, ...moved });
      cards.delete(idOf(from));
    },
  };
}

/** Escrow entries as they were written, in order; `fail` makes the next writes fail. */
export interface MemoryEscrow extends Escrow {
  readonly entries: readonly { readonly label: string; readonly secret: Secret; readonly runId: number }[];
  fail(failing: boolean): void;
}

export function createMemoryEscrow(): MemoryEscrow {
  const entries: { label: string; secret: Secret; runId: number }[] = [];
  let failing = false;
  return {
    entries,
    fail(value) {
      failing = value;
    },
    async write({ label, secret, runId }) {
      await breathe();
      if (failing) throw errors.escrowFailed({ directory: '(memory)' });
      entries.push({ label, secret, runId });
    },
  };
}

/** The login budget by the given clock. */
export function createMemoryLoginBudget(clock: Clock): LoginBudget {
  const tries = new Map<string, readonly number[]>();
  const lockedUntilMs = new Map<string, number>();
  return {
    async take(key, windowMs) {
      await breathe();
      const nowMs = clock.nowMs();
      const lock = lockedUntilMs.get(key) ?? 0;
      if (lock > nowMs) return { ok: false, untilMs: lock };
      const recent = (tries.get(key) ?? []).filter((atMs) => atMs > nowMs - windowMs);
      const blocking = recent.at(-LOGIN_BUDGET_TRIES);
      if (blocking !== undefined) return { ok: false, untilMs: blocking + windowMs };
      tries.set(key, [...recent, nowMs]);
      return { ok: true };
    },
    async giveBack(key) {
      await breathe();
      tries.set(key, (tries.get(key) ?? []).slice(0, -1));
    },
    async exhaust(key, windowMs) {
      await breathe();
      const untilMs = Math.max(clock.nowMs() + windowMs, lockedUntilMs.get(key) ?? 0);
      lockedUntilMs.set(key, untilMs);
      return untilMs;
    },
  };
}
