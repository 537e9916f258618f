import { byteText } from '../domain/byte-text.ts';
import { z } from 'zod';
import { Image } from '../domain/image.ts';
import { Name } from '../domain/profile.ts';
import type { Change } from '../domain/outcome.ts';
import type { ApplyContext, Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { imageFolder, readStagedImage, type StagedImage, stagedPath } from '../facts/staged-file.ts';
import { download } from './stage-download.ts';
import { neededImages } from './stage-needed.ts';
import { checkAndPlace, prepare } from './stage-place.ts';
import { send } from './stage-send.ts';
import { type NamedImage, sourceOf } from './stage-text.ts';

/** Left free beside the images. */
const marginBytes = 256 * 1024 * 1024;

const Params = z.strictObject({
  /** What the cards of the unit want. */
  images: z.array(z.strictObject({ name: Name, image: Image })),
  /** For the download by the host. */
  proxy: z.url({ protocol: /^https?$/ }).optional(),
  /** Flashed whatever is known of the card, or taken over without flashing. */
  reflash: z.boolean().default(false),
  adopt: z.boolean().default(false),
});
type Params = z.infer<typeof Params>;

interface Observed {
  readonly host: string;
  readonly images: readonly (NamedImage & { readonly there: StagedImage })[];
}

/**
 * Bring the images that the cards want onto the host, proven by SHA-256.
 *
 * Why      The push over rshim takes minutes and leaves no system behind: the file has to be whole, right and local first.
 * Reads    stat, df, the note of an earlier proof, else sha256sum.
 * Changes  /var/lib/dpubot/images/<sha256>.bfb: fetched by the host (curl, detached) or sent over SFTP into a .part that is
 *          resumed, hashed, and only then given its name.
 * Errors   image-space-missing, image-download-failed, image-download-broken, image-file-unreadable, upload-failed,
 *          image-hash-mismatch, sudo-refused.
 * Source   curl(1) 7.81, coreutils 8.32 (Ubuntu 22.04); NVIDIA publishes bundles of about 1.4 GiB with their SHA-256.
 */
export const stageBfb = defineStep<Params, Observed>({
  name: 'stage-bfb',
  title: 'Stage the image',
  scope: 'host',
  risk: 'change',
  params: Params,
  timeoutMs: 5_400_000,
  needs: ['host-ssh'],
  provides: ['staged-bfb'],
  aim: ({ images }) => `${images.map(({ name }) => name).join(', ')} in ${imageFolder}, proven by SHA-256`,
  wanted: ({ images }) => images.map(({ name, image }) => ({ name, sha256: image.sha256 })),
  observe: async (context, params) => {
    const seen: Observed['images'][number][] = [];
    for (const wanted of await neededImages(context, params))
      seen.push({ ...wanted, there: await readStagedImage(context.host, wanted.image, context.signal) });
    return { host: context.host.name, images: seen };
  },
  diff: judge,
  apply: async (context, _changes, params) => {
    for (const wanted of await neededImages(context, params)) await stage(context, wanted, params.proxy);
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const verdicts = [];
    for (const { name, image } of await neededImages(context, params)) {
      const { proof, noted, fileBytes } = await readStagedImage(context.host, image, context.signal);
      const expected = `${image.bytes} bytes, proven`;
      const actual = `${fileBytes ?? 'no'} bytes, ${noted && proof === 'note' ? 'proven' : 'without a fitting note'}`;
      verdicts.push({ check: `${name} in ${stagedPath(image)}`, pass: actual === expected, expected, actual });
    }
    return verdicts;
  },
});

function judge({ host, images }: Observed): Diff {
  if (images.length === 0)
    return { kind: 'satisfied', reason: 'no card of this host is to be flashed with an image it does not have' };
  const missing = images.filter(({ there }) => there.proof === 'none');
  if (missing.length === 0) {
    const list = images.map(
      ({ name, image }) => `${name} (${byteText(image.bytes)}, SHA-256 ${image.sha256.slice(0, 12)}...)`,
    );
    return { kind: 'satisfied', reason: `${list.join(', ')} is in ${imageFolder}` };
  }
  const toComeBytes = sum(missing.map(({ image, there }) => image.bytes - usableBytes(image, there)));
  const goesBytes = sum(
    missing.map(({ image, there }) => (there.fileBytes ?? 0) + (there.partBytes ?? 0) - usableBytes(image, there)),
  );
  const freeBytes = (missing[0]?.there.freeBytes ?? 0) + goesBytes;
  const neededBytes = toComeBytes + marginBytes;
  if (freeBytes < neededBytes) {
    const { failure } = errors.imageSpaceMissing({ host, folder: imageFolder, neededBytes, freeBytes });
    return { kind: 'refused', failure };
  }
  return { kind: 'change', changes: missing.map((one) => changeOf(host, one)) };
}

function changeOf(host: string, { name, image, there }: Observed['images'][number]): Change {
  const usable = usableBytes(image, there);
  const wrong = there.fileBytes !== undefined ? 'another file' : 'not there';
  const from = usable === 0 ? wrong : `${wrong}, ${byteText(usable)} have arrived`;
  const how = image.url === undefined ? 'sent from' : 'downloaded by the host from';
  const size =
    usable === 0 ? byteText(image.bytes) : `${byteText(image.bytes)}, of which ${byteText(usable)} are there`;
  const text = `${name} (${size}) on ${host}: ${how} ${sourceOf(image)}, SHA-256 checked`;
  return { target: host, from, to: `SHA-256 ${image.sha256.slice(0, 12)}...`, text };
}

/** A part that is longer than the image cannot become it. */
function usableBytes(image: Image, { partBytes = 0 }: StagedImage): number {
  return partBytes <= image.bytes ? partBytes : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

async function stage(context: ApplyContext, wanted: NamedImage, proxy: string | undefined): Promise<void> {
  const { image } = wanted;
  const there = await readStagedImage(context.host, image, context.signal);
  if (there.proof !== 'none') return;
  // A job of an earlier run may be writing the part right now: it goes only when it can never become the image.
  const keep = (there.partBytes ?? 0) <= image.bytes;
  await prepare(context, wanted, { keep, byUser: image.url === undefined });
  if (usableBytes(image, there) < image.bytes) {
    if (image.url === undefined) await send(context, wanted);
    else await download(context, wanted, proxy);
  }
  await checkAndPlace(context, wanted);
}
