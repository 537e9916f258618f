import type { z } from 'zod';
import type { ArtefactStore } from '../src/domain/artefacts.ts';
import type { ResultStore } from '../src/domain/bench.ts';
import type { Inventory } from '../src/domain/inventory.ts';
import type { Actor } from '../src/domain/journal.ts';
import type { CardFactsStore } from '../src/domain/card-facts.ts';
import type { Clock } from '../src/domain/device-ports.ts';
import type {
  AuditStore,
  Directory,
  HaltStore,
  HoldStore,
  Invocation,
  JobQueue,
  Journal,
  LeaseStore,
  LockStore,
  Notifier,
  Person,
  ProgressStore,
  RunStore,
} from '../src/domain/ports.ts';
import type { Right } from '../src/domain/policy.ts';
import type { Answer, Form } from '../src/report/message.ts';

/** Everything commands reach: a plain object of ports, made by the bot. `inventory()` gives the newest good one. */
export interface CommandContext {
  readonly inventory: () => Inventory;
  readonly runs: RunStore;
  readonly journal: Journal;
  readonly progress: ProgressStore;
  readonly leases: LeaseStore;
  readonly holds: HoldStore;
  readonly locks: LockStore;
  readonly facts: CardFactsStore;
  /** Of benches; workers add to them. */
  readonly results: Omit<ResultStore, 'add'>;
  readonly artefacts: Pick<ArtefactStore, 'get'>;
  readonly halt: HaltStore;
  readonly audit: AuditStore;
  readonly queue: JobQueue;
  readonly notifier: Notifier;
  readonly directory: Directory;
  readonly clock: Clock;
  /** The workspace; people of another one get nothing. */
  readonly teamId: string;
}

/** One command as one person gave it, rights already looked up. */
export interface CommandRequest {
  readonly context: CommandContext;
  readonly person: Person;
  readonly actor: Actor;
  readonly roles: readonly string[];
  readonly invocation: Invocation;
  /** The line after clean-up of quotes and dashes, without `/dpu`. */
  readonly line: string;
}

export interface Positional {
  readonly name: string;
  readonly about: string;
  readonly optional?: boolean;
}

/** `switch`: there or not. `text`: takes the next word (or `--name=text`). */
export interface Flag {
  readonly name: string;
  readonly kind: 'switch' | 'text';
  readonly about: string;
  /** What stands for the text in the usage, as in HOST; default: a text in quotes. */
  readonly value?: string;
  /** Shown in the usage as one that has to be there. */
  readonly required?: boolean;
  /** Sent by buttons, not written by people: left out of usage, help and suggestions. */
  readonly hidden?: boolean;
}

/** What a person can say: arguments, usage, risk, who may, and what it does. */
export interface CommandSpec<A> {
  readonly name: string;
  /** One sentence without a full stop, as in a list. */
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Checks and converts the words: `{ [positional]: string, [flag]: string | boolean }`. */
  readonly arguments: z.ZodType<A>;
  /** Said in the help: what of it waits for a second person. */
  readonly approval?: string;
  readonly who: 'anyone' | Right;
  /** Said instead of `who` where rights depend on more. */
  readonly whoText?: string;
  /** True when it changes state: then it is audited, refusals too. */
  readonly changes: boolean;
  /** True where rights must be read past every cache. */
  readonly fresh?: boolean;
  /** Asked instead, where the command was given without a word more and the entrance can open a form. */
  readonly form?: (request: CommandRequest) => Form;
  run(request: CommandRequest, args: A): Promise<Answer>;
}

/** A command as the dispatcher sees it: its own arguments are opaque. */
export interface Command extends CommandSpec<unknown> {}

/**
 * Declares a command and forgets the type of its arguments: the dispatcher always hands
 * `run` what that same command's `arguments` parsed.
 */
export function defineCommand<A>(spec: CommandSpec<A>): Command {
  return spec;
}

/** How a command is written: `/dpu provision <target> [--plan]`. */
export function usageOf(command: Pick<Command, 'name' | 'positionals' | 'flags'>): string {
  const positionals = command.positionals.map(({ name, optional }) => (optional === true ? `[${name}]` : `<${name}>`));
  const shown = command.flags.filter((flag) => flag.hidden !== true);
  const flags = shown.map(({ name, kind, required, value = '"..."' }) => {
    const text = kind === 'text' ? `--${name} ${value}` : `--${name}`;
    return required === true ? text : `[${text}]`;
  });
  return ['/dpu', command.name, ...positionals, ...flags].join(' ');
}
