import { z } from 'zod';
import { may } from '../src/domain/policy.ts';
import { errors } from '../src/errors.ts';
import type { HelpEntry } from '../src/report/answers.ts';
import { helpAnswer } from '../src/report/answers.ts';
import type { ChatMessage } from '../src/report/message.ts';
import { cutPlain } from '../src/report/text.ts';
import type { Command, CommandRequest } from './define.ts';
import { defineCommand, usageOf } from './define.ts';
import { nearestCommand } from './parse.ts';

/** Help is made from the table it is itself a part of, so the table comes in as a function. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: 'help',
    summary: 'list the commands, or explain one of them',
    positionals: [
      { name: 'command', about: 'the name of a command', optional: true },
      { name: 'form', about: 'its second word, where it has one, as in `bench sweep`', optional: true },
    ],
    flags: [],
    examples: ['/dpu help', '/dpu help provision'],
    arguments: z.object({ command: z.string().optional(), form: z.string().optional() }),
    who: 'anyone',
    changes: false,
    async run(request, args) {
      if (args.command === undefined) return listHelp(request, commands());
      const word = [args.command, args.form].filter((part) => part !== undefined).join(' ');
      const names = commands().map((entry) => entry.name);
      const command = commands().find((entry) => entry.name === word.toLowerCase());
      if (command) return commandHelp(request, command, commands());
      const meant = nearestCommand(word.toLowerCase(), names);
      throw errors.commandInvalid({
        what: `There is no command "${cutPlain(word, 40)}".`,
        why: meant === undefined ? `The commands are ${names.join(', ')}.` : `Did you mean "${meant}"?`,
        next: `Write \`/dpu help ${meant ?? '[command]'}\`.`,
      });
    },
  });
}

/** The commands that this person may give; the others are counted, so that nobody wonders where they are. */
export function listHelp(request: CommandRequest, commands: readonly Command[]): ChatMessage {
  const allowed = commands.filter((command) => mayGive(request, command));
  const entries = allowed.map((command) => ({
    usage: usageOf(command),
    summary: command.summary,
    ...remarkOf(request, command),
  }));
  const others = hiddenNote(
    request,
    commands.filter((command) => !allowed.includes(command)),
  );
  const modal = '`/dpu provision` and `/dpu reflash` alone open a form. In a thread write @dpubot instead of /dpu.';
  return helpAnswer(
    'What dpubot can do',
    entries,
    `\`/dpu help COMMAND\` explains one, with examples. ${modal}${others}`,
  );
}

/** How many are not shown, and which roles one asks for; empty when all are. */
function hiddenNote({ context }: CommandRequest, hidden: readonly Command[]): string {
  if (hidden.length === 0) return '';
  const { policy } = context.inventory();
  const roles = new Set(hidden.flatMap(({ who }) => (who === 'anyone' ? [] : policy[who])));
  const more = hidden.length === 1 ? '1 more needs rights' : `${hidden.length} more need rights`;
  const ask =
    roles.size === 0 ? 'nobody has them' : `ask whoever keeps the inventory for the role ${[...roles].join(' or ')}`;
  return ` ${more} that you do not have: ${ask}. \`/dpu help COMMAND\` explains those too.`;
}

/** One command with its words, flags and examples; below it its other forms (`bench sweep`), each with its own. */
export function commandHelp(request: CommandRequest, command: Command, all: readonly Command[]): ChatMessage {
  const forms = all.filter(({ name }) => name.startsWith(`${command.name} `));
  const entries = [command, ...forms].map((one): HelpEntry => ({
    usage: usageOf(one),
    summary: one.summary,
    ...remarkOf(request, one),
    details: detailsOf(one),
  }));
  return helpAnswer(`/dpu ${command.name}`, entries);
}

/** The lines under a command: its words, its flags, who may, what waits for approval, examples. */
export function detailsOf(command: Command): string[] {
  return [
    ...command.positionals.map((positional) => `${positional.name}: ${positional.about}`),
    ...command.flags.filter((flag) => flag.hidden !== true).map((flag) => `--${flag.name}: ${flag.about}`),
    ...(command.approval === undefined ? [] : [`needs approval by a second person: ${command.approval}`]),
    ...command.examples.map((example) => `for example ${example}`),
  ];
}

function mayGive({ context, roles }: CommandRequest, { who }: Command): boolean {
  return who === 'anyone' || may(context.inventory(), roles, who);
}

function remarkOf(request: CommandRequest, command: Command): { readonly remark?: string } {
  const mayNot = !mayGive(request, command);
  const remarks = [
    ...(command.approval === undefined ? [] : ['may need approval']),
    ...(mayNot ? [`not for you: needs the right to ${command.who}`] : []),
  ];
  return remarks.length === 0 ? {} : { remark: remarks.join('; ') };
}
