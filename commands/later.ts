import { z } from 'zod';
import { isLookName } from '../src/domain/look.ts';
import type { Run } from '../src/domain/run.ts';
import { parseStartTime, startTimeForms } from '../src/domain/start-time.ts';
import { windowsOf } from '../src/domain/window-of-host.ts';
import { errors } from '../src/errors.ts';
import { Switch } from './arguments.ts';
import type { CommandRequest, Flag } from './define.ts';

const atFlag: Flag = {
  name: 'at',
  kind: 'text',
  value: 'TIME',
  about: `plan and approve now, start then, by your clock: ${startTimeForms}`,
};

export const outsideWindowFlag: Flag = {
  name: 'outside-window',
  kind: 'switch',
  about: 'do not wait for the maintenance window; needs approval',
};

/** When a run that changes cards may begin: the same flags for every command that starts one. */
export const laterFlags: readonly Flag[] = [atFlag, outsideWindowFlag];

/** Their place among the arguments of a command. */
export const laterShape = { at: z.string().optional(), 'outside-window': Switch };

/** What those flags said, as a wish for a run. */
export interface Later {
  readonly at?: string | undefined;
  readonly outsideWindow?: boolean;
}

/** The flags as they were parsed, as part of a wish. */
export function laterOf(args: { readonly at?: string | undefined; readonly 'outside-window': boolean }): Later {
  return { at: args.at, outsideWindow: args['outside-window'] };
}

/**
 * What is kept of it in the run. `hosts`: those it would change. Errors: command-invalid, for a time that is none, and where
 * a flag has nothing to do.
 */
export function laterOfRun(
  request: CommandRequest,
  { at, outsideWindow }: Later,
  planOnly: boolean,
  hosts: readonly string[],
): Pick<Run, 'startAtMs' | 'outsideWindow'> {
  if (planOnly && (at !== undefined || outsideWindow))
    throw invalid(
      `--plan does not go with ${at === undefined ? '--outside-window' : '--at'}.`,
      'With --plan nothing is started, now or later.',
      'Leave one of them away.',
    );
  const inventory = request.context.inventory();
  if (outsideWindow && hosts.every((host) => windowsOf(inventory, host).windows.length === 0))
    throw invalid(
      '--outside-window has nothing to do here.',
      'The inventory names no maintenance window for these hosts, and with the flag the run would need approval for nothing.',
      'Leave it away.',
    );
  return {
    ...(at !== undefined && { startAtMs: startOf(request, at) }),
    ...(outsideWindow && { outsideWindow: true as const }),
  };
}

function startOf({ context, person }: CommandRequest, at: string): number {
  const result = parseStartTime(at, person.timeZone, context.clock.nowMs());
  if (result.ok) return result.atMs;
  throw invalid(result.what, result.why, `Write --at ${startTimeForms}; it counts by your clock (${person.timeZone}).`);
}

function invalid(what: string, why: string, next: string): Error {
  return errors.commandInvalid({ what, why, next: `${next} Nothing was started.` });
}

/**
 * Refuses what would change a host that a person has locked. Plans and looks change nothing. `offersExcept`: single hosts can
 * be left out of it. Errors: host-locked, with all locks in the way.
 */
export async function refuseLocked(
  { context, actor, line }: CommandRequest,
  hosts: readonly string[],
  run: { readonly recipe: string; readonly planOnly: boolean },
  { offersExcept }: { readonly offersExcept: boolean },
): Promise<void> {
  if (run.planOnly || isLookName(run.recipe)) return;
  const wanted = new Set(hosts);
  const locks = (await context.locks.all()).filter((lock) => wanted.has(lock.host));
  const [first, ...others] = locks;
  if (first === undefined) return;
  const canLeaveOut = offersExcept && locks.length < wanted.size;
  throw errors.hostLocked({ lock: first, asker: actor.userId, others, ...(canLeaveOut && { line }) });
}
