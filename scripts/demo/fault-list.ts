import { faultNames } from '../../src/lab/chat/faults.ts';
import { describeFaults } from '../../src/lab/rack/faults.ts';
import { faultGroups } from '../../src/lab/rack/known-faults.ts';
import { wrap } from './transcript.ts';

const columns = 110;

/** The faults of `--fault` by group, each with what one sees of it; a number is the item of the field guide's list. */
export function faultLines(): string[] {
  const known = describeFaults([]);
  return [
    'Faults of the rack; @TARGET is a card (as7-dpu0) or a host (as7), left out: all of them.',
    'A number is the item in the list of documented failures; some items have several faults.',
    ...faultGroups.flatMap((group) => [
      '',
      `${group}:`,
      ...known
        .filter((fault) => fault.group === group)
        .flatMap(({ name, guide, text }) => [
          `  ${name}${guide === undefined ? '' : ` (${guide})`}`,
          ...wrap(`      ${text}`, columns),
        ]),
    ]),
    '',
    'chat, without a target:',
    ...faultNames.map((name) => `  ${name}`),
  ];
}
