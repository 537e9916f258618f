import type { FaultCase } from '../case.ts';
import { gone, overcome, passed, shown, stops } from '../words.ts';

const whilePatching = { intent: 'patch-password' } as const;
const untroubled = overcome(undefined, { state: 'satisfied' });
const answers = gone('The BMC answers again.');
const statusBefore = { text: 'a status was read before', commands: ['/dpu status --refresh'] } as const;

/** The web server of the BMC, and what it says of the card. */
export const bmc: readonly FaultCase[] = [
  { fault: 'bmcweb-late', command: '/dpu reboot bmc', end: overcome(/answered POST .* with 503/) },
  { fault: 'bmcweb-late', command: '/dpu reboot host --cold', end: overcome() },
  {
    fault: 'oem-timeout',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['failed', 'bmc-timeout', 'unchanged'],
      /Wait a few minutes, then resume/,
      gone('The firmware of the BMC is updated, or the card is in DPU mode again.'),
    ),
  },
  { fault: 'oem-timeout', command: '/dpu status --refresh', end: shown(/did not answer GET .*Oem\/Nvidia/) },

  { fault: 'redfish-503', command: '/dpu provision', card: 'fresh', when: 'approved', end: overcome() },
  {
    fault: 'redfish-503',
    command: '/dpu provision',
    uses: 1000,
    end: stops(['failed', 'redfish-busy', 'unchanged'], /Wait a few minutes, then resume/, answers),
  },
  { fault: 'redfish-401', command: '/dpu provision', end: untroubled },
  { fault: 'redfish-401', command: '/dpu reboot bmc', end: overcome() },

  { fault: 'redfish-drop-reply', command: '/dpu rotate bmc', when: whilePatching, end: overcome() },
  {
    fault: 'redfish-drop-reply',
    command: '/dpu provision',
    end: stops(['failed', 'bmc-reply-lost', 'unknown'], /looks at the card before it sends anything again/, passed),
  },
  {
    fault: 'redfish-hang',
    command: '/dpu provision',
    end: stops(['failed', 'bmc-timeout', 'unknown'], /Wait a few minutes, then resume/, passed),
  },
  {
    fault: 'redfish-hang',
    command: '/dpu rotate bmc',
    when: whilePatching,
    end: overcome(),
  },
  { fault: 'redfish-wrong-json', command: '/dpu provision', end: untroubled },
  { fault: 'redfish-wrong-json', command: '/dpu rotate bmc', when: whilePatching, end: overcome() },
  { fault: 'redfish-truncated', command: '/dpu rotate bmc', when: whilePatching, end: overcome() },
  {
    fault: 'redfish-truncated',
    command: '/dpu provision',
    end: stops(['failed', 'bmc-reply-lost', 'unknown'], /looks at the card before it sends anything again/, passed),
  },

  {
    fault: 'bmc-cert-changed',
    command: '/dpu provision',
    end: stops(
      ['needs-human', 'bmc-cert-changed', 'unchanged'],
      /Compare the certificate on the BMC itself/,
      gone('What answered there was another machine, and is taken away.'),
    ),
  },
  {
    fault: 'serial-mismatch',
    command: '/dpu provision',
    end: stops(
      ['needs-human', 'wrong-card', 'unchanged'],
      /Nothing more is written.*Correct the addresses.*resume/,
      gone('The addresses are corrected.'),
    ),
  },
  {
    fault: 'serial-mismatch',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['needs-human', 'wrong-card', 'changed'],
      /The new password of that BMC is kept; correct the addresses/,
      gone('The addresses are corrected; nobody knows that the card was never used.'),
      ['/dpu provision --reflash'],
    ),
  },

  {
    fault: 'bios-get-500',
    command: '/dpu status --refresh',
    given: { text: 'the card is in NIC mode', commands: ['/dpu mode nic'] },
    end: shown(/^mode +NIC mode/),
  },
  {
    fault: 'bios-get-500',
    command: '/dpu mode dpu',
    given: { text: 'the card is in NIC mode', commands: ['/dpu mode nic'] },
    end: overcome(/nic mode .* -> dpu mode/),
  },

  {
    fault: 'atx-power-missing',
    command: '/dpu diag bmc-log',
    given: statusBefore,
    end: shown(/The 12 V cable of the card gave too little power/),
  },
  {
    fault: 'atx-power-missing',
    command: '/dpu diag temperatures',
    given: statusBefore,
    end: shown(/12V_ATX .* below 10\.4 V/),
  },
  {
    fault: 'atx-power-missing',
    command: '/dpu diag bmc-log',
    end: shown(/The 12 V cable of the card gave too little power/),
  },
];
