import type { Inventory } from './inventory.ts';
import { matchesPattern, parsePattern } from './target-pattern.ts';
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

/** What stands in `state:...`; `never`: no run that is kept was to change the host. */
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

/** Nobody writes more. */
const MAX_CHARACTERS = 500;

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
  if (text.length > MAX_CHARACTERS)
    return { ok: false, reason: 'malformed', part: `${text.slice(0, 40)}...`, problem: `It has more than ${MAX_CHARACTERS} characters.` }; // prettier-ignore
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
  if (!hostStates.some((state) => state === word)) {
    const meant = nearest(word, hostStates);
    const problem = `${meant === undefined ? '' : `Did you mean "state:${meant}"? `}The states are ${hostStates.join(', ')}.`;
    return { ok: false, reason: 'malformed', part, problem };
  }
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
  const pattern = parsePattern(part);
  if (typeof pattern === 'string') return { ok: false, reason: 'malformed', part, problem: pattern };
  const cards = cardsWhere(inventory, (host, { name }) =>
    [inventory.hosts[host]?.rack ?? '', host, name].some((one) => matchesPattern(pattern, one.toLowerCase())),
  );
  return cards.size > 0 ? cards : { ok: false, reason: 'no-match', part };
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
