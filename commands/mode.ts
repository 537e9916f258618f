import { z } from 'zod';
import { ModeParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, Target } from './arguments.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

const Arguments = z.object({
  target: Target,
  mode: z.enum(['dpu', 'nic'], 'is dpu or nic'),
  plan: Switch,
  'via-card': Switch,
});

/** Puts cards into DPU or NIC mode. */
export const mode = defineCommand({
  name: 'mode',
  summary: 'put cards into DPU mode (the Arm runs) or NIC mode (it does not); their hosts are power-cycled',
  positionals: [
    { name: 'target', about: 'the name of a rack, host or DPU' },
    { name: 'mode', about: '`dpu` or `nic`' },
  ],
  flags: [
    { name: 'plan', kind: 'switch', about: 'only look and show what would change' },
    { name: 'via-card', kind: 'switch', about: "go on also where the worker's own way to the host may be cut" },
  ],
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
      planOnly: args.plan,
      maxFailures: 0,
    });
    return undefined;
  },
});
