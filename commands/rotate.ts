import { z } from 'zod';
import { recipeVersions, RotateParams } from '../jobs/payloads.ts';
import { Switch, planFlag } from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { defineCommand } from './define.ts';
import { laterFlags, laterOf, laterShape } from './later.ts';
import { startRun } from './start-run.ts';

const Arguments = z.object({
  target: Target,
  what: z.enum(['bmc', 'arm'], 'is bmc or arm'),
  plan: Switch,
  ...selectionShape,
  ...laterShape,
});

/** Replaces passwords that dpubot has set. */
export const rotate = defineCommand({
  name: 'rotate',
  summary: 'replace the password of the BMC or of the Arm of cards by a new generated one',
  positionals: [targetPositional, { name: 'what', about: '`bmc` or `arm`' }],
  flags: [planFlag, ...selectionFlags, ...laterFlags],
  examples: ['/dpu rotate rack1 bmc', '/dpu rotate dpu-07 arm'],
  arguments: Arguments,
  approval: 'always',
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'rotate',
      recipeVersion: recipeVersions.rotate,
      params: RotateParams.parse({ what: args.what }),
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
