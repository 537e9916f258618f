import { z } from 'zod';
import { ProvisionParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, Target, canaryFlag, planFlag, targetPositional, viaCardFlag } from './arguments.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

const MaxFailures = z
  .string()
  .regex(/^\d{1,3}$/, 'is a whole number from 0 to 999')
  .transform(Number);

const Arguments = z
  .object({
    target: Target,
    plan: Switch,
    adopt: Switch,
    reflash: Switch,
    'set-mode': Switch,
    'via-card': Switch,
    canary: Target.optional(),
    'max-failures': MaxFailures.optional(),
  })
  .refine((args) => !(args.adopt && args.reflash), {
    path: ['reflash'],
    message: 'and --adopt exclude each other: --adopt keeps what is on the card, --reflash erases it',
  });

/** Brings cards into the state their profile wants. The run's card in the channel is the answer. */
export const provision = defineCommand({
  name: 'provision',
  summary: 'bring every DPU of a rack, host or single card into the state its profile wants',
  positionals: [targetPositional],
  flags: [
    planFlag,
    { name: 'adopt', kind: 'switch', about: 'take over a card that somebody else set up as it is, without flashing' },
    { name: 'reflash', kind: 'switch', about: 'flash a card that somebody else set up; all files on it are erased' },
    { name: 'set-mode', kind: 'switch', about: 'put a card in NIC mode into DPU mode; its host is power-cycled' },
    viaCardFlag,
    canaryFlag,
    { name: 'max-failures', kind: 'text', value: 'N', about: 'go on until more than N hosts have failed; default 0' },
  ],
  examples: ['/dpu provision rack1', '/dpu provision dpu-07 --plan', '/dpu provision rack1 --canary host-07'],
  arguments: Arguments,
  approval: 'passwords, drivers, flashing, resets and power cycles, once the plan is known',
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'provision',
      recipeVersion: recipeVersions.provision,
      params: ProvisionParams.parse({
        adopt: args.adopt,
        reflash: args.reflash,
        setMode: args['set-mode'],
        viaCard: args['via-card'],
      }),
      target: args.target,
      planOnly: args.plan,
      canary: args.canary,
      maxFailures: args['max-failures'] ?? 0,
    });
    return undefined;
  },
});
