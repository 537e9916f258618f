import { z } from 'zod';
import { runsAnswer } from '../src/report/answers.ts';
import { defineCommand } from './define.ts';

/** As many as fit one message without scrolling. */
const SHOWN = 20;

/** The newest runs, open or ended. */
export const runs = defineCommand({
  name: 'runs',
  summary: 'list the newest runs with their state',
  positionals: [],
  flags: [],
  examples: ['/dpu runs'],
  arguments: z.object({}),
  who: 'anyone',
  changes: false,
  run: async ({ context }) => runsAnswer(await context.runs.recent(SHOWN)),
});
