import { z } from 'zod';
import { recoverKinds, RecoverParams, recipeVersions } from '../jobs/payloads.ts';
import { RunNumber, Switch, cancelFlag, cancelWithPlan, planFlag, viaCardFlag } from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { defineCommand } from './define.ts';
import { laterFlags, laterOf, laterShape } from './later.ts';
import { startRun } from './start-run.ts';

const Arguments = z
  .object({
    target: Target,
    what: z.enum(recoverKinds, `is one of ${recoverKinds.join(', ')}`),
    plan: Switch,
    'via-card': Switch,
    cancel: RunNumber.optional(),
    ...selectionShape,
    ...laterShape,
  })
  .refine((args) => !(args.plan && args.cancel !== undefined), cancelWithPlan);

/** Ways back into cards that lock people out. */
export const recover = defineCommand({
  name: 'recover',
  summary: 'get back into cards that lock people out; the plan says what is known, what it costs, and the way out',
  positionals: [targetPositional, { name: 'what', about: recoverKinds.map((kind) => `\`${kind}\``).join(', ') }],
  flags: [planFlag, viaCardFlag, cancelFlag, ...selectionFlags, ...laterFlags],
  examples: [
    '/dpu recover dpu-07 bmc-password',
    '/dpu recover dpu-07 stuck-rshim --plan',
    '/dpu recover dpu-07 stuck-rshim --cancel 418',
  ],
  arguments: Arguments,
  approval: 'always',
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'recover',
      recipeVersion: recipeVersions.recover,
      params: RecoverParams.parse({ what: args.what, viaCard: args['via-card'] }),
      target: args.target,
      only: args.only,
      except: args.except,
      planOnly: args.plan,
      ...laterOf(args),
      maxFailures: 0,
      giveUp: { run: args.cancel },
    });
    return undefined;
  },
});
