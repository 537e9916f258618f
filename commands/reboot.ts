import { z } from 'zod';
import { RebootParams, recipeVersions } from '../jobs/payloads.ts';
import { Switch, Target } from './arguments.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

const Arguments = z
  .object({
    target: Target,
    what: z.enum(['arm', 'bmc', 'host'], 'is arm, bmc or host'),
    plan: Switch,
    cold: Switch,
    'via-card': Switch,
  })
  .refine((args) => args.what === 'host' || !args.cold, {
    path: ['cold'],
    message: 'goes with host only: Arm and BMC of a card have no power switch of their own',
  });

/** Restarts something once. */
export const reboot = defineCommand({
  name: 'reboot',
  summary: 'restart the Arm or the BMC of cards, or their host, once, and see it up again',
  positionals: [
    { name: 'target', about: 'the name of a rack, host or DPU' },
    { name: 'what', about: '`arm`, `bmc` or `host`' },
  ],
  flags: [
    { name: 'plan', kind: 'switch', about: 'only look and show what would happen' },
    {
      name: 'cold',
      kind: 'switch',
      about: 'with `host`: a cold power cycle, which activates staged firmware and mode',
    },
    { name: 'via-card', kind: 'switch', about: "go on also where the worker's own way to the host may be cut" },
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
      planOnly: args.plan,
      maxFailures: 0,
    });
    return undefined;
  },
});
