import type { CardRef } from '../domain/device-ports.ts';
import type { Look, LookContext } from '../domain/look.ts';
import type { ProbeName } from '../domain/probes.ts';
import { isProbeName } from '../domain/probes.ts';
import { errors, OpsError } from '../errors.ts';
import { onOwnBmc } from './own-bmc.ts';
import { withSerial } from './probes/card.ts';
import { probes } from './probes/index.ts';
import type { Finding } from './probes/probe.ts';
import type { Transcript } from './probes/transcript.ts';
import { overheard } from './probes/transcript.ts';

/**
 * One named probe of every card of the unit, one message each: the sentence that says what it means, the values, and all
 * that was read. A card that cannot be asked does not keep the others from being asked.
 */
export const diag: Look = {
  name: 'diag',
  version: 1,
  title: 'Probe the cards',
  timeoutMs: 20 * 60_000,
  run: async (context) => {
    const { probe } = context.options;
    if (typeof probe !== 'string' || !isProbeName(probe)) throw errors.bug({ detail: `no probe: ${String(probe)}` });
    const failures: OpsError[] = [];
    const summaries: string[] = [];
    for (const card of context.cards) {
      await context.progress({ text: `${probe} of ${card.dpu.name}` });
      const seen = await probeCard(context, await withSerial(context, card), probe);
      if (seen instanceof OpsError) failures.push(seen);
      else summaries.push(seen);
    }
    const [failure] = failures;
    if (failure !== undefined && summaries.length === 0) throw failure;
    return endText(probe, summaries, failures.length);
  },
};

function endText(probe: ProbeName, summaries: readonly string[], failed: number): string {
  const [only] = summaries;
  const notAsked = failed === 0 ? '' : ` Cards that could not be asked: ${failed}.`;
  if (summaries.length === 1 && only !== undefined) return `${only}${notAsked}`;
  return `Probe ${probe}: ${summaries.length} cards asked.${notAsked}`;
}

/** Returns the summary, or why the card could not be asked; either is reported. */
async function probeCard(context: LookContext, card: CardRef, name: ProbeName): Promise<string | OpsError> {
  const probe = probes[name];
  const transcript = overheard(onOwnBmc(context.of(card)));
  const title = `${name} of ${card.dpu.name}`;
  const ask = async (): Promise<Finding> => probe.run(transcript.context);
  try {
    const finding = await (probe.alone ? context.alone(readerOf(card), ask) : ask());
    await reportFinding(context, { card, title, finding, transcript });
    return finding.summary;
  } catch (error) {
    if (!(error instanceof OpsError) || context.signal.aborted) throw error;
    const { what, why, next } = error.failure;
    const text = transcript.text();
    // Of a single card the end of the unit says why, and what to do.
    const isOnly = context.cards.length === 1;
    if (isOnly && text === '') return error;
    const rows = [
      { label: 'Why', value: why },
      { label: 'Next', value: next },
    ];
    await context.report({
      target: card.dpu.name,
      title,
      summary: what,
      ...(!isOnly && { rows }),
      warnings: ['The probe has no answer.'],
      ...(text !== '' && { text, inFile: true }),
    });
    return error;
  }
}

async function reportFinding(
  context: LookContext,
  seen: { readonly card: CardRef; readonly title: string; readonly finding: Finding; readonly transcript: Transcript },
): Promise<void> {
  const { card, title, finding, transcript } = seen;
  const { summary, rows, warnings } = finding;
  const text = finding.text ?? transcript.text();
  await context.report({
    target: card.dpu.name,
    title,
    summary,
    ...(rows !== undefined && rows.length > 0 && { rows }),
    ...(warnings !== undefined && warnings.length > 0 && { warnings }),
    ...(rows !== undefined && rows.length > 0 && { inFile: true }),
    ...(text.trim() !== '' && { text }),
  });
}

/** Console and boot log of a card have one reader at a time, under this name. */
export function readerOf(card: CardRef): string {
  return `console ${card.dpu.serial ?? card.dpu.name}`;
}
