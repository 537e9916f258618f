import type { KnownBlock } from '@slack/types';
import type { Failure } from '../domain/outcome.ts';

/** What is posted: blocks for the eye, `text` as the summary that notifications and screen readers use. */
export interface ChatMessage {
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
}

/** A refusal or an error as it is told. A form shows the same beside the field that it concerns. */
export interface FailureAnswer extends ChatMessage {
  readonly failure: Failure;
}

/** What a command answers to the person who gave it (only they see it). Undefined: the run's own card is the answer. */
export type Answer = ChatMessage | undefined;

/** Something is missing that a form asks for. */
export interface FormAnswer {
  readonly form: Form;
}

/** What an entrance gets back: a form only where it said that it can open one. */
export type Reply = ChatMessage | FailureAnswer | FormAnswer | undefined;

/** One thing that can be chosen; `value` is a word of the line. */
export interface FormChoice {
  readonly value: string;
  readonly text: string;
  /** A few more words below it. */
  readonly about?: string;
}

/**
 * `targets`: names to pick from, and a text for what no list has room for; one of them has to be given. `choice` and `text`
 * become a flag with a value, `switches` flags without one.
 */
export type FormField =
  | { readonly kind: 'targets'; readonly label: string; readonly groups: readonly FormGroup[]; readonly hint: string }
  | {
      readonly kind: 'choice';
      readonly flag: string;
      readonly label: string;
      readonly choices: readonly FormChoice[];
      readonly optional: boolean;
    }
  | { readonly kind: 'text'; readonly flag: string; readonly label: string; readonly hint: string }
  | { readonly kind: 'switches'; readonly label: string; readonly choices: readonly FormChoice[] };

export interface FormGroup {
  readonly label: string;
  readonly choices: readonly FormChoice[];
}

/** What a command asks for when it was given without saying what to work on. */
export interface Form {
  /** Words that are fixed already: `provision`, or `reject 418 --generation 3`. */
  readonly start: string;
  readonly title: string;
  readonly submit: string;
  /** What will happen, in a sentence or two. */
  readonly about: string;
  readonly fields: readonly FormField[];
}
