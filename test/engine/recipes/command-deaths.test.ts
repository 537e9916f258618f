import { expect, it } from 'vitest';
import { reboot } from '../../../jobs/reboot.ts';
import { reflash } from '../../../jobs/reflash.ts';
import { rotate } from '../../../jobs/rotate.ts';
import { sliceHash, sliceOf } from '../../../src/domain/inventory.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { Recipe } from '../../../src/domain/step.ts';
import type { World } from '../../support/engine-world.ts';
import { Crash, order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

const leaseMs = 36_000_000;
const viaRedfish = { reflash: true, force: true, via: 'redfish' };

/** The run of a command, whose worker dies at that point of it the first time. */
async function dieAt(world: World, recipe: Recipe, params: object, crashAt: number | undefined): Promise<Run> {
  const slices = { as7: sliceOf(world.inventory, 'as7', { imageAsked: recipe === reflash ? 'bf-2.9.2' : undefined }) };
  const wish = { recipe: recipe.name, recipeVersion: recipe.version, params: { ...params }, text: recipe.name, slices };
  const { id } = await order(world, { ...wish, sliceHashes: { as7: sliceHash(slices.as7) } });
  world.points.length = 0;
  const lives = [...(crashAt === undefined ? [] : [{ crashAt }]), {}];
  for (const life of lives)
    try {
      return await workUntilStopped(world, startEngine(world, { recipe, leaseMs, ...life }), id);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  throw new Error('it died in its last life');
}

it.each<readonly [string, Recipe, object, string, string, number]>([
  ['a password of the BMC that is filed', rotate, { what: 'bmc' }, 'after promote', 'save-pending', 1],
  ['a password of the Arm that is filed', rotate, { what: 'arm' }, 'after promote', 'save-arm-password', 1],
  ['a restart of the BMC that was sent', reboot, { what: 'bmc' }, 'after POST', 'reset-bmc', 2],
  ['an update that was sent', reflash, viaRedfish, 'SimpleUpdate', 'simple-update-1', 2],
])('a run whose worker dies right after %s ends well', async (_what, recipe, params, where, act, intents) => {
  const clean = await provisionedWorld();
  await dieAt(clean, recipe, params, undefined);
  const point = clean.points.findLastIndex((one) => one.startsWith('after') && one.includes(where));
  const world = await provisionedWorld();

  const run = await dieAt(world, recipe, params, point);

  const entries = await world.stores.journal.read(run.id, 'as7');
  const acts = entries.flatMap(({ event }) => (event.type === 'intent' ? [event.action] : []));
  expect(point).toBeGreaterThan(0);
  expect(run.failure).toBeUndefined();
  expect(run.state).toBe('done');
  expect(acts.filter((one) => one === act)).toHaveLength(intents);
});

it('a card whose BMC has its factory password is planned over Redfish where that was asked for', async () => {
  const world = wholeWorld();

  const run = await runRecipe(world, reflash, viaRedfish, { image: 'bf-2.9.2', planOnly: true });

  const plan = await world.stores.runs.plan(run.id, 'as7', run.units['as7']?.planHash ?? '');
  const stateOf = (step: string): unknown => plan?.steps.find((one) => one.step === step)?.state;
  expect(stateOf('install-bfb')).toBe('skipped');
  expect(stateOf('update-bfb')).toBe('deferred');
});
