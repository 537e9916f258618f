import type { FaultCase } from '../case.ts';
import { gone, overcome, powerCycled, shown, stops } from '../words.ts';

const wedged = ['needs-human', 'firmware-wedged', 'unknown'] as const;
const coldCycle = /Cold power cycle as7: off, wait 30 s, on/;

/** The slot, the firmware of the NIC, and its cables. */
export const firmware: readonly FaultCase[] = [
  {
    fault: 'pcie-downgraded',
    command: '/dpu provision',
    end: stops(
      ['refused', 'pcie-link-slow', 'unchanged'],
      /PCIe 5\.0 x16 slot, or accept it with `minPcieLink`/,
      gone('The card is moved to another slot.'),
      ['/dpu provision'],
    ),
  },
  { fault: 'pcie-downgraded', command: '/dpu diag pcie', end: shown(/slot, riser or BIOS of the host limits it/) },
  {
    fault: 'controller-sku',
    command: '/dpu provision',
    end: stops(
      ['refused', 'controller-sku', 'unchanged'],
      /Use a networking DPU/,
      gone('A DPU is put into its place.'),
      ['/dpu provision'],
    ),
  },
  { fault: 'controller-sku', command: '/dpu status --refresh', end: shown(/A self-hosted controller, not a DPU/) },
  { fault: 'firmware-wedged', command: '/dpu mode nic', end: stops(wedged, coldCycle, powerCycled) },
  {
    fault: 'firmware-wedged',
    command: '/dpu reflash --image bf-2.9.2-patched',
    end: stops(wedged, coldCycle, powerCycled),
  },
  {
    fault: 'mode-unchanged',
    command: '/dpu mode nic',
    end: stops(
      ['needs-human', 'cold-boot-missing', 'changed'],
      /Take all power from as7 .*Then `\/dpu resume \d+`/,
      powerCycled,
    ),
  },
  { fault: 'link-down', command: '/dpu diag links', end: shown(/Cable is unplugged/) },
  { fault: 'link-down', command: '/dpu provision', end: overcome(undefined, { state: 'satisfied' }) },
];
