import type { HomePorts, HomeReader } from './home-ports.ts';
import type { Actor, Progress } from '../src/domain/journal.ts';
import { castVote, judgeVotes, policyHash } from '../src/domain/policy.ts';
import type { OutboxPost } from '../src/domain/ports.ts';
import type { Run, Vote } from '../src/domain/run.ts';
import { hostsOf, isEnded, isUnitEnded } from '../src/domain/run.ts';
import { unitName } from '../src/domain/unit-name.ts';
import type { RunAction } from '../src/report/blocks.ts';
import type { HomeApproval, HomeHeld, HomeRun, Shown } from '../src/report/home-model.ts';
import { legalButtons } from '../src/report/legal-buttons.ts';
import { cardKey } from '../src/report/posts.ts';

const SHOWN_APPROVALS = 8;
const SHOWN_OPEN = 8;
const SHOWN_ENDED = 4;
const SHOWN_UNITS = 3;
/** So many of the newest runs are asked whose they are. */
const RUNS_ASKED = 50;
/** What of a run can be done from Home; the rest is done at its card. */
const homeActions: readonly RunAction[] = ['details', 'resume', 'done', 'cancel'];

/** Runs that have not ended, newest first. */
export async function openRuns({ runs }: HomePorts): Promise<readonly Run[]> {
  const ids = await runs.open();
  const found = await Promise.all(ids.toReversed().map(async (id) => runs.get(id)));
  return found.filter((run) => run !== undefined);
}

/** Runs that the person asked for or set going again: those that have not ended, then the last few. */
export async function runsOf(reader: HomeReader, open: readonly Run[]): Promise<Shown<HomeRun>> {
  const recent = await reader.ports.runs.recent(RUNS_ASKED);
  const isMine = ({ requester, resumedBy }: Run): boolean =>
    isReader(reader, requester) || (resumedBy !== undefined && isReader(reader, resumedBy));
  const mine = open.filter(isMine);
  const ended = recent.filter((run) => isEnded(run.state) && isMine(run)).slice(0, SHOWN_ENDED);
  const shown = [...mine.slice(0, SHOWN_OPEN), ...ended];
  const left = Math.max(0, mine.length - SHOWN_OPEN);
  return { shown: await Promise.all(shown.map(async (run) => homeRun(reader, run))), left };
}

async function homeRun({ ports, mayOperate }: HomeReader, run: Run): Promise<HomeRun> {
  const legal = legalButtons(run);
  const buttons = homeActions.filter((action) => legal.includes(action) && (mayOperate || action === 'details'));
  const [link, now] = await Promise.all([cardLink(ports, run.id), signsOf(ports, run)]);
  return { run, link, now, buttons };
}

/** The last signs of life of the units at work. */
async function signsOf({ progress }: HomePorts, run: Run): Promise<HomeRun['now']> {
  if (isEnded(run.state)) return [];
  const busy = Object.values(run.units).filter(({ state }) => state === 'running' || state === 'planning');
  const signs = await Promise.all(
    busy.slice(0, SHOWN_UNITS).map(async ({ unit }) => ({ unit, sign: await progress.get(run.id, unit) })),
  );
  return signs.flatMap(({ unit, sign }) => (sign === undefined ? [] : [signText(unitName(run, unit), sign)]));
}

function signText(unit: string, { text, stepIndex, stepCount }: Progress): HomeRun['now'][number] {
  return { unit, text, stepIndex, stepCount };
}

/** Runs that wait for an approval which this person may give, the oldest first: that one expires first. */
export async function approvalsFor(reader: HomeReader, open: readonly Run[]): Promise<Shown<HomeApproval>> {
  const votable = open.toReversed().flatMap((run) => {
    const may = mayApprove(reader, run);
    return may === undefined || run.approval === undefined ? [] : [{ run, approval: run.approval, may }];
  });
  const { policy } = reader.ports.inventory();
  const shown = votable.slice(0, SHOWN_APPROVALS).map(async ({ run, approval, may }) => {
    const { given, wanted, missing } = judgeVotes(policy, approval.risk, approval.askers, approval.votes);
    return { run, approval, may, given, wanted, missing, link: await cardLink(reader.ports, run.id) };
  });
  return { shown: await Promise.all(shown), left: Math.max(0, votable.length - SHOWN_APPROVALS) };
}

/** Asks the policy what it would say to a vote of this person: the same question that a press asks. */
function mayApprove({ ports, person, roles }: HomeReader, run: Run): HomeApproval['may'] | undefined {
  const inventory = ports.inventory();
  const nowMs = ports.clock.nowMs();
  const { userId, teamId, displayName } = person;
  const by = { userId, teamId, displayName };
  const vote: Vote = { by, vote: 'approve', roles, policyHash: policyHash(inventory), atMs: nowMs };
  const isTaken = (cast: Vote): boolean => castVote(run, cast, inventory.policy, nowMs).kind !== 'refused';
  if (isTaken(vote)) return 'press';
  return isTaken({ ...vote, reason: 'asked whether a reason would do' }) ? 'with-reason' : undefined;
}

/** Hosts with a hold, and those that a run works on without one. */
export async function heldHosts({ ports }: HomeReader, open: readonly Run[]): Promise<readonly HomeHeld[]> {
  const holds = await ports.holds.all();
  const held = await Promise.all(
    holds.map(async ({ unit, runId, sinceMs, by }): Promise<HomeHeld> => {
      const run = open.find(({ id }) => id === runId) ?? (await ports.runs.get(runId));
      return { host: unit, runId, sinceMs, by, run, worker: await workerAt(ports, unit, runId) };
    }),
  );
  const known = new Set(holds.map(({ unit }) => unit));
  const leased = await Promise.all(
    open.flatMap((run) => hostsAtWork(run).flatMap((host) => (known.has(host) ? [] : [leasedHost(ports, host, run)]))),
  );
  return [...held, ...leased.flat()];
}

function hostsAtWork(run: Run): readonly string[] {
  return Object.values(run.units)
    .filter(({ state, startedAtMs }) => startedAtMs !== undefined && !isUnitEnded(state))
    .flatMap(hostsOf);
}

async function leasedHost(ports: HomePorts, host: string, run: Run): Promise<readonly HomeHeld[]> {
  const worker = await workerAt(ports, host, run.id);
  const by = run.requester.displayName;
  return worker === undefined ? [] : [{ host, runId: run.id, sinceMs: undefined, by, run, worker }];
}

async function workerAt({ leases }: HomePorts, host: string, runId: number): Promise<string | undefined> {
  const holder = await leases.holder(host);
  return holder?.runId === runId ? holder.workerId : undefined;
}

/** Address of the newest card of a run. */
export async function cardLink({ posts, workspaceUrl }: HomePorts, runId: number): Promise<string | undefined> {
  const all = await posts.all(runId);
  const cards = all.filter(({ key }) => key === cardKey(runId) || key.startsWith(`${cardKey(runId)}/`));
  const newest = cards.filter(isPosted).toSorted((a, b) => Number(b.ts) - Number(a.ts))[0];
  return newest === undefined ? undefined : messageLink(workspaceUrl, newest);
}

function isPosted(post: OutboxPost): post is OutboxPost & { readonly ts: string } {
  return post.ts !== undefined;
}

/** As chat.getPermalink answers it, without asking: the channel, and the timestamp without its dot. */
function messageLink(workspaceUrl: string, { channel, ts }: { readonly channel: string; readonly ts: string }): string {
  return `${workspaceUrl.replace(/\/?$/, '/')}archives/${channel}/p${ts.replace('.', '')}`;
}

function isReader({ person }: HomeReader, actor: Actor): boolean {
  return actor.userId === person.userId && actor.teamId === person.teamId;
}
