import { z } from 'zod';
import { errors } from '../src/errors.ts';
import { lockedAnswer } from '../src/report/lock-answers.ts';
import { Reason } from './arguments.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { defineCommand } from './define.ts';
import { hostsNamed } from './hosts-named.ts';

/** Keeps every run that changes something off hosts, until somebody takes the lock off. */
export const lock = defineCommand({
  name: 'lock',
  summary: 'keep runs off hosts until somebody unlocks them; what has begun on a host is brought to its end',
  positionals: [targetPositional],
  flags: [
    { name: 'reason', kind: 'text', required: true, about: 'why; everybody who is stopped by it sees it' },
    ...selectionFlags,
  ],
  examples: [
    '/dpu lock host-07 --reason "cable swap, ask ana"',
    '/dpu lock rack1 --except host-07 --reason "cooling fails"',
  ],
  arguments: z.object({ target: Target, reason: Reason, ...selectionShape }),
  who: 'operate',
  changes: true,
  async run(request, args) {
    const { context, actor } = request;
    const hosts = await hostsNamed(request, args);
    const nowMs = context.clock.nowMs();
    // In messages commands stand between back-ticks; one in the reason would turn them around.
    const reason = args.reason.replaceAll('`', "'");
    const set = await context.locks.set(hosts, { by: actor, reason, sinceMs: nowMs });
    if (!set.ok) throw errors.hostLocked({ lock: set.lock, asker: actor.userId, others: [] });
    await context.audit.append({ atMs: nowMs, actor, action: 'lock', targets: hosts, detail: reason });
    const atWork: { readonly host: string; readonly runId: number }[] = [];
    for (const host of hosts) {
      const holder = await context.leases.holder(host);
      if (holder) atWork.push({ host, runId: holder.runId });
    }
    return lockedAnswer(hosts, reason, atWork);
  },
});
