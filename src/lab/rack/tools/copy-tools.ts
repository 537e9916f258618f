/** coreutils that copy and move: cp, mv, install, ln. Source: coreutils 8.32 behaviour and messages. */
import { FileError } from '../files/nodes.ts';
import { nameOf, parentOf } from '../files/paths.ts';
import { complain } from '../shell/descriptors.ts';
import type { Frame, Program } from '../shell/types.ts';
import { at, attempt, look, modeOf, tool } from './file-tools.ts';
import type { Options } from './options.ts';

/** Where a file goes: into a directory or onto the name itself. */
function destination(frame: Frame, source: string, target: string, exact: boolean): string {
  const isDirectory = !exact && look(frame, target)?.kind === 'dir';
  return isDirectory ? `${at(frame, target)}/${nameOf(at(frame, source))}` : at(frame, target);
}

function copy(frame: Frame, from: string, to: string, recursive: boolean, keep: boolean): void {
  const { files } = frame.machine;
  const node = files.get(from, frame);
  if (node.kind === 'dir') {
    if (!recursive) throw new FileError('EISDIR');
    if (files.find(to) === null) files.makeDirectory(to, frame, node.mode);
    for (const name of files.list(from)) copy(frame, `${from}/${name}`, `${to}/${name}`, true, keep);
    return;
  }
  if (!files.allows(node, frame, 4)) throw new FileError('EACCES');
  if (node.kind === 'virtual') files.writeVirtual(to, node.bytes, frame);
  else files.write(to, files.read(from, frame), frame, { mode: node.mode & 0o777 & ~frame.umask });
  if (keep) files.change(to, frame, { mode: node.mode });
}

function targets(options: Options): { sources: string[]; target: string } {
  const target = options.values['t'] ?? options.rest.at(-1) ?? '';
  return { sources: options.values['t'] === undefined ? options.rest.slice(0, -1) : options.rest, target };
}

const cp = tool(
  'cp',
  { flags: 'r R=r a recursive=r archive=a f force=f p v T n u', values: 't target-directory=t' },
  (frame, options) => {
    const { sources, target } = targets(options);
    const { flags } = options;
    return sources
      .map((source) =>
        attempt(frame, `cp: cannot copy '${source}' to '${target}'`, () => {
          const recursive = flags.has('r') || flags.has('a');
          copy(
            frame,
            at(frame, source),
            destination(frame, source, target, flags.has('T')),
            recursive,
            flags.has('p') || flags.has('a'),
          );
        }),
      )
      .every(Boolean);
  },
);

const mv = tool(
  'mv',
  { flags: 'f force=f n v T no-target-directory=T', values: 't target-directory=t' },
  (frame, options) => {
    const { sources, target } = targets(options);
    return sources
      .map((source) => {
        if (look(frame, source, false) === null) {
          complain(frame, `mv: cannot stat '${source}': No such file or directory\n`);
          return false;
        }
        return attempt(frame, `mv: cannot move '${source}' to '${target}'`, () =>
          frame.machine.files.rename(
            at(frame, source),
            destination(frame, source, target, options.flags.has('T')),
            frame,
          ),
        );
      })
      .every(Boolean);
  },
);

const install = tool(
  'install',
  { flags: 'd directory=d D v p C T', values: 'm mode=m o owner=o g group=g t' },
  (frame, options) => {
    const { flags, values, rest } = options;
    const mode = modeOf(values['m'] ?? '755', 0o755) ?? 0o755;
    const owner = { ...(values['o'] && { owner: values['o'] }), ...(values['g'] && { group: values['g'] }) };
    const { files } = frame.machine;
    const makeParents = (path: string): void => {
      if (path === '/' || files.find(path) !== null) return;
      makeParents(parentOf(path));
      files.makeDirectory(path, frame, 0o755);
    };
    if (flags.has('d')) {
      return rest
        .map((path) =>
          attempt(frame, `install: cannot create directory '${path}'`, () => {
            makeParents(at(frame, path));
            files.change(at(frame, path), frame, { mode, ...owner });
          }),
        )
        .every(Boolean);
    }
    const { sources, target } = targets(options);
    return sources
      .map((source) =>
        attempt(frame, `install: cannot install '${source}' to '${target}'`, () => {
          const to = destination(frame, source, target, flags.has('T'));
          if (flags.has('D')) makeParents(parentOf(to));
          if (source === '/dev/stdin' || source === '/dev/null') files.write(to, '', frame);
          else copy(frame, at(frame, source), to, false, false);
          files.change(to, frame, { mode, ...owner });
        }),
      )
      .every(Boolean);
  },
);

const ln = tool('ln', { flags: 's symbolic=s f force=f n T v' }, (frame, { flags, rest }) => {
  const [target = '', name = nameOf(target)] = rest;
  return attempt(frame, `ln: failed to create symbolic link '${name}'`, () => {
    const path = destination(frame, target, name, flags.has('n') || flags.has('T'));
    if (flags.has('f') && frame.machine.files.find(path, false) !== null) frame.machine.files.remove(path, frame);
    if (flags.has('s')) frame.machine.files.link(target, path, frame);
    else copy(frame, at(frame, target), path, false, true);
  });
});

/** Name -> program. */
export const copyTools: Record<string, Program> = { cp, mv, install, ln };
