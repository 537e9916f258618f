import { createHash } from 'node:crypto';
import type { Measured } from '../../src/domain/bench.ts';
import type { HostSlice } from '../../src/domain/inventory.ts';
import { DpuEntry, Profile } from '../../src/domain/inventory.ts';
import { PairEnd } from '../../src/domain/pairs.ts';
import type { ActionRecord, ApplyContext, End } from '../../src/domain/step.ts';
import type { HostSession } from '../../src/domain/device-ports.ts';
import type { BenchWorld } from './bench-world.ts';
import { benchSession } from './bench-session.ts';

import { createMemoryResultStore } from './memory/results.ts';

/** What outlives a worker: journal, files and results of run 418, and what was told. */
export interface BenchMemory {
  readonly actions: ActionRecord[];
  readonly files: Map<string, Uint8Array>;
  readonly results: ReturnType<typeof createMemoryResultStore>;
  readonly told: Measured[];
  readonly progress: string[];
  readonly snippets: string[];
  /** Called at each checkpoint; throws when the run was cancelled. */
  checkpoint: () => void;
}

export function createBenchMemory(): BenchMemory {
  return {
    actions: [],
    files: new Map(),
    results: createMemoryResultStore(),
    told: [],
    progress: [],
    snippets: [],
    checkpoint: () => undefined,
  };
}

export interface BenchSetting {
  readonly simulated?: boolean;
  readonly testbed?: true;
  readonly profile?: object;
  /** The cards have a login. */
  readonly arms?: true;
}

/** The context of one life of a step on the pair `as7-as8`. */
export function benchContext(world: BenchWorld, memory: BenchMemory, setting: BenchSetting = {}): ApplyContext {
  const profile = Profile.parse(setting.profile ?? {});
  const ends = ([0, 1] as const).map((index): End<HostSession> => {
    const host = world.hosts[index];
    const dpu = DpuEntry.parse({ name: `${host.name}-dpu0`, bmc: { address: '10.0.0.1' } });
    const slice = {
      name: host.name,
      site: 'lab',
      simulated: setting.simulated ?? false,
      ...(setting.testbed && { testbed: true }),
    } as unknown as HostSlice;
    const entry = {
      ...PairEnd.parse({
        card: dpu.name,
        hostAddress: `192.168.50.${index + 1}/24`,
        routed: { host: `10.${index + 1}.0.2/24`, card: `10.${index + 1}.0.1/24` },
      }),
      host: host.name,
    };
    const card = { slice, dpu, serial: host.serial };
    return { name: index === 0 ? 'a' : 'b', slice, card, dpu, profile, host: benchSession(world, host), entry };
  });
  const [a, b] = ends;
  if (a === undefined || b === undefined) throw new Error('a pair has two ends');
  const { clock, tick } = { clock: world.clock, tick: (point: string) => world.tick(point) };
  const context = {
    runId: 418,
    slice: a.slice,
    card: a.card,
    dpu: a.dpu,
    profile,
    cards: [a.card, b.card],
    host: a.host,
    pair: { name: 'as7-as8', ends: [a, b] },
    arm: {
      login: async ({ dpu }: { dpu: DpuEntry }) => {
        const arm = world.arms.find(({ name }) => name === dpu.name);
        if (arm === undefined || !setting.arms) return Promise.resolve({ state: 'unpinned' });
        return Promise.resolve({ state: 'in', session: benchSession(world, arm) });
      },
    },
    clock,
    signal: new AbortController().signal,
    actions: memory.actions,
    act: async ({ name, before }: { name: string; before?: unknown }, fn: () => Promise<{ value: unknown }>) => {
      tick(`before intent ${name}`);
      const record = { action: name, before, done: false, atMs: clock.nowMs() };
      memory.actions.push(record);
      tick(`after intent ${name}`);
      const { value } = await fn();
      tick(`before done ${name}`);
      memory.actions[memory.actions.indexOf(record)] = { ...record, done: true };
      tick(`after done ${name}`);
      return value;
    },
    progress: async ({ text }: { text: string }) => {
      memory.progress.push(text);
      return Promise.resolve();
    },
    checkpoint: async () => Promise.resolve(memory.checkpoint()),
    artefact: async (file: { name: string; mimeType: string; content: Uint8Array; altText?: string }) => {
      const id = createHash('sha256').update(file.content).digest('hex').slice(0, 16);
      memory.files.set(id, file.content);
      const { name, mimeType, altText } = file;
      return Promise.resolve({ id, name, mimeType, bytes: file.content.length, ...(altText && { altText }) });
    },
    readArtefact: async (id: string) => Promise.resolve(memory.files.get(id)),
    results: memory.results,
    measured: async (measured: Measured) => {
      tick('before measured');
      if (!memory.told.some(({ id }) => id === measured.id)) memory.told.push(measured);
      tick('after measured');
      return Promise.resolve();
    },
    snippet: async (title: string, text: string) => {
      memory.snippets.push(`${title}\n${text}`);
      return Promise.resolve();
    },
  };
  return context as unknown as ApplyContext;
}

/** What is kept of a file of the run. */
export function fileOf(memory: BenchMemory, measured: Measured | undefined, ending: string): string {
  const id = measured?.files.find(({ name }) => name.endsWith(ending))?.id ?? '';
  return Buffer.from(memory.files.get(id) ?? []).toString('utf8');
}
