import type { Hold } from '../src/domain/ports.ts';
import type { Run } from '../src/domain/run.ts';
import { hostsOf, isEnded, unitOfHost } from '../src/domain/run.ts';
import { stoppedRun } from '../src/domain/stopped-run.ts';
import { errors } from '../src/errors.ts';
import { runOf } from './arguments.ts';
import { endStopped } from './cancel.ts';
import type { CommandRequest } from './define.ts';

/** What becomes of hosts that an earlier run holds, which has stopped on them. */
export interface HeldWish {
  /** Number of the stopped run that is given up for this one (`--cancel 418`). */
  readonly giveUp: number | undefined;
  /** True for commands that take `--cancel`; others name `/dpu cancel`. */
  readonly offersGiveUp: boolean;
}

/**
 * Before a run that changes cards is created: gives up the stopped run that the person named, then refuses when
 * earlier runs that have stopped hold all the hosts. Where they hold some of them, those are left out when the plan is made; a
 * run that is still at work is waited for. Errors: host-held, run-unknown, run-not-in-state, unit-busy, command-invalid.
 */
export async function freeHeldHosts(request: CommandRequest, hosts: readonly string[], wish: HeldWish): Promise<void> {
  if (wish.giveUp !== undefined) await giveUp(request, hosts, wish.giveUp);
  const held = await heldByStopped(request, hosts);
  const [first] = held;
  if (first === undefined || held.length < hosts.length) return;
  const { id } = first.run;
  const line = `/dpu ${request.line}`;
  const next = wish.offersGiveUp
    ? `\`${line.replace(/ --cancel[ =]\S+/, '')} --cancel ${id}\` gives it up and goes on with this command.`
    : `\`/dpu cancel ${id}\` gives it up and ${first.hold.unit} back; then give \`${line}\` again.`;
  const others = held.slice(1).map(({ hold, run }) => `${hold.unit} by run ${run.id}`);
  const more = others.length === 0 ? '' : ` Held as well: ${others.join(', ')}.`;
  const { context } = request;
  const unit = unitOfHost(first.run, first.hold.unit)?.unit ?? first.hold.unit;
  const past = await context.journal.read(id, unit);
  throw errors.hostHeld({
    host: first.hold.unit,
    since: new Date(first.hold.sinceMs).toISOString(),
    stopped: stoppedRun(first.run, unit, past),
    next: `${next}${more} Nothing was started.`,
  });
}

async function heldByStopped(
  { context }: CommandRequest,
  hosts: readonly string[],
): Promise<readonly { readonly hold: Hold; readonly run: Run }[]> {
  const held: { readonly hold: Hold; readonly run: Run }[] = [];
  for (const host of hosts) {
    const hold = await context.holds.get(host);
    const run = hold && (await context.runs.get(hold.runId));
    if (hold && run && isEnded(run.state)) held.push({ hold, run });
  }
  return held;
}

/** Said again after a crash in between, there may be nothing left to give up: then this goes on. */
async function giveUp(request: CommandRequest, hosts: readonly string[], id: number): Promise<void> {
  const run = await runOf(request.context, id);
  if (!isEnded(run.state))
    throw errors.runNotInState({
      run: id,
      action: 'given up for another one',
      state: `${run.state}: it has not stopped`,
      next: `\`/dpu cancel ${id}\` stops it between two steps; then give this command again. Nothing was started.`,
    });
  const held = await heldByStopped(request, hosts);
  if (held.some((one) => one.run.id === id)) {
    await endStopped(request, run);
    return;
  }
  // It had stopped before it changed anything, or was given up already: then it is in nobody's way.
  if (
    Object.values(run.units)
      .flatMap(hostsOf)
      .some((host) => hosts.includes(host))
  )
    return;
  throw errors.commandInvalid({
    what: `Run ${id} has nothing to do with ${hosts.join(', ')}.`,
    why: '`--cancel` gives up the run that keeps this one from starting, and no other.',
    next: 'Give the command without `--cancel`. Nothing was started.',
  });
}
