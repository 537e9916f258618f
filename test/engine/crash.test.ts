import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/domain/journal.ts';
import { makeInventory } from '../support/make-run.ts';
import type { World } from '../support/engine-world.ts';
import { Crash, createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';

const inventory = makeInventory(['as7']);
const dpu = 'as7-dpu0';

interface EndState {
  readonly run: string;
  readonly secureBoot: unknown;
  readonly passwordKnown: boolean;
  readonly hold: unknown;
  readonly armBoots: number;
}

async function endState(world: World, runId: number): Promise<EndState> {
  const run = await world.stores.runs.get(runId);
  const card = world.rack.card(dpu);
  const current = (await world.stores.credentials.bmc({ serial: card.serial })).find(
    (entry) => entry.slot === 'current',
  );
  const authorization = `Basic ${Buffer.from(`root:${current?.secret.reveal() ?? ''}`).toString('base64')}`;
  const answer = card.redfish({
    method: 'GET',
    path: '/redfish/v1/Systems/Bluefield/SecureBoot',
    headers: { authorization },
    body: '',
  });
  const body: Record<string, unknown> = 'refused' in answer ? {} : JSON.parse(answer.body);
  const snapshot = world.rack.snapshot().cards.find((entry) => entry.name === dpu);
  return {
    run: run?.state ?? 'gone',
    secureBoot: [body['SecureBootEnable'], body['SecureBootCurrentBoot']],
    passwordKnown: !('refused' in answer) && answer.status === 200,
    hold: await world.stores.holds.get('as7'),
    armBoots: snapshot?.arm.bootCount ?? 0,
  };
}

/** Runs until the end; each time the engine dies a new one takes over, 12 s later. */
async function runThrough(world: World, crashAt: number | undefined): Promise<number> {
  const { id } = await order(world);
  let deps = startEngine(world, crashAt === undefined ? {} : { crashAt });
  for (let lives = 1; ; lives += 1) {
    try {
      await workUntilStopped(world, deps, id);
      return lives;
    } catch (error) {
      if (!(error instanceof Crash) || lives > 3) throw error;
      world.clock.advance(12_000);
      deps = startEngine(world);
    }
  }
}

function intents(entries: readonly JournalEntry[], action: string): number {
  return entries.filter((entry) => entry.event.type === 'intent' && entry.event.action === action).length;
}

describe('crash: the worker dies at each point of a provision run', () => {
  it('ends in the same state as an undisturbed run, wherever it dies', { timeout: 120_000 }, async () => {
    const calm = createWorld(inventory);
    await runThrough(calm, undefined);
    const expected = await endState(calm, 418);
    const points = calm.points.length;
    expect(expected).toMatchObject({ run: 'done', secureBoot: [false, 'Disabled'], passwordKnown: true });
    expect(points).toBeGreaterThan(60);

    for (let crashAt = 0; crashAt < points; crashAt += 1) {
      const world = createWorld(inventory);
      const lives = await runThrough(world, crashAt);
      const point = calm.points[crashAt] ?? '';
      const state = await endState(world, 418);

      expect({ point, lives }).toEqual({ point, lives: 2 });
      expect({ point, ...state, armBoots: 0 }).toEqual({ point, ...expected, armBoots: 0 });
      // One reset too many is allowed, none too few.
      expect(state.armBoots, point).toBeGreaterThanOrEqual(expected.armBoots);
      expect(state.armBoots, point).toBeLessThanOrEqual(expected.armBoots + 1);
      const entries = await world.stores.journal.read(418, 'as7');
      expect(intents(entries, 'patch-password'), point).toBeLessThanOrEqual(2);
    }
  });
});
