import { createRack } from '../../../src/lab/rack/model.ts';
import { rack1 } from '../../../src/lab/rack/layouts.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import { fork, save } from '../crash/fork.ts';
import type { Saved } from '../crash/fork.ts';
import type { World } from '../engine-world.ts';
import { createWorld } from '../engine-world.ts';
import { fakeHostKey } from '../rack-arm.ts';
import { wholeCredentials, wholeInventory } from '../whole-rack.ts';
import { faultHost } from './case.ts';
import { carryOut } from './carry-out.ts';

/** Fewer looks at a quiet installer: what a fault does to it is the same. */
function layout(): RackLayout {
  const one = rack1({ factoryFresh: true });
  one.delays = { ...one.delays, pushMs: 20_000, installMs: 60_000 };
  return one;
}

/** A factory-fresh host with its card. Inside of a test only: its images go with the test. */
export function freshWorld(): World {
  const wanted = wholeInventory(layout(), [faultHost]);
  return createWorld(wanted, (nowMs) => createRack({ layout: layout(), nowMs, seed: 1 }), wholeCredentials);
}

let provisioned: Promise<Saved> | undefined;

/** A host and card that `/dpu provision` has set up: once for all tests of this worker, and each gets a copy. */
export async function setUpWorld(): Promise<World> {
  provisioned ??= provisionOnce();
  const world = await fork({ ...(await provisioned), inventory: wholeInventory(layout(), [faultHost]) });
  world.rack.connectOutside({ hostKey: fakeHostKey, dialArm: () => null });
  return world;
}

async function provisionOnce(): Promise<Saved> {
  const world = freshWorld();
  const { run } = await carryOut(world, '/dpu provision');
  if (run.state !== 'done') throw new Error(`provision ended ${run.state}: ${JSON.stringify(run.failure)}`);
  return save(world, faultHost);
}
