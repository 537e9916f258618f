import { z } from 'zod';
import { ProvisionParams, recipeVersions } from '../jobs/payloads.ts';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import {
  RunNumber,
  Switch,
  Target,
  canaryFlag,
  cancelFlag,
  cancelWithPlan,
  planFlag,
  targetPositional,
  viaCardFlag,
} from './arguments.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

const Arguments = z
  .object({
    target: Target,
    image: z.string({ error: 'is missing: --image NAME' }),
    via: z.enum(['rshim', 'redfish'], 'is rshim or redfish').optional(),
    plan: Switch,
    'via-card': Switch,
    canary: Target.optional(),
    cancel: RunNumber.optional(),
  })
  .refine((args) => !(args.plan && args.cancel !== undefined), cancelWithPlan);

/** Writes an image onto cards, whatever is on them. */
export const reflash = defineCommand({
  name: 'reflash',
  summary: 'write an image onto cards, whatever is on them; all files on their Arms are erased',
  positionals: [targetPositional],
  flags: [
    { name: 'image', kind: 'text', value: 'NAME', required: true, about: 'an image of the inventory' },
    {
      name: 'via',
      kind: 'text',
      value: 'rshim|redfish',
      about: 'over the rshim of the host, or fetched by the BMC of the card; without it the plan chooses and says why',
    },
    planFlag,
    viaCardFlag,
    canaryFlag,
    cancelFlag,
  ],
  examples: ['/dpu reflash dpu-07 --image bf-2.9.2', '/dpu reflash host-07 --image bf-2.9.2 --via redfish'],
  arguments: Arguments,
  approval: 'always: all files on the Arms are erased',
  who: 'operate',
  changes: true,
  async run(request, args) {
    refuseUnknownImage(Object.keys(request.context.inventory().images), args.image);
    await startRun(request, {
      recipe: 'reflash',
      recipeVersion: recipeVersions.reflash,
      params: ProvisionParams.parse({ reflash: true, force: true, via: args.via ?? 'auto', viaCard: args['via-card'] }),
      image: args.image,
      target: args.target,
      planOnly: args.plan,
      canary: args.canary,
      maxFailures: 0,
      giveUp: { run: args.cancel },
    });
    return undefined;
  },
});

/** Errors: command-invalid. */
function refuseUnknownImage(known: readonly string[], name: string): void {
  if (known.includes(name)) return;
  const meant = nearest(name, known);
  const list = known.length === 0 ? 'none' : known.slice(0, 20).join(', ');
  throw errors.commandInvalid({
    what: `The inventory has no image "${name}".`,
    why: meant === undefined ? `Its images: ${list}.` : `Did you mean "${meant}"? Its images: ${list}.`,
    next: 'Name one of them after `--image`. Nothing was started.',
  });
}
