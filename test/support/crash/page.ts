import { existsSync, readFileSync } from 'node:fs';
import { format } from 'prettier';
import type { Outcome } from './deaths.ts';
import type { Segment } from './segment.ts';
import { segments } from './segments.ts';

const page = new URL('../../../docs/crash-table.md', import.meta.url);

const head = `# What happens when a worker dies

Written by \`npm test -- --layer engine test/engine/crash --update --no-file-parallelism\`. On a factory-fresh pretend host
with one card, \`/dpu provision\` is carried out up to each part below; then its worker dies once at each crash point of
that part (before and after every entry of the journal, every change of a record and every remote write), and twelve
seconds later another one starts. Where a push runs or the host is off, it is also tried with nobody there for 20 minutes.
Points between which nothing changes, neither in a store nor on the rack nor on the clock, share one death.
The tests compare this page with what the code does.

"By itself" means: without anybody's help the run ends as \`done\`, and rack and stores are as after a run that nobody
disturbed: files, packages, namespaces, links, firmware, Secure Boot, names, passwords, pins, records; no hold is left. Where
a person has to resume the run, the same is true afterwards. The image is pushed once and the host is power cycled once,
wherever the worker dies. One Arm reset too many is allowed, one too few is not.
`;

/** The page with these sections written anew; all others stay as they are. */
export async function pageWith(sections: ReadonlyMap<string, string>): Promise<string> {
  const [, ...old] = existsSync(page) ? readFileSync(page, 'utf8').split(/^## /m) : [];
  const known = new Map(old.map((text) => [text.slice(0, text.indexOf('\n')), `## ${text}`]));
  const parts = Object.values(segments).map(({ title }) => sections.get(title) ?? known.get(title) ?? '');
  return format([head, ...parts].join('\n'), { parser: 'markdown', printWidth: 120 });
}

/** One row for each step: how many crash points it has, and what came of them. */
export function sectionOf({ title, person = {} }: Segment, outcomes: readonly Outcome[]): string {
  const rows = [...new Set(outcomes.map((one) => one.step))].map((step) => {
    const own = outcomes.filter((one) => one.step === step);
    const stopped = own.filter((one) => one.person !== undefined);
    const late = own.filter((one) => one.late).length;
    const cells = [own.length - late, late, own.length - stopped.length, stopped.length, rangeOf(own)];
    return `| ${step} | ${cells.join(' | ')} |`;
  });
  return `## ${title}

| busy with | points | also 20 min later | by itself | a person resumes | Arm boots more |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

${stopsOf(person, outcomes)}`;
}

function rangeOf(outcomes: readonly Outcome[]): string {
  const counts = outcomes.map((one) => one.moreArmBoots);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
}

function stopsOf(reasons: Readonly<Record<string, string>>, outcomes: readonly Outcome[]): string {
  const stops = outcomes.filter((one) => one.person !== undefined);
  const codes = [...new Set(stops.map((one) => one.person ?? ''))];
  return codes
    .map((code) => {
      const where = stops.filter((one) => one.person === code).map(({ step, point }) => `${step}, ${point}`);
      return `A person resumes it after \`${code}\`. ${reasons[code] ?? ''} Points:\n\n${listOf(where)}\n`;
    })
    .join('\n');
}

function listOf(points: readonly string[]): string {
  return [...new Set(points)].map((point) => `- ${point}`).join('\n');
}
