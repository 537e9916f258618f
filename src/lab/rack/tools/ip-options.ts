/** Options of `ip` in front of its object. Source: iproute2 ip/ip.c. */
import type { ExecResult } from '../shell/types.ts';
import { failed } from '../shell/types.ts';

/** How `ip` shows things. */
export interface LookOptions {
  json: boolean;
  details: boolean;
  oneLine: boolean;
  family: 4 | 6 | null;
  statistics: boolean;
}

/** Option words of `ip`, and what is left; or an error. */
export function lookOptions(args: string[]): { options: LookOptions; words: string[] } | ExecResult {
  const options: LookOptions = { json: false, details: false, oneLine: false, family: null, statistics: false };
  let at = 0;
  for (; (args[at] ?? '').startsWith('-'); at += 1) {
    const option = (args[at] ?? '').replace(/^--/, '-');
    if (option === '-json' || option === '-j') options.json = true;
    else if (option === '-details' || option === '-d') options.details = true;
    else if (option === '-o' || option === '-oneline') options.oneLine = true;
    else if (option === '-4') options.family = 4;
    else if (option === '-6') options.family = 6;
    else if (['-s', '-stats', '-statistics'].includes(option)) options.statistics = true;
    else if (!['-p', '-pretty'].includes(option))
      return failed(255, `Option "${option}" is unknown, try "ip -help".\n`);
  }
  return { options, words: args.slice(at) };
}
