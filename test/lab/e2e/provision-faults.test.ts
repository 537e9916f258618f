import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { postByHand } from '../../support/lab/by-hand.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';
import {
  expectProvisioned,
  expectStop,
  isIntent,
  order,
  resume,
  type Scene,
  type Stop,
} from '../../support/lab/troubled-provision.ts';

interface Trouble {
  readonly title: string;
  /** Once the plan is there, before it is approved. */
  readonly strike: (scene: Scene) => Promise<void>;
  /** While the run goes on; takes the cause away where the run waits for that. */
  readonly meanwhile?: (scene: Scene) => Promise<void>;
  /** How often bfb-install ran in the end. */
  readonly pushes: number;
}

interface Overcome extends Trouble {
  readonly proof: (scene: Scene) => Promise<void>;
}

interface Stopped extends Trouble {
  readonly stop: Stop;
  /** Takes the cause away. */
  readonly cure: (scene: Scene) => Promise<void>;
}

const cardFault =
  (name: string) =>
  async ({ stack, card }: Scene) =>
    stack.rack.fault(name, card);
const hostFault =
  (name: string) =>
  async ({ stack, host }: Scene) =>
    stack.rack.fault(name, host);
const clear =
  (name: string) =>
  async ({ stack, host }: Scene) =>
    stack.rack.clearFault(name, host);
const nothing = async (): Promise<void> => undefined;

async function waitingForPackageLock({ stack, id, host }: Scene): Promise<void> {
  await eventually(
    'the wait for the lock',
    async () => {
      const all = await stack.records.stores.progress.get(id, host);
      return JSON.stringify(all ?? '').includes('unattended-upgr') ? true : undefined;
    },
    40_000,
    async () => stack.records.describe(id),
  );
}

const overcome: readonly Overcome[] = [
  {
    title: 'rshim owned by the BMC, which gives it up: taken for the flash, and the switch asked back',
    strike: cardFault('rshim-at-bmc'),
    pushes: 1,
    proof: async ({ stack, id, card }) => {
      const events = (await stack.records.journal(id)).map((entry) => entry.event);
      expect(events.filter(isIntent('take-rshim'))).toHaveLength(1);
      expect((await stack.rack.card(card)).rshim.owner).toBe('host');
      const back = events.find((event) => event.type === 'done' && event.action === 'give-rshim-back');
      expect(back).toMatchObject({ evidence: expect.stringContaining('asked for BmcRShimEnabled true') });
    },
  },
  {
    title: 'Secure Boot on again after the flash of a signed image: switched off again',
    strike: cardFault('secureboot-back-after-flash'),
    pushes: 1,
    proof: async ({ stack, id }) => {
      const events = (await stack.records.journal(id)).map((entry) => entry.event);
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'step-applied', step: 'disable-secure-boot-again' }),
      );
    },
  },
  {
    title: 'the package lock held for a while: waited for',
    strike: hostFault('dpkg-lock'),
    meanwhile: async (scene) => {
      await waitingForPackageLock(scene);
      await clear('dpkg-lock')(scene);
    },
    pushes: 1,
    proof: nothing,
  },
];

const stopped: readonly Stopped[] = [
  {
    title: 'rshim owned by a BMC that does not give it up',
    strike: async (scene) => {
      await cardFault('rshim-at-bmc')(scene);
      await cardFault('rshim-missing')(scene);
    },
    pushes: 1,
    stop: {
      state: 'failed',
      code: 'rshim-owned-by-bmc',
      deviceState: 'changed',
      next: /restart the rshim service.*resume \d+.*the Arm runs as before/,
    },
    cure: async ({ stack, card }) => stack.rack.clearFault('rshim-missing', card),
  },
  {
    title: 'a push that dies in the middle',
    strike: cardFault('push-dies'),
    pushes: 2,
    stop: {
      state: 'failed',
      code: 'push-failed',
      deviceState: 'changed',
      next: /no usable system until it is flashed.*\/dpu resume \d+` pushes anew/,
    },
    cure: nothing,
  },
  {
    title: 'an installer that finds no disk, and bfb-install that ends with 0',
    strike: cardFault('installer-no-target'),
    pushes: 2,
    stop: {
      state: 'failed',
      code: 'installer-failed',
      deviceState: 'changed',
      next: /erased or incomplete.*\/dpu resume \d+` flashes it anew/,
    },
    cure: nothing,
  },
  {
    title: 'an installer that stops half-way, and bfb-install that ends with 0',
    strike: cardFault('installer-critical'),
    pushes: 2,
    stop: {
      state: 'failed',
      code: 'installer-failed',
      deviceState: 'changed',
      next: /erased or incomplete.*\/dpu resume \d+` flashes it anew/,
    },
    cure: nothing,
  },
  {
    title: 'a card that comes up in the UEFI shell',
    strike: cardFault('uefi-shell-after-flash'),
    pushes: 1,
    stop: {
      state: 'needs-human',
      code: 'uefi-shell',
      deviceState: 'changed',
      next: /Choose the disk in the boot manager.*\/dpu resume \d+/,
    },
    // A person leaves the shell.
    cure: resetByHand,
  },
  {
    title: 'firmware that hangs',
    strike: cardFault('firmware-wedged'),
    pushes: 1,
    stop: {
      state: 'needs-human',
      code: 'firmware-wedged',
      deviceState: 'unknown',
      next: /Cold power cycle as\d+: off/,
    },
    cure: powerCycleByHand,
  },
  {
    title: 'a disk of the host that is full when packages are to come',
    // The lock keeps the run where it is until the disk is full: packages come in less than a second on this rack.
    strike: hostFault('dpkg-lock'),
    meanwhile: async (scene) => {
      await waitingForPackageLock(scene);
      await hostFault('disk-full')(scene);
      await clear('dpkg-lock')(scene);
    },
    pushes: 1,
    stop: { state: 'failed', code: 'host-disk-full', deviceState: 'changed', next: /Free space.*resume \d+/ },
    cure: clear('disk-full'),
  },
  {
    title: 'the package lock held for good',
    strike: hostFault('dpkg-lock'),
    pushes: 1,
    stop: { state: 'failed', code: 'dpkg-locked', deviceState: 'unchanged', next: /Let it finish.*resume \d+/ },
    cure: clear('dpkg-lock'),
  },
];

const all: readonly Trouble[] = [...overcome, ...stopped];
let stack: Stack;

// Deadlines of steps shrink with the time factor: more at a time do not get done on two cores.
vi.setConfig({ maxConcurrency: 3 });

beforeAll(async () => {
  stack = await Stack.start({ hosts: all.length, whole: true, timeFactor: 240, inventory: withSignedImage });
}, 120_000);
afterAll(async () => stack.stop());

/** Every case has a host of its own. */
function hostOf(one: Trouble): string {
  return `as${all.indexOf(one) + 7}`;
}

/** An unsigned image does not start at all with Secure Boot. */
function withSignedImage(text: string): string {
  const inventory = parse(text) as { hosts: Record<string, { profile: string }> };
  const one = overcome.find(({ title }) => title.includes('signed image'));
  const host = one && inventory.hosts[hostOf(one)];
  if (host) host.profile = 'stock';
  return stringify(inventory);
}

async function powerCycleByHand({ stack, host }: Scene): Promise<void> {
  await stack.rack.powerCycle(host);
  await eventually(`${host} to be up`, async () => ((await stack.rack.isHostUp(host)) ? true : undefined), 20_000);
}

async function resetByHand({ stack, card }: Scene): Promise<void> {
  const password = (await stack.filedPasswords(card)).get('current') ?? '';
  const path = '/redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset';
  expect(await postByHand(stack.dpu(card).bmc, password, path, { ResetType: 'ForceRestart' })).toBeLessThan(300);
}

async function begin(one: Trouble): Promise<Scene> {
  const scene = await order(stack, hostOf(one));
  await one.strike(scene);
  await stack.approve(scene.id);
  await one.meanwhile?.(scene);
  return scene;
}

describe('a whole provision overcomes', () => {
  it.concurrent.each(overcome)('$title', async (one) => {
    const scene = await begin(one);

    await expectProvisioned(scene, one.pushes);
    await one.proof(scene);
  });
});

describe('a whole provision stops, says what state the card is in and what to do, and resume finishes it after', () => {
  it.concurrent.each(stopped)('$title', async (one) => {
    const scene = await begin(one);

    await expectStop(scene, one.stop);
    await one.cure(scene);
    await resume(scene);

    await expectProvisioned(scene, one.pushes);
  });
});
