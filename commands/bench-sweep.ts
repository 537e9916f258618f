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
import { cancelWithPlan } from './arguments.ts';
import { defineCommand } from './define.ts';

const Arguments = z
  .object(benchShape)
  .superRefine((args, context) => {
    refuseStrayWords(args, context);
    const isSwept = [args.mtu, args.streams, args.sas, args.frame].some((values) => (values?.length ?? 0) > 1);
    const message = 'or another setting needs two values at least, as in `--streams 1,4,16`: a sweep compares them';
    if (!isSwept) context.addIssue({ code: 'custom', path: ['streams'], message });
  })
  .refine((args) => !(args.plan && args.cancel !== undefined), cancelWithPlan);

/** Measures the same path with several settings, one after the other. */
export const benchSweep = defineCommand({
  name: 'bench sweep',
  summary: 'measure a pair with several settings, each with each, and say which was best and by how much',
  positionals: [kindPositional, pairPositional],
  flags: [
    { name: 'mtu', kind: 'text', value: '1500,9000', about: 'IP MTUs of the path; set back afterwards' },
    { name: 'streams', kind: 'text', value: '1,4,16', about: 'numbers of flows' },
    { name: 'sas', kind: 'text', value: '1,8,32', about: 'ipsec only: numbers of security associations a direction' },
    ...benchFlags,
  ],
  examples: [
    '/dpu bench sweep raw --mtu 1500,9000 --streams 1,4,16',
    '/dpu bench sweep ipsec wire1 --sas 1,8,32 --duration 10s',
  ],
  arguments: Arguments,
  approval: benchApproval,
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startBench(request, args);
    return undefined;
  },
});
