import { withoutComments, type Source } from './sources.ts';

/** What is wrong with the files, as `path:line: text`. Pure, so that each rule is shown to catch what it forbids. */
export type Rule = (source: Source) => string[];

function linesMatching(source: Source, code: string, pattern: RegExp): string[] {
  const flags = pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`;
  return [...code.matchAll(new RegExp(pattern.source, flags))].map((match) => {
    const line = code.slice(0, match.index).split('\n').length;
    return `${source.path}:${line}: ${match[0].split('\n')[0]?.trim()}`;
  });
}

/** Only src/config.ts may read the environment: what a process may know is decided in one place. */
export function environmentReads(source: Source): string[] {
  if (source.path === 'src/config.ts') return [];
  return linesMatching(
    source,
    withoutComments(source.text),
    /\bprocess\s*\.\s*env\b|\bprocess\[|import .*\benv\b.* from 'node:process'/,
  );
}

/** A log message is constant, so that a thousand of them group; what varies stands in the fields. */
export function varyingLogMessages(source: Source): string[] {
  const call = /\b(?:log|logger)\s*\??\.(?:trace|debug|info|warn|error|fatal)\((?:[^()`]|\([^()]*\))*`[^`]*\$\{/;
  return linesMatching(source, withoutComments(source.text), call);
}

/** A test that is switched off without a condition proves nothing; one that runs alone hides the others. */
export function switchedOffTests(source: Source): string[] {
  return linesMatching(
    source,
    withoutComments(source.text),
    /\b(?:it|test|describe|suite)\s*\.\s*(?:skip|only|todo|fails)\b/,
  );
}

/** Read-only commands and resources are declared in src/facts and nowhere else, in the reviewed way. */
export function undeclaredReads(source: Source): string[] {
  if (source.path === 'src/domain/commands.ts') return [];
  const literal = /\bkind:\s*'read-(?:command|resource)'\s*(?:,|\})/;
  const declared = source.path.startsWith('src/facts/') ? [] : [/\bdefine(?:Read|Resource)\(/];
  return [literal, ...declared].flatMap((pattern) => linesMatching(source, withoutComments(source.text), pattern));
}

/** Paths of one machine, and addresses of package registries, do not belong into a repository. */
export function machineTraces(source: Source): string[] {
  const paths = /(?<![\w.])\/(?:work|Users\/\w+|home\/(?!ubuntu\b|ops\b|dpubot\b|node\b)\w+)\/[\w.]/;
  const registries = /https?:\/\/[\w.-]*(?:registry|npmjs|verdaccio|artifactory|nexus)[\w.-]*[/:]/;
  return [paths, registries].flatMap((pattern) => linesMatching(source, source.text, pattern));
}

/** Number of lines of a file. */
export function lineCount(source: Source): number {
  return source.text.trimEnd().split('\n').length;
}

/** Functions and methods longer than `limit` lines. Relies on the house format: a body ends at the indentation it began. */
export function longFunctions(source: Source, limit: number): string[] {
  const lines = source.text.split('\n');
  const head =
    /^(?: {2})?(?:export )?(?:static )?(?:async )?(?:function\*? |(?!if|for|while|switch|return|catch)[#\w]+(?:<[^>]*>)?\()[^=]*$/;
  return lines.flatMap((line, start) => {
    if (!head.test(line)) return [];
    const indent = /^ */.exec(line)?.[0] ?? '';
    const end = endOfBody(lines, start, indent);
    const length = end - start + 1;
    return end > 0 && length > limit ? [`${source.path}:${start + 1}: ${length} lines`] : [];
  });
}

/** Line of the brace that closes what begins at `start`; -1 for a signature without a body. */
function endOfBody(lines: readonly string[], start: number, indent: string): number {
  if (/[;,]$/.test(lines[start] ?? '')) return -1;
  for (let index = start + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const atSameDepth = line.startsWith(indent) && /^[^\s]/.test(line.slice(indent.length));
    if (!atSameDepth || /^\s*\).*\{$/.test(line)) continue;
    return line.startsWith(`${indent}}`) ? index : -1;
  }
  return -1;
}
