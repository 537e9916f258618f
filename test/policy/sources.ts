import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the repository; `path` is relative to the root, with slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** One import or re-export. `typeOnly`: nothing of it is left at run time. */
export interface Import {
  readonly from: string;
  /** The path of a file of the repository, or the name of a package (`@slack/bolt`, `node:fs`). */
  readonly to: string;
  readonly isPackage: boolean;
  readonly typeOnly: boolean;
}

const ignoredFolders = new Set(['node_modules', '.git', 'dist', 'coverage', '.demo']);

/** All files below a folder of the repository that match, in a stable order. A missing folder is empty. */
export function filesBelow(folder: string, matching: RegExp): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory() && !ignoredFolders.has(entry.name)) visit(child);
      else if (entry.isFile() && matching.test(child)) found.push(child);
    }
  };
  if (existsSync(join(root, folder))) visit(folder);
  return found.toSorted();
}

export function readSource(path: string): Source {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** TypeScript of the given folders. */
export function typescriptIn(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) => filesBelow(folder, /\.ts$/)).map(readSource);
}

/** Source text without comments; strings and template literals are kept, so a `//` in a URL is not taken for a comment. */
export function withoutComments(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (match) => (match.startsWith('/*') || match.startsWith('//') ? ' ' : match));
}

const staticImport = /^(?:import|export)\s+(type\s+)?(?:([\w*\s{},$]+?)\s+from\s+)?(['"])([^'"]+)\3/gm;
const dynamicImport = /\bimport\(\s*(['"])([^'"]+)\1/g;

/** Imports and re-exports of a file. Relies on the house format: a statement begins at the start of a line. */
export function importsOf({ path, text }: Source): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const [, type, clause = '', , specifier = ''] of code.matchAll(staticImport)) {
    const names = /\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .map((name) => name.trim());
    const named = names?.filter((name) => name !== '') ?? [];
    const onlyTypeNames =
      clause.trim().startsWith('{') && named.length > 0 && named.every((name) => name.startsWith('type '));
    found.push(resolve(path, specifier, type !== undefined || onlyTypeNames));
  }
  for (const [, , specifier = ''] of code.matchAll(dynamicImport)) found.push(resolve(path, specifier, false));
  return found;
}

function resolve(from: string, specifier: string, typeOnly: boolean): Import {
  if (specifier.startsWith('.')) {
    const to = relative(root, join(root, dirname(from), specifier)).replaceAll('\\', '/');
    return { from, to, isPackage: false, typeOnly };
  }
  const parts = specifier.split('/');
  const to = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
  return { from, to, isPackage: true, typeOnly };
}

/** The room a file belongs to: its folder under src, `commands`, `jobs`, or the file itself where it is a room of its own. */
export function roomOf(path: string): string {
  const [first = '', second = '', third] = path.split('/');
  if (first !== 'src') return first;
  if (third === undefined) return second.replace(/\.ts$/, '');
  return second;
}
