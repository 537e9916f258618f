import type { Inventory } from '../domain/inventory.ts';
import type { Failure } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { planNeedsApproval } from '../domain/plan.ts';
import { judgeVotes } from '../domain/policy.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { errors } from '../errors.ts';

/**
 * Today's policy on the recorded votes, asked by the worker before a unit's first write. Undefined = go on. `begun`: this
 * run has written to the unit before; then the time limit for its start does not count any more.
 */
export function approvalFailure(
  run: Run,
  record: UnitRecord,
  plan: UnitPlan,
  inventory: Inventory,
  begun: boolean,
  nowMs: number,
): Failure | undefined {
  if (!planNeedsApproval(plan)) return undefined;
  const { approval } = run;
  if (approval?.state !== 'approved' || approval.approvedAtMs === undefined)
    return errors.approvalVoid({ run: run.id, why: 'The plan was not approved.' }).failure;
  if (approval.hashes[record.unit] !== plan.hash)
    return errors.approvalVoid({ run: run.id, why: 'Another plan was approved than the one at hand.' }).failure;
  if (!begun && nowMs > approval.approvedAtMs + run.startByMinutes * 60_000)
    return errors.approvalVoid({
      run: run.id,
      why: `It was given more than ${run.startByMinutes} minutes ago, and the work on ${record.unit} has not begun.`,
    }).failure;
  const verdict = judgeVotes(inventory.policy, plan.risk, run.requester, approval.votes);
  if (verdict.state !== 'approved')
    return errors.approvalVoid({ run: run.id, why: `Under today's policy it lacks ${verdict.missing}.` }).failure;
  return undefined;
}
