import type { World } from '../../engine-world.ts';
import type { FaultCase } from '../case.ts';
import { gone, overcome, passed, stops } from '../words.ts';

const command = '/dpu reflash --image bf-2.9.2-patched';
const withBmcParts = {
  text: '`bmcComponents: update` in the profile',
  act: ({ inventory }: World): void => {
    for (const profile of Object.values(inventory.profiles)) Object.assign(profile, { bmcComponents: 'update' });
  },
};
const noInstaller = ['failed', 'installer-failed', 'changed'] as const;
const noBmcParts = ['failed', 'bmc-update-failed', 'changed'] as const;
const flashedAnew = /erased or incomplete.*\/dpu resume \d+` flashes it anew/;

/** An image that goes over rshim. */
export const flash: readonly FaultCase[] = [
  {
    fault: 'rshim-missing',
    command,
    end: stops(
      ['refused', 'rshim-not-found', 'unchanged'],
      /systemctl status rshim.*nothing was sent to the card/,
      gone('The BMC gives the rshim up.'),
      [command],
    ),
  },
  {
    fault: 'rshim-at-bmc',
    command,
    end: stops(
      ['failed', 'rshim-owned-by-bmc', 'changed'],
      /restart the rshim service of as7.*\/dpu resume \d+.*the Arm runs as before/,
      {
        text: 'The rshim service of the host is restarted.',
        act: ({ rack }) => void rack.host('as7').exec('root', 'systemctl restart rshim'),
      },
    ),
  },
  { fault: 'rshim-at-bmc', command: '/dpu recover stuck-rshim', end: overcome(/Will change: Make rshim answer/) },
  {
    fault: 'rshim-at-bmc',
    command: '/dpu console',
    end: stops(
      ['refused', 'rshim-not-found', 'unchanged'],
      /\/dpu recover as7-dpu0 stuck-rshim/,
      gone('It stays with the BMC.'),
      ['/dpu recover stuck-rshim', '/dpu console'],
    ),
  },
  {
    fault: 'push-dies',
    command,
    end: stops(
      ['failed', 'push-failed', 'changed'],
      /no usable system until it is flashed.*\/dpu resume \d+` pushes anew/,
      passed,
    ),
  },
  { fault: 'installer-no-target', command, end: stops(noInstaller, flashedAnew, passed) },
  { fault: 'installer-critical', command, end: stops(noInstaller, flashedAnew, passed) },
  {
    fault: 'vlan4040-down',
    command,
    given: withBmcParts,
    end: stops(
      noBmcParts,
      /its BMC keeps the old firmware.*bmcComponents: skip.*\/dpu resume/,
      gone('VLAN 4040 is up.'),
    ),
  },
  {
    fault: 'bmc-token-failure',
    command,
    given: withBmcParts,
    end: stops(
      noBmcParts,
      /its BMC keeps the old firmware.*bmcComponents: skip.*\/dpu resume/,
      gone('The BMC gives the installer a token.'),
    ),
  },
  { fault: 'vlan4040-down', command, end: overcome() },
];
