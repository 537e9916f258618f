import { z } from 'zod';
import type { Failure } from '../domain/outcome.ts';
import { defineStep } from '../domain/step.ts';
import { OpsError } from '../errors.ts';

/**
 * See that the credentials that the profile names can be read, before anything is changed.
 *
 * Why      A missing auth key would otherwise be noticed an hour later, after the card has been flashed.
 * Reads    the credential store (nothing of a secret leaves it).     Changes  nothing.
 * Errors   credential-missing, credential-unreadable.
 * Source   design rule: secrets travel by reference.
 */
export const checkCredentials = defineStep<{ readonly refs: readonly string[] }, readonly Failure[]>({
  name: 'check-credentials',
  title: 'See that the credentials are there',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({ refs: z.array(z.string()) }),
  timeoutMs: 60_000,
  needs: [],
  provides: [],
  wanted: ({ refs }) => refs,
  observe: async (context, { refs }) => {
    const failures: Failure[] = [];
    for (const ref of refs) {
      try {
        await context.checkCredential(ref);
      } catch (error) {
        if (!(error instanceof OpsError) || !isAboutTheCredential(error)) throw error;
        failures.push(error.failure);
      }
    }
    return failures;
  },
  diff: (failures, { refs }) => {
    const failure = failures[0];
    if (failure) return { kind: 'refused', failure };
    const reason = refs.length === 0 ? 'the profile names no credentials' : `${refs.join(', ')} can be read`;
    return { kind: 'satisfied', reason };
  },
});

function isAboutTheCredential(error: OpsError): boolean {
  return error.code === 'credential-missing' || error.code === 'credential-unreadable';
}
