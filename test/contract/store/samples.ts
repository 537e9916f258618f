import type { UnitPlan } from '../../../src/domain/plan.ts';
import type { NewRun } from '../../../src/domain/ports.ts';
import type { RunState } from '../../../src/domain/run.ts';

export const ana = { userId: 'U0ANA', teamId: 'T0LAB', displayName: 'ana' };
export const ben = { userId: 'U0BEN', teamId: 'T0LAB', displayName: 'ben' };

/** A run of one host, as a command would create it. */
export function sampleRun(over: { readonly state?: RunState; readonly endedAtMs?: number } = {}): NewRun {
  return {
    recipe: 'provision',
    recipeVersion: 1,
    params: {},
    text: 'provision rack1',
    requester: ana,
    channel: 'C0OPS',
    createdAtMs: 1_000,
    state: 'planning',
    planOnly: false,
    simulated: true,
    slices: {},
    sliceHashes: {},
    units: { as7: { unit: 'as7', site: 'lab', targets: ['as7-dpu0'], state: 'planning', generation: 1 } },
    waves: [],
    waveIndex: 0,
    maxFailures: 0,
    approvalMinutes: 60,
    startByMinutes: 60,
    waveSpec: 'all',
    ...over,
  };
}

export function samplePlan(runId: number, hash: string): UnitPlan {
  return {
    runId,
    unit: 'as7',
    site: 'lab',
    simulated: true,
    recipe: { name: 'provision', version: 1 },
    profileHash: 'p',
    steps: [],
    pins: [],
    refused: [],
    risk: 'disruptive',
    hash,
    madeAtMs: 5,
  };
}
