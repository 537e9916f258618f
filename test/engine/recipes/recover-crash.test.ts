import { describe, expect, it } from 'vitest';
import { recover } from '../../../jobs/recover.ts';
import type { RecoverParams } from '../../../jobs/payloads.ts';
import { sliceHash, sliceOf } from '../../../src/domain/inventory.ts';
import type { BmcAccess, BmcLogin, CredentialKey } from '../../../src/domain/device-ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { EngineDeps } from '../../../src/engine/deps.ts';
import type { Saved } from '../../support/crash/fork.ts';
import { fork, save } from '../../support/crash/fork.ts';
import { watch } from '../../support/crash/watch.ts';
import type { World } from '../../support/engine-world.ts';
import { Crash, order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { provisionedWorld } from '../../support/provisioned.ts';

const name = 'as7-dpu0';
const leaseMs = 36_000_000;
/** Until a new worker is there. */
const awayMs = 12_000;

async function lockedOut(fault: string | undefined): Promise<Saved> {
  const world = await provisionedWorld();
  if (fault !== undefined) world.rack.injectFault(fault, { target: name });
  return save(world, 'as7');
}

/** A world that starts there; its engine draws another password than the one that is filed. */
async function later(saved: Saved): Promise<World> {
  const world = await fork(saved);
  world.lives = 1;
  return world;
}

/**
 * A worker whose transport remembers what was refused until it is told to forget, as the real one does: otherwise each look
 * would be two more wrong tries, and ten of them lock the account.
 */
function startWorker(world: World, crashAt?: number): EngineDeps {
  const deps = startEngine(world, { recipe: recover, leaseMs, ...(crashAt !== undefined && { crashAt }) });
  const { bmc } = deps.devices;
  let refused: BmcLogin | undefined;
  const remembering: BmcAccess = {
    ...bmc,
    login: async (card, options) => {
      const login = refused ?? (await bmc.login(card, options));
      refused = login.state === 'refused' ? login : undefined;
      return login;
    },
    forget: () => (refused = undefined),
    noteReset: () => (refused = undefined),
  };
  return { ...deps, devices: { ...deps.devices, bmc: remembering } };
}

/** Works a recovery off; the worker dies at that crash point, and another one takes over. */
async function recovered(world: World, what: RecoverParams['what'], crashAt?: number): Promise<Run> {
  const slice = sliceOf(world.inventory, 'as7');
  const { id } = await order(world, {
    recipe: recover.name,
    recipeVersion: recover.version,
    params: { what },
    slices: { as7: slice },
    sliceHashes: { as7: sliceHash(slice) },
  });
  try {
    return await workUntilStopped(world, startWorker(world, crashAt), id);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    world.clock.advance(awayMs);
    return workUntilStopped(world, startWorker(world), id);
  }
}

/** What has to be as after an undisturbed run. */
async function endOf(world: World, run: Run): Promise<unknown> {
  const model = world.rack.card(name);
  const { serial } = model;
  const card = world.rack.snapshot().cards.find((one) => one.name === name);
  const filed = async (key: CredentialKey, isRight: (password: string) => boolean): Promise<readonly string[]> =>
    (await world.stores.credentials.bmc(key)).map(({ slot, secret }) =>
      slot === 'previous' ? slot : `${slot} ${isRight(secret.reveal()) ? 'right' : 'wrong'}`,
    );
  return {
    run: [run.state, run.failure?.what, run.failure?.why],
    bmc: await filed({ serial }, (password) => password === card?.bmc.rootPassword),
    arm: await filed({ armSerial: serial }, (password) => model.armLogin('ubuntu', password) === 'ok'),
    uefi: await filed({ uefiSerial: serial }, (password) => JSON.stringify(card?.uefi).includes(password)),
    keys: model.armAuthorizedKeys(),
    hold: (await world.stores.holds.get('as7')) === undefined ? 'given back' : 'kept',
  };
}

/** How often something was sent that must not be sent twice. */
function timesSent(world: World, what: RegExp): number {
  return world.points.filter((point) => what.test(point)).length;
}

const sent = {
  redfishReset: /^after POST .*Manager\.ResetToDefaults$/,
  ipmi: /^after run ipmitool/,
  password: /^after run (?:setsid|chpasswd)/,
  armReset: /^after POST .*ComputerSystem\.Reset$/,
  restart: /^after run systemctl restart/,
};

describe('crash: the worker of a recovery dies', () => {
  // `more`: a password may be set once more to the same value, one Arm reset too many does no harm, and neither does asking
  // the BMC again to forget its settings as long as it has not been restarted.
  it.each([
    ['bmc-password', 'bmc-password-wrong', sent.password, 1],
    ['factory-bmc', undefined, sent.redfishReset, 0],
    ['factory-bmc', 'bmc-password-wrong', sent.ipmi, 1],
    ['arm-password', undefined, sent.password, 1],
    ['arm-password', 'arm-key-lost', sent.password, 1],
    ['uefi-password', 'uefi-password-lost', sent.armReset, 1],
    ['stuck-rshim', 'rshim-stuck', sent.restart, 1],
  ] as const)(
    '%s (%s): everywhere, and the run ends as an undisturbed one',
    { timeout: 300_000 },
    async (what, fault, once, more) => {
      const saved = await lockedOut(fault);
      const { world: calm, states } = watch(await later(saved));
      const wanted = await endOf(calm, await recovered(calm, what));
      expect(JSON.stringify(wanted)).toContain('"run":["done",null,null]');
      expect(JSON.stringify(wanted)).not.toContain('wrong');

      const points = [...calm.points.keys()].filter((at) => states[at] !== states[at - 1]);
      const ends: { point: string | undefined; end: unknown; tooOften: boolean }[] = [];
      for (const at of points) {
        const world = await later(saved);
        const end = await endOf(world, await recovered(world, what, at));
        const tooOften = timesSent(world, once) > timesSent(calm, once) + more;
        ends.push({ point: calm.points[at], end, tooOften });
      }

      expect(points.length).toBeGreaterThan(12);
      expect(ends.filter(({ end }) => JSON.stringify(end) !== JSON.stringify(wanted))).toEqual([]);
      expect(ends.filter(({ tooOften }) => tooOften)).toEqual([]);
    },
  );
});
