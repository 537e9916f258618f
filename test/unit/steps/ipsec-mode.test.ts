import { describe, expect, it } from 'vitest';
import type { CommandResult, DetachedState, HostSession } from '../../../src/domain/device-ports.ts';
import type { ActionRecord, ObserveContext, Step } from '../../../src/domain/step.ts';
import { unlessMeasuring } from '../../../src/steps/ipsec-held.ts';
import { setIpsecMode } from '../../../src/steps/set-ipsec-mode.ts';
import { benchContext, createBenchMemory } from '../../support/bench-context.ts';
import { createBenchWorld } from '../../support/bench-world.ts';

/** The Arm of a card, as far as mlnx_bf_configure and its settings go. */
interface Card {
  settings: string | undefined;
  steering: 'smfs' | 'dmfs';
  /** What mlnx_bf_configure prints; it works where that is nothing. */
  complaint: string;
  readonly jobs: Map<string, number>;
  readonly log: string[];
  /** Called before and after each write; throws to end the world there. */
  tick: () => void;
}

function createCard(change: Partial<Card> = {}): Card {
  const settings = '# boot\nIPSEC_FULL_OFFLOAD="no"\nALLOW_SHARED_RQ="yes"\n';
  return { settings, steering: 'smfs', complaint: '', jobs: new Map(), log: [], tick: () => undefined, ...change };
}

function sessionOf(card: Card): HostSession {
  const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
  const gone = { ...ok(), exitCode: 1, stderr: 'cat: x: No such file or directory\n' };
  const stateOf = (folder: string): DetachedState => {
    const looks = card.jobs.get(folder);
    if (looks === undefined) return { kind: 'absent' };
    card.jobs.set(folder, looks + 1);
    return looks < 2 ? { kind: 'running', pid: 7, logBytes: 0 } : { kind: 'exited', exitCode: 0, logBytes: 0 };
  };
  return {
    name: 'as7-dpu0',
    read: async ({ argv }) => {
      const line = argv.join(' ');
      if (line === 'cat /etc/mellanox/mlnx-bf.conf')
        return Promise.resolve(card.settings === undefined ? gone : ok(card.settings));
      if (line.endsWith('steering_mode')) return Promise.resolve(ok(`${card.steering}\n`));
      if (line.endsWith('ipsec_mode')) return Promise.resolve(ok(card.steering === 'dmfs' ? 'full\n' : 'none\n'));
      return Promise.reject(new Error(`no answer to ${line}`));
    },
    run: async (argv, { stdin }) => {
      card.tick();
      card.log.push(`write ${argv[6] ?? ''}`);
      card.settings = String(stdin);
      card.tick();
      return Promise.resolve(ok());
    },
    startDetached: async (folder, argv) => {
      card.tick();
      if (!card.jobs.has(folder)) {
        card.jobs.set(folder, 0);
        card.log.push(argv.join(' '));
        if (card.complaint === '' && card.settings?.includes('"yes"')) card.steering = 'dmfs';
      }
      card.tick();
      return Promise.resolve(stateOf(folder));
    },
    observeDetached: async (folder) => Promise.resolve(stateOf(folder)),
    readDetachedLog: async () => Promise.resolve({ text: card.complaint, nextByte: card.complaint.length }),
    stopDetached: async () => Promise.reject(new Error('nothing is stopped here')),
    upload: async () => Promise.reject(new Error('nothing is sent here')),
  };
}

async function carryOut(card: Card, memory = createBenchMemory()): Promise<string> {
  const base = benchContext(createBenchWorld(), memory, { arms: true });
  const login: typeof base.arm.login = async () => Promise.resolve({ state: 'in', session: sessionOf(card) });
  const context = { ...base, arm: { ...base.arm, login } };
  const params = { uplinks: ['p0'] };
  const observed = await setIpsecMode.observe(context, params);
  const diff = setIpsecMode.diff(observed, params, context.dpu);
  if (diff.kind === 'refused') return diff.failure.code;
  if (diff.kind !== 'change') return diff.kind;
  await setIpsecMode.apply?.(context, diff.changes, params, observed);
  const verdicts = (await setIpsecMode.verify?.(context, params)) ?? [];
  return verdicts.every(({ pass }) => pass) ? 'applied' : 'mismatch';
}

describe('set-ipsec-mode', () => {
  it('changes one key of the settings, has the boot service set the card up, and is then satisfied', async () => {
    const card = createCard();

    await expect(carryOut(card)).resolves.toBe('applied');

    expect(card.settings).toBe('# boot\nIPSEC_FULL_OFFLOAD="yes"\nALLOW_SHARED_RQ="yes"\n');
    expect(card.log).toEqual(['write /etc/mellanox/mlnx-bf.conf', 'mlnx_bf_configure']);
    await expect(carryOut(card)).resolves.toBe('satisfied');
  });

  it('runs the boot service also where the key stands and the steering does not follow it', async () => {
    const card = createCard({ settings: 'IPSEC_FULL_OFFLOAD="yes"\n' });

    await expect(carryOut(card)).resolves.toBe('applied');
    expect(card.log).toEqual(['mlnx_bf_configure']);
  });

  it.each([
    'Crypto disabled on this devide. Skipping IPsec mode configuration.',
    'Detected Controller device. Exiting...',
  ])('says what the boot service said: %s', async (complaint) => {
    await expect(carryOut(createCard({ complaint }))).rejects.toMatchObject({ code: 'ipsec-mode-refused' });
  });

  it('does not take a run of the boot service for success where the steering is as it was', async () => {
    await expect(carryOut(createCard({ complaint: 'some line' }))).resolves.toBe('mismatch');
  });

  it('refuses an image without such settings, and one whose settings are there never reads as none', async () => {
    await expect(carryOut(createCard({ settings: undefined }))).resolves.toBe('card-file-missing');
  });

  it('starts the boot service once, wherever the worker dies', async () => {
    const points: number[] = [];
    await carryOut(createCard({ tick: () => points.push(1) }));

    expect(points).toHaveLength(4);
    for (const index of points.keys()) {
      let passed = 0;
      const card = createCard({
        tick: () => {
          if (passed++ === index) throw new Error('died');
        },
      });
      const memory = createBenchMemory();
      await expect(carryOut(card, memory)).rejects.toThrow('died');
      expect(['applied', 'satisfied']).toContain(await carryOut(card, memory));
      expect(card.log.filter((line) => line === 'mlnx_bf_configure')).toHaveLength(1);
    }
  });
});

describe('a step of the data path', () => {
  const inner = { observe: async () => Promise.resolve('seen'), diff: () => ({ kind: 'refused' }) } as unknown as Step;

  async function outcome(acted: Readonly<Record<string, readonly ActionRecord[]>>): Promise<string> {
    const base = benchContext(createBenchWorld(), createBenchMemory());
    const ends = [{ host: 'as7' }, { host: 'as8' }];
    const context = {
      ...base,
      slice: { ...base.slice, pair: { name: 'wire1', ends } },
      actionsIn: (step: string, target: string) => acted[`${step} ${target}`] ?? [],
    } as unknown as ObserveContext;
    const step = unlessMeasuring(inner);
    return step.diff(await step.observe(context, {}), {}, base.dpu).kind;
  }

  it('leaves alone what this run has changed over it, and looks as ever otherwise', async () => {
    const act: ActionRecord = { action: 'add: x', done: true, atMs: 1 };

    await expect(outcome({ 'set-up-ipsec as7+as8': [act] })).resolves.toBe('satisfied');
    await expect(outcome({ 'measure as7+as8': [act] })).resolves.toBe('satisfied');
    await expect(outcome({ 'set-mtu as7-dpu0': [act] })).resolves.toBe('refused');
    await expect(outcome({})).resolves.toBe('refused');
  });
});
