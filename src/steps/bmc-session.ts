import type { BmcReader, BmcSession } from '../domain/device-ports.ts';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';

/** The full session of a card, or the error that says why there is none. */
export async function bmcSession(context: ApplyContext): Promise<BmcSession> {
  return openSession(context);
}

/** Reading face of the same session, for `observe`. */
export async function bmcReader(context: ObserveContext): Promise<BmcReader> {
  return openSession(context);
}

async function openSession(context: ObserveContext): Promise<BmcSession> {
  const target = context.dpu.name;
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  switch (login.state) {
    case 'in':
      return login.session;
    case 'locked':
      throw errors.bmcLocked({ target, untilIso: new Date(login.untilMs).toISOString() });
    case 'unpinned':
      throw errors.bmcUnpinned({ target });
    case 'refused':
      throw errors.bmcLoginRefused({ target, tried: login.tried });
  }
}
