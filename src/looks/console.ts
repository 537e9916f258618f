import { z } from 'zod';
import type { ConsoleDialogue, ConsoleScreen } from '../domain/arm-ports.ts';
import type { CardRef } from '../domain/device-ports.ts';
import type { Look, LookContext, LookRow } from '../domain/look.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { RshimMisc } from '../facts/rshim.ts';
import { findRshim, readRshims } from '../facts/rshim.ts';
import { observeRshim } from '../steps/flash-ownership.ts';
import type { RshimAccess } from '../steps/flash-ownership.ts';
import { foreignFlash, ownFlash, reportFlash } from './console-flash.ts';
import { consoleStateOf } from './console-state.ts';
import { readerOf } from './diag.ts';
import { onOwnBmc } from './own-bmc.ts';
import { pause } from './pause.ts';
import { pciCardOf } from './probes/card.ts';
import type { Part } from './probes/probe.ts';
import { part } from './probes/probe.ts';

const Options = z.object({ lines: z.number().default(2_000), followSeconds: z.number().default(0) });

const openMs = 30_000;
/** A console that says nothing for so long is silent, and gets an Enter. */
const silenceMs = 3_000;
/** What it says is complete when nothing more comes for so long. */
const quietMs = 1_500;
/** An Enter is answered by then: agetty may have to be started first. */
const answerMs = 5_000;
/** A card that boots talks without a pause: so long is listened to unless more was asked for. */
const listenMs = 10_000;
const pollMs = 500;

interface Wish {
  readonly lines: number;
  readonly followMs: number;
}

interface Heard {
  readonly screen: ConsoleScreen;
  readonly pressedEnter: boolean;
}

/**
 * Show what a card says at its serial console, or follow it for a while. Nothing is typed but one Enter, and that only at a
 * console that says nothing, so that a login prompt shows itself.
 *
 * Why      A card that does not answer says why at its console.
 * Reads    the serial console over rshim; during a flash the log of the flash instead; else the boot log of the driver.
 * Errors   reader-busy, console-busy, rshim-not-found, card-not-found, host-tool-missing, those of the transport.
 * Source   Mellanox rshim-user-space (one console, several readers share its bytes; bfb-install reads the log).
 */
export const consoleLook: Look = {
  name: 'console',
  version: 1,
  title: 'Read the console',
  timeoutMs: 20 * 60_000,
  run: async (context) => {
    const { lines, followSeconds } = Options.parse(context.options);
    const [card, ...others] = context.cards;
    if (card === undefined || others.length > 0) throw errors.bug({ detail: 'a console is that of one card' });
    return context.alone(readerOf(card), async (signal) =>
      readCard({ ...context, signal }, card, { lines, followMs: followSeconds * 1_000 }),
    );
  },
};

async function readCard(context: LookContext, ref: CardRef, wish: Wish): Promise<string> {
  const unnamed = context.of(ref);
  const { serial, ...pci } = await pciCardOf(unnamed);
  const card = onOwnBmc(context.of({ ...ref, serial }));
  // Looked for before anything of the rshim is read.
  const flash = await ownFlash(card, serial);
  if (flash !== undefined) return reportFlash(context, card, flash, wish);
  const devices = await readRshims(card.host, context.signal);
  const found = findRshim(card.host.name, devices, pci);
  const other = found === undefined ? foreignFlash(card, devices) : undefined;
  if (other !== undefined) return reportFlash(context, card, other, wish);
  if (found === undefined || found.misc.dropMode) return withoutConsole(context, card, found?.misc);
  const device = `/dev/${found.name}/console`;
  const heard = await listen(context, card, device, wish);
  return reportHeard(context, card, { device, heard, misc: found.misc, wish });
}

/** The console is opened last and closed whatever happens. */
async function listen(context: LookContext, card: ObserveContext, device: string, wish: Wish): Promise<Heard> {
  const dialogue = await context.console(card.card, device, { timeoutMs: openMs, signal: context.signal });
  try {
    const pressedEnter = await wake(context, dialogue);
    return { screen: await follow(context, card, dialogue, wish), pressedEnter };
  } finally {
    await dialogue.close();
  }
}

async function wake(context: LookContext, dialogue: ConsoleDialogue): Promise<boolean> {
  const { clock } = context;
  const startMs = clock.nowMs();
  for (;;) {
    const { receivedBytes, ended } = await dialogue.screen();
    if (receivedBytes > 0 || ended !== undefined || context.signal.aborted) return false;
    if (clock.nowMs() - startMs >= clock.deadlineMs(silenceMs)) break;
    await pause(context, pollMs);
  }
  await dialogue.send('');
  return true;
}

/** Reads on until it is quiet, or for as long as was asked for. Cancelling ends it, and what was seen counts. */
async function follow(
  context: LookContext,
  card: ObserveContext,
  dialogue: ConsoleDialogue,
  wish: Wish,
): Promise<ConsoleScreen> {
  const { clock, signal } = context;
  const startMs = clock.nowMs();
  const limitMs = clock.deadlineMs(wish.followMs === 0 ? listenMs : wish.followMs);
  let screen = await dialogue.screen();
  let changedMs = startMs;
  for (;;) {
    const nowMs = clock.nowMs();
    const patienceMs = clock.deadlineMs(screen.receivedBytes === 0 ? answerMs : quietMs);
    const isQuiet = wish.followMs === 0 && nowMs - changedMs >= patienceMs;
    if (isQuiet || nowMs - startMs >= limitMs || screen.ended !== undefined || signal.aborted) return screen;
    const lastLine = screen.lines.findLast((line) => line.trim() !== '');
    const text = `reading the console of ${card.dpu.name}`;
    await context.progress({ text, limitMs, ...(lastLine !== undefined && { lastLine }) });
    await pause(context, pollMs);
    const next = await dialogue.screen();
    if (next.receivedBytes !== screen.receivedBytes) changedMs = clock.nowMs();
    screen = next;
  }
}

async function reportHeard(
  context: LookContext,
  card: ObserveContext,
  seen: { readonly device: string; readonly heard: Heard; readonly misc: RshimMisc; readonly wish: Wish },
): Promise<string> {
  const { screen, pressedEnter } = seen.heard;
  const shown = screen.lines.slice(-seen.wish.lines);
  const state = consoleStateOf(shown);
  const isSilent = state.kind === 'silent';
  // Nothing at all was seen, and there is a reason.
  if (isSilent && screen.ended !== undefined && seen.misc.log.length === 0) throw screen.ended;
  const rows: LookRow[] = [
    { label: 'Read', value: `${seen.device} on ${card.host.name}` },
    { label: 'Typed', value: pressedEnter ? 'one Enter, because it said nothing' : 'nothing' },
  ];
  const text = isSilent ? seen.misc.log.slice(-seen.wish.lines) : shown;
  const warnings = [
    ...(state.warning === undefined ? [] : [state.warning]),
    ...(screen.ended === undefined ? [] : [reasonOf(screen.ended)]),
    ...(isSilent ? silenceReasons(seen.misc) : []),
    ...(context.signal.aborted ? ['It was cancelled before it had been followed to its end.'] : []),
  ];
  await context.report({
    target: card.dpu.name,
    title: `Console of ${card.dpu.name}`,
    summary: state.summary,
    rows,
    ...(warnings.length > 0 && { warnings }),
    ...(text.length > 0 && { text: text.join('\n') }),
  });
  context.signal.throwIfAborted();
  return `Console of ${card.dpu.name}: ${state.summary}`;
}

function reasonOf(error: Error): string {
  return error instanceof OpsError
    ? `${error.failure.what} ${error.failure.why}`
    : 'The connection to the console ended.';
}

function silenceReasons({ mode, log, displayLevel }: RshimMisc): readonly string[] {
  return [
    mode === 'NIC mode'
      ? 'The card is in NIC mode: its Arm does not run, and its console is silent.'
      : 'The card is off, hangs, or its system has no console there.',
    ...(log.length > 0
      ? ['What follows is the boot log that the driver keeps, not the console.']
      : [`The driver shows no boot log (display level ${displayLevel ?? 'unknown'}; it does so at 2 only).`]),
  ];
}

/** Another backend has the card, or nobody: says who, and shows the boot log where the driver still has one. */
async function withoutConsole(
  context: LookContext,
  card: ObserveContext,
  drop: RshimMisc | undefined,
): Promise<string> {
  const access = await part(card, async () => observeRshim(card));
  const failure = failureOf(card, access);
  if (drop === undefined || drop.log.length === 0) throw failure;
  await context.report({
    target: card.dpu.name,
    title: `Boot log of ${card.dpu.name}, instead of its console`,
    summary: failure.failure.what,
    rows: [
      { label: 'Why', value: failure.failure.why },
      { label: 'Next', value: failure.failure.next },
    ],
    warnings: ['The driver of the host only waits for the card: the log may be old.'],
    text: drop.log.join('\n'),
  });
  return failure.failure.what;
}

function failureOf(card: ObserveContext, seen: Part<RshimAccess>): OpsError {
  const target = card.dpu.name;
  const host = card.host.name;
  if (seen.kind === 'unread') {
    const why = `The BMC of the card may own it, and could not be asked: ${seen.failure.what}`;
    return errors.rshimNotFound({ target, host, why });
  }
  const access = seen.value;
  if (access.kind === 'missing') return new OpsError(access.failure);
  if (access.kind === 'host') {
    const why = `/dev/${access.rshim.name} has only just appeared: ask again.`;
    return errors.rshimNotFound({ target, host, why });
  }
  const { bmcEnabled, host: hostRshim } = access.settings;
  const why = `The BMC of the card owns it (BmcRShimEnabled ${bmcEnabled}, HostRshim ${hostRshim}), and only one can.`;
  const next = `Read it there (\`ssh -p 2200 root@BMC\`, left with \`~.\`), or have the card given to ${host} with \`/dpu recover ${target} stuck-rshim\``;
  return errors.rshimNotFound({ target, host, why, next });
}
