import { OpsError } from '../errors.ts';

/**
 * True for what ends a job without a word: somebody else has the unit, or Redis did not answer. Neither says anything about
 * the devices; the sweeper takes the unit up again, from the journal.
 */
export function endsQuietly(error: unknown): boolean {
  return error instanceof OpsError && (error.code === 'lease-lost' || error.code === 'store-unavailable');
}
