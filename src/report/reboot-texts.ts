import type { PlannedStep, Reboot } from '../domain/plan.ts';
import { count, escapeMrkdwn } from './text.ts';

const REBOOTED: Readonly<Record<Reboot['what'], string>> = {
  arm: 'Arm side of',
  bmc: 'BMC of',
  host: 'server',
};

/** Lines of mrkdwn: how often each thing goes away, as expected and at most, and what has to happen for more. */
export interface RebootTexts {
  /** "Arm side of as7-dpu0: 4 times expected, at most 12". */
  readonly each: readonly string[];
  /** "when Secure Boot is not reported"; without those that may bring nothing more than expected. */
  readonly when: readonly string[];
}

/** Every reboot of these steps, added up per device. Only what is work counts: what is right already reboots nothing. */
export function rebootTexts(steps: readonly PlannedStep[]): RebootTexts {
  const sums = new Map<string, { readonly label: string; expected: number; most: number; isSure: boolean }>();
  const when = new Set<string>();
  for (const step of steps.filter(({ state }) => state === 'change' || state === 'deferred'))
    for (const reboot of step.reboots) {
      const key = `${reboot.what} ${reboot.target}`;
      const label = `${REBOOTED[reboot.what]} ${escapeMrkdwn(reboot.target)}`;
      const sum = sums.get(key) ?? { label, expected: 0, most: 0, isSure: true };
      sum.most += reboot.times;
      // A step that comes later may find nothing to do.
      sum.isSure &&= step.state === 'change';
      if (reboot.certainty === 'planned') sum.expected += reboot.times;
      else when.add(reboot.when ?? 'when the device needs it');
      sums.set(key, sum);
    }
  return { each: [...sums.values()].map(rebootText), when: [...when] };
}

function rebootText(sum: {
  readonly label: string;
  readonly expected: number;
  readonly most: number;
  readonly isSure: boolean;
}): string {
  const { label, expected, most, isSure } = sum;
  if (expected === most) return `${label}: ${count(most, 'time')}${isSure ? '' : ' expected'}`;
  return `${label}: ${expected === 0 ? 'none' : count(expected, 'time')} expected, at most ${most}`;
}
