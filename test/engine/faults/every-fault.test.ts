import { expect, it } from 'vitest';
import { faultGroups, knownFaults } from '../../../src/lab/rack/known-faults.ts';
import type { KnownFault } from '../../../src/lab/rack/known-faults.ts';
import { faultCases } from '../../support/faults/cases/index.ts';

/** Those strike between two hosts: test/engine/recipes/bench-on-rack.test.ts has their cases. */
const ofBenches = 'data path and benches';
const faults: readonly (readonly [string, KnownFault])[] = Object.entries(knownFaults).filter(
  ([, { group }]: [string, KnownFault]) => group !== ofBenches,
);

it('every fault that the rack knows has a case, in its own group', () => {
  const wanted = faults.map(([name, { group }]) => `${group}: ${name}`);

  const cases = new Set(faultGroups.flatMap((group) => faultCases[group].map(({ fault }) => `${group}: ${fault}`)));

  expect(wanted.filter((name) => !cases.has(name))).toEqual([]);
  expect([...cases].filter((name) => !wanted.includes(name))).toEqual([]);
});
