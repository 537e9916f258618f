import { faultNames } from '../../src/lab/chat/faults.ts';
import { describeFaults } from '../../src/lab/rack/faults.ts';
import { wrap } from './transcript.ts';

const columns = 110;

/** The faults of `--fault`, each with the symptom it stands for. */
export function faultLines(): string[] {
  return [
    'Faults of the rack; @TARGET is a card (as7-dpu0) or a host (as7), left out: all of them.',
    ...describeFaults([]).flatMap(({ name, text }) => [`  ${name}`, ...wrap(`      ${text}`, columns)]),
    'Faults of the chat, without a target.',
    ...faultNames.map((name) => `  ${name}`),
  ];
}
