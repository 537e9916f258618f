/**
 * `curl` and `wget` against the pretend internet.
 *
 * Source: curl 7.81 exit codes and messages (6, 7, 22, 23, 28), wget 1.21.
 */
import { useFault } from '../faults.ts';
import { FileError } from '../files/nodes.ts';
import { nameOf } from '../files/paths.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { at, look } from '../tools/file-tools.ts';
import { parseOptions } from '../tools/options.ts';
import { fetchFile } from './internet.ts';
import type { WebFile } from './internet.ts';

/** Bytes a millisecond of device time: about 60 MiB/s. */
const bytesPerMs = 62_915;
/** How often a growing file grows. */
const chunkMs = 1000;

/** Why a download failed: curl's exit code. */
type Outcome = 0 | 6 | 7 | 22 | 23 | 28;

function* download(frame: Frame, file: WebFile, path: string, resume: boolean): Steps<Outcome> {
  const { files } = frame.machine;
  const { virtual } = file;
  try {
    if (virtual === undefined) {
      files.write(path, file.text ?? '', frame);
      return 0;
    }
    const before = files.find(path);
    let size = resume && before?.kind === 'virtual' && before.bytes.id === virtual.id ? before.bytes.size : 0;
    for (;;) {
      files.writeVirtual(path, { id: virtual.id, size, totalSize: virtual.size, sha256: virtual.sha256 }, frame);
      if (size >= virtual.size) return 0;
      yield { untilMs: frame.rack.nowMs() + chunkMs };
      if (breaks(frame)) return 28;
      size = Math.min(virtual.size, size + chunkMs * bytesPerMs);
    }
  } catch (error) {
    if (error instanceof FileError) return 23;
    throw error;
  }
}

function names(frame: Frame): string[] {
  return [frame.machine.host?.name ?? frame.machine.card?.host ?? '', frame.machine.card?.name ?? ''];
}

function breaks(frame: Frame): boolean {
  return useFault(frame.rack.state.faults, 'download-breaks', names(frame));
}

function lookUp(frame: Frame, url: string): WebFile | 'unreachable' | null {
  return useFault(frame.rack.state.faults, 'internet-unreachable', names(frame)) ? 'unreachable' : fetchFile(url);
}

const curl: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'curl', args, {
    flags:
      'f fail=f s silent=s S show-error=S L location=L I head=I O remote-name=O k insecure=k 4 g v create-dirs compressed no-progress-meter retry-connrefused q disable=q g globoff=g',
    values:
      'o output=o C continue-at=C m max-time=m connect-timeout retry retry-delay retry-max-time x proxy=x w write-out=w H header=H proto limit-rate r range=r speed-limit speed-time',
  });
  if (options === null) return 2;
  const { flags, values, rest } = options;
  const [url = ''] = rest;
  const say = (text: string): void => {
    if (!flags.has('s') || flags.has('S')) complain(frame, `curl: ${text}\n`);
  };
  yield { untilMs: frame.rack.nowMs() + 200 };
  const host = /^\w+:\/\/([^/:]+)/.exec(url)?.[1] ?? url;
  const file = lookUp(frame, url);
  if (file === 'unreachable') {
    say(`(6) Could not resolve host: ${host}`);
    return 6;
  }
  if (file === null) {
    if (flags.has('f')) say('(22) The requested URL returned error: 404');
    else if (values['o'] === undefined) out(frame, '<html><head><title>404 Not Found</title></head></html>\n');
    return flags.has('f') ? 22 : 0;
  }
  const bytes = file.virtual?.size ?? file.text?.length ?? 0;
  if (flags.has('I')) {
    out(frame, `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\nAccept-Ranges: bytes\r\n\r\n`);
    return 0;
  }
  const target = flags.has('O') ? nameOf(url) : values['o'];
  if (target === undefined || target === '-') {
    out(frame, file.text ?? '');
    return 0;
  }
  const code = yield* download(frame, file, at(frame, target), values['C'] !== undefined);
  const size = ((node) => (node === null ? 0 : frame.machine.files.size(node)))(look(frame, target));
  if (code === 23) say('(23) Failure writing output to destination');
  if (code === 28) say(`(28) Operation too slow. Less than 1 bytes/sec transferred the last 30 seconds`);
  if (values['w'] !== undefined)
    out(
      frame,
      values['w']
        .replaceAll('%{http_code}', '200')
        .replaceAll('%{size_download}', String(size))
        .replaceAll('\\n', '\n'),
    );
  return code;
};

const wget: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'wget', args, {
    flags: 'q quiet=q c continue=c nv no-verbose=nv show-progress',
    values: 'O output-document=O P T t timeout=T tries=t progress',
  });
  if (options === null) return 2;
  const { flags, values, rest } = options;
  const [url = ''] = rest;
  yield { untilMs: frame.rack.nowMs() + 200 };
  const file = lookUp(frame, url);
  const host = /^\w+:\/\/([^/:]+)/.exec(url)?.[1] ?? url;
  if (file === 'unreachable') {
    if (!flags.has('q')) complain(frame, `wget: unable to resolve host address '${host}'\n`);
    return 4;
  }
  if (file === null) {
    if (!flags.has('q')) complain(frame, 'ERROR 404: Not Found.\n');
    return 8;
  }
  const target = values['O'] ?? nameOf(url);
  if (target === '-') {
    out(frame, file.text ?? '');
    return 0;
  }
  const code = yield* download(frame, file, at(frame, target), flags.has('c'));
  if (!flags.has('q') && code === 0) complain(frame, `'${target}' saved\n`);
  return code === 0 ? 0 : code === 23 ? 3 : 4;
};

/** Name -> program. */
export const fetchPrograms: Record<string, Program> = { curl, wget };
