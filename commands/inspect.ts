import { z } from 'zod';
import { ProvisionParams, recipeVersions } from '../jobs/payloads.ts';
import { defineCommand } from './define.ts';
import { Target, selectionFlags, selectionShape, targetPositional } from './selection.ts';
import { startRun } from './start-run.ts';

/** Compares cards with what their profile wants. Changes nothing. */
export const inspect = defineCommand({
  name: 'inspect',
  summary: 'compare cards with what their profile wants and with the inventory, and change nothing',
  positionals: [targetPositional],
  flags: [...selectionFlags],
  examples: ['/dpu inspect rack1', '/dpu inspect dpu-07'],
  arguments: z.object({ target: Target, ...selectionShape }),
  who: 'operate',
  changes: false,
  async run(request, args) {
    await startRun(request, {
      recipe: 'inspect',
      recipeVersion: recipeVersions.inspect,
      // Who only looks is not stopped by what a run would refuse to do on its own.
      params: ProvisionParams.parse({ viaCard: true, setMode: false }),
      target: args.target,
      only: args.only,
      except: args.except,
      planOnly: true,
      maxFailures: 0,
    });
    return undefined;
  },
});
