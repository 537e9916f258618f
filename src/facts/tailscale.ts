import { z } from 'zod';
import { defineRead } from '../domain/commands.ts';
import type { CommandResult, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * Tailscale on a machine. `missing`: not installed; `daemon-down`: installed, and tailscaled does not answer; else the
 * state of its backend. Source: tailscale ipn/backend.go, State.String().
 */
export type TailscaleState =
  | 'missing'
  | 'daemon-down'
  | 'NoState'
  | 'InUseOtherUser'
  | 'NeedsLogin'
  | 'NeedsMachineAuth'
  | 'Stopped'
  | 'Starting'
  | 'Running';

export interface TailscaleStatus {
  readonly state: TailscaleState;
  readonly addresses: readonly string[];
  readonly hostname: string | undefined;
}

/** Needs no root: the daemon answers reads of any user. `--peers=false` keeps a large tailnet out of the answer. */
export const tailscaleStatus = defineRead({
  name: 'tailscale status',
  argv: ['tailscale', 'status', '--json', '--peers=false'],
});

const Body = z.object({
  BackendState: z.enum([
    'NoState',
    'InUseOtherUser',
    'NeedsLogin',
    'NeedsMachineAuth',
    'Stopped',
    'Starting',
    'Running',
  ]),
  TailscaleIPs: z.array(z.string()).nullish(),
  Self: z.object({ HostName: z.string().optional() }).nullish(),
});

/** Reads the state. Errors: command-failed, output-unreadable (also for a state that no release we know has). */
export async function readTailscale(session: HostReader, signal: AbortSignal): Promise<TailscaleStatus> {
  const result = await session.read(tailscaleStatus.bind({}), { timeoutMs: 30_000, signal });
  return parseTailscale(session.name, result);
}

/** Exit 127: the shell found no such program. Without its daemon the client says so and ends with 1. */
export function parseTailscale(
  target: string,
  result: Pick<CommandResult, 'stdout' | 'stderr' | 'exitCode'>,
): TailscaleStatus {
  const absent = { addresses: [], hostname: undefined };
  if (result.exitCode === 127) return { state: 'missing', ...absent };
  // Some releases end with 1 when they are logged out, and print the document all the same.
  if (!result.stdout.trimStart().startsWith('{')) {
    if (/failed to connect to local [Tt]ailscale/.test(result.stderr)) return { state: 'daemon-down', ...absent };
    expectSuccess(target, 'tailscale status', { ...result, truncated: false, durationMs: 0 });
  }
  const parsed = Body.safeParse(parseJson(result.stdout));
  if (!parsed.success)
    throw errors.outputUnreadable({
      target,
      source: 'tailscale status --json',
      problem: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
      evidence: result.stdout.slice(0, 300),
    });
  const { BackendState, TailscaleIPs, Self } = parsed.data;
  return { state: BackendState, addresses: TailscaleIPs ?? [], hostname: Self?.HostName };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
