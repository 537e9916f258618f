import { createSemaphore, type Semaphore } from '../semaphore.ts';
import type { LoginMemory } from './attempt.ts';
import type { OpenRedfishSession } from './session.ts';

/** Until a connection to a controller stands, unless the caller says otherwise. */
export const defaultConnectTimeoutMs = 10_000;
/** For the end of a session. */
export const logoutTimeoutMs = 5_000;

/** What this process knows about one account of one controller. One login at a time. */
export interface LoginState<Pooled> {
  readonly gate: Semaphore;
  readonly memory: LoginMemory;
  pooled?: Pooled | undefined;
}

/** The accounts that this process logs in to, each with the session that is kept for it. */
export interface LoginStates<Pooled> {
  /** The state of an account, a new one at first. */
  of(id: string): LoginState<Pooled>;
  /** Forgets the kept session and ends it there (controllers have only few of them), without anybody waiting. */
  drop(state: LoginState<Pooled>): void;
  /** Ends all sessions and waits for that. */
  close(): Promise<void>;
}

/** No account is known yet. */
export function createLoginStates<
  Pooled extends { readonly session: Pick<OpenRedfishSession, 'logout'> },
>(): LoginStates<Pooled> {
  const states = new Map<string, LoginState<Pooled>>();
  const endings = new Set<Promise<void>>();

  function drop(state: LoginState<Pooled>): void {
    const session = state.pooled?.session;
    state.pooled = undefined;
    if (session === undefined) return;
    const ending = session.logout({ timeoutMs: logoutTimeoutMs }).catch(() => undefined);
    endings.add(ending);
    void ending.finally(() => endings.delete(ending));
  }

  return {
    of(id) {
      const state = states.get(id) ?? { gate: createSemaphore(1), memory: { refused: new Map() } };
      states.set(id, state);
      return state;
    },
    drop,
    async close() {
      for (const state of states.values()) drop(state);
      await Promise.all(endings);
    },
  };
}
