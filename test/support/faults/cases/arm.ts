import type { FaultCase } from '../case.ts';
import { gone, overcome, stops } from '../words.ts';

const silent = ['failed', 'arm-unreachable', 'unknown'] as const;
const readConsole = /Read the console of the card.*Then `\/dpu resume \d+`/;

/** The way to the Arm over its own link, and its console. */
export const arm: readonly FaultCase[] = [
  {
    fault: 'tmfifo-no-ip',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(silent, readConsole, gone('At the console the link gets its address.')),
  },
  {
    fault: 'tmfifo-reversed',
    command: '/dpu reflash --image bf-2.9.2-patched',
    end: stops(silent, readConsole, gone('At the console the link gets the right address.')),
  },
  {
    fault: 'console-stolen',
    command: '/dpu console',
    end: stops(
      ['failed', 'console-busy', 'unchanged'],
      /End it on as7 \(`sudo fuser -v \/dev\/rshim0\/console` shows it\)/,
      gone('Somebody ends the forgotten program.'),
    ),
  },
  { fault: 'arm-password-expired', command: '/dpu provision', end: overcome(/key not accepted -> login by key/) },
  { fault: 'arm-password-expired', command: '/dpu recover arm-password', end: overcome(/key refused -> login by key/) },
];
