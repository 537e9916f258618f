import { peopleWanted, rolesOfRule } from '../domain/approval-rule.ts';
import { clipEvent } from '../domain/journal.ts';
import { isLookName } from '../domain/look.ts';
import type { Risk } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { approvalRule } from '../domain/policy.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf, isEnded, isUnitEnded } from '../domain/run.ts';
import type { DueJob, Situation } from './decide.ts';
import { decide } from './decide.ts';
import type { EngineDeps } from './deps.ts';
import { planLeaseName } from './liveness.ts';

/**
 * Job handler of the control queue: looks at a run and does what is due. Idempotent; any worker may do it at any time.
 * Record and journal change in one atomic call, jobs are added afterwards; a lost add is repeated by the sweeper.
 */
export async function advance(deps: EngineDeps, job: { runId: number }): Promise<void> {
  const run = await deps.runs.get(job.runId);
  if (run === undefined || isEnded(run.state)) return;
  const situation = await situationOf(deps, run);
  const decision = decide(run, situation);
  await giveBackHolds(deps, decision.run, situation);
  let isNewest = false;
  const { run: stored, changed } = await deps.runs.update(
    run.id,
    (current) => {
      // What was looked up, and which holds were given back, is true of that version of the run only. Whoever changed it
      // since then has it looked at again.
      isNewest = current.version === run.version;
      return isNewest && decision.run !== run ? decision.run : undefined;
    },
    () => decision.events.map((entry) => ({ ...entry, event: clipEvent(entry.event) })),
  );
  if (changed) {
    if (isEnded(stored.state)) await auditEnd(deps, stored);
    await deps.notifier.changed(run.id);
  }
  if (isNewest) for (const due of decision.jobs) await add(deps, run.id, due);
}

/**
 * A unit that ended well is free for others, and so is one that was refused: each step before the refusal was verified, and
 * the remedy is a new run. Where a run cleans up, a unit is free when that is done and not before. Done here, before the run
 * can end, so that no crash leaves a hold behind.
 */
async function giveBackHolds(deps: EngineDeps, run: Run, { cleansUp }: Situation): Promise<void> {
  for (const unit of Object.values(run.units)) {
    const isGood = ['done', 'satisfied', 'activation-pending', 'refused'].includes(unit.state);
    if (isClean(unit) || (isGood && !cleansUp)) for (const host of hostsOf(unit)) await deps.holds.clear(host, run.id);
  }
}

function isClean(unit: UnitRecord): boolean {
  return unit.cleanedUp === true && isUnitEnded(unit.state);
}

async function situationOf(deps: EngineDeps, run: Run): Promise<Situation> {
  const plans: Record<string, UnitPlan | undefined> = {};
  const approvedPlans: Record<string, UnitPlan | undefined> = {};
  const begun = new Set<string>();
  for (const unit of Object.values(run.units)) {
    if (unit.planHash !== undefined) plans[unit.unit] = await deps.runs.plan(run.id, unit.unit, unit.planHash);
    const approved = run.approval?.hashes[unit.unit];
    if (approved !== undefined) approvedPlans[unit.unit] = await deps.runs.plan(run.id, unit.unit, approved);
    const entries = await deps.journal.read(run.id, unit.unit);
    if (entries.some((entry) => entry.event.type === 'intent')) begun.add(unit.unit);
  }
  const { policy } = deps.inventory();
  const approverRoles = (risk: Risk): readonly string[] => {
    const rule = approvalRule(policy, risk);
    return rule ? rolesOfRule(rule) : [];
  };
  const approvalsWanted = (risk: Risk): number => {
    const rule = approvalRule(policy, risk);
    return rule ? peopleWanted(rule) : 0;
  };
  const looking = await lookedAtNow(deps, run);
  return {
    nowMs: deps.clock.nowMs(),
    halt: await deps.halt.get(),
    plans,
    approvedPlans,
    begun,
    looking,
    cleansUp: deps.recipes[run.recipe]?.onFailure === 'cleanup',
    approverRoles,
    approvalsWanted,
  };
}

/** Asked only where it matters: a cancelled look tells what it has seen so far, and then ends its unit. */
async function lookedAtNow(deps: EngineDeps, run: Run): Promise<ReadonlySet<string>> {
  const looking = new Set<string>();
  if (!isLookName(run.recipe) || run.cancel === undefined) return looking;
  for (const unit of Object.keys(run.units))
    if ((await deps.leases.holder(planLeaseName(run.id, unit)))?.runId === run.id) looking.add(unit);
  return looking;
}

async function add(deps: EngineDeps, runId: number, due: DueJob): Promise<void> {
  switch (due.kind) {
    case 'plan':
      return deps.queue.addPlan({ runId, unit: due.unit, site: due.site, generation: due.generation });
    case 'unit':
      return deps.queue.addUnit({
        runId,
        unit: due.unit,
        site: due.site,
        generation: due.generation,
        ...(due.delayMs > 0 && { delayMs: due.delayMs }),
      });
  }
}

async function auditEnd(deps: EngineDeps, run: Run): Promise<void> {
  await deps.audit.append({
    atMs: deps.clock.nowMs(),
    actor: { worker: deps.worker.id },
    action: `run ${run.state}`,
    runId: run.id,
    targets: Object.values(run.units).flatMap((unit) => unit.targets),
    detail: run.summary ?? '',
  });
}
