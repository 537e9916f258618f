import type { ObserveContext } from '../domain/step.ts';

/**
 * Under which a password is found again in the escrow: by the place of its card, `as7/as7-dpu0/bmc`. In the name of the file
 * the strokes are underscores.
 */
export function escrowLabel({ slice, dpu }: Pick<ObserveContext, 'slice' | 'dpu'>, of: 'bmc' | 'arm' | 'uefi'): string {
  return `${slice.name}/${dpu.name}/${of}`;
}
