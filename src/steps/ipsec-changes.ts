import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext, End } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { undoPathMtu } from './bench-mtu.ts';
import type { CardChange } from './ipsec-card.ts';
import { changeText, isMade, makeArgv, readCard, readCardChange, takeBackArgv } from './ipsec-card.ts';
import { armOfEnd, stopOn } from './ipsec-daemon.ts';
import { hasWritten, unloadOn } from './ipsec-load.ts';
import { addPrefix } from './ipsec-plan.ts';
import { pairOf } from './measure-ends.ts';
import { runOk } from './remote.ts';

/** Makes changes of a card that are missing, each written down before. Errors: command-failed, sudo-refused. */
export async function makeOn(context: ApplyContext, end: End, all: readonly CardChange[]): Promise<void> {
  for (const change of all) {
    const text = `${end.dpu.name}: ${changeText(change)}`;
    const arm = await armOfEnd(context, end);
    await context.act({ name: `${addPrefix}${text}`, text, before: change }, async () =>
      carryOut(context, arm, makeArgv(change)),
    );
  }
}

async function carryOut(
  { signal }: ApplyContext,
  arm: HostSession,
  argv: readonly string[],
): Promise<{ readonly evidence: string; readonly value: undefined }> {
  await runOk(arm, argv, { timeoutMs: 60_000, signal });
  return { evidence: argv.slice(2).join(' '), value: undefined };
}

/** On both cards what sends goes first, then IPsec, then what it stood on; a card that cannot be reached keeps not the other. */
export async function undoIpsec(context: ApplyContext): Promise<void> {
  const { ends } = pairOf(context);
  const failures: unknown[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      context.signal.throwIfAborted();
      failures.push(error);
    }
  };
  const onBoth = async (work: (end: End) => Promise<void>): Promise<void> => {
    for (const end of ends) await attempt(async () => work(end));
  };
  await onBoth(async (end) => takeBack(context, end, isLast));
  await onBoth(async (end) => (hasWritten(context, end) ? unloadOn(context, end) : undefined));
  await onBoth(async (end) => stopOn(context, end));
  await onBoth(async (end) => takeBack(context, end, (one) => !isLast(one)));
  await attempt(async () => undoPathMtu(context));
  if (failures.length > 0) throw failures[0];
}

/** What leads traffic over the wire: made after everything else. */
function isLast({ kind }: CardChange): boolean {
  return kind === 'vxlan' || kind === 'route';
}

async function takeBack(context: ApplyContext, end: End, which: (one: CardChange) => boolean): Promise<void> {
  const made = context.actions.flatMap(({ action, before }) =>
    action.startsWith(addPrefix) ? readCardChange(before).filter((one) => one.end === end.name && which(one)) : [],
  );
  if (made.length === 0) return;
  const arm = await armOfEnd(context, end);
  const card = end.dpu.name;
  for (const change of made.toReversed()) {
    if (!isMade(change, await readCard(arm, context.signal))) continue;
    const text = `${card}: take back: ${changeText(change)}`;
    await context.act({ name: `take-back: ${card}: ${changeText(change)}`, text }, async () => {
      const done = await carryOut(context, arm, takeBackArgv(change));
      if (isMade(change, await readCard(arm, context.signal)))
        throw errors.benchLeftBehind({ host: arm.name, what: changeText(change) });
      return done;
    });
  }
}
