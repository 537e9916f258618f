import { createHash } from 'node:crypto';
import type { ArtefactStore } from '../domain/artefacts.ts';
import { ARTEFACT_MAX_BYTES } from '../domain/artefacts.ts';
import { errors } from '../errors.ts';
import type { RedisSpace } from './redis.ts';

/** Files of a run: one hash per run, id -> content. They go when the run is removed. */
export function createArtefactStore(space: RedisSpace): ArtefactStore {
  return {
    async put(runId, { content, ...about }) {
      const bytes = content.byteLength;
      if (bytes > ARTEFACT_MAX_BYTES) throw errors.bug({ detail: `${about.name} of run ${runId} has ${bytes} bytes` });
      const id = createHash('sha256').update(content).digest('hex').slice(0, 32);
      await space.call(`store ${about.name} of run ${runId}`, async (redis) =>
        redis.hset(artefactKey(space, runId), id, Buffer.from(content)),
      );
      return { id, bytes, ...about };
    },
    async get(runId, id) {
      const content = await space.call(`read a file of run ${runId}`, async (redis) =>
        redis.hgetBuffer(artefactKey(space, runId), id),
      );
      return content ?? undefined;
    },
  };
}

/** Where the files of a run are. */
export function artefactKey(space: RedisSpace, runId: number): string {
  return space.key('artefacts', runId);
}
