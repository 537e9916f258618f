import { OpsError } from '../../src/errors.ts';

/** Code of the error that the work throws; 'no error' where it throws none. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof OpsError ? error.code : String(error);
  }
  return 'no error';
}
