import { z } from 'zod';
import { Generation, Reason, RunNumber, generationFlag, runPositional } from './arguments.ts';
import { defineCommand } from './define.ts';
import { voteOnRun } from './vote.ts';

/** Rejects the plan of a run; the button on its card says the same. */
export const reject = defineCommand({
  name: 'reject',
  summary: 'reject the plan of a run, which ends it',
  positionals: [runPositional],
  flags: [{ name: 'reason', kind: 'text', about: 'why, for the record' }, generationFlag],
  examples: ['/dpu reject 418', '/dpu reject 418 --reason "wrong rack"'],
  arguments: z.object({ run: RunNumber, reason: Reason.optional(), generation: Generation.optional() }),
  // Who may vote depends on the risk of the plan; that is judged with the vote, on rights read at the click.
  who: 'anyone',
  whoText: 'people with a role that the approval rule names, and the requester',
  changes: true,
  fresh: true,
  run: (request, args) => voteOnRun(request, 'reject', args),
});
