import { z } from 'zod';
import { may } from '../src/domain/policy.ts';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { HelpEntry } from '../src/report/answers.ts';
import { helpAnswer } from '../src/report/answers.ts';
import type { ChatMessage } from '../src/report/message.ts';
import { cutPlain } from '../src/report/text.ts';
import type { Command, CommandRequest } from './define.ts';
import { defineCommand, usageOf } from './define.ts';

/** Help is made from the table it is itself a part of, so the table comes in as a function. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: 'help',
    summary: 'list the commands, or explain one of them',
    positionals: [{ name: 'command', about: 'the name of a command', optional: true }],
    flags: [],
    examples: ['/dpu help', '/dpu help provision'],
    arguments: z.object({ command: z.string().optional() }),
    who: 'anyone',
    changes: false,
    async run(request, args) {
      if (args.command === undefined) return listHelp(request, commands());
      const word = args.command.toLowerCase();
      const command = commands().find((entry) => entry.name === word);
      if (command) return commandHelp(request, command);
      const names = commands().map((entry) => entry.name);
      const meant = nearest(word, names);
      throw errors.commandInvalid({
        what: `There is no command "${cutPlain(args.command, 40)}".`,
        why: meant === undefined ? `The commands are ${names.join(', ')}.` : `Did you mean "${meant}"?`,
        next: `Write \`/dpu help ${meant ?? '[command]'}\`.`,
      });
    },
  });
}

/** All commands; says of each whether this person may give it. */
export function listHelp(request: CommandRequest, commands: readonly Command[]): ChatMessage {
  const entries = commands.map((command) => ({
    usage: usageOf(command),
    summary: command.summary,
    ...remarkOf(request, command),
  }));
  return helpAnswer('What dpubot can do', entries, '`/dpu help COMMAND` explains one, with examples.');
}

/** One command with its words, flags and examples. */
export function commandHelp(request: CommandRequest, command: Command): ChatMessage {
  const entry: HelpEntry = {
    usage: usageOf(command),
    summary: command.summary,
    ...remarkOf(request, command),
    details: detailsOf(command),
  };
  return helpAnswer(`/dpu ${command.name}`, [entry]);
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

function remarkOf({ context, roles }: CommandRequest, command: Command): { readonly remark?: string } {
  const mayNot = command.who !== 'anyone' && !may(context.inventory(), roles, command.who);
  const remarks = [
    ...(command.approval === undefined ? [] : ['may need approval']),
    ...(mayNot ? [`not for you: needs the right to ${command.who}`] : []),
  ];
  return remarks.length === 0 ? {} : { remark: remarks.join('; ') };
}
