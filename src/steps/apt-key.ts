import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { expectSuccess, isSudoRefusal } from '../facts/read-helpers.ts';
import { fetchKey } from './apt-fetch.ts';
import type { PackageRepository } from './apt-words.ts';
import { keyringOf } from './apt-words.ts';
import { runOk } from './remote.ts';

/** On tmpfs, readable by root alone: nobody else can put another key there between the check and the use. */
const folder = '/run/dpubot';

/**
 * $1 file with keys, $2 fingerprint, $3 keyring. Only the pinned key goes in, whatever else the file holds: NVIDIA's has had
 * three. Without an agent, and in a key box of its own.
 */
const installScript =
  'set -eu; box=$(mktemp -d /run/dpubot/gpg.XXXXXX); trap \'rm -rf "$box"\' EXIT; ' +
  'gpg --homedir "$box" --batch --no-tty --no-autostart --quiet --import "$1"; ' +
  'gpg --homedir "$box" --batch --no-tty --no-autostart --export "$2" >"$box/ring"; test -s "$box/ring"; ' +
  'install -D -m 644 "$box/ring" "$3.dpubot-new"; mv -f "$3.dpubot-new" "$3"';

/** $1 file with keys: prints them. */
const showScript =
  'set -eu; box=$(mktemp -d /run/dpubot/gpg.XXXXXX); trap \'rm -rf "$box"\' EXIT; ' +
  'gpg --homedir "$box" --batch --no-tty --no-autostart --with-colons --show-keys "$1"';

/**
 * Fetches the key of a repository to a temporary file, compares fingerprints, and only then puts the pinned key where apt
 * finds it. Errors: download-failed, repo-key-mismatch (nothing is left behind), command-failed.
 */
export async function trustRepositoryKey(
  context: ApplyContext,
  session: HostSession,
  repository: PackageRepository,
): Promise<void> {
  const { signal } = context;
  const file = `${folder}/${repository.label}-key`;
  const keyring = keyringOf(repository);
  const root = ['sudo', '-n'];
  await context.act({ name: 'trust-repository-key', text: `pin the key of ${repository.url}` }, async () => {
    await runOk(session, [...root, 'mkdir', '-p', '-m', '700', folder], { timeoutMs: 30_000, signal });
    try {
      await fetchKey(context, session, repository, file);
      const shown = await session.run([...root, 'sh', '-c', showScript, 'dpubot-key', file], {
        timeoutMs: 30_000,
        signal,
      });
      checkFingerprint(session.name, repository, shown);
      const words = ['sh', '-c', installScript, 'dpubot-key', file, repository.keyFingerprint, keyring];
      await runOk(session, [...root, ...words], { timeoutMs: 30_000, signal });
    } finally {
      // Also when the run is being cancelled; a failure here must not hide what went wrong before.
      await session.run([...root, 'rm', '-f', file], { timeoutMs: 15_000 }).catch(() => undefined);
    }
    return { evidence: `${keyring} holds ${repository.keyFingerprint}`, value: undefined };
  });
}

function checkFingerprint(
  host: string,
  repository: PackageRepository,
  shown: { readonly stdout: string; readonly stderr: string; readonly exitCode: number },
): void {
  const seen = parsePrimaryKeys(shown.stdout);
  if (seen.includes(repository.keyFingerprint)) return;
  if (isSudoRefusal(shown) || /gpg: (?:command )?not found/.test(shown.stderr))
    expectSuccess(host, 'gpg --show-keys', { ...shown, truncated: false, durationMs: 0 });
  throw errors.repoKeyMismatch({
    host,
    source: repository.url,
    pinned: repository.keyFingerprint,
    why:
      seen.length === 0
        ? `What ${repository.keyUrl} gives is not an OpenPGP key.`
        : `${repository.keyUrl} holds ${seen.join(', ')}.`,
  });
}

/**
 * Fingerprints of the primary keys in `gpg --show-keys --with-colons`: the first `fpr` after each `pub`; those after `sub`
 * belong to subkeys. Source: GnuPG doc/DETAILS.
 */
export function parsePrimaryKeys(text: string): readonly string[] {
  const found: string[] = [];
  let isPrimary = false;
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    if (fields[0] === 'pub') isPrimary = true;
    else if (fields[0] === 'sub') isPrimary = false;
    else if (fields[0] === 'fpr' && isPrimary) {
      const fingerprint = fields[9] ?? '';
      if (/^[0-9A-F]{40}$/.test(fingerprint)) found.push(fingerprint);
      isPrimary = false;
    }
  }
  return found;
}
