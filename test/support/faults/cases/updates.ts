import { expect } from 'vitest';
import type { FaultCase } from '../case.ts';
import { faultHost } from '../case.ts';
import { gone, overcome, passed, stops } from '../words.ts';

const command = '/dpu reflash --image bf-2.9.2 --via redfish';

/** An image that goes through the BMC. */
export const updates: readonly FaultCase[] = [
  {
    fault: 'invalid-fw-package',
    command,
    end: stops(
      ['failed', 'image-refused-by-bmc', 'changed'],
      /Take another image, or `--via rshim`\. The BMC was restarted/,
      gone('The right image is put on the server.'),
    ),
  },
  {
    fault: 'update-in-progress',
    command,
    end: stops(
      ['failed', 'update-running', 'unknown'],
      /Wait until it has ended.*\/dpu reboot as7-dpu0 bmc.*\/dpu resume \d+.*The image was not sent/,
      gone('The other update has ended.'),
    ),
  },
  {
    fault: 'transfer-unknown-host',
    command,
    end: stops(
      ['failed', 'update-transfer-failed', 'changed'],
      /a name needs a name server in the BMC. The BMC was restarted/,
      gone('The BMC gets a name server.'),
    ),
  },
  {
    fault: 'bmc-restarts-in-transfer',
    command,
    end: stops(
      ['needs-human', 'flash-interrupted', 'unknown'],
      /Find out why \(see the runbook\)\. `\/dpu resume \d+` flashes the card anew/,
      passed,
    ),
  },
  {
    fault: 'task-gone',
    command,
    end: overcome(/fetches the image: Running/, {
      proof: ({ rack }) =>
        expect(rack.host(faultHost).exec('ops', 'systemctl is-active rshim').stdout).toBe('active\n'),
    }),
  },
];
