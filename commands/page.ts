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
    'In a thread, where slash commands do not reach, `@dpubot` takes the place of `/dpu`; in the thread of a run its number goes without saying (`@dpubot cancel`). In the direct message with dpubot a line needs neither. `/dpu provision` and `/dpu reflash` alone open a form.',
    '## How targets are written',
    [
      'One name or several, divided by commas, in any order and without regard to case. What it came to stands on the card before anything starts. Nothing means "all": a target that fits no card is refused.',
      '',
      '- `rack1`, `as9`, `as9-dpu1`: a rack, a host, a card; `rack1,as9`: both',
      '- `host-*`, `as?`: names of racks, hosts and cards that fit; a lone `*` is refused',
      '- `rack[1-4]`, `as[07-12]` (two digits each), `as[1,3,5-7]`: names with a number',
      '- `tag:gen5`: cards that have this tag in the inventory, themselves or their host',
      '- `state:failed`: hosts whose last run ended so; `done`, `activation-pending`, `failed`, `needs-human`, `refused`, `cancelled`, or `never`',
      '- `--only TARGET` and `--except TARGET` narrow it: `/dpu provision rack1 --except as9`',
    ].join('\n'),
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
