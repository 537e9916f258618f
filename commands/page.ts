import type { Command } from './define.ts';
import { usageOf } from './define.ts';
import { detailsOf } from './help.ts';

const rights = {
  anyone: 'everybody of the workspace, guests excepted',
  operate: 'people with the right to operate',
  administer: 'people with the right to administer',
} as const;

/** The text of docs/commands.md, made from the same table as `/dpu help`. */
export function commandsPage(commands: readonly Command[]): string {
  const head = [
    '# What can be said to dpubot',
    'Written by `npm run docs` from the command table; `/dpu help` shows the same.',
    'The slash command and the buttons of a card mean the same line and meet the same checks. Text of several words goes into quotes. Rights are given in the inventory (`roles`, `policy`); approving needs the role of the approval rule, and the requester does not count.',
  ];
  return `${[...head, ...commands.map(entry)].join('\n\n')}\n`;
}

function entry(command: Command): string {
  const details = detailsOf(command).map((line) => `- ${line.replace(/^for example (.*)$/, 'for example `$1`')}`);
  return [
    `## ${command.name}`,
    `\`${usageOf(command)}\``,
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}. For ${command.whoText ?? rights[command.who]}.`,
    details.join('\n'),
  ].join('\n\n');
}
