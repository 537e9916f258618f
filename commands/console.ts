import { z } from 'zod';
import { ConsoleParams, recipeVersions } from '../jobs/payloads.ts';
import type { Inventory } from '../src/domain/inventory.ts';
import { resolveTargets } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import { cardAtWork } from '../src/report/legal-buttons.ts';
import { RunNumber, TargetName, runOf } from './arguments.ts';
import type { CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

const longestSeconds = 600;

const Lines = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'is a whole number from 1 to 2000')
  .transform(Number)
  .refine((lines) => lines <= 2_000, 'is a whole number from 1 to 2000');

const Follow = z
  .string()
  .regex(/^[1-9]\d{0,3}[sm]?$/, 'is a time, as in 60s or 5m')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('m') ? 60 : 1))
  .refine((seconds) => seconds <= longestSeconds, 'is at most 10m');

/** Shows what one card says at its serial console. A look: it changes nothing, and has no plan. */
export const consoleCommand = defineCommand({
  name: 'console',
  summary: 'show what a card says at its serial console, or the log of its flash',
  positionals: [{ name: 'target', about: 'the name of a DPU, or of a host with one', optional: true }],
  flags: [
    { name: 'lines', kind: 'text', value: 'N', about: 'only the newest N lines; more than 40 come as a file' },
    {
      name: 'follow',
      kind: 'text',
      value: '60s',
      about: 'read on for so long, at most 10m; cancelling the run ends it',
    },
    { name: 'run', kind: 'text', value: 'RUN', about: 'in place of a target: the card that this run is at work on' },
  ],
  examples: ['/dpu console dpu-07', '/dpu console dpu-07 --lines 200', '/dpu console dpu-07 --follow 5m'],
  arguments: z.object({
    target: TargetName.optional(),
    lines: Lines.optional(),
    follow: Follow.optional(),
    run: RunNumber.optional(),
  }),
  who: 'operate',
  changes: true,
  async run(request, args) {
    await startRun(request, {
      recipe: 'console',
      recipeVersion: recipeVersions.console,
      params: ConsoleParams.parse({ lines: args.lines, followSeconds: args.follow }),
      target: await cardMeant(request, args),
      planOnly: false,
      maxFailures: 0,
    });
    return undefined;
  },
});

/** Errors: command-invalid, run-unknown, run-not-in-state when that run works on no card now. */
async function cardMeant(
  request: CommandRequest,
  { target, run: id }: { readonly target?: string | undefined; readonly run?: number | undefined },
): Promise<string> {
  const { context } = request;
  if (target !== undefined && id === undefined) return oneCard(context.inventory(), target);
  if (target !== undefined || id === undefined)
    throw errors.commandInvalid({
      what: target === undefined ? '<target> is missing.' : 'A target and --run exclude each other.',
      why: 'A console is that of one card.',
      next: 'Write `/dpu console CARD`, or `/dpu console --run RUN` for the card that a run is at work on. Nothing was started.',
    });
  const run = await runOf(context, id);
  const units = Object.keys(run.units);
  const signs = await Promise.all(units.map(async (unit) => [unit, await context.progress.get(id, unit)] as const));
  const card = cardAtWork(run, new Map(signs.flatMap(([unit, sign]) => (sign === undefined ? [] : [[unit, sign]]))));
  if (card !== undefined) return card;
  throw errors.runNotInState({
    run: id,
    action: 'asked for the console of its card',
    state: `${run.state}, and at work on no card now`,
    next: '`/dpu console CARD` shows that of any card.',
  });
}

const shownCards = 12;

/** Name of the only card that a word names; a word that names nothing is left to `startRun`. Errors: command-invalid. */
function oneCard(inventory: Inventory, word: string): string {
  const found = resolveTargets(inventory, word);
  const cards = found.ok ? found.units.flatMap((unit) => unit.dpus) : [];
  const [card, ...others] = cards;
  if (card === undefined || others.length === 0) return card ?? word;
  const more = cards.length - shownCards;
  const names = `${cards.slice(0, shownCards).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  throw errors.commandInvalid({
    what: `"${word}" has ${cards.length} cards, and a console is that of one.`,
    why: `Its cards: ${names}.`,
    next: `Name one of them, as in \`/dpu console ${card}\`. Nothing was started.`,
  });
}
