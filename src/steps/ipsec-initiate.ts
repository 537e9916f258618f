import type { HostSession } from '../domain/device-ports.ts';
import { findSku } from '../domain/part-numbers.ts';
import type { ApplyContext, End } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import { readStrongswan } from '../facts/swanctl.ts';
import { readStrongswanLog } from '../facts/swanctl-log.ts';
import { addressOf } from './bench-topology.ts';
import { childrenOf, connectionName } from './ipsec-conf.ts';
import { armOfEnd, swanctl, terminateOn } from './ipsec-daemon.ts';
import { initiateFailure, whoRefused } from './ipsec-failure.ts';
import type { IpsecSide } from './ipsec-plan.ts';
import { downIn } from './ipsec-wanted.ts';
import { pairOf } from './measure-ends.ts';

const initiateS = 60;

type Pairing = readonly [IpsecSide, IpsecSide];

/**
 * Brings up every association that is not in use, and looks on both cards whether they are. `isFresh`: what is up under our
 * name is not of this run.
 */
export async function bringUp(context: ApplyContext, [a, b]: Pairing, isFresh: boolean): Promise<void> {
  const [endA, endB] = pairOf(context).ends;
  const { signal } = context;
  const act = { name: 'initiate', text: `bring up IPsec between ${a.card} and ${b.card}` };
  await context.act(act, async () => {
    const arm = await armOfEnd(context, endA);
    const far = await armOfEnd(context, endB);
    const name = connectionName(a.sides.pair);
    const [now, there] = [await readStrongswan(arm, signal), await readStrongswan(far, signal)];
    // What only one side knows is in the way, and so is what another run has left.
    const isStale = isFresh || downIn(now, a.sides).join() !== downIn(there, b.sides).join();
    if (isStale) for (const one of [arm, far]) await terminateOn(context, one, name);
    const children = isStale ? childrenOf(a.sides).map((child) => child.name) : downIn(now, a.sides);
    for (const [index, child] of children.entries()) {
      await initiate(context, [a, b], { arm, far, name, child });
      const text = `association ${index + 1} of ${children.length} between ${a.card} and ${b.card}`;
      await context.progress({ text, percent: Math.round(((index + 1) / children.length) * 100) });
    }
    await expectInstalled([a, arm], [b, far], context);
    return { evidence: `${children.length} brought up, INSTALLED on both cards`, value: undefined };
  });
}

interface Call {
  readonly arm: HostSession;
  readonly far: HostSession;
  readonly name: string;
  readonly child: string;
}

/** The exit code is no proof: only what it prints counts. Source: test rack, strongSwan 5.9.8. */
async function initiate(context: ApplyContext, [a, b]: Pairing, { arm, far, name, child }: Call): Promise<void> {
  const { signal } = context;
  const words = ['--initiate', '--ike', name, '--child', child, '--timeout', String(initiateS)];
  const result = await arm.run([...swanctl, ...words], { timeoutMs: (initiateS + 30) * 1000, signal });
  const output = `${result.stdout}\n${result.stderr}`;
  if (result.exitCode === 0 && /^initiate completed successfully$/m.test(output)) return;
  const address = addressOf(a.sides.other.wireAddress ?? '');
  const isOffloadWanted = a.sides.ipsec.offload !== 'no';
  const talking = { card: a.card, other: b.card, address, isOffloadWanted };
  const refusal = whoRefused(talking, output, isOffloadWanted ? await readStrongswanLog(far, signal) : '');
  if (refusal === undefined) throw initiateFailure(talking, child, output);
  const [endA, endB] = pairOf(context).ends;
  const [end, card] = refusal.side === 'own' ? [endA, a.card] : [endB, b.card];
  throw errors.ipsecOffloadRefused({ card, said: refusal.said, cause: await causeOf(end, signal) });
}

async function causeOf({ host, card, dpu }: End, signal: AbortSignal): Promise<string> {
  const { serial = dpu.serial } = card;
  const found = (await readPciCards(host, signal)).find((one) => one.serial === serial);
  const sku = found?.partNumber === undefined ? undefined : findSku(found.partNumber);
  if (found && sku?.crypto === false) return `${found.partNumber} is a part number without crypto.`;
  return 'Steering other than dmfs, an older driver or firmware, or a mode that it does not know are the usual reasons.';
}

async function expectInstalled(
  [a, arm]: readonly [IpsecSide, HostSession],
  [b, far]: readonly [IpsecSide, HostSession],
  { signal }: ApplyContext,
): Promise<void> {
  for (const [side, session, other] of [
    [a, arm, b],
    [b, far, a],
  ] as const) {
    const down = downIn(await readStrongswan(session, signal), side.sides);
    if (down.length === 0) continue;
    const said = `${down.slice(0, 5).join(', ')} not INSTALLED on ${side.card}, though it was reported as established`;
    throw errors.ipsecNotUp({ card: side.card, other: other.card, what: 'an association is not in use', said });
  }
}
