import type { App, BlockAction, ButtonAction, ViewSubmitAction } from '@slack/bolt';
import type { FormOrigin } from '../report/forms.ts';
import { formCallback, formView } from '../report/forms.ts';
import { textAnswer } from '../report/answers.ts';
import type { Answer, Form, Reply } from '../report/message.ts';
import { onSubmit } from './form-submit.ts';
import { reasonOf } from './log.ts';
import type { RequestOptions } from './once.ts';
import { once } from './once.ts';
import { tell } from './reply.ts';
import { slackErrorCode } from './web-client.ts';

/** Opens the form that a command answered with; what is left to tell the person is the message. Never rejects. */
export async function asMessage(
  options: RequestOptions,
  triggerId: string,
  origin: Omit<FormOrigin, 'start'>,
  given: Promise<Reply>,
): Promise<Answer> {
  const answer = await given;
  if (answer === undefined || !('form' in answer)) return answer;
  return openForm(options, triggerId, origin, answer.form);
}

/** A trigger is good for one form and for three seconds; whoever is too late is told what to type. */
async function openForm(
  { client, log }: RequestOptions,
  triggerId: string,
  origin: Omit<FormOrigin, 'start'>,
  form: Form,
): Promise<Answer> {
  try {
    await client.views.open({ trigger_id: triggerId, view: formView(form, { ...origin, start: form.start }) });
    return undefined;
  } catch (error) {
    const code = slackErrorCode(error);
    log.warn({ reason: reasonOf(error), code }, 'a form could not be opened');
    const instead = `\`/dpu ${typedStart(form)}\``;
    // The client repeats a call whose answer was lost: then it was the first try that opened the form.
    if (code === 'exchanged_trigger_id')
      return textAnswer(`Slack says that the form was opened already. If you see none, type it: ${instead}.`);
    return textAnswer(
      `The form could not be opened: ${slackSays(code)}. Try again, or type it: ${instead}. Nothing was done.`,
    );
  }
}

function slackSays(code: string | undefined): string {
  if (code === undefined) return 'Slack does not answer';
  return code === 'expired_trigger_id' ? 'it took longer than the 3 s that Slack allows' : `Slack says ${code}`;
}

/** What a person types instead of the form. */
function typedStart({ start, fields }: Form): string {
  const flags = fields.flatMap((field) => (field.kind === 'choice' || field.kind === 'text' ? [field] : []));
  const shown = flags.filter((field) => field.kind === 'text' || !field.optional);
  const target = fields.some(({ kind }) => kind === 'targets') ? ' TARGET' : '';
  const words = start.replace(/ --generation \d+$/, '');
  return `${words}${target}${shown.map(({ flag }) => ` --${flag} "..."`).join('')}`;
}

/** Buttons that open a form (`form:provision`), and forms that are sent off. */
export function registerForms(app: App, options: RequestOptions): void {
  app.action<BlockAction<ButtonAction>>(
    { type: 'block_actions', action_id: /^form:/ },
    async ({ ack, body, payload }) => {
      await ack();
      const text = payload.action_id.slice('form:'.length);
      const channel = body.channel?.id;
      const userId = body.user.id;
      const invocation = { text, channel: channel ?? '', source: 'button', canOpenForm: true } as const;
      const given = once(options, `form-${body.trigger_id}-${payload.action_ts}`, userId, invocation);
      const answer = await asMessage(options, body.trigger_id, channel === undefined ? {} : { channel }, given);
      await tell(options, { userId, ...(channel !== undefined && { channel }) }, answer);
    },
  );
  app.view<ViewSubmitAction>({ type: 'view_submission', callback_id: formCallback }, async ({ ack, body }) => {
    await onSubmit(options, body, ack);
  });
}
