import { z } from 'zod';
import { Generation, Reason, RunNumber, generationFlag, runPositional } from './arguments.ts';
import { defineCommand } from './define.ts';
import { voteOnRun } from './vote.ts';

/** Approves the plan of a run; the button on its card says the same. */
export const approve = defineCommand({
  name: 'approve',
  summary: 'approve the plan of a run that waits for it',
  positionals: [runPositional],
  flags: [
    { name: 'reason', kind: 'text', about: 'why; needed where policy lets the requester approve alone' },
    generationFlag,
  ],
  examples: ['/dpu approve 418', '/dpu approve 418 --reason "night shift, nobody else here"'],
  arguments: z.object({ run: RunNumber, reason: Reason.optional(), generation: Generation.optional() }),
  // Who may vote depends on the risk of the plan; that is judged with the vote, on rights read at the click.
  who: 'anyone',
  whoText: 'people with a role that the approval rule names; as a rule not the requester',
  changes: true,
  fresh: true,
  run: (request, args) => voteOnRun(request, 'approve', args),
});
