import { beforeEach, describe, expect, test } from 'vitest';
import { hostStatesNow } from '../../../commands/selection.ts';
import type { Run, UnitRecord } from '../../../src/domain/run.ts';
import { makeInventory, makeNewRun } from '../../support/make-run.ts';
import type { MemoryStores } from '../../support/memory/index.ts';
import { createMemoryStores } from '../../support/memory/index.ts';

const inventory = makeInventory(['as7', 'as8', 'as9']);
let stores: MemoryStores;

beforeEach(() => {
  stores = createMemoryStores({ clock: { nowMs: () => 0 } });
});

async function ran(host: string, state: UnitRecord['state'], change: Partial<Run> = {}): Promise<number> {
  const { id } = await stores.runs.create(makeNewRun(makeInventory([host]), change));
  await stores.runs.update(id, (run) => {
    const unit = run.units[host];
    return unit && { ...run, state: 'done', units: { [host]: { ...unit, state } } };
  });
  return id;
}

async function states(): Promise<Record<string, string>> {
  return Object.fromEntries(await hostStatesNow({ ...stores, inventory: () => inventory }));
}

describe('how things stand with a host', () => {
  test('is how the newest run ended that was to change it, however many others came after', async () => {
    await ran('as7', 'failed');
    await ran('as8', 'done');
    for (let count = 0; count < 350; count += 1) await ran('as8', count % 2 === 0 ? 'satisfied' : 'failed');

    expect(await states()).toEqual({ as7: 'failed', as8: 'failed' });
  });

  test('is as the stopped run left it that still holds it, also when another one ended since', async () => {
    const stopped = await ran('as7', 'needs-human');
    await stores.holds.take(['as7'], stopped, 'Ana', 0);
    await ran('as7', 'refused');

    expect(await states()).toEqual({ as7: 'needs-human' });
  });

  test('is not touched by benches, looks, plans and runs that are at work', async () => {
    await ran('as9', 'activation-pending');
    await ran('as9', 'failed', { recipe: 'bench' });
    await ran('as9', 'failed', { recipe: 'status' });
    await ran('as9', 'failed', { recipe: 'inspect' });
    await ran('as9', 'satisfied', { planOnly: true });
    await ran('as9', 'plan-outdated');
    const atWork = await ran('as9', 'running');
    await stores.holds.take(['as9'], atWork, 'Ana', 0);

    expect(await states()).toEqual({ as9: 'cancelled' });
  });
});
