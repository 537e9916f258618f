import { createHash } from 'node:crypto';
import type { ArtefactStore } from '../../../src/domain/artefacts.ts';
import type { CardFacts, CardFactsStore } from '../../../src/domain/card-facts.ts';
import { mergeCardFacts } from '../../../src/domain/card-facts.ts';
import { copy } from './copy.ts';

export function createMemoryCardFactsStore(): CardFactsStore {
  const known = new Map<string, CardFacts>();
  return {
    get: (dpu) => {
      const facts = known.get(dpu);
      return Promise.resolve(facts && copy(facts));
    },
    merge: (dpu, news) => Promise.resolve(void known.set(dpu, copy(mergeCardFacts(known.get(dpu), news)))),
  };
}

export function createMemoryArtefactStore(): ArtefactStore {
  const files = new Map<string, Uint8Array>();
  return {
    put: (runId, { content, ...about }) => {
      const id = createHash('sha256').update(content).digest('hex').slice(0, 32);
      files.set(`${runId}/${id}`, Uint8Array.from(content));
      return Promise.resolve({ id, bytes: content.byteLength, ...about });
    },
    get: (runId, id) => Promise.resolve(files.get(`${runId}/${id}`)),
  };
}
