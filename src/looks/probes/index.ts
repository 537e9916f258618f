import type { ProbeName } from '../../domain/probes.ts';
import { probeDrivers, probeLinks, probeMemoryDisk, probeServices } from './arm-probes.ts';
import { probeBmcLog, probeSecureBoot, probeTemperatures, probeVersions } from './bmc-probes.ts';
import { probeIpsecSas, probeOffloadFlows } from './data-path-probes.ts';
import { probeFirmware, probeMode, probePcie, probeRshimLog } from './host-probes.ts';
import type { Probe } from './probe.ts';

/** Every probe that `/dpu diag` names. */
export const probes: Readonly<Record<ProbeName, Probe>> = {
  versions: { run: probeVersions },
  firmware: { run: probeFirmware },
  mode: { run: probeMode },
  'secure-boot': { run: probeSecureBoot },
  pcie: { run: probePcie },
  links: { run: probeLinks },
  drivers: { run: probeDrivers },
  services: { run: probeServices },
  'memory-disk': { run: probeMemoryDisk },
  temperatures: { run: probeTemperatures },
  'bmc-log': { run: probeBmcLog },
  'rshim-log': { alone: true, run: probeRshimLog },
  'offload-flows': { run: probeOffloadFlows },
  'ipsec-sas': { run: probeIpsecSas },
};
