import { appendFileSync } from 'node:fs';

/**
 * How long the tests of many runs and of a Slack that is away take, in seconds. `npm run load` asks for more than CI:
 * DPUBOT_LOAD_SECONDS and DPUBOT_LOAD_AWAY_SECONDS. DPUBOT_LOAD_PICTURE: file for a picture of the page in the middle.
 */
export const loadSettings = {
  seconds: Number(process.env['DPUBOT_LOAD_SECONDS'] ?? 60),
  awaySeconds: Number(process.env['DPUBOT_LOAD_AWAY_SECONDS'] ?? 10),
  picture: process.env['DPUBOT_LOAD_PICTURE'],
};

/** Prints figures, and notes them where `npm run load` finds them. */
export function reportFigures(title: string, figures: Readonly<Record<string, string | number>>): void {
  const lines = Object.entries(figures).map(([name, value]) => `  ${name}: ${value}`);
  process.stdout.write(`${[title, ...lines].join('\n')}\n`);
  const report = process.env['DPUBOT_LOAD_REPORT'];
  if (report !== undefined) appendFileSync(report, `${JSON.stringify({ title, figures })}\n`);
}
