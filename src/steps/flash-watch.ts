import type { DetachedState } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { InstallerLog } from '../facts/installer-log.ts';
import { closeInstallerLog, emptyInstallerLog, feedInstallerLog, judgeInstallerLog } from '../facts/installer-log.ts';
import type { FlashParams } from './flash-params.ts';
import type { Push } from './flash-progress.ts';
import { progressOf, tellPushed } from './flash-progress.ts';

/** What was seen of a push until it ended. */
export interface Watched {
  readonly state: DetachedState;
  readonly log: InstallerLog;
  /** Our own watchdog ended it. */
  readonly stopped: boolean;
}

const pollMs = 2_000;
/** How long the host may be out of reach. */
const linkLimitMs = 10 * 60_000;
/** How long nothing new may come after what ends a flash; then the tool is ended. */
const silenceMs = 60_000;
/** An error after which the installer may go on with its other parts: firmware is written without a word for minutes. */
const longSilenceMs = 10 * 60_000;

/** The tool has no limit of its own, and waits for ever for a card that says nothing any more. */
export function watchdogMinutes({ bmcComponents }: FlashParams): number {
  return bmcComponents === 'update' ? 60 : 45;
}

/**
 * Reads the log of a push from its start until the tool has ended, and shows how far it is. Losing the link for a while is
 * part of it. Errors: flash-link-lost, and those of the transport that waiting does not cure.
 */
export async function watchPush(
  context: ApplyContext,
  push: Push & { readonly state: DetachedState },
): Promise<Watched> {
  const { clock, signal } = context;
  const limitMs = clock.deadlineMs(watchdogMinutes(push.params) * 60_000);
  const reader = new LogReader(context, push);
  let state = push.state;
  let wasPushing = false;
  for (;;) {
    const seen = await reader.look();
    state = seen?.state ?? state;
    const { log } = reader;
    if (seen !== undefined && state.kind !== 'running') return { state, log: closeInstallerLog(log), stopped: false };
    if (wasPushing && log.push === 'ended') await tellPushed(context, push, log);
    wasPushing = log.push === 'running';
    const patienceMs = patienceWith(log);
    const isStuck = patienceMs !== undefined && clock.nowMs() - reader.grownAtMs >= clock.wallMs(patienceMs);
    const isLate = clock.nowMs() - push.before.sinceMs >= limitMs;
    if (seen !== undefined && (isStuck || isLate)) return await reader.stop(isLate && !isStuck);
    if (log.bmcRebooting) context.bmc.noteReset(context.card);
    await context.progress({ ...progressOf(context, push, log, seen === undefined), limitMs });
    await clock.poll(pollMs, signal);
  }
}

/** How long to wait in silence once what decides has been said; undefined before. */
function patienceWith(log: InstallerLog): number | undefined {
  switch (judgeInstallerLog(log).kind) {
    case 'open':
      return undefined;
    case 'finished':
      return log.rebooting ? silenceMs : undefined;
    case 'installer-failed':
      return log.fatal || log.rebooting ? silenceMs : longSilenceMs;
    case 'push-failed':
    case 'not-begun':
      return silenceMs;
  }
}

/** Follows the job folder; a look that the link did not let through is undefined, until the host is away for too long. */
class LogReader {
  log: InstallerLog = emptyInstallerLog;
  grownAtMs: number;
  readonly #context: ApplyContext;
  readonly #push: Push;
  #nextByte = 0;
  #lostSinceMs: number | undefined;

  constructor(context: ApplyContext, push: Push) {
    this.#context = context;
    this.#push = push;
    this.grownAtMs = context.clock.nowMs();
  }

  /** State first, log afterwards: what an ended command wrote is then all there. */
  async look(): Promise<{ readonly state: DetachedState } | undefined> {
    const { host, clock, signal } = this.#context;
    try {
      const state = await host.observeDetached(this.#push.folder, { timeoutMs: 30_000, signal, asRoot: true });
      if (state.kind !== 'absent') await this.#readOn();
      this.#lostSinceMs = undefined;
      return { state };
    } catch (error) {
      if (!(error instanceof OpsError) || error.failure.kind !== 'transient') throw error;
      this.#lostSinceMs ??= clock.nowMs();
      if (clock.nowMs() - this.#lostSinceMs < clock.deadlineMs(linkLimitMs)) return undefined;
      const { runId: run, dpu } = this.#context;
      throw errors.flashLinkLost({ target: dpu.name, host: host.name, limit: '10 min', run, cause: error });
    }
  }

  async stop(isLate: boolean): Promise<Watched> {
    const { host, signal } = this.#context;
    const options = { timeoutMs: 60_000, signal, asRoot: true };
    const state = await host.stopDetached(this.#push.folder, options);
    await this.#readOn();
    return { state, log: closeInstallerLog(this.log), stopped: isLate };
  }

  async #readOn(): Promise<void> {
    const { host, clock, signal } = this.#context;
    const options = { timeoutMs: 30_000, signal, asRoot: true };
    for (;;) {
      const { text, nextByte } = await host.readDetachedLog(this.#push.folder, this.#nextByte, options);
      if (nextByte === this.#nextByte) return;
      this.#nextByte = nextByte;
      this.grownAtMs = clock.nowMs();
      this.log = feedInstallerLog(this.log, text);
    }
  }
}
