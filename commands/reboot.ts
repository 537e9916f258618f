import { z } from 'zod';
import { RebootParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, planFlag, viaCardFlag } from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { defineCommand } from './define.ts';
import { laterFlags, laterOf, laterShape } from './later.ts';
import { startRun } from './start-run.ts';

const Arguments = z
  .object({
    target: Target,
    what: z.enum(['arm', 'bmc', 'host'], 'is arm, bmc or host'),
    plan: Switch,
    cold: Switch,
    'via-card': Switch,
    ...selectionShape,
    ...laterShape,
  })
  .refine((args) => args.what === 'host' || !args.cold, {
    path: ['cold'],
    message: 'goes with host only: Arm and BMC of a card have no power switch of their own',
  });

/** Restarts something once. */
export const reboot = defineCommand({
  name: 'reboot',
  summary: 'restart the Arm or the BMC of cards, or their host, once, and see it up again',
  positionals: [targetPositional, { name: 'what', about: '`arm`, `bmc` or `host`' }],
  flags: [
    planFlag,
    {
      name: 'cold',
      kind: 'switch',
      about: 'with `host`: a cold power cycle, which activates staged firmware and mode',
    },
    viaCardFlag,
    ...selectionFlags,
    ...laterFlags,
  ],
  examples: ['/dpu reboot dpu-07 arm', '/dpu reboot dpu-07 bmc', '/dpu reboot host-07 host --cold'],
  arguments: Arguments,
  approval: 'always',
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'reboot',
      recipeVersion: recipeVersions.reboot,
      params: RebootParams.parse({ what: args.what, cold: args.cold, viaCard: args['via-card'] }),
      target: args.target,
      only: args.only,
      except: args.except,
      planOnly: args.plan,
      ...laterOf(args),
      maxFailures: 0,
    });
    return undefined;
  },
});
