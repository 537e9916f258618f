import { z } from 'zod';
import { benchKinds, benchTools } from '../src/domain/bench.ts';
import { nearest } from '../src/domain/targets.ts';
import { RunNumber, Switch, cancelFlag, planFlag, viaCardFlag } from './arguments.ts';
import type { Flag, Positional } from './define.ts';
import { laterFlags, laterShape } from './later.ts';

const shortestSeconds = 3;
const longestSeconds = 3_600;
const secondsOf = { s: 1, m: 60, h: 3_600 } as const;

/** What stands after a bench: kinds, and the other forms of the command, which people mix up with them. */
const forms = [...benchKinds, 'sweep', 'history', 'compare', 'baseline'] as const;

/** One of a few words; a near miss is told what was probably meant. */
function oneOf<const T extends string>(
  values: readonly T[],
  known: readonly string[] = values,
): z.ZodType<T, string | undefined> {
  return z.string().transform((text, context) => {
    const word = text.toLowerCase();
    const found = values.find((value) => value === word);
    if (found !== undefined) return found;
    const meant = nearest(word, known);
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    context.addIssue({ code: 'custom', message: `is ${values.join(' or ')}${hint}` });
    return z.NEVER;
  });
}

/** Numbers as in `64,1500,9000`, each once, in the order in which they were given. */
function numbers(limits: {
  readonly low: number;
  readonly high: number;
  readonly unit?: string;
}): z.ZodType<number[], string | undefined> {
  const { low, high, unit = '' } = limits;
  return z.string().transform((text, context) => {
    const words = text.split(',').map((word) => word.trim());
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const wrong = words.find((word) => !/^\d{1,6}$/.test(word) || Number(word) < low || Number(word) > high);
    if (wrong !== undefined) return refuse(`takes whole numbers from ${low} to ${high}${unit}, and "${wrong}" is none`);
    const values = words.map(Number);
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    if (twice !== undefined) return refuse(`names ${twice} twice`);
    return values.length > 8 ? refuse(`names ${values.length} values; 8 at most are measured in one run`) : values;
  });
}

const Repeats = z
  .string()
  .regex(/^([1-9]|1\d|20)$/, 'is a whole number from 1 to 20; a verdict needs 5')
  .transform(Number);

const Duration = z
  .string()
  .regex(/^[1-9]\d{0,4}[smh]?$/i, 'is a time, as in 30s or 5m')
  .transform((text) => {
    const unit = /[smh]$/i.exec(text)?.[0].toLowerCase() ?? 's';
    return Number.parseInt(text, 10) * (unit === 'h' ? secondsOf.h : unit === 'm' ? secondsOf.m : secondsOf.s);
  })
  .refine((seconds) => seconds >= shortestSeconds && seconds <= longestSeconds, 'is a time from 3s to 1h');

/** Name of a pair; whether there is such a one is asked of the inventory. */
export const PairName = z.string().regex(/^[A-Za-z0-9.-]{1,63}$/, 'is the name of a pair');
export const Kind = oneOf(benchKinds, forms);

/** What `bench` and `bench sweep` have in common. */
export const benchShape = {
  kind: Kind,
  pair: PairName.optional(),
  tool: oneOf(benchTools).optional(),
  duration: Duration.optional(),
  repeat: Repeats.optional(),
  frame: numbers({ low: 60, high: 9_216, unit: ' bytes' }).optional(),
  mtu: numbers({ low: 1_280, high: 9_978, unit: ' bytes' }).optional(),
  sas: numbers({ low: 1, high: 256 }).optional(),
  streams: numbers({ low: 1, high: 64 }).optional(),
  plan: Switch,
  'via-card': Switch,
  cancel: RunNumber.optional(),
  ...laterShape,
};
export type BenchWords = z.output<z.ZodObject<typeof benchShape>> & { readonly 'zero-loss'?: boolean };

/** Words that have nothing to do with each other, as zod reports them. */
export function refuseStrayWords(args: BenchWords, context: z.RefinementCtx): void {
  const refuse = (flag: string, message: string): void => context.addIssue({ code: 'custom', path: [flag], message });
  if (args.kind === 'raw' && args.sas !== undefined)
    refuse('sas', 'goes with ipsec only: raw traffic has no security associations');
  if (args.tool !== 'iperf3') return;
  if (args.frame !== undefined)
    refuse(
      'frame',
      'goes with testpmd only: TCP of iperf3 fills its packets itself, and their size is that of the MTU',
    );
  if (args['zero-loss'] === true) refuse('zero-loss', 'goes with testpmd only: TCP of iperf3 repeats what is lost');
}

export const pairPositional: Positional = {
  name: 'pair',
  about: 'the name of a pair of the inventory; without it the one of this channel, or the only one',
  optional: true,
};

export const kindPositional: Positional = {
  name: 'kind',
  about: '`raw` (the path itself) or `ipsec` (encrypted between the two cards)',
};

const toolFlag: Flag = {
  name: 'tool',
  kind: 'text',
  value: 'testpmd|iperf3',
  about: 'what measures; default testpmd where the profiles say how it runs (`tools`, hugepages), else iperf3',
};

const durationFlag: Flag = {
  name: 'duration',
  kind: 'text',
  value: '30s',
  about: 'of one repeat, after 3 s of warm-up; from 3s to 1h, default 30s',
};

const repeatFlag: Flag = {
  name: 'repeat',
  kind: 'text',
  value: '3',
  about: 'repeats of each setting and direction, up to 20, default 3; a verdict against a baseline needs 5',
};

const frameFlag: Flag = {
  name: 'frame',
  kind: 'text',
  value: '64,1500,9000',
  about: 'testpmd only: lengths of the Ethernet frames without FCS, each measured; default 1500',
};

/** What a bench and a sweep take alike, after what each takes in its own way. */
export const benchFlags: readonly Flag[] = [
  toolFlag,
  durationFlag,
  repeatFlag,
  frameFlag,
  planFlag,
  viaCardFlag,
  cancelFlag,
  ...laterFlags,
];

/** When a bench asks for approval, in words. */
export const benchApproval = 'when bridges, offload or IPsec have to be set up first, which interrupts others';
