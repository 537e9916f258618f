import { z } from 'zod';
import { Image } from '../domain/image.ts';
import { Name } from '../domain/profile.ts';

/** What the recipe chooses for `install-bfb`. */
export const FlashParams = z.strictObject({
  image: Image.safeExtend({ name: Name }),
  bmcComponents: z.enum(['skip', 'update']),
  /** Who logs in on the Arm by key afterwards. */
  user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/),
  /** Name that the Arm gets; without it the image decides. */
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/)
    .optional(),
  /** A card with an unknown image is taken over as it is, when it runs the wanted release. */
  adopt: z.boolean(),
  /** A card with an unknown image is erased. */
  reflash: z.boolean(),
  /** It is flashed also where the image is there already: once per run. */
  force: z.boolean().default(false),
  /** The image is not signed. */
  secureBootMustBeOff: z.boolean(),
});
export type FlashParams = z.infer<typeof FlashParams>;
