import { z } from 'zod';
import { ProvisionParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, canaryFlag, planFlag, viaCardFlag, TargetName } from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import type { Flag } from './define.ts';
import { defineCommand } from './define.ts';
import { laterFlags, laterOf, laterShape } from './later.ts';
import { startRun } from './start-run.ts';
import { switchesField, targetField } from './target-form.ts';

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
    canary: TargetName.optional(),
    'max-failures': MaxFailures.optional(),
    ...selectionShape,
    ...laterShape,
  })
  .refine((args) => !(args.adopt && args.reflash), {
    path: ['reflash'],
    message: 'and --adopt exclude each other: --adopt keeps what is on the card, --reflash erases it',
  });

const flags: readonly Flag[] = [
  planFlag,
  { name: 'adopt', kind: 'switch', about: 'take over a card that somebody else set up as it is, without flashing' },
  { name: 'reflash', kind: 'switch', about: 'flash a card that somebody else set up; all files on it are erased' },
  { name: 'set-mode', kind: 'switch', about: 'put a card in NIC mode into DPU mode; its host is power-cycled' },
  viaCardFlag,
  canaryFlag,
  { name: 'max-failures', kind: 'text', value: 'N', about: 'go on until more than N hosts have failed; default 0' },
  ...selectionFlags,
  ...laterFlags,
];

/** Brings cards into the state their profile wants. The run's card in the channel is the answer. */
export const provision = defineCommand({
  name: 'provision',
  summary: 'bring every DPU of a rack, host or single card into the state its profile wants',
  positionals: [targetPositional],
  flags,
  examples: ['/dpu provision rack1', '/dpu provision dpu-07 --plan', '/dpu provision rack1 --canary host-07'],
  arguments: Arguments,
  approval: 'passwords, drivers, flashing, resets and power cycles, once the plan is known',
  who: 'operate',
  changes: true,
  form: (request) => ({
    start: 'provision',
    title: 'Provision cards',
    submit: 'Look and plan',
    about:
      'Each card is brought into the state that its profile wants. First it is looked at: the plan stands in the channel, and what is risky waits there for a second person.',
    fields: [targetField(request), switchesField(flags)],
  }),
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
      only: args.only,
      except: args.except,
      planOnly: args.plan,
      ...laterOf(args),
      canary: args.canary,
      maxFailures: args['max-failures'] ?? 0,
    });
    return undefined;
  },
});
