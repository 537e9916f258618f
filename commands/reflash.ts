import { z } from 'zod';
import { ProvisionParams, recipeVersions } from '../jobs/payloads.ts';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { FormField } from '../src/report/message.ts';
import {
  RunNumber,
  Switch,
  canaryFlag,
  cancelFlag,
  cancelWithPlan,
  planFlag,
  viaCardFlag,
  TargetName,
} from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import type { CommandRequest, Flag } from './define.ts';
import { defineCommand } from './define.ts';
import { laterFlags, laterOf, laterShape } from './later.ts';
import { startRun } from './start-run.ts';
import { switchesField, targetField } from './target-form.ts';

const Arguments = z
  .object({
    target: Target,
    image: z.string({ error: 'is missing: --image NAME' }),
    via: z.enum(['rshim', 'redfish'], 'is rshim or redfish').optional(),
    plan: Switch,
    'via-card': Switch,
    canary: TargetName.optional(),
    cancel: RunNumber.optional(),
    ...selectionShape,
    ...laterShape,
  })
  .refine((args) => !(args.plan && args.cancel !== undefined), cancelWithPlan);

const flags: readonly Flag[] = [
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
  ...selectionFlags,
  ...laterFlags,
];

/** Writes an image onto cards, whatever is on them. */
export const reflash = defineCommand({
  name: 'reflash',
  summary: 'write an image onto cards, whatever is on them; all files on their Arms are erased',
  positionals: [targetPositional],
  flags,
  examples: ['/dpu reflash dpu-07 --image bf-2.9.2', '/dpu reflash host-07 --image bf-2.9.2 --via redfish'],
  arguments: Arguments,
  approval: 'always: all files on the Arms are erased',
  who: 'operate',
  changes: true,
  form: (request) => ({
    start: 'reflash',
    title: 'Write an image',
    submit: 'Look and plan',
    about:
      'The image is written onto each card, whatever is on it: all files on its Arm are erased. A second person has to approve the plan, which stands in the channel first.',
    fields: [targetField(request), imageField(request), viaField, switchesField(flags)],
  }),
  async run(request, args) {
    refuseUnknownImage(Object.keys(request.context.inventory().images), args.image);
    await startRun(request, {
      recipe: 'reflash',
      recipeVersion: recipeVersions.reflash,
      params: ProvisionParams.parse({ reflash: true, force: true, via: args.via ?? 'auto', viaCard: args['via-card'] }),
      image: args.image,
      target: args.target,
      only: args.only,
      except: args.except,
      planOnly: args.plan,
      ...laterOf(args),
      canary: args.canary,
      maxFailures: 0,
      giveUp: { run: args.cancel },
    });
    return undefined;
  },
});

function imageField({ context }: CommandRequest): FormField {
  const choices = Object.entries(context.inventory().images).map(([name, { version }]) => ({
    value: name,
    text: name === version ? name : `${name} (${version})`,
  }));
  return { kind: 'choice', flag: 'image', label: 'Image', choices, optional: false };
}

const viaField: FormField = {
  kind: 'choice',
  flag: 'via',
  label: 'Way (the plan chooses when left open)',
  choices: [
    { value: 'rshim', text: 'rshim of the host' },
    { value: 'redfish', text: 'Redfish: the BMC fetches it' },
  ],
  optional: true,
};

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
