import type { Lock } from '../domain/ports.ts';
import type { StoppedRun } from '../domain/stopped-run.ts';
import { planTime } from '../domain/time-text.ts';
import { again, make, type WithState } from './ops-error.ts';

/** Holds, leases, plans, and how a step ends; `bug` stands for what is nobody else's. */
export const engineErrors = {
  /** `stopped`: that run is at work no more; `next` is then what goes on once it has been given up. */
  hostHeld: (
    a: { host: string; since: string } & ({ run: number; by: string } | { stopped: StoppedRun; next: string }),
  ) =>
    make(
      'host-held',
      'permanent',
      'stopped' in a
        ? {
            what: `${a.host} is held by run ${a.stopped.run} (\`/dpu ${a.stopped.text}\`, by ${a.stopped.by}, since ${a.since}), which ${a.stopped.state}.`,
            why: `${a.stopped.where} Its cards may be half changed, and two runs never change one card.`,
            next: `\`/dpu resume ${a.stopped.run}\` finishes it. ${a.next}`,
          }
        : {
            what: `${a.host} is held by run ${a.run} (${a.by}, since ${a.since}).`,
            why: 'That run has begun to change the host or its cards and has not finished.',
            next: `Finish it with \`/dpu resume ${a.run}\`, give the host back with \`/dpu cancel ${a.run}\`, or clear it with \`/dpu unlock ${a.host} --force\` (administrators).`,
          },
    ),
  /** `asker`: id of who is refused. `others`: further locks in the way. `line`: the command, where it goes on without these hosts. */
  hostLocked: (a: { lock: Lock; asker: string; others: readonly Lock[]; line?: string }) => {
    const locks = [a.lock, ...a.others];
    const hosts = locks.map(({ host }) => host);
    const also = a.others.map(({ host, by }) => `${host} by ${by.displayName}`);
    const except =
      a.line === undefined ? '' : `, and \`/dpu ${a.line} --except ${hosts.join(',')}\` goes on without it`;
    return make('host-locked', 'permanent', {
      what: `${a.lock.host} is locked by ${a.lock.by.displayName} since ${planTime(a.lock.sinceMs)}: ${a.lock.reason.replace(/\.$/, '')}.`,
      why: `Nobody changes a locked host until the lock is taken off.${also.length === 0 ? '' : ` Locked as well: ${also.slice(0, 8).join(', ')}${also.length > 8 ? ` and ${also.length - 8} more` : ''}.`}`,
      next: `${a.lock.by.userId === a.asker ? 'It is your own lock' : `Talk to ${a.lock.by.displayName}`}; \`/dpu unlock ${a.lock.host}\` takes it off${except}. Nothing was started.`,
    });
  },
  unitBusy: (a: { unit: string; worker: string; run: number }) =>
    make('unit-busy', 'permanent', {
      what: `${a.unit} is being worked on right now.`,
      why: `Worker ${a.worker} has the lease for run ${a.run}.`,
      next: `Cancel it first with \`/dpu cancel ${a.run}\` and wait until its step has ended. Nothing was changed.`,
    }),
  readerBusy: (a: { thing: string; reader: number; worker: string; run: number }) =>
    make('reader-busy', 'transient', {
      what: `Run ${a.reader} is reading ${a.thing} right now.`,
      why: `Worker ${a.worker} reads it, and each line goes to one reader only.`,
      next: `Wait until run ${a.reader} has ended, or end it with \`/dpu cancel ${a.reader}\`. ${again(a.run)} Nothing was changed.`,
    }),
  leaseLost: (a: { unit: string }) =>
    make('lease-lost', 'transient', {
      what: `This worker lost its lease on ${a.unit}.`,
      why: 'It did not renew it in time, or another worker took over.',
      next: 'It stopped before the next write; the run goes on from the journal by itself.',
      state: 'unknown',
    }),
  /** `resume`: number of the run that has written to the unit already and so holds it; a new run would wait for it. */
  planOutdated: (a: { unit: string; differences: readonly string[]; command: string; resume?: number | undefined }) =>
    make('plan-outdated', 'permanent', {
      what: `${a.unit} no longer matches the approved plan.`,
      why: a.differences.join('; '),
      next:
        a.resume === undefined
          ? `Nothing was changed. Run \`${a.command}\` for a new plan.`
          : `Nothing more was changed. \`/dpu resume ${a.resume}\` makes a new plan.`,
      state: a.resume === undefined ? 'unchanged' : 'changed',
    }),
  needMissing: (a: { step: string; target: string; need: string; remedy: string }) =>
    make('need-missing', 'permanent', {
      what: `${a.step} cannot run on ${a.target}: it needs ${a.need}.`,
      why: 'Nothing in this run provides it.',
      next: a.remedy,
    }),
  stepTimeout: (a: { step: string; target: string; limit: string; run: number }) =>
    make('step-timeout', 'needs-human', {
      what: `${a.step} on ${a.target} did not finish within ${a.limit}.`,
      why: 'The step was stopped at its limit; what it had begun may still be going on in the card.',
      next: `Look at the card (see the runbook). ${again(a.run)}`,
      state: 'unknown',
    }),
  lookTimeout: (a: { step: string; target: string; limit: string; run: number }) =>
    make('look-timeout', 'transient', {
      what: `Looking at ${a.target} ("${a.step}") took longer than ${a.limit}.`,
      why: 'The host or the BMC of the card accepts connections and does not answer in time.',
      next: `Look whether it is overloaded or hung. ${again(a.run)} Nothing was changed by looking.`,
    }),
  noWorker: (a: { unit: string; site: string; limit: string; run: number } & WithState) =>
    make('no-worker', 'transient', {
      what: `Nobody took up the work on ${a.unit} for ${a.limit}.`,
      why: `No worker of site "${a.site}" is running, or all of them are busy.`,
      next: `Start a worker with \`DPUBOT_SITE=${a.site}\`, or wait until the others are free. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
    }),
  verifyMismatch: (a: { step: string; target: string; check: string; expected: string; actual: string; run: number }) =>
    make('verify-mismatch', 'needs-human', {
      what: `${a.step} ended on ${a.target}, but ${a.check} is ${a.actual} instead of ${a.expected}.`,
      why: 'The card accepted the change and does not show it.',
      next: `Follow the runbook. ${again(a.run)}`,
      state: 'changed',
    }),
  outcomeUnknown: (a: { what: string; why: string; run: number; evidence?: string | undefined }) =>
    make('outcome-unknown', 'needs-human', {
      what: a.what,
      why: a.why,
      next: `Look before anything is sent again (see the runbook). ${again(a.run)}`,
      state: 'unknown',
      evidence: a.evidence,
    }),
  hookFailed: (
    a: { host: string; hook: 'drain' | 'undrain'; exitCode: number; output: string; run: number } & WithState,
  ) =>
    make('hook-failed', 'permanent', {
      what: `The ${a.hook} hook of ${a.host} ended with ${a.exitCode}.`,
      why: a.output === '' ? 'It printed nothing.' : a.output,
      next:
        a.hook === 'drain'
          ? `Nothing disruptive was begun, and none of its cards is worked on further. Take the load off ${a.host} or correct the hook. ${again(a.run)} That runs the hook again.`
          : `The cards are done. Put the load back on ${a.host} by hand, or correct the hook. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
    }),
  cancelled: (a: { run: number; by: string; target: string } & WithState) =>
    make('cancelled', 'permanent', {
      what: `Run ${a.run} was cancelled by ${a.by}.`,
      why: `The work on ${a.target} stopped between two steps.`,
      next: `\`/dpu resume ${a.run}\` goes on; \`/dpu run ${a.run}\` shows what is done.`,
      state: a.state ?? 'unchanged',
    }),
  cleanUpFailed: (a: { unit: string; left: string; why: string; run: number }) =>
    make('clean-up-failed', 'needs-human', {
      what: `What run ${a.run} had added to ${a.unit} is not all taken away: ${a.left}.`,
      why: a.why,
      next: `Remove the cause; then \`/dpu cancel ${a.run}\` takes it away and gives the hosts back, and \`/dpu resume ${a.run}\` begins anew and clears away at its end. The runbook says how to do it by hand.`,
      state: 'changed',
    }),
  bug: (a: { detail: string }) =>
    make('bug', 'bug', {
      what: 'dpubot itself failed.',
      why: a.detail,
      next: 'Report it with the run number; `/dpu resume` is safe, every step looks before it acts.',
      state: 'unknown',
    }),
} as const;
