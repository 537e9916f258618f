import { z } from 'zod';
import { DiagParams, recipeVersions } from '../jobs/payloads.ts';
import type { ProbeName } from '../src/domain/probes.ts';
import { isProbeName, probeNames, probeSummaries } from '../src/domain/probes.ts';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import { helpAnswer } from '../src/report/answers.ts';
import type { ChatMessage } from '../src/report/message.ts';
import { cutPlain } from '../src/report/text.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { defineCommand } from './define.ts';
import { startRun } from './start-run.ts';

/** More than there are hosts: one that cannot be asked keeps no other from being asked. */
const anyFailures = 999;

/** Asks every card of a target the same question. A look: it changes nothing, and has no plan. */
export const diag = defineCommand({
  name: 'diag',
  summary: 'ask cards one of a list of read-only questions, and say what the answer means',
  positionals: [
    targetPositional,
    { name: 'probe', about: `one of ${probeNames.join(', ')}; without it they are listed`, optional: true },
  ],
  flags: [...selectionFlags],
  examples: ['/dpu diag dpu-07', '/dpu diag dpu-07 links', '/dpu diag rack1 temperatures'],
  arguments: z.object({ target: Target, probe: z.string().max(60).optional(), ...selectionShape }),
  who: 'operate',
  changes: false,
  async run(request, args) {
    if (args.probe === undefined) return probeList(args.target);
    await startRun(request, {
      recipe: 'diag',
      recipeVersion: recipeVersions.diag,
      params: DiagParams.parse({ probe: probeOf(args.probe) }),
      target: args.target,
      only: args.only,
      except: args.except,
      planOnly: false,
      maxFailures: anyFailures,
    });
    return undefined;
  },
});

function probeList(target: string): ChatMessage {
  const entries = probeNames.map((probe) => ({
    usage: `/dpu diag ${target} ${probe}`,
    summary: probeSummaries[probe],
  }));
  return helpAnswer('What cards can be asked', entries, 'All of them only read.');
}

/** Errors: command-invalid, with the probe that was probably meant. */
function probeOf(word: string): ProbeName {
  const name = word.toLowerCase();
  if (isProbeName(name)) return name;
  const meant = nearest(name, probeNames);
  throw errors.commandInvalid({
    what: `There is no probe "${cutPlain(word, 40)}".`,
    why: meant === undefined ? `The probes are ${probeNames.join(', ')}.` : `Did you mean "${meant}"?`,
    next: `\`/dpu diag TARGET\` lists them. Nothing was started.`,
  });
}
