/** A worker whose unit jobs and sweeps begin, say so, and never end: made to be killed. Arguments: Redis URL, hash tag. */
import { startWorkers } from '../../../src/queue/workers.ts';
import { connect } from '../../../src/store/redis.ts';
import { jobsOf, shortLocks } from './harness.ts';

const [url = '', tag = ''] = process.argv.slice(2);
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const space = await connect(url, 'queue', { logger, tag });
await startWorkers({
  connection: space.client,
  prefix: tag,
  sites: ['lab'],
  locks: shortLocks,
  logger,
  jobs: jobsOf({
    unit: async () => hang('unit'),
    sweep: async () => hang('sweep'),
  }),
});

async function hang(what: string): Promise<undefined> {
  process.stdout.write(`${what}\n`);
  await new Promise(() => undefined);
  return undefined;
}
