import { z } from 'zod';
import { ProvisionParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, Target } from './arguments.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

/** Brings cards into the state their profile wants. The run's card in the channel is the answer. */
export const provision = defineCommand({
  name: 'provision',
  summary: 'bring every DPU of a rack, host or single card into the state its profile wants',
  positionals: [{ name: 'target', about: 'the name of a rack, host or DPU' }],
  flags: [{ name: 'plan', kind: 'switch', about: 'only look and show what would change' }],
  examples: ['/dpu provision rack1', '/dpu provision dpu-07 --plan'],
  arguments: z.object({ target: Target, plan: Switch }),
  approval: 'password changes and resets of a card, once the plan is known',
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'provision',
      recipeVersion: recipeVersions.provision,
      params: ProvisionParams.parse({}),
      target: args.target,
      planOnly: args.plan,
    });
    return undefined;
  },
});
