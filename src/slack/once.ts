import type { WebClient } from '@slack/web-api';
import type { Dedupe, Invocation } from '../domain/ports.ts';
import { failureOf } from '../errors.ts';
import { failureAnswer } from '../report/answers.ts';
import type { FormAnswer, Reply } from '../report/message.ts';
import type { Log } from './log.ts';
import { reasonOf } from './log.ts';

/** What every entrance needs to carry out what a person said. */
export interface RequestOptions {
  readonly client: WebClient;
  readonly log: Log;
  /** Requests may be delivered more than once; only the first delivery is carried out. */
  readonly dedupe: Dedupe;
  /** Carries out a command; the one way in for text, buttons, forms and mentions. */
  readonly dispatch: (userId: string, invocation: Invocation) => Promise<Reply>;
}

/** Slack repeats an unacknowledged request within 5 minutes; twice that is remembered. */
export const DEDUPE_MS = 10 * 60_000;

/**
 * Carries out a request the first time it is delivered; undefined for a repeated delivery. A form instead of a line is
 * given back as it is. Never rejects: every failure is an answer.
 */
export async function once(
  options: RequestOptions,
  id: string,
  userId: string,
  wanted: Invocation | FormAnswer,
): Promise<Reply> {
  try {
    if (!(await options.dedupe.firstTime(id, DEDUPE_MS))) {
      options.log.info({ id }, 'repeated delivery ignored');
      return undefined;
    }
    return 'form' in wanted ? wanted : await options.dispatch(userId, wanted);
  } catch (error) {
    options.log.error({ reason: reasonOf(error) }, 'a command failed');
    return failureAnswer(failureOf(error));
  }
}
