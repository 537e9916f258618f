import { z } from 'zod';
import {
  benchApproval,
  benchFlags,
  benchShape,
  kindPositional,
  pairPositional,
  refuseStrayWords,
} from './bench-arguments.ts';
import { startBench } from './bench-wish.ts';
import { Switch, cancelWithPlan } from './arguments.ts';
import { defineCommand } from './define.ts';

const oneValue = ['mtu', 'streams', 'sas'] as const;

const Arguments = z
  .object({ ...benchShape, 'zero-loss': Switch })
  .superRefine((args, context) => {
    refuseStrayWords(args, context);
    for (const flag of oneValue) {
      const values = args[flag] ?? [];
      const instead = `\`/dpu bench sweep ${args.kind} --${flag} ${values.join(',')}\``;
      const message = `takes one value here; ${instead} measures several and says which was best`;
      if (values.length > 1) context.addIssue({ code: 'custom', path: [flag], message });
    }
  })
  .refine((args) => !(args.plan && args.cancel !== undefined), cancelWithPlan);

/** Measures the data path between two cards. The result comes in the thread of its run. */
export const bench = defineCommand({
  name: 'bench',
  summary: 'measure the data path between the two cards of a pair, and prove whether the hardware does the work',
  positionals: [kindPositional, pairPositional],
  flags: [
    { name: 'mtu', kind: 'text', value: 'N', about: 'IP MTU of the path while it is measured; default: as it is' },
    { name: 'sas', kind: 'text', value: 'N', about: 'ipsec only: security associations a direction; default 1' },
    {
      name: 'streams',
      kind: 'text',
      value: 'N',
      about: 'flows; default 8 with testpmd (or as many as the profiles give it queues), 4 processes of iperf3',
    },
    {
      name: 'zero-loss',
      kind: 'switch',
      about: 'testpmd only: look for the highest rate without loss as well, by binary search',
    },
    ...benchFlags,
  ],
  examples: ['/dpu bench raw', '/dpu bench ipsec wire1 --sas 8 --repeat 5', '/dpu bench raw --frame 64,1500,9000'],
  arguments: Arguments,
  approval: benchApproval,
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startBench(request, args);
    return undefined;
  },
});
