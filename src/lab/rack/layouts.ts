/**
 * Ready-made racks: `rack1` (two factory-fresh hosts joined p0 to p0) and variations of it for tests.
 */
import { defaultDelays, skus } from './layout.ts';
import type { CardLayout, HostLayout, RackLayout, Sku } from './layout.ts';

/** One card as it leaves the factory: default passwords, Secure Boot on, DPU mode, stock image, rshim at the host. */
export function factoryCard(
  card: Pick<CardLayout, 'name' | 'serial' | 'baseMac'> & {
    pciAddress: string;
    numaNode: number;
    bmcAddress: string;
    armAddress: string;
    sku?: Sku;
    links?: Record<string, string>;
  },
): CardLayout {
  return {
    ...structuredClone(card.sku ?? skus.b3240),
    name: card.name,
    serial: card.serial,
    pcie: { address: card.pciAddress, slotGen: 5, slotWidth: 16, numaNode: card.numaNode },
    baseMac: card.baseMac,
    mode: 'dpu',
    rshimOwner: 'host',
    bmc: {
      address: card.bmcAddress,
      firmware: 'BF-24.10-10',
      rootPassword: '0penBmc',
      redfishTruncatesPassword: false,
    },
    arm: {
      address: card.armAddress,
      image: 'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod',
      hostname: 'localhost',
      password: 'ubuntu',
      passwordExpired: true,
      authorizedKeys: [],
      signedImage: true,
    },
    nicFirmware: '32.43.1008',
    secureBoot: { enabled: true, fieldsPresent: true, keysEnrolled: true },
    links: card.links ?? {},
  };
}

/** An Ubuntu 22.04 host with rshim and MFT, but without DOCA's drivers. */
export function plainHost(name: string, address: string, cards: CardLayout[]): HostLayout {
  return {
    name,
    address,
    kernel: '5.15.0-124-generic',
    user: 'ops',
    packages: { rshim: '2.1.8-0', mft: '4.30.1-8', openssh: '1:8.9p1-3ubuntu0.10' },
    cards,
  };
}

/** One password for the management controllers of all hosts, as many fleets have it. */
export const hostBmcPassword = 'Calvin-R7615-lab!';

/** A host as it comes out of its box: no DOCA, no rshim, no MFT, kernel headers, and a management controller of its own. */
export function factoryHost(name: string, address: string, cards: CardLayout[]): HostLayout {
  const bmcAddress = address.replace(/\d+$/, (last) => String(Number(last) + 100));
  return {
    ...plainHost(name, address, cards),
    packages: { openssh: '1:8.9p1-3ubuntu0.10' },
    bmc: { address: bmcAddress, user: 'root', password: hostBmcPassword },
  };
}

/**
 * The default rack: `as7` and `as8`, one B3240 each, p0 to p0. Fresh copy on every call.
 *
 * `factoryFresh` leaves out everything that DOCA brings to a host and gives it a management controller.
 */
export function rack1(options: { factoryFresh?: boolean } = {}): RackLayout {
  const layout = preparedRack1();
  if (options.factoryFresh === true)
    layout.hosts = layout.hosts.map(({ name, address, cards }) => factoryHost(name, address, cards));
  return layout;
}

function preparedRack1(): RackLayout {
  return {
    name: 'rack1',
    management: { gateway: '10.20.7.1', dns: '10.20.7.2' },
    delays: { ...defaultDelays },
    hosts: [
      plainHost('as7', '10.20.7.7', [
        factoryCard({
          name: 'as7-dpu0',
          serial: 'MT2334XZ0A7K',
          baseMac: 'a0:88:c2:46:a7:00',
          pciAddress: '0000:e1:00',
          numaNode: 1,
          armAddress: '10.20.7.70',
          bmcAddress: '10.20.7.71',
          links: { p0: 'as8-dpu0/p0' },
        }),
      ]),
      plainHost('as8', '10.20.7.8', [
        factoryCard({
          name: 'as8-dpu0',
          serial: 'MT2334XZ0B8P',
          baseMac: 'a0:88:c2:46:b8:00',
          pciAddress: '0000:e1:00',
          numaNode: 1,
          armAddress: '10.20.7.80',
          bmcAddress: '10.20.7.81',
          links: { p0: 'as7-dpu0/p0' },
        }),
      ]),
    ],
  };
}

/**
 * `rack1` with so many hosts, one factory-fresh card each; those after the first two have no cable. For tests that need a
 * card of their own. At most 200, so that every address stays inside the management network.
 */
export function wideRack(hostCount: number, options: { factoryFresh?: boolean } = {}): RackLayout {
  const layout = rack1(options);
  const hostOf = options.factoryFresh === true ? factoryHost : plainHost;
  for (let number = layout.hosts.length; number < Math.min(hostCount, 200); number += 1) {
    const name = `as${number + 7}`;
    const hex = number.toString(16).padStart(2, '0');
    const card = factoryCard({
      name: `${name}-dpu0`,
      serial: `MT2334XZ1${number.toString().padStart(3, '0')}`,
      baseMac: `a0:88:c2:47:${hex}:00`,
      pciAddress: '0000:e1:00',
      numaNode: 1,
      armAddress: `10.20.8.${number}`,
      bmcAddress: `10.20.9.${number}`,
    });
    layout.hosts.push(hostOf(name, `10.20.7.${number + 20}`, [card]));
  }
  return layout;
}

/** Several racks as one layout: times and management network are those of the first. */
export function combineLayouts(layouts: RackLayout[]): RackLayout {
  const [first, ...rest] = layouts;
  if (first === undefined) throw new Error('There is no layout to start.');
  const hosts = layouts.flatMap((layout) => layout.hosts);
  const names = hosts.map((host) => host.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two layouts have a host ${twice}.`);
  return rest.length === 0 ? first : { ...first, name: layouts.map((layout) => layout.name).join('+'), hosts };
}

/** Change one card of a layout in place and give the layout back. */
export function changeCard(layout: RackLayout, name: string, change: (card: CardLayout) => void): RackLayout {
  const card = layout.hosts.flatMap((host) => host.cards).find((each) => each.name === name);
  if (card === undefined) throw new Error(`The layout ${layout.name} has no card ${name}.`);
  change(card);
  return layout;
}

/** Ready-made variations of `rack1`; each changes `as7-dpu0` in one way. */
export const variations = {
  controllerSku: (): RackLayout => changeCard(rack1(), 'as7-dpu0', (card) => Object.assign(card, skus.b3220sh)),
  noCrypto: (): RackLayout => changeCard(rack1(), 'as7-dpu0', (card) => Object.assign(card, skus.b3240NoCrypto)),
  downgradedLink: (): RackLayout =>
    changeCard(rack1(), 'as7-dpu0', (card) => {
      card.pcie.slotGen = 4;
    }),
  nicMode: (): RackLayout =>
    changeCard(rack1(), 'as7-dpu0', (card) => {
      card.mode = 'nic';
    }),
  secureBootFieldsMissing: (): RackLayout =>
    changeCard(rack1(), 'as7-dpu0', (card) => {
      card.secureBoot.fieldsPresent = false;
    }),
  handSetUp: (): RackLayout =>
    changeCard(rack1(), 'as7-dpu0', (card) => {
      card.bmc.rootPassword = 'Hands0n-Setup!';
      card.arm.password = 'Hands0n-Arm-2024';
      card.arm.passwordExpired = false;
      card.arm.image = 'bf-bundle-2.7.0-33_24.04_ubuntu-22.04_prod';
      card.arm.hostname = 'storage-gw-1';
      card.secureBoot.enabled = false;
    }),
} satisfies Record<string, () => RackLayout>;
