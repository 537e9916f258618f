import type { ObserveContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import type { Strongswan } from '../facts/swanctl.ts';
import { readStrongswan } from '../facts/swanctl.ts';
import { armSession } from './arm-session.ts';
import { connectionName } from './ipsec-conf.ts';
import { pairName, pairOf } from './measure-ends.ts';

/** What strongSwan says of our connection on both cards, one sentence each: what one side believes, the other may not know. */
export async function ipsecText(context: ObserveContext): Promise<string> {
  const name = connectionName(pairName(context));
  const texts: string[] = [];
  for (const { card, dpu, profile } of pairOf(context).ends) {
    const belief = await tellOf(async () => {
      const arm = await armSession({ ...context, card, dpu, profile });
      return beliefText(name, await readStrongswan(arm, context.signal));
    }, context.signal);
    texts.push(`on ${dpu.name} strongSwan ${belief}`);
  }
  return texts.join(', ').replace(/^o/, 'O');
}

/** It explains what has failed already: a card that does not tell is said so. */
async function tellOf(look: () => Promise<string>, signal: AbortSignal): Promise<string> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof OpsError) || signal.aborted) throw error;
    return `could not be asked (${error.failure.what})`;
  }
}

/** "says INSTALLED (8 packets out, 0 in)". Pure. */
export function beliefText(connection: string, strongswan: Strongswan | undefined): string {
  if (strongswan === undefined) return 'does not run';
  const own = strongswan.sas.filter(({ name }) => name === connection);
  const installed = own.flatMap(({ children }) => children).filter(({ state }) => state === 'INSTALLED');
  if (installed.length === 0) {
    const states = [...new Set(own.map(({ state }) => state))];
    return states.length === 0
      ? 'has no association of this pair'
      : `is ${states.join(', ')} without an association in use`;
  }
  const [sent, received] = (['packetsOut', 'packetsIn'] as const).map((way) =>
    installed.reduce((sum, child) => sum + child[way], 0),
  );
  return `says INSTALLED (${sent} packets out, ${received} in)`;
}
