import type { Inventory } from '../domain/inventory.ts';
import type { Failure } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { approvalRisk, planNeedsApproval } from '../domain/plan.ts';
import { judgeVotes } from '../domain/policy.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import { couldHaveBegunMs } from '../domain/window-of-host.ts';
import { errors } from '../errors.ts';

/**
 * Today's policy on the recorded votes, asked by the worker before a unit's first write. Undefined = go on. `begun`: this
 * run has written to the unit before; then the time limit for its start does not count any more. That limit counts from the start
 * that was asked for, and only while the windows of the hosts are open.
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
  const isVoid = (why: string): Failure =>
    errors.approvalVoid({ run: run.id, why, ...(begun && { state: 'changed' }) }).failure;
  if (approval?.state !== 'approved' || approval.approvedAtMs === undefined)
    return isVoid('The plan was not approved.');
  if (approval.hashes[record.unit] !== plan.hash) return isVoid('Another plan was approved than the one at hand.');
  const couldMs = couldHaveBegunMs(run, inventory, hostsOf(record), approval.approvedAtMs, nowMs);
  if (!begun && couldMs > run.startByMinutes * 60_000)
    return isVoid(
      couldMs === nowMs - approval.approvedAtMs
        ? `It was given more than ${run.startByMinutes} minutes ago, and the work on ${record.unit} has not begun.`
        : `The work on ${record.unit} could have begun for more than ${run.startByMinutes} minutes, and has not.`,
    );
  const verdict = judgeVotes(inventory.policy, approvalRisk(plan), approval.askers, approval.votes);
  if (verdict.state === 'rejected') return isVoid("Under today's policy a rejection that is on record counts.");
  if (verdict.state === 'open') return isVoid(`Under today's policy it lacks ${verdict.missing}.`);
  return undefined;
}
