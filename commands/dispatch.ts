import { rolesOf } from '../src/domain/policy.ts';
import type { Actor } from '../src/domain/journal.ts';
import type { Invocation, Person } from '../src/domain/ports.ts';
import type { OpsError } from '../src/errors.ts';
import { errors, failureOf } from '../src/errors.ts';
import { failureAnswer } from '../src/report/answers.ts';
import type { Answer, FormAnswer, Reply } from '../src/report/message.ts';
import type { Command, CommandContext, CommandRequest } from './define.ts';
import { commandHelp, listHelp } from './help.ts';
import { parseLine } from './parse.ts';
import { commandTable, commands } from './registry.ts';
import { refuseWithout } from './rights.ts';

/** Carries out what a person said, through whichever entrance. Never rejects: every failure is an answer. */
export type Dispatch = (userId: string, invocation: Invocation) => Promise<Reply>;

/**
 * The one way from text to action: parse, look the person up, check rights, run, record. Refusals of commands that would
 * change something are recorded too. `onFailure` is for the log: it sees what the person is told.
 */
export function createDispatch(context: CommandContext, onFailure: (error: unknown) => void = () => {}): Dispatch {
  return async (userId, invocation) => {
    try {
      return await dispatch(context, userId, invocation);
    } catch (error) {
      onFailure(error);
      return failureAnswer(failureOf(error));
    }
  };
}

async function dispatch(context: CommandContext, userId: string, invocation: Invocation): Promise<Reply> {
  const parsed = parseLine(commandTable, invocation.text, { forms: invocation.canOpenForm === true });
  const fresh = parsed.kind === 'command' && parsed.command.fresh === true;
  const person = await context.directory.person(userId, { fresh });
  const request = requestOf(context, person, invocation, parsed.line);
  if (parsed.kind === 'command') return await runAudited(parsed.command, request, parsed.args);
  if (parsed.kind === 'form') return formOf(parsed.command, request);
  refuseStrangers(request, 'use dpubot');
  return parsed.command ? commandHelp(request, parsed.command, commands) : listHelp(request, commands);
}

function requestOf(context: CommandContext, person: Person, invocation: Invocation, line: string): CommandRequest {
  const actor: Actor = { userId: person.userId, teamId: person.teamId, displayName: person.displayName };
  const roles = isStranger(context, person) ? [] : rolesOf(context.inventory(), person);
  return { context, person, actor, roles, invocation, line };
}

/** Whoever may not give the command is told so before they fill in anything. */
function formOf(command: Command, request: CommandRequest): FormAnswer | undefined {
  refuseStrangers(request, `use \`/dpu ${command.name}\``);
  refuseWithoutRight(request, command);
  const form = command.form?.(request);
  return form && { form };
}

async function runAudited(command: Command, request: CommandRequest, args: unknown): Promise<Answer> {
  try {
    refuseStrangers(request, `use \`/dpu ${command.name}\``);
    refuseWithoutRight(request, command);
    return await command.run(request, args);
  } catch (error) {
    if (command.changes) await recordRefusal(command, request, error);
    throw error;
  }
}

function refuseStrangers({ context, person }: CommandRequest, action: string): void {
  if (!isStranger(context, person)) return;
  throw errors.notAllowed({
    who: person.displayName,
    action,
    need: 'an active account of this workspace that is not a guest',
  });
}

/** Guests see single channels of the workspace; runs of all the others would be open to them here. */
export function isStranger({ teamId }: Pick<CommandContext, 'teamId'>, person: Person): boolean {
  return !person.active || person.guest || person.external || person.teamId !== teamId;
}

function refuseWithoutRight(request: CommandRequest, command: Command): void {
  if (command.who !== 'anyone') refuseWithout(request, command.who, `use \`/dpu ${command.name}\``);
}

/** The refusal is what the person must hear of; that it could not be recorded as well must not hide it. */
async function recordRefusal(command: Command, request: CommandRequest, error: unknown): Promise<void> {
  const failure = failureOf(error);
  await request.context.audit
    .append({
      atMs: request.context.clock.nowMs(),
      actor: request.actor,
      action: `refused: ${command.name}`,
      detail: `${failure.code}: ${request.line}`,
    })
    .catch((auditError: OpsError) => auditError);
}
