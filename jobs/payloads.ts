import { z } from 'zod';
import { Name } from '../src/domain/inventory.ts';
import { benchKinds, benchTools } from '../src/domain/bench.ts';
import { probeNames } from '../src/domain/probes.ts';

/**
 * Job data: ids only, never a secret, never a device value. `v` is the payload version: a worker refuses one it does not
 * know instead of guessing.
 */
const Base = { v: z.literal(1), runId: z.int().positive() };

export const AdvanceJob = z.strictObject(Base);
export type AdvanceJob = z.infer<typeof AdvanceJob>;

/** A host, or the two hosts of a pair: `as7+as8`. */
const UnitName = z
  .string()
  .refine((text) => text.split('+').length <= 2 && text.split('+').every((part) => Name.safeParse(part).success));

export const PlanJob = z.strictObject({ ...Base, unit: UnitName, generation: z.int().nonnegative() });
export type PlanJob = z.infer<typeof PlanJob>;

export const UnitJob = z.strictObject({ ...Base, unit: UnitName, generation: z.int().nonnegative() });
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
  /** The card is flashed also where the image is on it already. */
  force: z.boolean().default(false),
  /** How the image gets onto the card. */
  via: z.enum(['rshim', 'redfish', 'auto']).default('rshim'),
});
export type ProvisionParams = z.infer<typeof ProvisionParams>;

/** What `/dpu reboot` says besides its target. */
export const RebootParams = z.strictObject({
  what: z.enum(['arm', 'bmc', 'host']),
  /** A host loses its power for a while. */
  cold: z.boolean().default(false),
  viaCard: z.boolean().default(false),
});
export type RebootParams = z.infer<typeof RebootParams>;

/** What `/dpu mode` says besides its target. */
export const ModeParams = z.strictObject({ mode: z.enum(['dpu', 'nic']), viaCard: z.boolean().default(false) });
export type ModeParams = z.infer<typeof ModeParams>;

/** Whose password `/dpu rotate` replaces. */
export const RotateParams = z.strictObject({ what: z.enum(['bmc', 'arm']) });
export type RotateParams = z.infer<typeof RotateParams>;

/** From what `/dpu recover` leads back. */
export const recoverKinds = [
  'arm-password',
  'bmc-password',
  'uefi-password',
  'dpu-mode',
  'factory-bmc',
  'stuck-rshim',
] as const;

/** What `/dpu recover` says besides its target. */
export const RecoverParams = z.strictObject({ what: z.enum(recoverKinds), viaCard: z.boolean().default(false) });
export type RecoverParams = z.infer<typeof RecoverParams>;

/** What `/dpu console` may say besides its target. */
export const ConsoleParams = z.strictObject({
  /** At most so many of the newest lines. */
  lines: z.int().min(1).max(2_000).optional(),
  followSeconds: z.int().min(1).max(600).optional(),
});
export type ConsoleParams = z.infer<typeof ConsoleParams>;

/** What `/dpu diag` asks. */
export const DiagParams = z.strictObject({ probe: z.enum(probeNames) });
export type DiagParams = z.infer<typeof DiagParams>;

const FrameBytes = z.int().min(60).max(9216);
const BenchMtu = z.int().min(1280).max(9978);

/** What a bench measures, and how often. */
export const BenchParams = z.strictObject({
  kind: z.enum(benchKinds),
  tool: z.enum(benchTools),
  durationS: z.int().min(3).max(3600).default(30),
  /** Measured and thrown away before each repeat. */
  warmUpS: z.int().min(0).max(60).default(3),
  repeats: z.int().min(1).max(20).default(3),
  /** Only testpmd: Ethernet frames without FCS. */
  framesBytes: z.array(FrameBytes).min(1).max(8).optional(),
  /** One for a bench, several for a sweep. Absent: as it is. */
  mtusBytes: z.array(BenchMtu).min(1).max(8).optional(),
  streams: z.array(z.int().min(1).max(64)).min(1).max(8).default([4]),
  /** Only `ipsec`. */
  sas: z.array(z.int().min(1).max(256)).min(1).max(8).default([1]),
  /** The highest rate without loss, by binary search; only testpmd. */
  zeroLoss: z.boolean().default(false),
  viaCard: z.boolean().default(false),
});
export type BenchParams = z.infer<typeof BenchParams>;

/** Recipes that take away at the end what they have added (`onFailure: 'cleanup'`): who ends such a run has that done first. */
export const recipesThatCleanUp: ReadonlySet<string> = new Set(['bench']);

/**
 * Version of each recipe, raised when steps or their meaning change. Stored with a run by the bot; a worker whose recipe
 * has another one refuses the run instead of guessing.
 */
export const recipeVersions = {
  provision: 4,
  reboot: 1,
  mode: 1,
  rotate: 1,
  reflash: 2,
  recover: 1,
  status: 1,
  inspect: 2,
  console: 1,
  diag: 1,
  bench: 2,
} as const;
