import type { DetachedState } from '../domain/device-ports.ts';
import { partPath } from '../facts/staged-file.ts';
import type { NamedImage } from './stage-text.ts';

/** Below the limit of the step, so that curl never outlives it by much. */
const longestSeconds = '5000';

/** The words of the download. `--disable` keeps the .curlrc of root out of it; it has to be the first one. */
export function curlArgv({ image }: NamedImage, proxy: string | undefined): readonly string[] {
  const manners = '--disable --fail --location --silent --show-error --globoff --continue-at -'.split(' ');
  const limits = `--connect-timeout 30 --max-time ${longestSeconds} --speed-limit 10240 --speed-time 60`.split(' ');
  const through = proxy === undefined ? [] : ['--proxy', proxy];
  return ['curl', ...manners, '--output', partPath(image), ...limits, ...through, '--', image.url ?? ''];
}

/** How a download ended, and what that means for the next try. */
export type DownloadEnd =
  | { readonly kind: 'complete' }
  /** Broke off: another try goes on with what is there. */
  | { readonly kind: 'broken'; readonly problem: string }
  /** The server cannot go on in the middle, or not with what is there: another try from the first byte. */
  | { readonly kind: 'anew'; readonly problem: string }
  /** A file of another size has arrived whole. */
  | { readonly kind: 'other-file' }
  | { readonly kind: 'disk-full' }
  /** Another try would meet the same. */
  | { readonly kind: 'failed'; readonly problem: string };

/** curl(1), EXIT CODES: what passes by itself. 5 to 7 no name or connection, 16, 18, 28, 52, 55, 56, 92 broke off. */
const passing: ReadonlySet<number> = new Set([5, 6, 7, 16, 18, 28, 52, 55, 56, 92]);
/** 33 and 36: the server does not know ranges, or not this one. */
const cannotResume: ReadonlySet<number> = new Set([33, 36]);
const writeError = 23;
const httpError = 22;
/** HTTP answers that pass: time-out, too many requests, and troubles of the server or of a proxy. */
const passingStatus = /^(?:408|429|5\d\d)$/;
const rangeRefused = '416';

/** Judges a detached curl by its exit code, what it said, and the bytes that are there. Pure. */
export function judgeDownload(
  state: Exclude<DetachedState, { readonly kind: 'running' }>,
  log: string,
  arrived: { readonly partBytes: number; readonly totalBytes: number; readonly freeBytes: number },
): DownloadEnd {
  const { partBytes, totalBytes } = arrived;
  if (partBytes > totalBytes) return { kind: 'other-file' };
  if (state.kind === 'absent') return { kind: 'broken', problem: 'its job folder has disappeared' };
  if (state.kind === 'unknown') return { kind: 'broken', problem: state.reason };
  if (state.exitCode === 0) return { kind: partBytes === totalBytes ? 'complete' : 'other-file' };
  const said = lastLine(log);
  const problem = said === '' ? `curl ended with exit code ${state.exitCode}` : said;
  if (state.exitCode === httpError) {
    const status = /returned error: (\d{3})/.exec(log)?.[1] ?? '';
    if (status === rangeRefused) return { kind: 'anew', problem };
    return { kind: passingStatus.test(status) ? 'broken' : 'failed', problem };
  }
  if (state.exitCode === writeError && arrived.freeBytes < totalBytes - partBytes) return { kind: 'disk-full' };
  if (cannotResume.has(state.exitCode)) return { kind: 'anew', problem };
  // 128 and more: it was ended by a signal, for example by a shutdown.
  const passes = passing.has(state.exitCode) || state.exitCode > 128;
  return { kind: passes ? 'broken' : 'failed', problem };
}

function lastLine(log: string): string {
  return log.trim().split('\n').at(-1)?.trim().slice(0, 300) ?? '';
}
