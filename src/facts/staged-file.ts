import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import type { Image } from '../domain/image.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Where images are kept on a host; below it everything belongs to root. */
export const imageFolder = '/var/lib/dpubot/images';

/** Where an image lies on the host once it was proven to be the right one. */
export function stagedPath(image: Pick<Image, 'sha256'>): string {
  return `${imageFolder}/${image.sha256}.bfb`;
}

/** The same file while it is on its way. */
export function partPath(image: Pick<Image, 'sha256'>): string {
  return `${stagedPath(image)}.part`;
}

/** How jobs that fetch an image are named, after the run: only the beginning of the hash fits into a file name nicely. */
export function stageSubject(image: Pick<Image, 'sha256'>): string {
  return image.sha256.slice(0, 12);
}

/** What lies on the host under the name of an image. */
export interface StagedFile {
  /** Size under the final name. */
  readonly fileBytes: number | undefined;
  readonly partBytes: number | undefined;
  /** A note beside the file says that these very bytes were hashed: its size and time of change fit. */
  readonly noted: boolean;
  /** Names of job folders that fetch or fetched this image, of any run. */
  readonly jobs: readonly string[];
  /** For root, on the file system of the folder. */
  readonly freeBytes: number;
}

/** Constant text; $1 is the hash. Folders that are not there yet are no error: their space is that of the nearest parent. */
const lookScript = `
set -u
base=${imageFolder}/$1.bfb
look() {
 if [ ! -e "$2" ]; then echo "$1 absent"; return; fi
 seen=$(stat -c '%s %Y' -- "$2") || exit 1
 echo "$1 $seen"
}
look file "$base"
look part "$base.part"
note=absent
[ ! -e "$base.ok" ] || IFS= read -r note <"$base.ok"
echo "note $note"
for job in /var/lib/dpubot/jobs/run*-stage-bfb-$(printf '%.12s' "$1")-*; do
 [ ! -d "$job" ] || echo "job \${job##*/}"
done
at=${imageFolder}
while [ ! -d "$at" ]; do at=\${at%/*}; done
df -P -k -- "$at" | awk 'NR == 2 { print "free " $4 }'
`;

/** Source: stat(1) and df(1) of GNU coreutils 8.32 (Ubuntu 22.04), `df -P` as in POSIX. */
export const stagedFile = defineRead({
  name: 'staged image',
  argv: ['sudo', '-n', 'sh', '-c', lookScript, 'dpubot-look', '{sha256}'],
  holes: { sha256: /[0-9a-f]{64}/ },
});

/** Reads the whole file: some seconds for an image. */
export const sha256sum = defineRead({
  name: 'sha256sum',
  argv: ['sudo', '-n', 'sha256sum', '--', '{path}'],
  holes: { path: /\/var\/lib\/dpubot\/images\/[0-9a-f]{64}\.bfb(?:\.part)?/ },
});

/** Looks at what lies there, without reading the image. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readStagedFile(
  host: HostReader,
  image: Pick<Image, 'sha256'>,
  signal: AbortSignal,
): Promise<StagedFile> {
  const result = await host.read(stagedFile.bind({ sha256: image.sha256 }), { timeoutMs: 30_000, signal });
  expectSuccess(host.name, `look at ${stagedPath(image)}`, result);
  return parseStagedFile(host.name, result.stdout);
}

/** Parses what the look-up prints. A note that does not fit, or is none of ours, proves nothing; the rest is strict. */
export function parseStagedFile(hostName: string, text: string): StagedFile {
  const shape =
    /^file (absent|\d{1,15} \d{1,15})\npart (absent|\d{1,15} \d{1,15})\nnote (.*)\n((?:job run\d+-stage-bfb-[0-9a-f]{12}-\d+\n)*)free (\d{1,15})\n$/;
  const [, file = '', part = '', note = '', jobs = '', freeKib = ''] = shape.exec(text) ?? [];
  if (freeKib === '')
    throw errors.outputUnreadable({
      target: hostName,
      source: `the look at ${imageFolder}`,
      problem: 'unexpected lines',
      evidence: text.slice(0, 400),
    });
  const sizeOf = (seen: string): number | undefined => (seen === 'absent' ? undefined : Number(seen.split(' ')[0]));
  return {
    fileBytes: sizeOf(file),
    partBytes: sizeOf(part),
    noted: file !== 'absent' && note === file,
    jobs: jobs
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^job /, '')),
    freeBytes: Number(freeKib) * 1024,
  };
}

/** Hashes a file of the image folder as root. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readHash(host: HostReader, path: string, signal: AbortSignal): Promise<string> {
  const result = await host.read(sha256sum.bind({ path }), { timeoutMs: 900_000, signal });
  expectSuccess(host.name, `sha256sum ${path}`, result);
  const [, hash, name] = /^([0-9a-f]{64}) [ *](.+)\n$/.exec(result.stdout) ?? [];
  if (hash === undefined || name !== path)
    throw errors.outputUnreadable({
      target: host.name,
      source: 'sha256sum',
      problem: 'no line with the hash of the file that was asked for',
      evidence: result.stdout.slice(0, 400),
    });
  return hash;
}

/** What lies there, and whether it was proven to be the image: by the note of an earlier proof, or by hashing it now. */
export type StagedImage = StagedFile & { readonly proof: 'note' | 'hash' | 'none' };

/** Errors: as `readStagedFile` and `readHash`. A file of another size is never hashed. */
export async function readStagedImage(host: HostReader, image: Image, signal: AbortSignal): Promise<StagedImage> {
  const seen = await readStagedFile(host, image, signal);
  if (seen.fileBytes !== image.bytes) return { ...seen, proof: 'none' };
  if (seen.noted) return { ...seen, proof: 'note' };
  const hash = await readHash(host, stagedPath(image), signal);
  return { ...seen, proof: hash === image.sha256 ? 'hash' : 'none' };
}
