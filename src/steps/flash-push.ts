import type { DetachedState } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { CardRshim } from '../facts/rshim.ts';
import { stagedPath } from '../facts/staged-file.ts';
import { flashActs, flashStep, pushBeforeOf, pushesOf } from './flash-attempts.ts';
import type { Flash, Pushed } from './flash-attempts.ts';
import { begin } from './flash-begin.ts';
import { configPath } from './flash-bf-cfg.ts';
import { pushArgv } from './flash-command.ts';
import { judgePush } from './flash-judge.ts';
import type { FlashParams } from './flash-params.ts';
import type { Watched } from './flash-watch.ts';
import { watchPush } from './flash-watch.ts';
import { jobFolder } from './remote.ts';

/**
 * Pushes the image once and waits until bfb-install has ended. A push that this run has begun is picked up, never repeated,
 * until it has been given up and a person has resumed the run. Errors: flash-running, push-failed, installer-failed,
 * flash-timeout, flash-interrupted, flash-link-lost, bmc-update-failed, and those of taking the rshim.
 */
export async function pushImage(context: ApplyContext, params: FlashParams, serial: string): Promise<Pushed> {
  const { attempt, begun } = pushesOf(context.actions);
  const folder = jobFolder({ runId: context.runId, step: flashStep, subject: serial, attempt });
  const options = { timeoutMs: 30_000, signal: context.signal, asRoot: true };
  const state = await context.host.observeDetached(folder, options);
  const before = pushBeforeOf(begun?.before);
  const isThere = begun?.done === true || state.kind !== 'absent';
  if (isThere && before === undefined)
    throw errors.outcomeUnknown({
      what: `A push to ${context.dpu.name} was begun, and the journal of this run does not know it.`,
      why: `${folder} on ${context.host.name} is there already.`,
      run: context.runId,
    });
  const frame = { params, serial, attempt, folder };
  if (!isThere || before === undefined) {
    const { rshim, ...fresh } = await begin(context, params, serial);
    const flash = { ...frame, before: fresh };
    return ended(context, flash, await push(context, flash, 'push', async () => start(context, flash, rshim)));
  }
  const flash = { ...frame, before };
  if (begun?.done) return ended(context, flash, await watchPush(context, { ...flash, state }));
  return ended(context, flash, await push(context, flash, 'pick up the push of', () => Promise.resolve(state)));
}

async function ended(context: ApplyContext, flash: Flash, watched: Watched): Promise<Pushed> {
  const warnings = await judgePush(context, flash, watched);
  return { ...flash, log: watched.log, warnings };
}

/** The act itself: starts the tool, or picks up what is there already, and follows it to its end. */
async function push(
  context: ApplyContext,
  flash: Flash,
  verb: string,
  stateOf: () => Promise<DetachedState>,
): Promise<Watched> {
  const text = `${verb} ${flash.params.image.name} to ${context.dpu.name}`;
  return context.act({ name: flashActs.push(flash.attempt), text, before: flash.before }, async () => {
    const seen = await watchPush(context, { ...flash, state: await stateOf() });
    return { evidence: evidenceOf(seen), value: seen };
  });
}

/** From here on the record says that what was on the card may be gone. */
async function start(
  context: ApplyContext,
  { params, serial, folder }: Flash,
  { name, misc }: CardRshim,
): Promise<DetachedState> {
  const { image: _erased, ...kept } = (await context.records.get(serial)) ?? {};
  const atMs = context.clock.nowMs();
  await context.records.put(serial, { ...kept, origin: 'flashed', runId: context.runId, atMs });
  if (params.bmcComponents === 'update') context.bmc.noteReset(context.card);
  const argv = pushArgv(name, misc.devName, stagedPath(params.image), configPath(serial));
  return context.host.startDetached(folder, argv, { timeoutMs: 60_000, signal: context.signal, asRoot: true });
}

function evidenceOf({ state, log }: Watched): string {
  const exit = state.kind === 'exited' ? `exit code ${state.exitCode} (proves nothing)` : state.kind;
  return `bfb-install ended, ${exit}; ${log.tail.slice(-3).join(' | ')}`;
}
