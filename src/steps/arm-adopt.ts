import { z } from 'zod';
import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { readArmImage } from '../facts/card-image.ts';
import { armSession, serialOf } from './arm-session.ts';

/** What is remembered of an image. */
export const AdoptedImage = z.object({ name: z.string(), sha256: z.string(), version: z.string() });
export type AdoptedImage = z.infer<typeof AdoptedImage>;

/**
 * Remembers a card as taken over. Its image is remembered only when the release on the card is that of the image: what
 * else may be on it is not known. A card that dpubot has flashed or adopted before is left as it is.
 */
export async function adoptCard(
  context: ApplyContext,
  image: AdoptedImage | undefined,
  session: HostSession | undefined,
): Promise<void> {
  const serial = serialOf(context);
  const record = await context.records.get(serial);
  if (record?.origin === 'flashed' || record?.origin === 'adopted') return;
  const { release } = await readArmImage(session ?? (await armSession(context)), context.signal);
  const same = image !== undefined && release === image.version ? image : undefined;
  await context.act(
    { name: 'adopt', text: `remember ${context.dpu.name} as adopted`, before: record ?? 'not known' },
    async () => {
      await context.records.put(serial, {
        ...record,
        origin: 'adopted',
        ...(same && { image: { name: same.name, sha256: same.sha256, checked: 'release' } }),
        runId: context.runId,
        atMs: context.clock.nowMs(),
      });
      return {
        evidence: `release ${release ?? 'not named'}${same ? `, that of ${same.name}; its SHA-256 was not checked` : ''}`,
        value: undefined,
      };
    },
  );
}
