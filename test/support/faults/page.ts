import { existsSync, readFileSync } from 'node:fs';
import { faultGroups, knownFaults } from '../../../src/lab/rack/known-faults.ts';
import type { FaultGroup } from '../../../src/lab/rack/known-faults.ts';
import type { FaultCase, Seen, When } from './case.ts';

const docs = new URL('../../../docs/', import.meta.url);
const page = new URL('fault-table.md', docs);

const head = `# What happens when something is wrong

Written by \`npm test -- --layer engine test/engine/faults --update --no-file-parallelism\`. Every fault that the pretend rack
knows (\`npm run demo -- --faults\`) strikes here while a command is carried out on a pretend host with one card, and this is
what was seen: what the thread of the run says, the state it says the card is in, and what it says to do. Then the cause is
taken away, and the run is resumed, or the command is given that the refusal names, until all is done. The tests compare
this page with what the code does. A number in brackets is that of a documented failure of BlueField-3; N stands for the
number of the run. Pages of [runbooks](runbooks/README.md) are linked where there is one.
`;

/** The page with these sections written anew; all others stay as they are. */
export function pageWith(sections: ReadonlyMap<FaultGroup, string>): string {
  const [, ...old] = existsSync(page) ? readFileSync(page, 'utf8').split(/^## /m) : [];
  const known = new Map(old.map((text) => [text.slice(0, text.indexOf('\n')), `## ${text.trimEnd()}\n`]));
  const parts = faultGroups.map((group) => sections.get(group) ?? known.get(titleOf(group)) ?? '');
  return [head, ...parts.filter((part) => part !== '')].join('\n');
}

function titleOf(group: FaultGroup): string {
  return `${group.charAt(0).toUpperCase()}${group.slice(1)}`;
}

/** A row for each case that was seen, in the order of the rack's list of faults. */
export function sectionOf(group: FaultGroup, cases: readonly FaultCase[], seen: ReadonlyMap<FaultCase, Seen>): string {
  const order = Object.keys(knownFaults);
  const sorted = [...cases].sort((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault));
  const described = new Set<string>();
  const rows = sorted.flatMap((one) => {
    const row = seen.get(one);
    if (row === undefined) return [];
    const isFirst = !described.has(one.fault);
    described.add(one.fault);
    return [rowOf(one, row, isFirst)];
  });
  return [
    `## ${titleOf(group)}`,
    '',
    '| fault | strikes in | what a person sees | the card | what to do | then |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** The first row of a fault says what is wrong. */
function rowOf(one: FaultCase, { sees, code, card, next, end }: Seen, isFirst: boolean): string {
  const { guide, text } = knownFaults[one.fault];
  const number = guide === undefined ? '' : ` (${guide})`;
  const shown = code === undefined ? sees : `${linked(code)}: ${sees}`;
  const cells = [`\`${one.fault}\`${isFirst ? `${number}: ${text}` : ''}`, strikeOf(one), shown, card, next, end];
  return `| ${cells.map(cell).join(' | ')} |`;
}

/** A code, with its runbook where there is one. */
function linked(code: string): string {
  if (existsSync(new URL(`runbooks/${code}.md`, docs))) return `[${code}](runbooks/${code}.md)`;
  const readme = readFileSync(new URL('runbooks/README.md', docs), 'utf8');
  return readme.includes(`\n## ${code}\n`) ? `[${code}](runbooks/README.md#${code})` : `\`${code}\``;
}

function strikeOf({ command, card, when = 'before', uses, onCard, given }: FaultCase): string {
  const notes = [
    ...(card === 'fresh' ? ['factory-fresh card'] : []),
    ...(given ? [given.text] : []),
    ...whenText(when),
    ...(uses === undefined ? [] : [`${uses} times`]),
    ...(onCard === true ? ['on the Arm'] : []),
  ];
  return `\`${command}\`${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

function whenText(when: When): readonly string[] {
  if (when === 'before') return [];
  if (when === 'approved') return ['after the plan'];
  if ('step' in when) return [`in ${when.step}`];
  if ('sign' in when) return [`while it is ${when.sign}`];
  return [`at ${'intent' in when ? when.intent : when.done}`];
}

/** What differs from run to run, and what would end a cell, is taken out. */
function cell(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replace(/^• /, '')
    .replaceAll(/(\/dpu (?:resume|cancel|run)) \d+/g, '$1 N')
    .replaceAll(/\d+\.\d{3,} s\b/g, 'so many s')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)/g, 'TIME')
    .replaceAll('|', '\\|')
    .trim();
}
