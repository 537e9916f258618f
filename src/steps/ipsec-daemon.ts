import { z } from 'zod';
import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext, End } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { Strongswan } from '../facts/swanctl.ts';
import { readStrongswan } from '../facts/swanctl.ts';
import { readFiledConnections } from '../facts/swanctl-files.ts';
import { armSession } from './arm-session.ts';
import { connectionName } from './ipsec-conf.ts';
import type { IpsecSide } from './ipsec-plan.ts';
import { runOk } from './remote.ts';

/** How every command of swanctl begins. */
export const swanctl = ['sudo', '-n', 'swanctl'];
const startPrefix = 'start: ';
const terminateS = 15;
/** A service that starts in the background answers a moment later. */
const startLimitMs = 20_000;

const Started = z.strictObject({ end: z.enum(['a', 'b']), unit: z.string().min(1) });

/** The Arm of an end. Errors: those of a login there. */
export async function armOfEnd(context: ApplyContext, { card, dpu, profile }: End): Promise<HostSession> {
  return armSession({ ...context, card, dpu, profile });
}

/** Starts strongSwan on a card where it does not run. Errors: command-failed, sudo-refused. */
export async function startOn(
  context: ApplyContext,
  end: End,
  { card, unit }: Pick<IpsecSide, 'card' | 'unit'>,
): Promise<void> {
  if (unit === undefined) return;
  const arm = await armOfEnd(context, end);
  const { signal } = context;
  const act = { name: `${startPrefix}${card}`, text: `${card}: start ${unit}`, before: { end: end.name, unit } };
  await context.act(act, async () => {
    await runOk(arm, ['sudo', '-n', 'systemctl', 'start', unit], { timeoutMs: 60_000, signal });
    await expectAnswer(context, arm, unit);
    return { evidence: `${unit} started`, value: undefined };
  });
}

async function expectAnswer(context: ApplyContext, arm: HostSession, unit: string): Promise<void> {
  const endMs = context.clock.nowMs() + context.clock.deadlineMs(startLimitMs);
  while ((await readStrongswan(arm, context.signal)) === undefined) {
    if (context.clock.nowMs() >= endMs)
      throw errors.commandFailed({
        host: arm.name,
        command: `systemctl start ${unit}`,
        exitCode: 0,
        output: 'it was started, and does not answer swanctl',
      });
    await context.clock.poll(500, context.signal);
  }
}

/** Stops strongSwan again where this run has started it. */
export async function stopOn(context: ApplyContext, end: End): Promise<void> {
  const started = context.actions.flatMap(({ action, before }) => {
    const parsed = action.startsWith(startPrefix) ? Started.safeParse(before).data : undefined;
    return parsed?.end === end.name ? [parsed.unit] : [];
  });
  const [unit] = started;
  if (unit === undefined) return;
  const arm = await armOfEnd(context, end);
  const card = end.dpu.name;
  await context.act({ name: `stop: ${card}`, text: `${card}: stop ${unit} again` }, async () => {
    await runOk(arm, ['sudo', '-n', 'systemctl', 'stop', unit], { timeoutMs: 60_000, signal: context.signal });
    return { evidence: `${unit} stopped`, value: undefined };
  });
}

/**
 * `swanctl --load-conns` and `--load-creds` unload what is in no file: the connections of somebody who loaded them in another
 * way. Source: strongSwan, src/swanctl/commands/load_conns.c and load_creds.c.
 */
export async function expectOthersFiled(arm: HostSession, pair: string, { signal }: ApplyContext): Promise<void> {
  const loaded = (await readStrongswan(arm, signal))?.connections ?? [];
  const others = loaded.filter((one) => one !== connectionName(pair));
  if (others.length === 0) return;
  const filed = await readFiledConnections(arm, signal);
  const connections = others.filter((one) => !filed.includes(one));
  if (connections.length > 0) throw errors.ipsecOthersLoaded({ card: arm.name, connections, state: 'changed' });
}

/** Ends our associations on a card; a peer that is gone is not waited for. Errors: bench-left-behind. */
export async function terminateOn({ signal }: ApplyContext, arm: HostSession, name: string): Promise<void> {
  const has = (now: Strongswan | undefined): boolean => (now?.sas ?? []).some((sa) => sa.name === name);
  // One connection may have more than one: of an earlier try.
  for (let tries = 0; tries < 3 && has(await readStrongswan(arm, signal)); tries += 1) {
    const words = ['--terminate', '--ike', name, '--force', '--timeout', String(terminateS)];
    await arm.run([...swanctl, ...words], { timeoutMs: (terminateS + 30) * 1000, signal });
  }
  if (has(await readStrongswan(arm, signal)))
    throw errors.benchLeftBehind({ host: arm.name, what: `an association of the connection ${name}` });
}
