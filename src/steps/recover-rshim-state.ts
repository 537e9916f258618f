import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { readRshimService, readRunningInstallers, silentRshim } from '../facts/rshim.ts';
import { lookForRshim } from './flash-rshim.ts';

const pollMs = 5_000;
/** A restart of the driver takes some seconds; a BMC that is asked gives it up within ten. */
const limitMs = 60_000;

/** How the rshim of a card stands on its host, and that in words. */
export interface RshimState {
  /**
   * `drop`: the device waits, somebody else has the card. `silent`: a device cannot be read, so nobody knows which card it
   * is. `missing`: no device has the card's PCI address. `pushing`: a bfb-install runs, nothing may be restarted.
   */
  readonly kind: 'works' | 'drop' | 'silent' | 'missing' | 'pushing';
  readonly text: string;
  readonly host: string;
  /** `rshim0`; empty where none is known to be the card's. */
  readonly device: string;
}

/** Looks once. Only that reading fails is a state here; that the card or the host is not there is not. */
export async function lookAtRshim(context: ObserveContext): Promise<RshimState> {
  const { host, signal } = context;
  const state = (kind: RshimState['kind'], text: string, device = ''): RshimState => ({
    kind,
    text,
    device,
    host: host.name,
  });
  const { found, devices } = await lookForRshim(context);
  if (found !== undefined && !found.misc.dropMode) {
    const { name, misc } = found;
    return state('works', `${name} is ${misc.devName}, ${misc.mode ?? 'mode not told'}`, name);
  }
  const [installer] = await readRunningInstallers(host, signal);
  if (installer !== undefined) return state('pushing', installer.slice(0, 300));
  if (found !== undefined) return state('drop', `${found.name} is in drop mode: another side has the card`, found.name);
  const silent = silentRshim(devices);
  if (silent !== undefined) return state('silent', silent);
  return state('missing', `no device, and the rshim service is ${await readRshimService(host, signal)}`);
}

/** Waits until it works, at most a minute; returns what is seen at the end. */
export async function waitForRshim(context: ApplyContext): Promise<RshimState> {
  const { clock, signal } = context;
  const sinceMs = clock.nowMs();
  const wallLimitMs = clock.deadlineMs(limitMs);
  for (;;) {
    const now = await lookAtRshim(context);
    if (now.kind === 'works' || clock.nowMs() - sinceMs >= wallLimitMs) return now;
    const text = `waiting for the rshim of ${context.dpu.name}: ${now.text}`;
    await context.progress({ text, sinceMs, limitMs: wallLimitMs });
    await clock.poll(pollMs, signal);
  }
}
