import { z } from 'zod';
import { ModeParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, planFlag, viaCardFlag } from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { defineCommand } from './define.ts';
import { laterFlags, laterOf, laterShape } from './later.ts';
import { startRun } from './start-run.ts';

const Arguments = z.object({
  target: Target,
  mode: z.enum(['dpu', 'nic'], 'is dpu or nic'),
  plan: Switch,
  'via-card': Switch,
  ...selectionShape,
  ...laterShape,
});

/** Puts cards into DPU or NIC mode. */
export const mode = defineCommand({
  name: 'mode',
  summary: 'put cards into DPU mode (the Arm runs) or NIC mode (it does not); their hosts are power-cycled',
  positionals: [targetPositional, { name: 'mode', about: '`dpu` or `nic`' }],
  flags: [planFlag, viaCardFlag, ...selectionFlags, ...laterFlags],
  examples: ['/dpu mode dpu-07 dpu', '/dpu mode host-07 nic --plan'],
  arguments: Arguments,
  approval: 'always',
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'mode',
      recipeVersion: recipeVersions.mode,
      params: ModeParams.parse({ mode: args.mode, viaCard: args['via-card'] }),
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
