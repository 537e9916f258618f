import { z } from 'zod';
import { RUN_STREAM } from '../src/domain/journal.ts';
import { errors } from '../src/errors.ts';
import { textAnswer } from '../src/report/answers.ts';
import { Reason } from './arguments.ts';
import { defineCommand } from './define.ts';

/** Stops everything new at once: no run, unit or step starts until somebody lifts it. */
export const halt = defineCommand({
  name: 'halt',
  summary: 'stop all work: no new run, host or step starts; running steps end',
  positionals: [],
  flags: [{ name: 'reason', kind: 'text', required: true, about: 'why; everybody who is stopped by it sees it' }],
  examples: ['/dpu halt --reason "power work in rack1"'],
  arguments: z.object({ reason: Reason }),
  who: 'administer',
  changes: true,
  fresh: true,
  async run({ context, actor }, args) {
    const present = await context.halt.get();
    if (present) throw errors.halted({ by: present.by, reason: present.reason });
    const nowMs = context.clock.nowMs();
    await context.halt.set({ by: actor.displayName, reason: args.reason, sinceMs: nowMs });
    await context.audit.append({ atMs: nowMs, actor, action: 'halt', detail: args.reason });
    const open = await context.runs.open();
    for (const runId of open) {
      await context.journal.append(runId, RUN_STREAM, { type: 'halted', by: actor.displayName, reason: args.reason });
      await context.notifier.changed(runId);
    }
    const runs = open.length === 0 ? 'No run is open.' : `Open runs: ${open.join(', ')}.`;
    return textAnswer(`All work is halted. ${runs} Running steps end. \`/dpu unhalt --reason "..."\` lifts it.`);
  },
});
