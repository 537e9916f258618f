/** Answers of `/dpu lock` and `/dpu unlock`; only the person who asks sees them. */
import type { Hold, Lock } from '../domain/ports.ts';
import { sections } from './blocks.ts';
import { fitMessage } from './limits.ts';
import type { ChatMessage } from './message.ts';
import { count, escapeMrkdwn, inlineCode, mention, nameList, oneLine, slackDate } from './text.ts';

const SHOWN = 20;

/** `atWork`: hosts on which a run is in the middle of something. */
export function lockedAnswer(
  hosts: readonly string[],
  reason: string,
  atWork: readonly { readonly host: string; readonly runId: number }[],
): ChatMessage {
  const [first = ''] = hosts;
  const busy = atWork.slice(0, SHOWN).map(({ host, runId }) => `${escapeMrkdwn(host)} (run ${runId})`);
  const more = atWork.length > busy.length ? ` and ${atWork.length - busy.length} more` : '';
  return answer([
    `${nameList(hosts, SHOWN)} ${hosts.length === 1 ? 'is' : 'are'} locked: ${oneLine(reason)}`,
    'No run begins to change them; runs that come to them wait. Looking goes on, and so do plans.',
    ...(busy.length === 0 ? [] : [`At work there now, and not stopped by this: ${busy.join(', ')}${more}.`]),
    `${inlineCode(`/dpu unlock ${hosts.length === 1 ? first : 'TARGET'}`)} takes it off.`,
  ]);
}

/** `held`: hosts of them that a run holds all the same. */
export function unlockedAnswer(locks: readonly Lock[], held: readonly Hold[], ownUserId: string): ChatMessage {
  const whose = locks.slice(0, SHOWN).map((lock) => {
    const by = lock.by.userId === ownUserId ? 'yours' : `of ${mention(lock.by.userId)}`;
    return `The lock on ${escapeMrkdwn(lock.host)} was ${by}, since ${slackDate(lock.sinceMs, 'day-and-time')}: ${oneLine(lock.reason)}`;
  });
  const others = [...new Set(locks.filter((lock) => lock.by.userId !== ownUserId).map((lock) => lock.by.displayName))];
  const head = `${nameList(
    locks.map((lock) => lock.host),
    SHOWN,
  )} ${locks.length === 1 ? 'is' : 'are'} unlocked; runs that wait there go on.`;
  return answer([
    head,
    ...whose,
    ...(locks.length > SHOWN ? [`and ${count(locks.length - SHOWN, 'more lock')}`] : []),
    ...(others.length === 0 ? [] : [`dpubot does not tell ${nameList(others)}: do so yourself.`]),
    ...held.map(
      ({ unit, runId }) =>
        `${escapeMrkdwn(unit)} is still held by run ${runId}: ${inlineCode(`/dpu run ${runId}`)} shows how it stands.`,
    ),
  ]);
}

function answer(lines: readonly string[]): ChatMessage {
  return fitMessage({ text: lines[0] ?? '', blocks: sections(lines) });
}
