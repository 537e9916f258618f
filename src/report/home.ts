/** App Home: one person's runs, approvals, holds, fleet and benches. Tables are not allowed there. */
import type { Button, KnownBlock } from '@slack/types';
import { header, note, preformatted, runButtons, section, sections } from './blocks.ts';
import { benchBlocks, fleetBlocks, heldBlocks } from './home-fleet.ts';
import type { HomeApproval, HomeMessage, HomeModel, HomeRefusal, HomeRun, Shown } from './home-model.ts';
import type { ChatMessage } from './message.ts';
import { plainText } from './plain-text.ts';
import { count, cutPlain, escapeMrkdwn, inlineCode, nameList, oneLine, prose, slackDate } from './text.ts';
import { failureLines, riskWords, runStateText } from './words.ts';

/** Of a view (docs.slack.dev/reference/views): blocks, and characters of its JSON; slack itself adds ids to what is sent. */
export const homeLimits = { blocks: 100, bytes: 200_000 } as const;

/** Of the answer to a press, which stands above everything else. */
const NOTICE_BLOCKS = 20;
const SHOWN_TARGETS = 12;

/** The Home of somebody who works with dpubot. `notice` is the answer to what they pressed last. */
export function homeMessage(model: HomeModel, notice?: ChatMessage): HomeMessage {
  return fitHome([
    header('dpubot'),
    ...haltBlocks(model),
    homeButtons(model.mayOperate),
    ...noticeBlocks(notice),
    ...approvalsBlocks(model.approvals),
    ...runsBlocks(model.runs),
    ...heldBlocks(model.held, model.locks),
    ...fleetBlocks(model.fleet),
    ...benchBlocks(model.benches),
  ]);
}

/** The Home of somebody who may not: what they may do, and nothing of the fleet. */
export function refusedHome(refusal: HomeRefusal): HomeMessage {
  switch (refusal.kind) {
    case 'stranger':
      return fitHome([
        header('dpubot is not open to you'),
        section(
          'dpubot takes commands from active accounts of this workspace that are no guests. You may read the threads of runs in the channels that you are in, and nothing more.',
        ),
      ]);
    case 'no-role':
      return fitHome([
        header('You may look, and change nothing'),
        section(`In a channel with dpubot you may say ${nameList(refusal.commands.map(inlineCodeName), 30)}.`),
        section(
          refusal.operateRoles.length === 0
            ? 'Nobody may start runs: the inventory names no role for it.'
            : `To start, cancel or resume runs you need the role ${escapeMrkdwn(refusal.operateRoles.join(' or '))}. Whoever keeps the inventory of dpubot gives roles.`,
        ),
      ]);
    case 'failed':
      return fitHome([
        header('Home could not be drawn'),
        ...sections(failureLines(refusal.failure)),
        homeButtons(false),
      ]);
  }
}

/** Blocks within the limits of a view: what is too much at the end is replaced by a line that says so. */
export function fitHome(blocks: readonly KnownBlock[]): HomeMessage {
  const kept: KnownBlock[] = [];
  let bytes = 0;
  for (const [index, block] of blocks.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(block));
    const isFull = kept.length === homeLimits.blocks - 1 && index < blocks.length - 1;
    if (isFull || bytes > homeLimits.bytes)
      return { blocks: [...kept, note('More is left out here; `/dpu runs` and `/dpu status` show it.')] };
    kept.push(block);
  }
  return { blocks: kept };
}

/** The same Home where the chat does not take its pictures: what they show is told in words. */
export function withoutPictures({ blocks }: HomeMessage): HomeMessage {
  return {
    blocks: blocks.map((block) => (block.type === 'image' ? note(`Chart: ${oneLine(block.alt_text, 900)}`) : block)),
  };
}

function inlineCodeName(name: string): string {
  return `\`/dpu ${name}\``;
}

function haltBlocks({ halt }: HomeModel): KnownBlock[] {
  if (halt === undefined) return [];
  return sections([
    `*HALTED* since ${slackDate(halt.sinceMs, 'day-and-time')} by ${escapeMrkdwn(halt.by)}: ${prose(halt.reason, 500)}`,
    'No run, host or step starts; running steps end, and cancelling works. `/dpu unhalt` ends it.',
  ]);
}

function homeButtons(mayOperate: boolean): KnownBlock {
  const provision = button('form:provision', 'Provision…', 'Provision: choose targets in a form');
  const refresh = button('home:refresh', 'Refresh', 'Draw this page anew');
  return {
    type: 'actions',
    block_id: 'home-buttons',
    elements: [...(mayOperate ? [{ ...provision, style: 'primary' as const }] : []), refresh],
  };
}

function button(actionId: string, text: string, label: string): Button {
  return {
    type: 'button',
    action_id: actionId,
    text: { type: 'plain_text', text, emoji: false },
    accessibility_label: label,
  };
}

/** What a press was answered, without its buttons: those below belong to what is shown now. */
function noticeBlocks(notice: ChatMessage | undefined): KnownBlock[] {
  if (notice === undefined) return [];
  const usable = notice.blocks.filter((block) => block.type !== 'actions' && block.type !== 'image');
  const blocks = usable.map((block): KnownBlock => {
    if (block.type === 'table') return preformatted(plainText({ text: '', blocks: [block] }));
    return { ...block };
  });
  const rest = blocks.length > NOTICE_BLOCKS ? [note('More is left out here; `/dpu run` shows all of it.')] : [];
  return [header('Answer to what you pressed'), ...blocks.slice(0, NOTICE_BLOCKS), ...rest];
}

function approvalsBlocks({ shown, left }: Shown<HomeApproval>): KnownBlock[] {
  if (shown.length === 0) return [header('Waiting for your approval'), note('No run waits for you.')];
  const rest = left > 0 ? [note(`${count(left, 'more run')} not shown; \`/dpu runs\` lists them.`)] : [];
  return [header('Waiting for your approval'), ...shown.flatMap(approvalBlocks), ...rest];
}

function approvalBlocks({ run, approval, link, given, wanted, missing, may }: HomeApproval): KnownBlock[] {
  const targets = Object.values(run.units).flatMap((unit) => unit.targets);
  const changes = Object.values(run.units).reduce((sum, unit) => sum + (unit.planChanges ?? 0), 0);
  const lines = [
    `*Run ${run.id}*${stampOf(run)}: ${commandOf(run)}, asked for by ${namesOf(approval)}`,
    `*Risk:* ${riskWords[approval.risk]}${changes === 0 ? '' : `; ${count(changes, 'change')}`}`,
    `*Targets:* ${nameList([...new Set(targets)], SHOWN_TARGETS)}`,
    `*Approvals:* ${given} of ${wanted}; missing: ${oneLine(missing)}`,
    `*Expires:* ${slackDate(approval.expiresAtMs, 'day-and-time')}${planLink(link)}`,
  ];
  if (may === 'with-reason')
    lines.push(`You asked for it yourself: ${inlineCode(`/dpu approve ${run.id} --reason "..."`)} approves it alone.`);
  const actions = may === 'press' ? (['approve', 'reject', 'details'] as const) : (['reject', 'details'] as const);
  return [...sections(lines), ...buttonsOf('approval', run.id, approval.generation, actions)];
}

function namesOf({ askers }: HomeApproval['approval']): string {
  return nameList(askers.map((asker) => asker.displayName));
}

function planLink(link: string | undefined): string {
  return link === undefined ? ' · the plan is in its thread' : ` · <${link}|plan in its thread>`;
}

function runsBlocks({ shown, left }: Shown<HomeRun>): KnownBlock[] {
  if (shown.length === 0)
    return [header('Your runs'), note('You have started no run lately. `/dpu help` shows what can be asked for.')];
  const rest = left > 0 ? [note(`${left} more of your runs not shown.`)] : [];
  return [header('Your runs'), ...shown.flatMap(runBlocks), ...rest];
}

function runBlocks({ run, link, now, buttons }: HomeRun): KnownBlock[] {
  const when =
    run.endedAtMs === undefined
      ? `since ${slackDate(run.createdAtMs, 'day-and-time')}`
      : `ended ${slackDate(run.endedAtMs, 'day-and-time')}`;
  const where = link === undefined ? '' : ` · <${link}|card and thread>`;
  const lines = [
    `*Run ${run.id}*${stampOf(run)}: *${runStateText(run.state, run.recipe)}*`,
    `${commandOf(run)} · ${when}${where}`,
    ...now.map(({ unit, text, stepIndex, stepCount }) => {
      const step = stepCount > 0 ? `step ${stepIndex} of ${stepCount}, ` : '';
      return `${escapeMrkdwn(unit)}: ${step}${prose(text)}`;
    }),
    ...situationOf(run),
  ];
  return [...sections(lines), ...buttonsOf('run', run.id, generationOf(run), buttons)];
}

function situationOf({ cancel, endedAtMs, pausedReason, state, failure, summary }: HomeRun['run']): string[] {
  if (state === 'paused' && pausedReason !== undefined) return [`Paused because: ${prose(pausedReason)}`];
  if (endedAtMs === undefined) return cancel === undefined ? [] : ['Stopping: cancel was asked for.'];
  if (failure !== undefined) return [`${prose(failure.what)} *Next:* ${prose(failure.next)}`];
  return summary === undefined ? [] : [prose(summary)];
}

/** As the run's card counts it: a press on an older page is told so instead of meaning something else. */
function generationOf({ approval, units }: HomeRun['run']): number {
  return approval?.generation ?? Math.max(0, ...Object.values(units).map((unit) => unit.generation));
}

function buttonsOf(
  place: 'run' | 'approval',
  runId: number,
  generation: number,
  actions: Parameters<typeof runButtons>[2],
): KnownBlock[] {
  const block = runButtons(runId, generation, actions);
  return block === undefined ? [] : [{ ...block, block_id: `${place}-${runId}` }];
}

function stampOf({ simulated, testbed }: HomeRun['run']): string {
  if (simulated) return ' (SIMULATED)';
  return testbed ? ' (TESTBED)' : '';
}

function commandOf({ text }: HomeRun['run']): string {
  return inlineCode(cutPlain(`/dpu ${text}`, 160));
}
