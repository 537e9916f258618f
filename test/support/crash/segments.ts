import type { Inventory } from '../../../src/domain/inventory.ts';
import type { Segment } from './segment.ts';
import { crashHost } from './segment.ts';

const hostReset = 'POST /redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset';
const push = { first: 'before start detached', last: 'before run rm -f' };

/** The parts of `/dpu provision`, in the order of docs/crash-table.md. Together they are all of its steps but the mode. */
export const segments = {
  bmc: {
    title: 'The run itself, BMC and Secure Boot',
    from: 'preflight-host',
    to: 'disable-secure-boot',
    withRun: true,
  },
  doca: { title: 'DOCA on the host', from: 'install-doca', to: 'install-doca' },
  sentImage: { title: 'An image that the worker sends', from: 'stage-bfb', to: 'stage-bfb' },
  fetchedImage: {
    title: 'An image that the host fetches',
    from: 'stage-bfb',
    to: 'stage-bfb',
    change: (inventory) => withImage(inventory, 'bf-2.9.2'),
  },
  flash: {
    title: 'The flash',
    from: 'install-bfb',
    to: 'disable-secure-boot-again',
    late: push,
  },
  arm: { title: 'The new system on the Arm', from: 'enrol-arm-login', to: 'install-tailscale-host' },
  power: {
    title: 'The power cycle of the host',
    from: 'activate-firmware',
    to: 'check-versions',
    late: { first: `before ${hostReset}`, last: `after ${hostReset}` },
  },
  foundBmc: {
    title: 'A card whose BMC has to be found',
    from: 'enrol-arm-login-first',
    to: 'disable-secure-boot-late',
    change: withUnknownBmc,
    // The certificate of a BMC that nobody has found yet is in no plan.
    resumes: 1,
    person: {
      'plan-outdated':
        'The new worker walks the recipe from its beginning, and the Arm, which is just being reset, does not answer the step that found the BMC.',
    },
  },
  flashOfFound: {
    title: 'The flash of a card whose BMC was found',
    from: 'install-bfb',
    to: 'enrol-arm-login',
    change: withUnknownBmc,
    resumes: 1,
    only: push,
  },
} satisfies Record<string, Segment>;

function withImage(inventory: Inventory, image: string): Inventory {
  const profiles = Object.entries(inventory.profiles).map(([name, profile]) => [name, { ...profile, image }] as const);
  return { ...inventory, profiles: Object.fromEntries(profiles) };
}

function withUnknownBmc(inventory: Inventory): Inventory {
  const host = inventory.hosts[crashHost];
  if (host === undefined) throw new Error(`the inventory has no ${crashHost}`);
  const dpus = host.dpus.map((dpu) => ({ ...dpu, bmc: { ...dpu.bmc, address: 'auto' as const } }));
  return { ...inventory, hosts: { ...inventory.hosts, [crashHost]: { ...host, dpus } } };
}
