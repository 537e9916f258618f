import type { BmcLogin, CallOptions, CredentialSlot } from '../domain/device-ports.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { DpuSystem } from '../facts/dpu-system.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';

type LoggedIn = Extract<BmcLogin, { readonly state: 'in' }>;

/**
 * A login to the BMC of this very card, and what it says of it: what another card answers is nothing known of this one. Only
 * the password that is filed as current is sent, and that to a pinned certificate. Errors: bmc-not-asked, bmc-locked,
 * wrong-card, those of the transport.
 */
export async function openOwnBmc(
  { bmc, card, dpu, runId, signal }: Pick<ObserveContext, 'bmc' | 'card' | 'dpu' | 'runId' | 'signal'>,
  options: CallOptions = { timeoutMs: 60_000, signal },
): Promise<{ readonly login: LoggedIn; readonly system: DpuSystem }> {
  const target = dpu.name;
  const login = await bmc.login(card, { ...options, knownOnly: true });
  if (login.state === 'unpinned') throw errors.bmcNotAsked({ target, why: 'Its certificate is not pinned.' });
  if (login.state === 'refused') throw errors.bmcNotAsked({ target, why: refusedText(login.tried) });
  if (login.state === 'locked') throw errors.bmcLocked({ target, untilIso: new Date(login.untilMs).toISOString() });
  const system = await readDpuSystem(login.session, signal);
  if (card.serial !== undefined && card.serial !== system.serial)
    throw errors.wrongCard({ target, vpdSerial: card.serial, bmcSerial: system.serial, run: runId });
  return { login, system };
}

/** The same context, in which every login to the BMC is such a one. */
export function onOwnBmc(context: ObserveContext): ObserveContext {
  return {
    ...context,
    bmc: {
      fingerprint: async (card, options) => context.bmc.fingerprint(card, options),
      login: async (card, options) => (await openOwnBmc({ ...context, card }, options)).login,
    },
  };
}

/** Only the current password was a candidate: none is filed, or it was refused. */
function refusedText(tried: readonly CredentialSlot[]): string {
  return tried.length === 0
    ? 'No current password of it is filed.'
    : 'It refuses the password that is filed as current.';
}
