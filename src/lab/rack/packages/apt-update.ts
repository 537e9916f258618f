/**
 * `apt-get update`: reads the sources, checks signatures, remembers what there is.
 *
 * Source: apt 2.4 messages.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Steps } from '../shell/types.ts';
import { fetchFile, keysIn, repositoryAt } from './internet.ts';
import type { Repository } from './internet.ts';
import { packagesOf } from './of-machine.ts';

interface Source {
  repository: Repository | null;
  url: string;
  keyring: string | null;
  suite: string;
}

function sourcesOf(frame: Frame): Source[] {
  const { files } = frame.machine;
  const root = { user: 'root', root: true };
  const paths = [
    '/etc/apt/sources.list',
    ...(files.find('/etc/apt/sources.list.d') === null
      ? []
      : files.list('/etc/apt/sources.list.d').map((name) => `/etc/apt/sources.list.d/${name}`)),
  ];
  return paths
    .filter((path) => (path.endsWith('.list') || path.endsWith('sources.list')) && files.find(path) !== null)
    .flatMap((path) => files.read(path, root).split('\n'))
    .flatMap((line) => {
      const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line);
      if (match === null) return [];
      const [, options = '', url = '', suite = ''] = match;
      return [
        {
          repository: repositoryAt(url),
          url: url.replace(/\/+$/, ''),
          suite,
          keyring: /signed-by=(\S+)/.exec(options)?.[1] ?? null,
        },
      ];
    });
}

function trusted(frame: Frame, source: Source): boolean {
  const { files } = frame.machine;
  const { repository } = source;
  if (repository === null) return false;
  if (/ubuntu\.com/.test(source.url)) return true;
  const folder = '/etc/apt/trusted.gpg.d';
  const paths = source.keyring === null ? files.list(folder).map((name) => `${folder}/${name}`) : [source.keyring];
  return paths.some(
    (path) =>
      files.find(path) !== null &&
      keysIn(files.read(path, { user: 'root', root: true })).some((each) => each.fingerprint === repository.key),
  );
}

/** `apt-get update`. */
export function* update(frame: Frame): Steps<number> {
  const packages = packagesOf(frame.machine);
  const lists: typeof packages.lists = {};
  let failedSources = false;
  let number = 0;
  for (const source of sourcesOf(frame)) {
    number += 1;
    const { repository, url, suite } = source;
    const place = `${url}${suite === './' ? ' ' : `/dists/${suite} `}`;
    yield { untilMs: frame.rack.nowMs() + 700 };
    if (repository === null) {
      const host = /^\w+:\/\/([^/]+)/.exec(url)?.[1] ?? url;
      if (fetchFile(`${url}/InRelease`) === 'unreachable') {
        out(
          frame,
          `Ign:${number} ${url} ${suite} InRelease\nErr:${number} ${url} ${suite} Release\n  Could not resolve '${host}'\n`,
        );
        complain(
          frame,
          `W: Failed to fetch ${place.trim()}/InRelease  Could not resolve '${host}'\nW: Some index files failed to download. They have been ignored, or old ones used instead.\n`,
        );
      } else {
        out(
          frame,
          `Ign:${number} ${url} ${suite} InRelease\nErr:${number} ${url} ${suite} Release\n  404  Not Found\n`,
        );
        complain(frame, `E: The repository '${url} ${suite} Release' does not have a Release file.\n`);
        failedSources = true;
      }
      continue;
    }
    out(frame, `Get:${number} ${url} ${suite} InRelease [1,897 B]\n`);
    if (!trusted(frame, source)) {
      const short = repository.key.slice(-16);
      complain(
        frame,
        `W: GPG error: ${url} ${suite} InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY ${short}\n` +
          `E: The repository '${url} ${suite} InRelease' is not signed.\n`,
      );
      failedSources = true;
      continue;
    }
    for (const [name, { version }] of Object.entries(repository.packages)) (lists[name] ??= []).push({ version, url });
    if (/ubuntu\.com/.test(url))
      (lists[`linux-headers-${kernelOf(frame)}`] ??= []).push({
        version: `${kernelOf(frame).replace(/-generic$/, '')}.134`,
        url,
      });
  }
  packages.lists = lists;
  out(frame, 'Reading package lists...\n');
  return failedSources ? 100 : 0;
}

function kernelOf(frame: Frame): string {
  return frame.machine.host?.hardware.kernel ?? frame.machine.card?.armOs.kernel ?? '';
}
