/**
 * The part of systemd-tmpfiles that writes into files and makes directories: at each boot, and when somebody calls it.
 *
 * Source: tmpfiles.d(5) and systemd-tmpfiles(8) of systemd 249 (types d, f and w, the modifiers `!`, `+` and `-`; a file in
 * /etc hides one of the same name elsewhere; `w` writes only into what is there).
 */
import type { Files } from './files/files.ts';
import { FileError } from './files/nodes.ts';
import { nameOf } from './files/paths.ts';

const folders = ['/etc/tmpfiles.d', '/run/tmpfiles.d', '/usr/lib/tmpfiles.d'];
const root = { user: 'root', root: true };

/** One line of a file. */
interface TmpfilesRule {
  type: string;
  /** Only at a boot. */
  bootOnly: boolean;
  /** A failure is none. */
  lenient: boolean;
  path: string;
  mode: number | null;
  argument: string;
}

function ruleOf(line: string): TmpfilesRule | null {
  const match = /^(\w)([-+!=~^]*)\s+("[^"]*"|\S+)(?:\s+(\S+))?(?:\s+\S+)?(?:\s+\S+)?(?:\s+\S+)?(?:\s+(.*))?$/.exec(
    line.trim(),
  );
  if (match === null) return null;
  const [, type = '', modifiers = '', path = '', mode = '-', argument = ''] = match;
  return {
    type,
    bootOnly: modifiers.includes('!'),
    lenient: modifiers.includes('-'),
    path: path.replaceAll('"', ''),
    mode: /^[:~]*[0-7]{3,4}$/.test(mode) ? Number.parseInt(mode.replace(/^[:~]+/, ''), 8) : null,
    argument: argument === '-' ? '' : argument.replaceAll('\\n', '\n'),
  };
}

function applyRule(files: Files, { type, path, mode, argument }: TmpfilesRule): void {
  const known = files.find(path);
  if (type === 'w') {
    if (known !== null) files.write(path, `${argument}\n`, root);
  } else if (type === 'd') {
    if (known === null) files.makeDirectory(path, root, mode ?? 0o755);
  } else if (type === 'f' && known === null) files.write(path, argument, root, { mode: mode ?? 0o644 });
}

/** Files that count when nobody names one. */
function configured(files: Files): string[] {
  const found = new Map<string, string>();
  for (const folder of folders) {
    if (files.find(folder) === null) continue;
    for (const name of files.list(folder))
      if (name.endsWith('.conf') && !found.has(name)) found.set(name, `${folder}/${name}`);
  }
  return [...found.values()].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
}

/** Carry out these files, or all of the configuration; gives complaints. */
export function applyTmpfiles(files: Files, { paths, boot }: { paths?: string[]; boot: boolean }): string[] {
  const problems: string[] = [];
  for (const path of paths ?? configured(files)) {
    if (files.find(path)?.kind !== 'file') {
      problems.push(`Failed to open '${path}': No such file or directory`);
      continue;
    }
    for (const [index, line] of files.read(path, root).split('\n').entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const rule = ruleOf(line);
      if (rule === null) {
        problems.push(`${path}:${index + 1}: Syntax error.`);
        continue;
      }
      if (rule.bootOnly && !boot) continue;
      try {
        applyRule(files, rule);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        if (!rule.lenient) problems.push(`Failed to write file "${rule.path}": ${error.message}`);
      }
    }
  }
  return problems;
}
