import type { Inventory } from './inventory.ts';
import type { TargetUnit } from './targets.ts';
import { nearest, resolveTargets } from './targets.ts';

/** What is to be worked on: an expression, less what is left off, within what `only` allows. */
export interface Selection {
  readonly target: string;
  readonly only?: string | undefined;
  readonly except?: string | undefined;
}

/** Outcome of the last run that was to change a host; without an entry there was none. */
export type HostStates = ReadonlyMap<string, string>;

/** What stands in `state:...`; `never`: no run was started to change the host lately. */
export const hostStates = [
  'done',
  'activation-pending',
  'failed',
  'needs-human',
  'refused',
  'cancelled',
  'never',
] as const;

export type Selected =
  | { readonly ok: true; readonly units: readonly TargetUnit[] }
  /** A plain name that nobody has. */
  | { readonly ok: false; readonly reason: 'unknown'; readonly part: string; readonly suggestion?: string | undefined }
  /** A pattern, tag or state that fits nothing. */
  | { readonly ok: false; readonly reason: 'no-match'; readonly part: string; readonly suggestion?: string | undefined }
  /** It cannot be understood; the problem is a sentence. */
  | { readonly ok: false; readonly reason: 'malformed'; readonly part: string; readonly problem: string }
  | { readonly ok: false; readonly reason: 'nothing-left'; readonly flag: 'only' | 'except'; readonly part: string };

type Failed = Extract<Selected, { readonly ok: false }>;
type Chosen = Set<string> | Failed;

/** Bounds of a pattern: nobody writes more, and matching stays quick whatever is written. */
const most = { characters: 500, stars: 4, numbers: 1000 } as const;

/**
 * Resolves names of racks, hosts and DPUs, patterns (`host-*`, `as?`, `rack[1-4]`, `as[07-12]`, `as[1,3,5-7]`), `tag:NAME`
 * and `state:STATE`, several of them divided by commas, without regard to case. The units come in the order of the
 * inventory, each once. Nothing ever means "all": what selects nothing is an error, and so is a lone `*`.
 */
export function selectTargets(inventory: Inventory, selection: Selection, states: HostStates = new Map()): Selected {
  const chosen = cardsOf(inventory, selection.target, states);
  if (!(chosen instanceof Set)) return chosen;
  let left = chosen;
  for (const flag of ['only', 'except'] as const) {
    const text = selection[flag];
    if (text === undefined) continue;
    const other = cardsOf(inventory, text, states);
    if (!(other instanceof Set)) return other;
    left = new Set([...left].filter((card) => other.has(card) === (flag === 'only')));
    if (left.size === 0) return { ok: false, reason: 'nothing-left', flag, part: text };
  }
  return { ok: true, units: unitsOf(inventory, left) };
}

/** Whether the outcome of earlier runs has to be known to resolve it. */
export function asksStates({ target, only = '', except = '' }: Selection): boolean {
  return [target, only, except].some((text) => /(^|,)\s*state:/i.test(text));
}

/** Whether it is more than the name of one rack, host or DPU: then people want to see what it came to. */
export function isExpression({ target, only, except }: Selection): boolean {
  return only !== undefined || except !== undefined || /[,*?[:\s]/.test(target.trim());
}

function cardsOf(inventory: Inventory, text: string, states: HostStates): Chosen {
  if (text.length > most.characters)
    return { ok: false, reason: 'malformed', part: `${text.slice(0, 40)}...`, problem: `It has more than ${most.characters} characters.` }; // prettier-ignore
  const parts = partsOf(text);
  if (parts.length === 0) return { ok: false, reason: 'malformed', part: text, problem: 'It names nothing.' };
  const all = new Set<string>();
  for (const part of parts) {
    const cards = cardsOfPart(inventory, part, states);
    if (!(cards instanceof Set)) return cards;
    for (const card of cards) all.add(card);
  }
  return all;
}

/** Commas divide, but not those between brackets. */
function partsOf(text: string): string[] {
  const parts = text.split(/,(?![^[\]]*\])/);
  return parts.map((part) => part.trim().toLowerCase()).filter((part) => part !== '');
}

function cardsOfPart(inventory: Inventory, part: string, states: HostStates): Chosen {
  const [, kind, word = ''] = /^(tag|state):(.*)$/.exec(part) ?? [];
  if (kind === 'tag') return tagged(inventory, part, word);
  if (kind === 'state') return inState(inventory, part, word, states);
  if (/[*?[\]]/.test(part)) return matching(inventory, part);
  const named = resolveTargets(inventory, part);
  if (named.ok) return new Set(named.units.flatMap(({ dpus }) => dpus));
  return { ok: false, reason: 'unknown', part, suggestion: named.reason === 'unknown' ? named.suggestion : undefined };
}

function tagged(inventory: Inventory, part: string, tag: string): Chosen {
  const known = new Set<string>();
  const cards = cardsWhere(inventory, (host, dpu) => {
    const tags = [...(inventory.hosts[host]?.tags ?? []), ...(dpu.tags ?? [])];
    for (const one of tags) known.add(one);
    return tags.includes(tag);
  });
  if (cards.size > 0) return cards;
  const meant = nearest(tag, [...known]);
  return { ok: false, reason: 'no-match', part, suggestion: meant === undefined ? undefined : `tag:${meant}` };
}

function inState(inventory: Inventory, part: string, word: string, states: HostStates): Chosen {
  if (!hostStates.some((state) => state === word))
    return { ok: false, reason: 'malformed', part, problem: `The states are ${hostStates.join(', ')}.` };
  const cards = cardsWhere(inventory, (host) => (states.get(host) ?? 'never') === word);
  return cards.size > 0 ? cards : { ok: false, reason: 'no-match', part };
}

function matching(inventory: Inventory, part: string): Chosen {
  if (/^[*?]+$/.test(part))
    return {
      ok: false,
      reason: 'malformed',
      part,
      problem: 'It would mean everything there is: name the racks instead.',
    };
  const pattern = patternOf(part);
  if (typeof pattern === 'string') return { ok: false, reason: 'malformed', part, problem: pattern };
  const cards = cardsWhere(inventory, (host, { name }) =>
    [inventory.hosts[host]?.rack ?? '', host, name].some((one) => pattern.test(one.toLowerCase())),
  );
  return cards.size > 0 ? cards : { ok: false, reason: 'no-match', part };
}

/** The pattern as a regular expression of the whole name, or what is wrong with it. */
function patternOf(part: string): RegExp | string {
  if (part.split('*').length - 1 > most.stars) return `At most ${most.stars} stars are understood.`;
  const pieces = part.match(/\*|\?|\[[^\]]*\]|[^*?[\]]+/g) ?? [];
  if (pieces.join('') !== part) return 'A bracket is not closed.';
  let source = '';
  for (const piece of pieces) {
    if (piece === '*') source += '.*';
    else if (piece === '?') source += '.';
    else if (piece.startsWith('[')) {
      const numbers = numbersOf(piece.slice(1, -1));
      if (typeof numbers === 'string') return numbers;
      source += `(?:${numbers.join('|')})`;
    } else source += piece.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 'u');
}

/** `1-4`, `07-12` (two digits each), `1,3,5-7`. */
function numbersOf(list: string): string[] | string {
  const numbers: string[] = [];
  for (const item of list.split(',')) {
    const [, from = '', to = from] = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(item) ?? [];
    if (from === '') return 'Between brackets stand numbers: [1-4], [07-12] or [1,3,5-7].';
    const [first, last] = [Number(from), Number(to)];
    if (last < first) return `The range ${from}-${to} runs backwards.`;
    if (last - first >= most.numbers || numbers.length > most.numbers) return `At most ${most.numbers} numbers are understood.`; // prettier-ignore
    const width = from.startsWith('0') ? from.length : 0;
    for (let number = first; number <= last; number += 1) numbers.push(String(number).padStart(width, '0'));
  }
  return numbers;
}

type Dpu = Inventory['hosts'][string]['dpus'][number];

function cardsWhere(inventory: Inventory, fits: (host: string, dpu: Dpu) => boolean): Set<string> {
  const cards = Object.entries(inventory.hosts).flatMap(([host, { dpus }]) => dpus.filter((dpu) => fits(host, dpu)));
  return new Set(cards.map(({ name }) => name));
}

function unitsOf(inventory: Inventory, cards: ReadonlySet<string>): TargetUnit[] {
  return Object.entries(inventory.hosts).flatMap(([host, { dpus }]) => {
    const chosen = dpus.map(({ name }) => name).filter((name) => cards.has(name));
    return chosen.length === 0 ? [] : [{ host, dpus: chosen }];
  });
}
