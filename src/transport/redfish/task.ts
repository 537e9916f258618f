import type { CallOptions, DeviceClock } from '../../domain/device-ports.ts';
import { errors, OpsError } from '../../errors.ts';
import { withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import { isBusy, jsonOf, messageList, mostSevere, prop, replyError, retryAfterMs } from './errors.ts';
import type { HttpReply } from './http.ts';

export interface TaskDeps {
  readonly target: string;
  readonly read: (path: string, options: CallOptions) => Promise<HttpReply>;
  readonly clock: DeviceClock;
  readonly redactor: Redactor;
}

/** Device milliseconds between two looks when the BMC names no other interval. */
const pollMs = 3_000;
const longestPollMs = 30_000;
/** One look, wall milliseconds. */
const lookTimeoutMs = 30_000;
/** How long a BMC may be away in the middle of a task (it restarts in 2 to 3 minutes), device milliseconds. */
const awayMs = 300_000;
const failedStates: ReadonlySet<string> = new Set(['Exception', 'Killed', 'Cancelled', 'Aborted']);
const awayCodes: ReadonlySet<string> = new Set(['bmc-unreachable', 'bmc-reply-lost', 'bmc-timeout', 'redfish-busy']);

type Look =
  | { readonly kind: 'ended'; readonly body: unknown }
  | { readonly kind: 'running'; readonly percent: number | undefined; readonly state: string; readonly waitMs: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'away'; readonly error: OpsError };

/**
 * Looks at a task, or at a task monitor, until it has ended, and returns its last body. Throws `redfish-task-failed` (with
 * the BMC's messages), `redfish-task-lost` when the BMC no longer knows it (404 twice: it forgets tasks when it restarts),
 * the last transport error when the BMC stays away, `bmc-timeout`.
 */
export async function followTask(
  deps: TaskDeps,
  path: string,
  options: CallOptions & { readonly onProgress?: (percent: number, state: string) => void },
): Promise<unknown> {
  const { target, clock } = deps;
  const name = path.split('/').at(-1) ?? path;
  const { timeoutMs } = options;
  const onTimeout = (): OpsError => errors.bmcTimeout({ target, request: `task ${name}`, timeoutMs, state: 'unknown' });
  return withCall(options, onTimeout, async (call) => {
    let missing = 0;
    let awaySinceMs: number | undefined;
    let shown = '';
    for (;;) {
      const look = await lookAt(deps, path, { timeoutMs: lookTimeoutMs, signal: call.signal });
      if (look.kind === 'ended') return judge(deps, name, look.body);
      missing = look.kind === 'missing' ? missing + 1 : 0;
      if (missing > 1) throw errors.redfishTaskLost({ target, task: name });
      awaySinceMs = look.kind === 'away' ? (awaySinceMs ?? clock.nowMs()) : undefined;
      if (look.kind === 'away' && clock.nowMs() - (awaySinceMs ?? 0) > clock.deadlineMs(awayMs)) throw look.error;
      if (look.kind === 'running' && look.percent !== undefined && shown !== `${look.percent} ${look.state}`) {
        shown = `${look.percent} ${look.state}`;
        options.onProgress?.(look.percent, look.state);
      }
      await clock.poll(look.kind === 'running' ? look.waitMs : pollMs, call.signal);
    }
  });
}

async function lookAt(deps: TaskDeps, path: string, options: CallOptions): Promise<Look> {
  try {
    const reply = await deps.read(path, options);
    if (reply.status === 404) return { kind: 'missing' };
    const body = jsonOf(reply.text);
    const state = prop(body, 'TaskState');
    if (isBusy(reply.status))
      return { kind: 'away', error: replyError(deps.target, 'GET', path, reply, deps.redactor) };
    if (reply.status === 202 || (reply.status === 200 && isRunning(state))) {
      const percent = prop(body, 'PercentComplete');
      return {
        kind: 'running',
        percent: typeof percent === 'number' ? percent : undefined,
        state: typeof state === 'string' ? state : 'Running',
        waitMs: retryAfterMs(reply.headers, deps.clock.nowMs(), longestPollMs) ?? pollMs,
      };
    }
    // A monitor that has ended answers with the result of the operation, or with 204.
    if (reply.status === 200 || reply.status === 204) return { kind: 'ended', body };
    throw replyError(deps.target, 'GET', path, reply, deps.redactor);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof OpsError && awayCodes.has(error.code)) return { kind: 'away', error };
    throw error;
  }
}

function isRunning(state: unknown): boolean {
  return typeof state === 'string' && state !== 'Completed' && !failedStates.has(state);
}

function judge(deps: TaskDeps, task: string, body: unknown): unknown {
  const state = prop(body, 'TaskState');
  const failed = typeof state === 'string' && failedStates.has(state);
  // Completed with errors is no success either.
  if (!failed && prop(body, 'TaskStatus') !== 'Critical') return body;
  const percent = prop(body, 'PercentComplete');
  const messages = messageList(prop(body, 'Messages'));
  const bad = messages.filter(({ severity }) => severity !== 'OK');
  const worst = mostSevere(messages);
  const told = bad.length > 0 ? bad : worst === undefined ? [] : [worst];
  const text = told.map(({ message, resolution }) => [message, resolution].filter(Boolean).join(' ')).join(' ');
  throw errors.redfishTaskFailed({
    target: deps.target,
    task,
    state: typeof state === 'string' ? state : 'Completed',
    message: text === '' ? 'The BMC gave no reason.' : deps.redactor.redact(text).slice(0, 1_000),
    ...(typeof percent === 'number' && { percent }),
  });
}
