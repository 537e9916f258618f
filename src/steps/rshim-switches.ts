import type { ApplyContext } from '../domain/step.ts';
import { oemNvidiaResource } from '../facts/dpu-mode.ts';
import { bmcOemResource } from '../facts/rshim-owner.ts';
import { bmcSession } from './bmc-session.ts';

/** Lets the BMC drive the rshim of its card, or not; it takes effect some seconds later. */
export async function setBmcRshim(context: ApplyContext, on: boolean): Promise<void> {
  const body = { BmcRShim: { BmcRShimEnabled: on } };
  await (await bmcSession(context)).patch(bmcOemResource.path, body, { timeoutMs: 30_000, signal: context.signal });
}

/** Lets the host drive it, or not; a driver that runs keeps it. */
export async function setHostRshim(context: ApplyContext, to: 'Enabled' | 'Disabled'): Promise<void> {
  const path = `${oemNvidiaResource.path}/Actions/HostRshim.Set`;
  await (await bmcSession(context)).post(path, { HostRshim: to }, { timeoutMs: 30_000, signal: context.signal });
}
