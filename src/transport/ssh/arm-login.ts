import type { ArmLogin, PasswordLogin, PasswordTry } from '../../domain/arm-ports.ts';
import type { CallOptions, CardRef, HostSession } from '../../domain/device-ports.ts';
import { errors, OpsError } from '../../errors.ts';
import { type Call, orAbort, type TransportLog } from '../call.ts';
import type { Redactor } from '../redact.ts';
import type { PasswordConnections } from './arm-connections.ts';
import { changeAtTerminal, enterWithPassword, type PasswordEntry } from './arm-password.ts';
import type { Hop } from './client.ts';
import { type Pool, type PoolOptions, track } from './pool.ts';
import { startProcess } from './process.ts';
import { createHostSession } from './session.ts';

/** What the logins on the Arms share. */
export interface ArmLoginDeps {
  readonly pool: Pool;
  readonly byPassword: PasswordConnections;
  readonly redactor: Redactor;
  readonly log?: TransportLog | undefined;
  readonly limits: Omit<PoolOptions, 'key' | 'log'>;
  /** Longest wait for an answer in a dialogue about a password, and for the first command of a login. */
  readonly answerMs: number;
}

const terminal = { term: 'dumb', cols: 200, rows: 24 };
/** OpenSSH, where a password has expired and there is no terminal (session.c, do_pwchange). */
const expired = /password has expired|password change required/i;

/** Logs in by key, or finds that the pooled login still works. Throws what stands in the way. */
export async function loginByKey(deps: ArmLoginDeps, card: CardRef, hop: Hop, call: CallOptions): Promise<ArmLogin> {
  const session = sessionOver(deps, card, hop, deps.pool);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await isUsable(deps, session, call)) ? { state: 'in', session } : { state: 'refused' };
    } catch (error) {
      // A pooled connection whose far end is gone tells so only now.
      const isStale = error instanceof OpsError && (error.code === 'ssh-lost' || error.code === 'ssh-timeout');
      if (!isStale || attempt === 2) throw error;
      deps.pool.drop(hop.host);
    }
  }
}

/** Logs in with a password, and changes it where that is demanded. The session lives as long as its connection. */
export async function loginByPassword(
  deps: ArmLoginDeps,
  card: CardRef,
  hop: Hop,
  attempt: PasswordTry,
  call: Call,
): Promise<PasswordLogin> {
  const { limits, redactor, answerMs } = deps;
  const entry = await enter(deps, hop, attempt, call.signal);
  if (entry.state !== 'in') return entry;
  const connection = track(entry.client, limits, () => undefined);
  const pool = deps.byPassword.keep(card, connection);
  const session = sessionOver(deps, card, hop, pool);
  const rest = { timeoutMs: call.remainingMs(), signal: call.signal };
  try {
    if (await isUsable(deps, session, rest)) return { state: 'in', session };
    const { channelOpenTimeoutMs } = limits;
    const atTerminal = { ...rest, pty: terminal };
    const carrier = await startProcess({ pool, redactor, channelOpenTimeoutMs }, [hop], ['true'], atTerminal);
    await changeAtTerminal(card.dpu.name, carrier, attempt, { redactor, answerMs, signal: call.signal });
  } catch (error) {
    connection.client.end();
    throw error;
  }
  connection.client.end();
  return { state: 'changed' };
}

async function enter(
  { limits }: ArmLoginDeps,
  hop: Hop,
  attempt: PasswordTry,
  signal: AbortSignal,
): Promise<PasswordEntry> {
  const { way } = hop;
  const entering = enterWithPassword(hop, attempt, limits, way && (() => way.open(signal)));
  try {
    return await orAbort(entering, signal);
  } catch (error) {
    // One that comes too late belongs to nobody.
    entering.then(
      (late) => late.state === 'in' && late.client.destroy(),
      () => undefined,
    );
    throw way === undefined || signal.aborted ? error : await way.explain(error);
  }
}

function sessionOver(deps: ArmLoginDeps, card: CardRef, hop: Hop, pool: Pool): HostSession {
  const { redactor, log, limits } = deps;
  const { channelOpenTimeoutMs } = limits;
  return createHostSession({ name: card.dpu.name }, [hop], { pool, redactor, log, channelOpenTimeoutMs });
}

/** Runs nothing, which proves the login: with an expired password every command ends with passwd's refusal. */
async function isUsable({ answerMs }: ArmLoginDeps, session: HostSession, call: CallOptions): Promise<boolean> {
  const timeoutMs = Math.min(answerMs, call.timeoutMs);
  const { exitCode, stdout, stderr } = await session.run(['true'], { ...call, timeoutMs });
  if (exitCode === 0) return true;
  const output = `${stdout}${stderr}`.trim();
  if (expired.test(output)) return false;
  throw errors.commandFailed({ host: session.name, command: 'true', exitCode, output });
}
