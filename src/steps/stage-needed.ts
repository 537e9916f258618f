import type { ObserveContext } from '../domain/step.ts';
import type { NamedImage } from './stage-text.ts';

/**
 * The images that some card will be flashed with. A card that has its image already needs no file on its host: whoever
 * cleans up there is not asked for an approval the next day.
 */
export async function neededImages(
  context: ObserveContext,
  params: { readonly images: readonly NamedImage[]; readonly reflash: boolean; readonly adopt: boolean },
): Promise<readonly NamedImage[]> {
  const needed: NamedImage[] = [];
  for (const wanted of params.images)
    for (const { dpu, serial } of context.cards) {
      if (context.slice.profiles[dpu.name]?.image !== wanted.name) continue;
      const record = serial === undefined ? undefined : await context.records.get(serial);
      const hasIt = record?.image?.sha256 === wanted.image.sha256;
      if (params.reflash || (!params.adopt && !hasIt)) needed.push(wanted);
    }
  return distinct(needed);
}

/** Two cards, or two names, may want the same file. */
function distinct(images: readonly NamedImage[]): readonly NamedImage[] {
  return images.filter(({ image }, index) => images.findIndex((one) => one.image.sha256 === image.sha256) === index);
}
