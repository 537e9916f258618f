import type { CallOptions, CommandResult, HostSession } from '../../domain/device-ports.ts';
import type { HostSlice } from '../../domain/inventory.ts';
import type { Secret } from '../../domain/secret.ts';
import { errors, OpsError } from '../../errors.ts';
import { withCall, type TransportLog } from '../call.ts';
import type { Redactor } from '../redact.ts';
import type { Hop } from './client.ts';
import { observeDetached, readDetachedLog, startDetached, stopDetached } from './detached.ts';
import { execute, type RunRaw } from './exec.ts';
import { NotSent } from './open-channel.ts';
import type { Pool } from './pool.ts';
import { quoteArgv } from './quote.ts';
import { uploadFile } from './upload.ts';

/** Kept of each stream unless the call says otherwise. */
const defaultMaxBytes = 256 * 1024;
const longestLabel = 160;

interface SessionDeps {
  readonly pool: Pool;
  readonly redactor: Redactor;
  readonly channelOpenTimeoutMs: number;
  /** An upload without an acknowledged byte for so long has failed; default 60 s. */
  readonly uploadIdleMs?: number | undefined;
  readonly log?: TransportLog | undefined;
}

/** The session of one host over the pool. Holds no connection itself: a dead one is replaced at the next call. */
export function createHostSession(
  slice: Pick<HostSlice, 'name'>,
  route: readonly Hop[],
  deps: SessionDeps,
): HostSession {
  const runRaw = createRunRaw(slice.name, route, deps);

  async function run(
    argv: readonly string[],
    options: CallOptions & { readonly stdin?: string | Secret },
  ): Promise<CommandResult> {
    const { stdout, stderr, ...rest } = await runRaw(argv, options);
    const text = (bytes: Buffer): string => deps.redactor.redactKnown(bytes.toString('utf8'));
    return { ...rest, stdout: text(stdout), stderr: text(stderr) };
  }

  const detached = { host: slice.name, runRaw, redactor: deps.redactor };
  return {
    name: slice.name,
    run,
    async read(command, options) {
      const startedMs = performance.now();
      try {
        return await run(command.argv, options);
      } catch (error) {
        const leftMs = options.timeoutMs - (performance.now() - startedMs);
        if (!(error instanceof OpsError) || error.code !== 'ssh-lost' || leftMs < 1) throw error;
        // Reading twice is harmless: one more try over a fresh connection.
        deps.log?.debug({ host: slice.name, read: command.name }, 'ssh read repeated after a lost connection');
        return run(command.argv, { ...options, timeoutMs: leftMs });
      }
    },
    startDetached: (folder, argv, options) => startDetached(detached, folder, argv, options),
    observeDetached: (folder, options) => observeDetached(detached, folder, options),
    readDetachedLog: (folder, fromByte, options) => readDetachedLog(detached, folder, fromByte, options),
    stopDetached: (folder, options) => stopDetached(detached, folder, options),
    upload: (file, options) => uploadFile({ host: slice.name, route, ...deps }, file, options),
  };
}

function createRunRaw(host: string, route: readonly Hop[], deps: SessionDeps): RunRaw {
  return async (argv, options) => {
    const line = quoteArgv(argv);
    const label = shorten(deps.redactor.redact(options.label ?? line));
    const startedMs = performance.now();
    const onTimeout = (): OpsError => errors.sshTimeout({ host, command: label, timeoutMs: options.timeoutMs });
    const request = {
      host,
      line,
      label,
      stdin: options.stdin,
      maxBytes: options.maxBytes ?? defaultMaxBytes,
      channelOpenTimeoutMs: deps.channelOpenTimeoutMs,
    };
    if (options.stdin !== undefined && typeof options.stdin !== 'string') deps.redactor.add(options.stdin);
    const result = await withCall(options, onTimeout, async (call) => {
      for (let attempt = 1; ; attempt += 1) {
        const connection = await deps.pool.get(route, call.signal);
        try {
          return await execute(connection, request, call);
        } catch (error) {
          if (!(error instanceof NotSent)) throw error;
          // The pooled connection had died unnoticed. Nothing was sent, so a fresh one may try.
          if (attempt === 2) throw errors.sshLost({ host, command: label, cause: error });
        }
      }
    });
    return { ...result, durationMs: Math.round(performance.now() - startedMs) };
  };
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= longestLabel ? line : `${line.slice(0, longestLabel - 3)}...`;
}
