import { z } from 'zod';
import { RUN_STREAM } from '../src/domain/journal.ts';
import { isLookName } from '../src/domain/look.ts';
import { requestResume } from '../src/domain/policy.ts';
import type { Run } from '../src/domain/run.ts';
import { hostsOf } from '../src/domain/run.ts';
import { errors } from '../src/errors.ts';
import { textAnswer } from '../src/report/answers.ts';
import {
  Generation,
  RunNumber,
  Switch,
  generationFlag,
  refuseOldButton,
  runOf,
  runPositional,
  targetsOfRun,
} from './arguments.ts';
import { defineCommand } from './define.ts';
import { laterOfRun, outsideWindowFlag, refuseLocked } from './later.ts';
import { refuseWhenHalted } from './start-run.ts';

/** Goes on with a run that stopped: looks at the cards anew, and asks again where the approval does not cover it. */
export const resume = defineCommand({
  name: 'resume',
  summary: 'go on with a run that stopped, beginning with a fresh look at the cards',
  positionals: [runPositional],
  flags: [outsideWindowFlag, generationFlag],
  examples: ['/dpu resume 418', '/dpu resume 418 --outside-window'],
  arguments: z.object({ run: RunNumber, 'outside-window': Switch, generation: Generation.optional() }),
  approval: 'anything that the earlier approval does not cover',
  who: 'operate',
  changes: true,
  async run(request, args) {
    const { context, actor } = request;
    const before = await runOf(context, args.run);
    if (!isLookName(before.recipe)) await refuseWhenHalted(request);
    refuseOldButton(before, 'resumed', args.generation);
    const later = laterOfRun(request, { outsideWindow: args['outside-window'] }, before.planOnly, hostsLeft(before));
    await refuseLocked(request, hostsLeft(before), before, { offersExcept: false });
    const nowMs = context.clock.nowMs();
    const { run, changed } = await context.runs.update(
      args.run,
      (current) => {
        const resumed = requestResume(current, actor);
        return resumed && { ...resumed, ...later };
      },
      (_before, after) => [
        { unit: RUN_STREAM, event: { type: 'resumed', by: actor, generation: highestGeneration(after) } },
      ],
    );
    if (!changed) throw errors.runNotInState({ run: run.id, action: 'resumed', state: stateOf(run), next: hint(run) });
    await context.audit.append({ atMs: nowMs, actor, action: 'resume', runId: run.id, targets: targetsOfRun(run) });
    await context.notifier.changed(run.id);
    await context.queue.addAdvance({ runId: run.id });
    return request.invocation.source === 'button' ? undefined : textAnswer(`Run ${run.id} looks at its cards again.`);
  },
});

/** Hosts that are not done. */
function hostsLeft(run: Run): readonly string[] {
  const left = Object.values(run.units).filter(
    ({ state }) => state !== 'done' && state !== 'satisfied' && state !== 'refused',
  );
  return left.flatMap(hostsOf);
}

function highestGeneration(run: Run): number {
  return Math.max(0, ...Object.values(run.units).map((unit) => unit.generation));
}

function stateOf({ state, givenUp }: Run): string {
  return givenUp ? `${state} and has given its hosts back; others may have changed them since` : state;
}

function hint(run: Run): string {
  const targets = targetsOfRun(run).join(', ');
  return `${run.givenUp ? 'A run that still has its hosts' : 'A stopped run'} can be resumed; for a new one on ${targets} give the command \`/dpu ${run.text}\` again.`;
}
