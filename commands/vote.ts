import { rolesOfRule } from '../src/domain/approval-rule.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import type { Policy } from '../src/domain/inventory.ts';
import type { StreamEvent } from '../src/domain/ports.ts';
import type { VoteResult } from '../src/domain/policy.ts';
import { approvalRule, castVote, judgeVotes, policyHash } from '../src/domain/policy.ts';
import type { Run, Vote } from '../src/domain/run.ts';
import type { OpsError } from '../src/errors.ts';
import { errors } from '../src/errors.ts';
import type { Answer } from '../src/report/message.ts';
import { textAnswer } from '../src/report/answers.ts';
import { refuseOldButton, runOf } from './arguments.ts';
import type { CommandRequest } from './define.ts';

/** What a vote says besides the run. `generation` comes from a button: which plan the person saw. */
export interface VoteArguments {
  readonly run: number;
  readonly reason?: string | undefined;
  readonly generation?: number | undefined;
}

/**
 * Records a vote with the person's rights as just read. Of two who vote at once, the compare-and-set of the run lets one
 * win and tells the other. Errors: run-unknown, self-approval, not-allowed, already-decided, approval-expired,
 * run-not-in-state.
 */
export async function voteOnRun(request: CommandRequest, kind: Vote['vote'], args: VoteArguments): Promise<Answer> {
  const { context, actor, roles } = request;
  await runOf(context, args.run);
  const inventory = context.inventory();
  const nowMs = context.clock.nowMs();
  const vote: Vote = {
    by: actor,
    vote: kind,
    roles,
    policyHash: policyHash(inventory),
    atMs: nowMs,
    ...(args.reason !== undefined && { reason: args.reason }),
  };
  let result: VoteResult = { kind: 'refused', reason: 'not-open' };
  const { run } = await context.runs.update(
    args.run,
    (current) => {
      refuseOldButton(current, verbOf(kind), args.generation);
      result = castVote(current, vote, inventory.policy, nowMs);
      return result.kind === 'refused' ? undefined : result.run;
    },
    (_before, after) => eventsOf(after, vote, inventory.policy),
  );
  return settle(request, run, vote, result);
}

async function settle(request: CommandRequest, run: Run, vote: Vote, result: VoteResult): Promise<Answer> {
  if (result.kind === 'refused') throw refusalOf(request, run, vote, result);
  const { context } = request;
  const { given, wanted, missing } = result.judgement;
  await auditVote(request, run, vote);
  await context.notifier.changed(run.id);
  await context.queue.addAdvance({ runId: run.id });
  if (request.invocation.source === 'button') return undefined;
  return textAnswer(
    result.kind === 'recorded'
      ? `Your approval of run ${run.id} is recorded: ${given} of ${wanted}; ${missing}.`
      : `Run ${run.id} is ${result.kind}.`,
  );
}

/** What the journal says of a vote, from the record that has it. */
function eventsOf(run: Run, vote: Vote, policy: Policy): StreamEvent[] {
  const { approval } = run;
  if (!approval) return [];
  const { state, given, wanted, missing } = judgeVotes(policy, approval.risk, approval.askers, approval.votes);
  const { by, reason } = vote;
  const said = { ...(reason !== undefined && { reason }), ...(missing !== '' && { missing }) };
  const cast = { type: 'vote', by, vote: vote.vote, given, wanted, ...said } as const;
  const events: StreamEvent[] = [{ unit: RUN_STREAM, event: cast }];
  if (state === 'approved')
    events.push({ unit: RUN_STREAM, event: { type: 'approved', generation: approval.generation } });
  return events;
}

/** One record per unit, with the hash of exactly the plan that was voted on. */
async function auditVote(request: CommandRequest, run: Run, vote: Vote): Promise<void> {
  for (const [unit, planHash] of Object.entries(run.approval?.hashes ?? {}))
    await request.context.audit.append({
      atMs: vote.atMs,
      actor: request.actor,
      action: vote.vote,
      runId: run.id,
      targets: run.units[unit]?.targets ?? [unit],
      planHash,
      ...(vote.reason !== undefined && { detail: vote.reason }),
    });
}

function refusalOf(
  request: CommandRequest,
  run: Run,
  vote: Vote,
  result: Extract<VoteResult, { kind: 'refused' }>,
): OpsError {
  const who = request.person.displayName;
  const verb = verbOf(vote.vote);
  switch (result.reason) {
    case 'self':
      return errors.selfApproval({
        run: run.id,
        who,
        ...(vote.by.userId !== run.requester.userId && { resumed: true }),
      });
    case 'already-decided':
      return errors.alreadyDecided({
        run: run.id,
        by: result.by?.displayName ?? 'Somebody',
        verdict: run.approval?.state ?? 'decided',
      });
    case 'expired':
      return errors.approvalExpired({ run: run.id });
    case 'not-allowed': {
      const rule = approvalRule(request.context.inventory().policy, run.approval?.risk ?? 'destructive');
      const action = `${vote.vote} run ${run.id}`;
      const role = rule ? rolesOfRule(rule).join(' or ') : 'of an approver';
      return errors.notAllowed({ who, action, need: `the role ${role}` });
    }
    case 'voted':
      return errors.runNotInState({
        run: run.id,
        action: `${verb} twice by the same person`,
        state: `${run.state}, and your vote is recorded`,
        next: 'Another person has to vote.',
      });
    case 'not-open':
      return errors.runNotInState({
        run: run.id,
        action: verb,
        state: run.cancel && run.state !== 'cancelled' ? 'being cancelled' : run.state,
        next: `\`/dpu run ${run.id}\` shows it.`,
      });
  }
}

function verbOf(vote: Vote['vote']): string {
  return vote === 'approve' ? 'approved' : 'rejected';
}
