import { z } from 'zod';
import { errors } from '../src/errors.ts';
import { textAnswer } from '../src/report/answers.ts';
import { Reason } from './arguments.ts';
import { defineCommand } from './define.ts';

/** Lifts a halt: open runs go on from where they stood. */
export const unhalt = defineCommand({
  name: 'unhalt',
  summary: 'lift a halt; open runs go on from where they stood',
  positionals: [],
  flags: [{ name: 'reason', kind: 'text', required: true, about: 'why it is safe again' }],
  examples: ['/dpu unhalt --reason "power work done"'],
  arguments: z.object({ reason: Reason }),
  who: 'administer',
  changes: true,
  fresh: true,
  async run({ context, actor }, args) {
    if (!(await context.halt.clear()))
      throw errors.commandInvalid({
        what: 'Nothing is halted.',
        why: 'There was no halt, or somebody else has just lifted it.',
        next: 'Nothing to do. Nothing was changed.',
      });
    await context.audit.append({ atMs: context.clock.nowMs(), actor, action: 'unhalt', detail: args.reason });
    const open = await context.runs.open();
    for (const runId of open) {
      await context.notifier.changed(runId);
      await context.queue.addAdvance({ runId });
    }
    return textAnswer(
      `The halt is lifted; ${open.length === 0 ? 'no run was open' : `open runs go on: ${open.join(', ')}`}.`,
    );
  },
});
