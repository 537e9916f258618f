import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { imageFolder, partPath, readHash, stagedPath, stageSubject } from '../facts/staged-file.ts';
import { runOk } from './remote.ts';
import { type NamedImage, sourceOf } from './stage-text.ts';

/**
 * $1 hash, $2 `keep` or `drop` the part, $3 `user` when the SSH user is to write it. What lies under the final name and is
 * not the image goes away. The user may pass through the folders to that one file, and see nothing else in them.
 */
const prepareScript = `
set -eu
umask 077
mkdir -p ${imageFolder}
chmod 711 ${imageFolder} ${imageFolder.replace(/\/[^/]+$/, '')}
base=${imageFolder}/$1.bfb
rm -f -- "$base" "$base.ok"
[ "$2" = keep ] || rm -f -- "$base.part"
[ "$3" = user ] || exit 0
[ -e "$base.part" ] || : >"$base.part"
chmod 600 "$base.part"
chown "\${SUDO_UID:-0}" "$base.part"
`;

/** $1 hash, $2 size. The note is on disk before the file gets its name, so a file with that name always has been hashed. */
const placeScript = `
set -eu
umask 077
base=${imageFolder}/$1.bfb
[ "$(stat -c %s -- "$base.part")" = "$2" ] || { echo 'its size has changed since it was hashed' >&2; exit 65; }
chown 0:0 "$base.part"
chmod 600 "$base.part"
printf '%s %s\\n' "$2" "$(stat -c %Y -- "$base.part")" >"$base.ok.new"
sync -- "$base.part" "$base.ok.new" 2>/dev/null || sync
mv -f -- "$base.ok.new" "$base.ok"
mv -f -- "$base.part" "$base"
sync -- ${imageFolder} 2>/dev/null || sync
`;

/** Makes the folder ready for an image that is not there, and removes what cannot be used. */
export async function prepare(
  context: ApplyContext,
  wanted: NamedImage,
  part: { readonly keep: boolean; readonly byUser: boolean },
): Promise<void> {
  const words = [wanted.image.sha256, part.keep ? 'keep' : 'drop', part.byUser ? 'user' : 'root'];
  const argv = ['sudo', '-n', 'sh', '-c', prepareScript, 'dpubot-prepare', ...words];
  const name = `prepare-${stageSubject(wanted.image)}`;
  await context.act(
    { name, text: `make ${imageFolder} on ${context.host.name} ready for ${wanted.name}` },
    async () => {
      await runOk(context.host, argv, { timeoutMs: 60_000, signal: context.signal });
      return { evidence: `${part.keep ? 'kept' : 'dropped'} the part`, value: undefined };
    },
  );
}

/** Removes the part of an image: it cannot be gone on with. `why` is a sentence without its full stop. */
export async function dropPart(context: ApplyContext, wanted: NamedImage, why: string): Promise<void> {
  const path = partPath(wanted.image);
  const name = `drop-${stageSubject(wanted.image)}`;
  await context.act({ name, text: `remove what has arrived of ${wanted.name}: ${why}` }, async () => {
    const argv = ['sudo', '-n', 'rm', '-f', '--', path];
    await runOk(context.host, argv, { timeoutMs: 30_000, signal: context.signal });
    return { evidence: `removed ${path}`, value: undefined };
  });
}

/** Hashes what has arrived and gives it its final name, or removes it. Throws `image-hash-mismatch`. */
export async function checkAndPlace(context: ApplyContext, wanted: NamedImage): Promise<void> {
  const { name, image } = wanted;
  const sinceMs = context.clock.nowMs();
  await context.progress({ text: `checking the SHA-256 of ${name} on ${context.host.name}`, sinceMs });
  const seen = await readHash(context.host, partPath(image), context.signal);
  if (seen !== image.sha256) throw await mismatch(context, wanted, `SHA-256 ${image.sha256}`, `SHA-256 ${seen}`);
  const argv = ['sudo', '-n', 'sh', '-c', placeScript, 'dpubot-place', image.sha256, String(image.bytes)];
  const text = `put ${name} in place on ${context.host.name}`;
  await context.act({ name: `place-${stageSubject(image)}`, text }, async () => {
    await runOk(context.host, argv, { timeoutMs: 300_000, signal: context.signal });
    return { evidence: `SHA-256 ${seen}, ${image.bytes} bytes, now ${stagedPath(image)}`, value: undefined };
  });
}

/** Removes what has arrived and returns the error that says so. */
export async function mismatch(
  context: ApplyContext,
  wanted: NamedImage,
  expected: string,
  seen: string,
): Promise<Error> {
  await dropPart(context, wanted, 'it is another file');
  return errors.imageHashMismatch({
    host: context.host.name,
    image: wanted.name,
    from: sourceOf(wanted.image),
    expected,
    seen,
  });
}

/** The error for a disk that has filled up on the way. */
export function spaceMissing(context: ApplyContext, neededBytes: number, freeBytes: number): Error {
  return errors.imageSpaceMissing({
    host: context.host.name,
    folder: imageFolder,
    neededBytes,
    freeBytes,
    state: 'changed',
  });
}
