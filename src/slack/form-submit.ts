import type { ViewSubmitAction } from '@slack/bolt';
import { z } from 'zod';
import type { Failure } from '../domain/outcome.ts';
import { failureOf } from '../errors.ts';
import { failureAnswer } from '../report/answers.ts';
import { formLine } from '../report/form-line.ts';
import type { FormOrigin, FormReading, FormState } from '../report/forms.ts';
import { blockForProblem, readForm } from '../report/forms.ts';
import type { Reply } from '../report/message.ts';
import { cutPlain } from '../report/text.ts';
import { channelNameOf } from './channel-name.ts';
import { reasonOf } from './log.ts';
import type { RequestOptions } from './once.ts';
import { DEDUPE_MS } from './once.ts';
import { tell, within } from './reply.ts';

/** Slack waits 3 s for the acknowledgement of a form; what takes longer is told in the channel. */
const SUBMIT_ANSWER_MS = 2200;
/** Words beside a field; more is not read there. */
const PROBLEM_CHARS = 700;

const Origin = z.object({
  start: z.string().max(200),
  channel: z.string().optional(),
  channelName: z.string().optional(),
  threadTs: z.string().optional(),
});

/** Shuts the form, or leaves it open with what is wrong beside its fields. */
type Acknowledge = (response?: {
  readonly response_action: 'errors';
  readonly errors: Record<string, string>;
}) => Promise<void>;

/** The form is the line it stands for. A refusal is shown in it, so that nothing that was filled in is lost. Never rejects. */
export async function onSubmit(options: RequestOptions, body: ViewSubmitAction, ack: Acknowledge): Promise<void> {
  const state: FormState = body.view.state.values;
  const refuse = async (errors: Record<string, string>): Promise<boolean> =>
    acknowledge(options, ack, { response_action: 'errors', errors });
  const origin = originOf(body.view.private_metadata);
  const reading = readForm(state);
  if (!reading.ok) return void (await refuse({ ...reading.problems }));
  if (origin === undefined)
    return void (await refuse({ [blockForProblem(state)]: 'This form is too old. Close it and open it anew.' }));

  const given = carryOut(options, body, origin, reading);
  const soon = await within(given, SUBMIT_ANSWER_MS);
  if (soon === 'sent-before') return void (await refuse({ [blockForProblem(state)]: SENT_BEFORE }));
  const isRefused = soon !== 'later' && isFailure(soon);
  const isSeen = isRefused
    ? await refuse({ [blockForProblem(state, soon.failure)]: problemText(soon.failure) })
    : await acknowledge(options, ack);
  if (isRefused && isSeen) return;
  const answer = await given;
  if (answer === undefined || answer === 'sent-before' || 'form' in answer) return;
  const channel = reading.channel ?? origin.channel;
  await tell(options, { userId: body.user.id, ...(channel && { channel }), ...threadOf(origin) }, answer);
}

const SENT_BEFORE =
  'This form was sent off already. Look for its card in the channel; if there is none in a minute, close this and open it anew.';

/**
 * Carries out what the form says once: Slack may deliver a submission twice, and whoever sees no answer in time sends the
 * form off again. Only a refusal that changed nothing lets the same form be sent again. Never rejects.
 */
async function carryOut(
  options: RequestOptions,
  { view, trigger_id: triggerId, user }: ViewSubmitAction,
  origin: FormOrigin,
  reading: Extract<FormReading, { readonly ok: true }>,
): Promise<Reply | 'sent-before'> {
  const { dedupe, client, dispatch, log } = options;
  const form = `sent-form-${view.id}`;
  try {
    if (triggerId !== undefined && !(await dedupe.firstTime(`view-${view.id}-${triggerId}`, DEDUPE_MS))) {
      log.info({ view: view.id }, 'repeated delivery ignored');
      return undefined;
    }
    if (!(await dedupe.firstTime(form, DEDUPE_MS))) return 'sent-before';
    const channel = reading.channel ?? origin.channel ?? '';
    const channelName = origin.channelName ?? (await channelNameOf(client, channel));
    const text = formLine(origin.start, reading.words);
    const named = channelName === undefined ? {} : { channelName };
    const answer = await dispatch(user.id, { text, channel, source: 'modal', ...named });
    if (isFailure(answer) && answer.failure.deviceState === 'unchanged') await dedupe.forget(form);
    return answer;
  } catch (error) {
    log.error({ reason: reasonOf(error) }, 'a form failed');
    return failureAnswer(failureOf(error));
  }
}

function isFailure<T extends Reply | 'sent-before'>(answer: T): answer is T & { readonly failure: Failure } {
  return typeof answer === 'object' && 'failure' in answer;
}

function problemText({ what, why, next }: Failure): string {
  return cutPlain(`${what} ${why} ${next}`.replaceAll('`', ''), PROBLEM_CHARS);
}

/** False when the person does not see it: Slack did not take the acknowledgement. */
async function acknowledge(
  { log }: RequestOptions,
  ack: Acknowledge,
  response?: Parameters<Acknowledge>[0],
): Promise<boolean> {
  try {
    await ack(response);
    return true;
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'a form could not be acknowledged');
    return false;
  }
}

function threadOf({ threadTs }: FormOrigin): { readonly threadTs?: string } {
  return threadTs === undefined ? {} : { threadTs };
}

function originOf(metadata: string): z.infer<typeof Origin> | undefined {
  try {
    return Origin.parse(JSON.parse(metadata));
  } catch {
    return undefined;
  }
}
