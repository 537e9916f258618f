import { expect } from 'vitest';
import type { World } from '../../engine-world.ts';
import type { FaultCase } from '../case.ts';
import { faultCard } from '../case.ts';
import { armRestarted, gone, overcome, shellLeft, shown, stops } from '../words.ts';

const reflash = '/dpu reflash --image bf-2.9.2-patched';
const consoleNext = /Read the console of the card \(see the runbook\)\. Then `\/dpu resume \d+`/;
const isOff = ({ rack }: World): void => {
  const said = rack.card(faultCard).armExec('ubuntu', 'mokutil --sb-state').stdout.trim();
  expect(said).toBe('SecureBoot disabled');
};

/** Boots of the Arm, and Secure Boot. */
export const boot: readonly FaultCase[] = [
  {
    fault: 'secureboot-fields-missing',
    command: '/dpu provision',
    card: 'fresh',
    end: overcome(/is not reported: up to 3 Arm resets to have it reported/, { proof: isOff }),
  },
  {
    fault: 'secureboot-fields-missing',
    command: '/dpu provision',
    card: 'fresh',
    uses: 9,
    end: stops(
      ['needs-human', 'secure-boot-not-reported', 'changed'],
      /Update the firmware of the card.*\/dpu resume \d+/,
      gone('The firmware of the card is updated.'),
    ),
  },
  {
    fault: 'secureboot-fields-missing',
    command: '/dpu diag secure-boot',
    given: { text: 'after a reset of the Arm', commands: ['/dpu status --refresh', '/dpu reboot arm'] },
    end: shown(/UEFI ran before the BMC was up.*a restart of the Arm brings it back/),
  },
  {
    fault: 'secureboot-reverts',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['needs-human', 'verify-mismatch', 'changed'],
      /Follow the runbook. Then `\/dpu resume \d+`/,
      gone('Secure Boot is changed in the UEFI menu.'),
    ),
  },
  {
    fault: 'secureboot-back-after-flash',
    command: reflash,
    end: overcome(/freeing Arm reset/, { proof: isOff }),
  },
  {
    fault: 'secureboot-back-after-flash',
    command: '/dpu reflash --image bf-2.9.2',
    end: overcome(/Look at Secure Boot again done/, { proof: isOff }),
  },
  {
    fault: 'secureboot-one-boot',
    command: '/dpu provision',
    card: 'fresh',
    end: overcome(/freeing Arm reset/, { proof: isOff }),
  },
  {
    fault: 'arm-boot-stuck',
    command: '/dpu reboot arm',
    end: stops(['needs-human', 'dpu-not-ready', 'changed'], consoleNext, armRestarted),
  },
  {
    fault: 'arm-boot-stuck',
    command: '/dpu reboot host --cold',
    end: stops(['needs-human', 'card-not-back', 'changed'], consoleNext, armRestarted),
  },
  {
    fault: 'uefi-shell-at-boot',
    command: '/dpu reboot arm',
    end: stops(['needs-human', 'dpu-not-ready', 'changed'], consoleNext, shellLeft),
  },
  {
    fault: 'uefi-shell-after-flash',
    command: reflash,
    end: stops(
      ['needs-human', 'uefi-shell', 'changed'],
      /Choose the disk in the boot manager.*\/dpu resume \d+/,
      shellLeft,
    ),
  },
];
