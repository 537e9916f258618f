import { describe, expect, it } from 'vitest';
import type { BmcAccess } from '../../../src/domain/device-ports.ts';
import { requestResume } from '../../../src/domain/policy.ts';
import type { Run } from '../../../src/domain/run.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { EngineDeps } from '../../../src/engine/deps.ts';
import { errors } from '../../../src/errors.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import { variations } from '../../../src/lab/rack/layouts.ts';
import type { RackModel } from '../../../src/lab/rack/model.ts';
import { comparableSnapshot, createRack } from '../../../src/lab/rack/model.ts';
import { ana, makeInventory } from '../../support/make-run.ts';
import type { World } from '../../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { createMemoryPinStore } from '../../support/memory/switches.ts';

const inventory = makeInventory(['as7']);

function worldOf(layout?: RackLayout, prepare?: (rack: RackModel) => void): World {
  return createWorld(inventory, (nowMs) => {
    const rack = createRack({ nowMs, seed: 1, ...(layout && { layout }) });
    prepare?.(rack);
    return rack;
  });
}

async function provision(world: World): Promise<Run> {
  return workUntilStopped(world, startEngine(world), (await order(world)).id);
}

describe('provision refuses a card before anything is changed', () => {
  it.each([
    ['a self-hosted controller', variations.controllerSku(), 'controller-sku'],
    ['a slot that is slower than the port', variations.downgradedLink(), 'pcie-link-slow'],
  ])('%s', async (_what, layout, code) => {
    const world = worldOf(layout);
    const before = comparableSnapshot(world.rack.snapshot());

    const run = await provision(world);

    expect(run.state).toBe('refused');
    expect(run.failure?.code).toBe(code);
    expect(run.failure?.deviceState).toBe('unchanged');
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
  });

  it('accepts the slow slot when the profile says so', async () => {
    const slow = makeInventory(['as7']);
    const profiled = {
      ...slow,
      profiles: {
        default: {
          ...slow.profiles['default'],
          secureBoot: 'off',
          bmcPassword: 'generated',
          minPcieLink: { gtPerS: 16, width: 16 },
        },
      },
    } as typeof slow;
    const world = createWorld(profiled, (nowMs) => createRack({ nowMs, seed: 1, layout: variations.downgradedLink() }));

    const run = await provision(world);

    expect(run.state).toBe('done');
  });

  it('a card in NIC mode is refused once its BMC lets one read the mode, and its Arm is never reset', async () => {
    const world = worldOf(variations.nicMode());
    const boots = world.rack.snapshot().cards[0]?.arm.bootCount;

    const run = await provision(world);

    expect(run.failure?.code).toBe('nic-mode');
    expect(world.rack.snapshot().cards[0]?.arm.bootCount).toBe(boots);
    // A new run is the remedy that the refusal names: the host must be free for it.
    expect(await world.stores.holds.get('as7')).toBeUndefined();
  });

  it('a card that somebody set up by hand: its password is not guessed at, and how to import it is said', async () => {
    const world = worldOf(variations.handSetUp());

    const run = await provision(world);

    expect(run.state).toBe('refused');
    expect(run.failure).toMatchObject({ code: 'card-set-up-by-hand', deviceState: 'unchanged' });
    expect(run.failure?.next).toContain('credentials import-bmc MT2334XZ0A7K');
  });
});

describe('provision with a profile that leaves the BMC password alone', () => {
  const base = makeInventory(['as7']);
  const leaving = {
    ...base,
    profiles: { default: { ...base.profiles['default'], secureBoot: 'off', bmcPassword: 'leave' } },
  } as typeof base;

  it('puts off what needs a login until the certificate is pinned, instead of refusing the card', async () => {
    const known = worldOf();
    await provision(known);
    const world = { ...known, inventory: leaving, stores: { ...known.stores, pins: createMemoryPinStore() } };

    const run = await provision(world);

    expect(run.state).toBe('done');
    expect(await world.stores.pins.get('bmc-certificate', 'as7-dpu0')).toBeDefined();
  });

  it('resets no card whose BMC turns out to be another one', async () => {
    const known = worldOf(undefined, (rack) => rack.injectFault('serial-mismatch', { target: 'as7-dpu0' }));
    await provision(known);
    const boots = known.rack.snapshot().cards[0]?.arm.bootCount;
    await known.stores.holds.clear('as7');

    const run = await provision({ ...known, inventory: leaving });

    expect(run.failure).toMatchObject({ code: 'wrong-card', deviceState: 'unchanged' });
    expect(run.failure?.next).not.toContain('new password');
    expect(known.rack.snapshot().cards[0]?.arm.bootCount).toBe(boots);
  });
});

describe('provision meets trouble on the way', () => {
  it('brings Secure Boot back into the report with an Arm reset when its fields are missing', async () => {
    const world = worldOf(variations.secureBootFieldsMissing());

    const run = await provision(world);

    expect(run.state).toBe('done');
    const entries = await world.stores.journal.read(run.id, 'as7');
    const acts = entries.flatMap((entry) => (entry.event.type === 'intent' ? [entry.event.action] : []));
    expect(acts).toContain('reset-arm-to-report');
    expect(acts.filter((name) => name === 'reset-arm')).toHaveLength(2);
  });

  it('gives up after three resets when Secure Boot is never reported, and says what state the card is in', async () => {
    const world = worldOf(undefined, (rack) =>
      rack.injectFault('secureboot-fields-missing', { target: 'as7-dpu0', uses: 9 }),
    );

    const run = await provision(world);

    const entries = await world.stores.journal.read(run.id, 'as7');
    const acts = entries.flatMap((entry) => (entry.event.type === 'intent' ? [entry.event.action] : []));
    expect(acts.filter((name) => name.startsWith('reset-arm'))).toHaveLength(3);
    expect(run.state).toBe('needs-human');
    expect(run.failure?.code).toBe('secure-boot-not-reported');
    expect(run.failure?.deviceState).toBe('changed');
  });

  it('fails when the Arm does not come back, and finishes on resume after the cause is gone', async () => {
    const world = worldOf(undefined, (rack) => rack.injectFault('arm-boot-stuck', { target: 'as7-dpu0' }));
    const stopped = await provision(world);
    world.rack.clearFault('arm-boot-stuck');
    world.rack.card('as7-dpu0').resetArm();
    world.clock.advance(200_000);

    const run = await resume(world, stopped.id);

    expect(stopped.failure?.code).toBe('dpu-not-ready');
    expect(stopped.state).toBe('needs-human');
    expect(run.state).toBe('done');
  });

  it('never files the password of another card under the serial of this one', async () => {
    const world = worldOf(undefined, (rack) => rack.injectFault('serial-mismatch', { target: 'as7-dpu0' }));
    const { serial } = world.rack.card('as7-dpu0');
    const old = new Secret('Old-Password-4711');
    await world.stores.credentials.savePending({ serial }, old, '');
    await world.stores.credentials.promote({ serial });

    await provision(world);

    const filed = await world.stores.credentials.bmc({ serial });
    expect(filed.map((entry) => [entry.slot, entry.secret.reveal()])).toEqual([['current', old.reveal()]]);
  });

  it('stops at the wrong card: the address belongs to another serial, and nothing more is written', async () => {
    const world = worldOf(undefined, (rack) => rack.injectFault('serial-mismatch', { target: 'as7-dpu0' }));
    const boots = world.rack.snapshot().cards[0]?.arm.bootCount;

    const run = await provision(world);

    expect(run.failure?.code).toBe('wrong-card');
    expect(run.state).toBe('needs-human');
    expect(world.rack.snapshot().cards[0]?.arm.bootCount).toBe(boots);
    expect(world.rack.snapshot().cards[0]?.secureBoot.enable).toBe(true);
    expect((await world.stores.holds.get('as7'))?.runId).toBe(run.id);
  });

  it.each([
    '/redfish/v1/AccountService/Accounts/root',
    '/redfish/v1/Systems/Bluefield/SecureBoot',
    '/redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset',
  ])('finishes although the first reply to %s is lost', async (path) => {
    const world = worldOf();
    const { deps, lost } = withLostReply(startEngine(world), path);
    const { id } = await order(world);

    const run = await workUntilStopped(world, deps, id);

    expect(lost).toEqual([path]);
    expect(run.state).toBe('done');
    const card = world.rack.card('as7-dpu0');
    expect((await world.stores.credentials.bmc({ serial: card.serial })).map((entry) => entry.slot)).toEqual([
      'current',
    ]);
  });
});

/** The first write to this path is carried out and its reply lost. */
function withLostReply(
  deps: EngineDeps,
  path: string,
): { readonly deps: EngineDeps; readonly lost: readonly string[] } {
  const lost: string[] = [];
  async function lose<T>(asked: string, reply: Promise<T>): Promise<T> {
    const value = await reply;
    if (lost.length > 0 || asked !== path) return value;
    lost.push(asked);
    throw errors.bmcReplyLost({ target: 'as7-dpu0', request: path });
  }
  const bmc: BmcAccess = {
    ...deps.devices.bmc,
    login: async (card, options) => {
      const login = await deps.devices.bmc.login(card, options);
      if (login.state !== 'in') return login;
      const { session } = login;
      return {
        ...login,
        session: {
          ...session,
          patch: async (asked, body, call) => lose(asked, session.patch(asked, body, call)),
          post: async (asked, body, call) => lose(asked, session.post(asked, body, call)),
          patchSecret: async (asked, body, call) => lose(asked, session.patchSecret(asked, body, call)),
        },
      };
    },
  };
  return { deps: { ...deps, devices: { ...deps.devices, bmc } }, lost };
}

async function resume(world: World, id: number): Promise<Run> {
  await world.stores.runs.update(id, (run) => requestResume(run, ana));
  await world.stores.queue.addAdvance({ runId: id });
  return workUntilStopped(world, startEngine(world), id, 'wait');
}
