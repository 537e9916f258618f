import { describe, expect, it } from 'vitest';
import { runCase } from './run-case.ts';
import type { FaultCase, Seen } from './case.ts';
import type { FaultGroup } from '../../../src/lab/rack/known-faults.ts';
import { faultCases } from './cases/index.ts';
import { pageWith, sectionOf } from './page.ts';

/** Carries out the cases of these groups, and compares their sections of docs/fault-table.md with what was seen. */
export function describeFaults(groups: readonly FaultGroup[]): void {
  const sections = new Map<FaultGroup, string>();

  describe.each(groups)('faults: %s', (group) => {
    const cases = faultCases[group];
    const seen = new Map<FaultCase, Seen>();

    for (const one of cases)
      it(titleOf(one), async () => {
        seen.set(one, await runCase(one));
      });

    it('docs/fault-table.md says what was seen', async () => {
      sections.set(group, sectionOf(group, cases, seen));

      await expect(pageWith(sections)).toMatchFileSnapshot('../../../docs/fault-table.md');
    });
  });
}

function titleOf({ fault, command, card, when, given, end, onCard }: FaultCase): string {
  const where = [
    command,
    ...(card === undefined ? [] : ['factory-fresh']),
    ...(given === undefined ? [] : [given.text]),
    ...(when === undefined ? [] : [JSON.stringify(when)]),
    ...(onCard === undefined ? [] : ['on the Arm']),
  ].join(', ');
  if (end.kind === 'overcome') return `${fault} in ${where}: ${end.says ? 'is said, and ' : ''}the run ends well`;
  const then = end.goesOn === 'resume' ? 'a resume finishes it' : `${end.goesOn.join(' and ')} finishes it`;
  return `${fault} in ${where}: ends as ${end.state} with ${end.code}; ${then}`;
}
