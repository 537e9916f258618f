import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Look, LookContext } from '../../src/domain/look.ts';
import { JOURNAL_ENTRY_MAX_BYTES } from '../../src/domain/journal.ts';
import { requestCancel, requestResume } from '../../src/domain/policy.ts';
import type { Run } from '../../src/domain/run.ts';
import { advance } from '../../src/engine/advance.ts';
import type { EngineDeps } from '../../src/engine/deps.ts';
import type { ReportedPiece } from '../../src/engine/look-piece.ts';
import { fileOf, fitPiece } from '../../src/engine/look-piece.ts';
import { planLeaseName } from '../../src/engine/liveness.ts';
import { runPlanJob } from '../../src/engine/plan-job.ts';
import { sweep } from '../../src/engine/sweep.ts';
import { errors } from '../../src/errors.ts';
import { defineRead } from '../../src/domain/commands.ts';
import type { World } from '../support/engine-world.ts';
import { Crash, createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { ben, makeInventory } from '../support/make-run.ts';

const inventory = makeInventory(['as7'], 2);
const asked = { recipe: 'diag', recipeVersion: 1, text: 'diag as7 links', params: { probe: 'links' } };
const hostRead = defineRead({ name: 'hostname of a test', argv: ['hostname'] });

function lookOf(run: Look['run'], change: Partial<Look> = {}): Look {
  return { name: 'diag', version: 1, title: 'Probe the cards', timeoutMs: 60_000, run, ...change };
}

function piece(context: LookContext, change: Partial<ReportedPiece> = {}): ReportedPiece {
  return { target: context.cards[0]?.dpu.name ?? '', title: 'links', summary: 'Both ports are up.', ...change };
}

async function eventsOf(world: World, run: Run): Promise<readonly { readonly type: string }[]> {
  return (await world.stores.journal.read(run.id, 'as7')).map((entry) => entry.event);
}

/** Orders the look and works it off. */
async function lookOnce(
  look: Look,
  change: (deps: EngineDeps, world: World) => EngineDeps = (deps) => deps,
): Promise<{ readonly world: World; readonly run: Run; readonly deps: EngineDeps }> {
  const world = createWorld(inventory);
  const deps = change(startEngine(world, { look }), world);
  const { id } = await order(world, asked);
  return { world, deps, run: await workUntilStopped(world, deps, id) };
}

describe('a look', () => {
  it('ends done with its sentence, and what it saw stands in the journal', async () => {
    const { world, run } = await lookOnce(
      lookOf(async (context) => {
        await context.report(piece(context, { rows: [{ label: 'p0', value: 'down', warning: 'No cable?' }] }));
        return `${String(context.options['probe'])} asked of ${context.cards.length} cards`;
      }),
    );

    expect(run).toMatchObject({ state: 'done', summary: '1 host: 1 looked at; 0 s in all' });
    expect(await eventsOf(world, run)).toMatchObject([
      { type: 'plan-started' },
      { type: 'looked', target: 'as7-dpu0', rows: [{ label: 'p0', value: 'down', warning: 'No cable?' }] },
      { type: 'unit-ended', state: 'done', summary: 'links asked of 2 cards' },
    ]);
    expect(run.units['as7']?.targetNotes).toEqual([
      { target: 'as7-dpu0', outcome: 'done', warnings: ['p0: No cable?'] },
      { target: 'as7-dpu1', outcome: 'done', warnings: [] },
    ]);
  });

  it('takes neither lease nor hold, asks nobody, and is done while all work is halted', async () => {
    const seen: unknown[] = [];
    let leases: EngineDeps['leases'] | undefined;
    let holds: EngineDeps['holds'] | undefined;
    const { world, run } = await lookOnce(
      lookOf(async () => {
        seen.push(await leases?.holder('as7'), (await leases?.holder(planLeaseName(418, 'as7')))?.runId);
        seen.push(await holds?.all());
        return 'Looked.';
      }),
      (deps) => {
        ({ leases, holds } = deps);
        return { ...deps, halt: { ...deps.halt, get: async () => ({ by: 'Dana', reason: 'fire', sinceMs: 0 }) } };
      },
    );

    expect(seen).toEqual([undefined, 418, []]);
    expect(run.state).toBe('done');
    expect(run.approval).toBeUndefined();
    expect(await world.stores.holds.all()).toEqual([]);
  });

  it('says which run holds the unit', async () => {
    const { world, run } = await lookOnce(
      lookOf(async (context) => `held by run ${String(await context.heldBy())}`),
      (deps, made) => {
        void made.stores.holds.take(['as7'], 99, 'Ana', 0);
        return deps;
      },
    );

    expect((await eventsOf(world, run)).at(-1)).toMatchObject({ summary: 'held by run 99' });
    expect(run.state).toBe('done');
    expect(await world.stores.holds.get('as7')).toMatchObject({ runId: 99 });
  });

  it.each([
    ['refused', errors.cardInUse({ target: 'as7-dpu0', host: 'as7', uses: ['root disk'] })],
    ['failed', errors.sshUnreachable({ host: 'as7', address: '127.0.0.1' })],
    ['failed', new Error('a slip of the pen')],
    ['needs-human', errors.armNotReady({ target: 'as7-dpu0', state: 'UEFI', limit: '5 min', run: 7 })],
  ])('ends %s by the kind of its error, and what was reported before stays', async (state, error) => {
    const { world, run } = await lookOnce(
      lookOf(async (context) => {
        await context.report(piece(context));
        throw error;
      }),
    );

    const code = 'code' in error ? error.code : 'bug';
    expect(run).toMatchObject({ state, failure: { code } });
    expect((await eventsOf(world, run)).map((event) => event.type)).toEqual(['plan-started', 'looked', 'unit-ended']);
  });

  it('ends at its limit', async () => {
    const { run } = await lookOnce(
      lookOf(
        async ({ signal }) =>
          new Promise<string>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
          }),
        { timeoutMs: 20 },
      ),
    );

    expect(run).toMatchObject({ state: 'failed', failure: { code: 'look-timeout' } });
  });

  it.each([
    ['another version of the look', { version: 2 }, 'bug'],
    ['a host that the worker describes differently', {}, 'inventory-differs'],
  ])('refuses %s before it looks', async (_what, change, code) => {
    let looked = false;
    const { run } = await lookOnce(
      lookOf(async () => {
        looked = true;
        return Promise.resolve('Looked.');
      }, change),
      (deps) => (code === 'bug' ? deps : { ...deps, inventory: () => makeInventory(['as7']) }),
    );

    expect(run.failure?.code).toBe(code);
    expect(looked).toBe(false);
  });

  it('is looked again by resume, where it failed', async () => {
    let tries = 0;
    const { world, deps, run } = await lookOnce(
      lookOf(async () => {
        tries += 1;
        if (tries === 1) throw errors.sshUnreachable({ host: 'as7', address: '127.0.0.1' });
        return Promise.resolve('Looked.');
      }),
    );

    await world.stores.runs.update(run.id, (current) => requestResume(current, ben));
    await world.stores.queue.addAdvance({ runId: run.id });
    const again = await workUntilStopped(world, deps, run.id);

    expect(run.state).toBe('failed');
    expect(again.state).toBe('done');
    expect(again.units['as7']?.failure).toBeUndefined();
  });
});

describe('sessions of a look', () => {
  it('opens the host with the first read, and does not wait for a dead one twice', async () => {
    let opened = 0;
    const openedAt: number[] = [];
    const failures: unknown[] = [];
    const { run } = await lookOnce(
      lookOf(async (context) => {
        const [card] = context.cards;
        if (card === undefined) return 'no card';
        const { host } = context.of(card);
        openedAt.push(opened);
        for (let read = 0; read < 3; read += 1)
          await host.read(hostRead.bind({}), { timeoutMs: 1_000 }).catch((error: unknown) => failures.push(error));
        return 'Looked.';
      }),
      (deps) => {
        const open = async (): Promise<never> => {
          opened += 1;
          return Promise.reject(errors.sshUnreachable({ host: 'as7', address: '127.0.0.1' }));
        };
        return { ...deps, devices: { ...deps.devices, hosts: { ...deps.devices.hosts, open } } };
      },
    );

    expect(openedAt).toEqual([0]);
    expect(opened).toBe(1);
    expect(failures).toHaveLength(3);
    expect(failures).toMatchObject([{ code: 'ssh-unreachable' }, {}, {}]);
    expect(run.state).toBe('done');
  });

  it('takes the serial of a card from what was read the last time, and one that the look has read itself over that', async () => {
    const serials: unknown[] = [];
    await lookOnce(
      lookOf(async (context) => {
        const [known, unknown] = context.cards;
        if (known === undefined || unknown === undefined) return 'no cards';
        serials.push(known.serial, unknown.serial, context.of({ ...unknown, serial: 'MT2' }).card.serial);
        return Promise.resolve('Looked.');
      }),
      (deps, world) => {
        const serial = { value: 'MT1', from: 'host', atMs: 1 } as const;
        void world.stores.facts.merge('as7-dpu0', { facts: { serial }, unread: {}, runId: 1, atMs: 1 });
        return deps;
      },
    );

    expect(serials).toEqual(['MT1', undefined, 'MT2']);
  });
});

describe('a cancelled look', () => {
  it('stops following, still tells what it saw, and the run ends cancelled', async () => {
    const world = createWorld(inventory);
    let polls = 0;
    const look = lookOf(async (context) => {
      while (!context.signal.aborted) {
        polls += 1;
        if (polls === 3) {
          await world.stores.runs.update(id, (run) => requestCancel(run, ben, world.clock.nowMs()));
          await advance(deps, { runId: id });
        }
        await context.progress({ text: 'following', lastLine: 'login:' });
        if (!context.signal.aborted) await context.clock.poll(500, context.signal);
      }
      await context.report(piece(context));
      context.signal.throwIfAborted();
      return 'not reached';
    });
    const deps = startEngine(world, { look });
    const { id } = await order(world, asked);

    const run = await workUntilStopped(world, deps, id);

    expect(run).toMatchObject({
      state: 'cancelled',
      units: { as7: { state: 'cancelled', failure: { code: 'cancelled' } } },
    });
    expect(polls).toBeLessThan(8);
    expect((await eventsOf(world, run)).map((event) => event.type)).toEqual(['plan-started', 'looked', 'unit-ended']);
  });

  it('ends at once when no worker is at it', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world, { look: lookOf(async () => Promise.resolve('Looked.')) });
    const { id } = await order(world, asked);
    await world.stores.runs.update(id, (run) => requestCancel(run, ben, 0));

    const run = await workUntilStopped(world, deps, id);

    expect(run.state).toBe('cancelled');
    expect(await eventsOf(world, run)).toEqual([]);
  });
});

describe('the only reader', () => {
  it('is told who reads already, and what to do', async () => {
    const other = { workerId: 'w2', incarnation: 1, runId: 7 };
    const { run } = await lookOnce(
      lookOf(async (context) => context.alone('console MT1', async () => Promise.resolve('read'))),
      (deps, world) => {
        void world.stores.leases.acquire(['reader.console-MT1'], other, 60_000);
        return deps;
      },
    );

    expect(run).toMatchObject({ state: 'failed', failure: { code: 'reader-busy' } });
    expect(run.failure?.what).toBe('Run 7 is reading console MT1 right now.');
    expect(run.failure?.next).toContain('/dpu cancel 7');
    expect(run.failure?.next).toContain(`/dpu resume ${run.id}`);
  });

  it('lets go when it has read', async () => {
    const { world, run } = await lookOnce(
      lookOf(async (context) => context.alone('console MT1', async () => Promise.resolve('read'))),
    );

    expect(run.state).toBe('done');
    expect(await world.stores.leases.holder('reader.console-MT1')).toBeUndefined();
  });

  it('stops when it has lost its lease, and the unit is looked at again', async () => {
    let tries = 0;
    const { world, run } = await lookOnce(
      lookOf(async (context) => {
        tries += 1;
        return context.alone('console MT1', async (signal) => {
          if (tries > 1) return 'read';
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          });
        });
      }),
      (deps) => ({
        ...deps,
        renewMs: 5,
        leases: {
          ...deps.leases,
          renew: async (lease, ttlMs) =>
            lease.units[0]?.startsWith('reader.') === true && tries === 1 ? false : deps.leases.renew(lease, ttlMs),
        },
      }),
    );

    expect(tries).toBe(2);
    expect(run.state).toBe('done');
    expect((await eventsOf(world, run)).map((event) => event.type)).toContain('swept');
  });
});

describe('a look whose worker dies', () => {
  it('is looked again by the next worker, and the dead one says nothing more', async () => {
    const world = createWorld(inventory);
    const dying = new AbortController();
    const waits = lookOf(async (context) => {
      await context.report(piece(context));
      dying.abort(new Error('the worker stops'));
      context.signal.throwIfAborted();
      return 'not reached';
    });
    const first = startEngine(world, { look: waits });
    const { id } = await order(world, asked);
    await advance(first, { runId: id });
    const job = { runId: id, unit: 'as7', generation: 0 };
    await expect(runPlanJob(first, job, dying.signal)).rejects.toThrow('the worker stops');

    const second = startEngine(world, { look: lookOf(async () => Promise.resolve('Looked.')) });
    world.clock.advance(4_000);
    await sweep(second);
    const run = await workUntilStopped(world, second, id);

    expect(run.state).toBe('done');
    expect(run.units['as7']?.generation).toBe(1);
    expect(await eventsOf(world, run)).toMatchObject([
      { type: 'plan-started' },
      { type: 'looked' },
      { type: 'swept', reason: 'its worker is gone' },
      { type: 'plan-started' },
      { type: 'unit-ended', summary: 'Looked.' },
    ]);
  });

  it('ends done whichever point its worker died at', async () => {
    const look = lookOf(async (context) => {
      await context.alone('console MT1', async () => context.report(piece(context)));
      return 'Looked.';
    });
    const died: string[] = [];
    for (let crashAt = 0; ; crashAt += 1) {
      const world = createWorld(inventory);
      const { id } = await order(world, asked);
      const first = await workUntilStopped(world, startEngine(world, { look, crashAt }), id).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        died.push(world.points.at(-1) ?? '');
      });
      if (first) break;

      const run = await workUntilStopped(world, startEngine(world, { look }), id);

      expect(run.state).toBe('done');
      expect((await eventsOf(world, run)).filter((event) => event.type === 'unit-ended')).toHaveLength(1);
    }
    expect(died).toContain('after journal looked');
    expect(died).toContain('after update unit-ended');
  });

  it('reports nothing for a unit that another job has by now', async () => {
    const world = createWorld(inventory);
    const look = lookOf(async (context) => {
      await world.stores.runs.update(context.runId, (run) => {
        const unit = run.units['as7'];
        return unit && { ...run, units: { as7: { ...unit, generation: 1 } } };
      });
      world.clock.advance(2_000);
      await context.report(piece(context));
      return 'not reached';
    });
    const deps = startEngine(world, { look });
    const { id } = await order(world, asked);
    await advance(deps, { runId: id });

    await runPlanJob(deps, { runId: id, unit: 'as7', generation: 0 }, new AbortController().signal);

    const run = await world.stores.runs.get(id);
    expect(run?.units['as7']).toMatchObject({ state: 'planning', generation: 1 });
    expect(run && (await eventsOf(world, run)).map((event) => event.type)).toEqual(['plan-started']);
  });
});

describe('a long text', () => {
  const text = Array.from({ length: 300 }, (_, index) => `[ ${index}.000000] line ${index}`).join('\n');

  it('is shown by its end, and is there as a file', async () => {
    const { world, run } = await lookOnce(
      lookOf(async (context) => {
        await context.report(piece(context, { title: 'Console of as7-dpu0', text }));
        return 'Read.';
      }),
    );

    const [looked] = (await world.stores.journal.read(run.id, 'as7')).flatMap(({ event }) =>
      event.type === 'looked' ? [event] : [],
    );
    expect(looked?.lines).toHaveLength(40);
    expect(looked?.lines?.at(-1)).toBe('[ 299.000000] line 299');
    expect(looked?.file).toMatchObject({ name: 'as7-dpu0-console.txt', mimeType: 'text/plain' });
    const stored = await world.stores.artefacts.get(run.id, looked?.file?.id ?? '');
    expect(Buffer.from(stored ?? []).toString()).toBe(`${text}\n`);
  });

  it.each([
    ['more than 30 lines', Array.from({ length: 31 }, () => 'raw').join('\n')],
    ['a line that no message shows whole', 'x'.repeat(201)],
    ['more than fits into one block', Array.from({ length: 20 }, () => 'x'.repeat(190)).join('\n')],
  ])('goes into the file alone where the values say what it means: %s', (_what, text) => {
    const values = { target: 'd0', title: 't', summary: 's', rows: [{ label: 'p0', value: 'up' }] };

    const fitted = fitPiece({ ...values, text, inFile: true });

    expect(fitted.event).toEqual({ type: 'looked', ...values });
    expect(fitted.hasAllLines).toBe(false);
  });

  it('of 30 lines stands below its values, and is not worth a file', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const values = { target: 'd0', title: 't', summary: 's', rows: [{ label: 'p0', value: 'up' }] };

    const fitted = fitPiece({ ...values, text: `${lines.join('\n')}\n`, inFile: true });

    expect(fitted).toEqual({ event: { type: 'looked', ...values, lines }, hasAllValues: true, hasAllLines: true });
  });

  it('that is a file leaves its room to the values', () => {
    const rows = Array.from({ length: 10 }, (_, index) => ({ label: `${index}`, value: 'v'.repeat(300) }));
    const text = Array.from({ length: 100 }, () => 'raw').join('\n');

    expect(fitPiece({ target: 'd0', title: 't', summary: 's', rows, text, inFile: true }).hasAllValues).toBe(true);
  });

  it('that is short enough needs no file', () => {
    const fitted = fitPiece({ target: 'd0', title: 't', summary: 's', text: 'one\r\ntwo\n\n' });

    expect(fitted.event.lines).toEqual(['one', 'two']);
    expect(fitted).toMatchObject({ hasAllLines: true, hasAllValues: true });
  });

  it('beyond 2,000 lines or 256 KiB loses its beginning, and says so', () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`);
    const wide = Array.from({ length: 100 }, () => 'é'.repeat(5_000));

    const long = Buffer.from(fileOf({ target: 'd0', title: 't', summary: '', text: lines.join('\n') }, true).content);
    const big = fileOf({ target: 'd0', title: 't', summary: '', text: wide.join('\n') }, true);

    expect(long.toString()).toMatch(/^\(the last 2000 of 5000 lines\)\nline 3000\n/);
    expect(long.toString()).toMatch(/line 4999\n$/);
    expect(big.content.byteLength).toBeLessThanOrEqual(256 * 1024);
  });

  it('of values that the journal cannot hold goes into the file with them', () => {
    const rows = Array.from({ length: 60 }, (_, index) => ({ label: `row ${index}`, value: 'v'.repeat(300) }));
    const whole = { target: 'd0', title: 't', summary: 's', rows, text: 'a line' };

    const fitted = fitPiece(whole);
    const file = Buffer.from(fileOf(whole, fitted.hasAllValues).content).toString();

    expect(fitted.hasAllValues).toBe(false);
    expect(file).toContain(`row 59: ${'v'.repeat(300)}\n`);
    expect(file).toMatch(/\na line\n$/);
  });

  it('fits into an entry of the journal, whatever stands in it, and keeps its last line where it can', () => {
    const hostile = fc.oneof(fc.string({ maxLength: 700, unit: 'binary' }), fc.constant('\u0000'.repeat(600)));
    const rows = fc.array(fc.record({ label: hostile, value: hostile, warning: hostile }), { maxLength: 60 });
    fc.assert(
      fc.property(hostile, rows, fc.array(hostile, { maxLength: 60 }), hostile, (some, values, warnings, text) => {
        const file = { id: 'f'.repeat(32), name: `${'n'.repeat(100)}.txt`, mimeType: 'text/plain', bytes: 1 };
        const given = { target: 'd0', title: some, summary: some, rows: values, warnings, text: `${text}\nthe end` };

        const { event } = fitPiece(given, file);

        expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(JOURNAL_ENTRY_MAX_BYTES);
        expect(event.lines?.at(-1)).toBe('the end');
      }),
      { numRuns: 60 },
    );
  });
});
