/** What a person does to messages and views. */
import { postJson } from './api.js';
import { confirm } from './dialogs.js';
import { h } from './dom.js';

/** Presses a button or chooses in an element, after asking when the element wants that; a failure is shown beside it. */
export async function press(appName, request, element, control) {
  if (element.confirm !== undefined && !(await confirm(element.confirm))) {
    return;
  }
  const row = control.closest('.block-actions, .block-section') ?? control;
  if (row.nextElementSibling?.matches('.press-failed')) {
    row.nextElementSibling.remove();
  }
  control.setAttribute('aria-busy', 'true');
  const problem = await postJson('press', { ...request, actionId: element.action_id }).then(
    (result) => (result.status === 'failed' ? `${appName} did not respond (${result.error})` : undefined),
    (error) => error.message,
  );
  control.removeAttribute('aria-busy');
  if (problem !== undefined) {
    row.insertAdjacentElement('afterend', h('p', { class: 'press-failed', role: 'alert' }, `⚠ ${problem}`));
  }
}

const plain = (text) => ({ type: 'plain_text', text });

const deleteQuestion = {
  title: plain('Delete message'),
  text: plain('This cannot be undone.'),
  confirm: plain('Delete'),
  deny: plain('Cancel'),
  style: 'danger',
};

/** Deletes a message after asking; one that only this person sees goes at once. */
export async function removeMessage(me, message) {
  if (message.is_ephemeral || (await confirm(deleteQuestion))) {
    await postJson('delete', { user: me.name, channel: message.channel, ts: message.ts });
  }
}
