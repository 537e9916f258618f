/** What is known of cards, from what was seen the last time. Only the person who asks sees it. */
import type { KnownBlock } from '@slack/types';
import { duration } from '../domain/duration.ts';
import type { CardFacts } from '../domain/card-facts.ts';
import { cardFactLabels, cardFactNames, gapsOf } from '../domain/card-facts.ts';
import type { Lock } from '../domain/ports.ts';
import { header, note, sections, table } from './blocks.ts';
import { fitMessage } from './limits.ts';
import type { ChatMessage } from './message.ts';
import { count, escapeMrkdwn, inlineCode, oneLine, plainList, slackDate } from './text.ts';

/** One card with what is known of it, and who works on its host. */
export interface CardStatus {
  readonly dpu: string;
  readonly host: string;
  readonly simulated: boolean;
  readonly facts: CardFacts | undefined;
  readonly held: { readonly runId: number; readonly by: string; readonly sinceMs: number } | undefined;
  /** A person keeps runs off its host. */
  readonly locked: Pick<Lock, 'by' | 'reason' | 'sinceMs'> | undefined;
  /** The last run that wrote to the card, and when it ended or wrote last. */
  readonly changed: { readonly runId: number; readonly atMs: number } | undefined;
}

/** So many cards are shown with all that is known of them; more get a line each. */
const DETAILED = 3;
/** Up to so many get a line each; of more the states are counted. */
const LISTED = 50;

/** `target`: what was asked for, "all cards" without a word. */
export function statusAnswer(target: string, cards: readonly CardStatus[], nowMs: number): ChatMessage {
  const stamp = cards.some((card) => card.simulated) ? ' (SIMULATED)' : '';
  const title = `Status of ${target}${stamp}: ${count(cards.length, 'card')}`;
  const hint = inlineCode(`/dpu status ${target.includes(' ') ? 'TARGET' : target} --refresh`);
  const isKnown = cards.some((card) => card.facts !== undefined);
  const blocks = [
    header(title),
    ...(cards.length <= DETAILED ? detailed(cards, nowMs) : shortened(cards, nowMs)),
    note(isKnown ? `From what was seen earlier. ${hint} looks anew.` : `${hint} looks.`),
  ];
  return fitMessage({ text: escapeMrkdwn(title), blocks });
}

/** A line for each card that says who has it, and one table for all of them: Slack takes no second one in a message. */
function detailed(cards: readonly CardStatus[], nowMs: number): KnownBlock[] {
  const heads = cards.map((card) => {
    const unseen = card.facts === undefined ? ': never looked at' : '';
    return `*${escapeMrkdwn(card.dpu)}* in ${escapeMrkdwn(card.host)}, ${heldText(card)}${lockText(card)}${unseen}`;
  });
  const rows = cards.flatMap((card) => factRows(card, nowMs).map((row) => [card.dpu, ...row]));
  const head = ['card', 'what', 'value', 'seen'];
  const skipped = cards.length === 1 ? 1 : 0;
  const shown = [head, ...rows].map((row) => row.slice(skipped));
  return [...sections(heads), ...(rows.length === 0 ? [] : [table(shown[0] ?? head, shown.slice(1))])];
}

/** What is known, the age of each value, and what is not known, with the reason. */
function factRows(card: CardStatus, nowMs: number): string[][] {
  const { facts } = card;
  if (facts === undefined) return [];
  const rows = cardFactNames.flatMap((name) => {
    const fact = facts.facts[name];
    const reason = facts.unread[name]?.reason;
    const gap = reason === undefined ? '' : ` Not read the last time: ${reason}`;
    if (fact === undefined) return [];
    const warning = fact.warning === undefined ? '' : `. Warning: ${fact.warning}`;
    return [[cardFactLabels[name], fact.value, `${ageText(fact.atMs, card, nowMs)}${warning}${gap}`]];
  });
  return [...rows, ...gapsOf(facts).map(({ labels, reason }) => ['not read', labels, reason])];
}

function shortened(cards: readonly CardStatus[], nowMs: number): KnownBlock[] {
  if (cards.length <= LISTED) return [listed(cards, nowMs)];
  const unseen = cards.filter((card) => card.facts === undefined).map((card) => card.dpu);
  return [
    ...counted(cards),
    ...(unseen.length > 0 ? sections([`Never looked at: ${escapeMrkdwn(plainList(unseen, 20))}.`]) : []),
  ];
}

/** "DPU mode, OsIsRunning, power On": 61 cards. */
function counted(cards: readonly CardStatus[]): KnownBlock[] {
  const counts = new Map<string, number>();
  for (const { facts } of cards) {
    const state = facts === undefined ? 'never looked at' : stateText(facts);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const rows = [...counts].toSorted(([, a], [, b]) => b - a).map(([state, number]) => [state, `${number}`]);
  const warned = cards.filter(({ facts }) => facts !== undefined && warningsOf(facts) > 0).map(({ dpu }) => dpu);
  const held = cards.filter((card) => card.held !== undefined).length;
  const lockedHosts = [...new Set(cards.filter((card) => card.locked !== undefined).map(({ host }) => host))];
  return [
    table(['state', 'cards'], rows.slice(0, LISTED)),
    ...(warned.length > 0 ? sections([`With warnings: ${escapeMrkdwn(plainList(warned, 20))}.`]) : []),
    ...(lockedHosts.length > 0 ? sections([`Locked: ${escapeMrkdwn(plainList(lockedHosts, 20))}.`]) : []),
    note(`${count(held, 'card')} in the hands of a run. Name a rack or a host for a line each.`),
  ];
}

function stateText({ facts }: CardFacts): string {
  return `${facts.mode?.value ?? 'mode not read'}, ${facts['arm-state']?.value ?? 'Arm not read'}`;
}

function warningsOf({ facts }: CardFacts): number {
  return Object.values(facts).filter((fact) => fact?.warning !== undefined).length;
}

function listed(cards: readonly CardStatus[], nowMs: number): KnownBlock {
  const rows = cards.map((card) => {
    const { facts } = card;
    if (facts === undefined) return [card.dpu, 'never looked at', '', '', holder(card)];
    const warnings = warningsOf(facts);
    const warned = warnings === 0 ? '' : `, ${count(warnings, 'warning')}`;
    const seen = `${ageText(facts.atMs, card, nowMs)}${warned}`;
    return [card.dpu, stateText(facts), facts.facts.image?.value ?? 'not read', seen, holder(card)];
  });
  return table(['card', 'state', 'image', 'seen', 'held by'], rows);
}

/** "3 min ago", and whether a run has written to the card since. */
function ageText(atMs: number, { changed }: CardStatus, nowMs: number): string {
  const age = nowMs - atMs < 60_000 ? 'just now' : `${duration(nowMs - atMs)} ago`;
  return changed !== undefined && changed.atMs > atMs ? `${age}, before run ${changed.runId} changed the card` : age;
}

function heldText({ held }: CardStatus): string {
  return held === undefined
    ? 'held by nobody'
    : `in the hands of run ${held.runId} (${escapeMrkdwn(held.by)}) since ${slackDate(held.sinceMs)}`;
}

function lockText({ locked }: CardStatus): string {
  if (locked === undefined) return '';
  const { by, reason, sinceMs } = locked;
  return `, *locked* by ${escapeMrkdwn(by.displayName)} since ${slackDate(sinceMs, 'day-and-time')} (${oneLine(reason)})`;
}

function holder({ held, locked }: CardStatus): string {
  const names = [
    ...(held === undefined ? [] : [`run ${held.runId}`]),
    ...(locked === undefined ? [] : [`lock of ${locked.by.displayName}`]),
  ];
  return names.join(', ');
}
