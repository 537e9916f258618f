import { z } from 'zod';
import { Name } from '../src/domain/inventory.ts';

/**
 * Job data: ids only, never a secret, never a device value. `v` is the payload version: a worker refuses one it does not
 * know instead of guessing.
 */
const Base = { v: z.literal(1), runId: z.int().positive() };

export const AdvanceJob = z.strictObject(Base);
export type AdvanceJob = z.infer<typeof AdvanceJob>;

export const PlanJob = z.strictObject({ ...Base, unit: Name, generation: z.int().nonnegative() });
export type PlanJob = z.infer<typeof PlanJob>;

export const UnitJob = z.strictObject({ ...Base, unit: Name, generation: z.int().nonnegative() });
export type UnitJob = z.infer<typeof UnitJob>;

/** What `/dpu provision` may say besides its target. */
export const ProvisionParams = z.strictObject({
  /** A card that somebody else set up is taken over as it is, without flashing. */
  adopt: z.boolean().default(false),
  /** It is flashed, though dpubot does not know what runs on it. */
  reflash: z.boolean().default(false),
  /** A card in NIC mode is put into DPU mode (cold power cycle of its host). */
  setMode: z.boolean().default(false),
  /** The worker's own way to the host may go through the card. */
  viaCard: z.boolean().default(false),
});
export type ProvisionParams = z.infer<typeof ProvisionParams>;

/**
 * Version of each recipe, raised when steps or their meaning change. Stored with a run by the bot; a worker whose recipe
 * has another one refuses the run instead of guessing.
 */
export const recipeVersions = { provision: 2 } as const;
