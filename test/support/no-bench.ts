import type { ApplyContext } from '../../src/domain/step.ts';
import { createMemoryResultStore } from './memory/results.ts';

/** The part of a context that only benches use, for steps that must not. */
export const noBench: Pick<ApplyContext, 'checkpoint' | 'artefact' | 'readArtefact' | 'results' | 'measured'> = {
  checkpoint: async () => Promise.resolve(),
  artefact: async () => Promise.reject(new Error('this step keeps no files')),
  readArtefact: async () => Promise.reject(new Error('this step reads no files')),
  results: createMemoryResultStore(),
  measured: async () => Promise.reject(new Error('this step measures nothing')),
};
