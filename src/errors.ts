import type { Failure } from './domain/outcome.ts';
import { armErrors } from './errors/arm.ts';
import { askingErrors } from './errors/asking.ts';
import { benchErrors } from './errors/bench.ts';
import { cardErrors } from './errors/cards.ts';
import { dataPathErrors } from './errors/data-path.ts';
import { engineErrors } from './errors/engine.ts';
import { flashErrors } from './errors/flash.ts';
import { measuringErrors } from './errors/measuring.ts';
import { OpsError } from './errors/ops-error.ts';
import { packageErrors } from './errors/packages.ts';
import { powerErrors } from './errors/power.ts';
import { redfishErrors } from './errors/redfish.ts';
import { setupErrors } from './errors/setup.ts';
import { sshErrors } from './errors/ssh.ts';

export { OpsError };

/** The catalogue: one typed constructor per code, in a file of src/errors for each part of dpubot. */
export const errors = {
  ...setupErrors,
  ...askingErrors,
  ...engineErrors,
  ...sshErrors,
  ...redfishErrors,
  ...cardErrors,
  ...packageErrors,
  ...flashErrors,
  ...armErrors,
  ...powerErrors,
  ...dataPathErrors,
  ...measuringErrors,
  ...benchErrors,
} as const;

/** Turns anything thrown into a failure; what is not an OpsError is a bug of ours and says so without a stack trace. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OpsError) return error.failure;
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return errors.bug({ detail }).failure;
}
