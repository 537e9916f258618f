import { ApiError } from './api/call.ts';
import { validView } from './api/views.ts';
import { isObject } from './blocks/report.ts';
import type { Lab } from './lab.ts';
import { closedPayload, submissionPayload } from './payloads.ts';
import { PersonError, userOf } from './person.ts';
import { type Choices, initialState, missingInputs } from './state.ts';
import type { LabUser, ViewObject } from './types.ts';

export interface SubmitView {
  user: string;
  viewId: string;
  /** Choices by block id and action id; what is left out keeps its initial value. */
  values?: Choices | undefined;
}

export type SubmitResult =
  | { status: 'closed' }
  | { status: 'updated'; view: ViewObject }
  | { status: 'errors'; errors: Record<string, string> }
  | { status: 'failed'; error: string; text: string };

/** Slack's words in a modal whose submission was not acknowledged in time. */
const troubleText = 'We had some trouble connecting. Try again?';

/** Submits a modal and does what the acknowledgement says (docs.slack.dev/surfaces/modals#response_actions). */
export async function submitView(lab: Lab, request: SubmitView): Promise<SubmitResult> {
  const user = userOf(lab, request.user);
  const view = openModal(lab, user, request.viewId);
  const values = initialState(view.blocks, request.values ?? {});
  const missing = missingInputs(view.blocks, values);
  if (Object.keys(missing).length > 0) {
    return { status: 'errors', errors: missing };
  }
  const payload = submissionPayload(lab, user, view, values);
  const delivery = await lab.deliverer.send({ type: 'interactive', payload, acceptsResponsePayload: true });
  if (delivery.status === 'failed') {
    return { status: 'failed', error: delivery.error, text: troubleText };
  }
  try {
    return follow(lab, user, view, delivery.responses[0] ?? {});
  } catch (error) {
    if (error instanceof ApiError) {
      return { status: 'failed', error: error.code, text: troubleText };
    }
    throw error;
  }
}

/** Closes the visible modal; the app hears of it when the view asks for that. */
export async function closeView(lab: Lab, request: { user: string; viewId: string }): Promise<void> {
  const user = userOf(lab, request.user);
  const view = openModal(lab, user, request.viewId);
  const closed = view.clear_on_close ? [...lab.views.stack(user.id)].reverse() : [view];
  lab.views.close(user.id, view.id, view.clear_on_close);
  for (const one of closed.filter((other) => other.notify_on_close)) {
    const payload = closedPayload(lab, user, one, view.clear_on_close);
    await lab.deliverer.send({ type: 'interactive', payload, acceptsResponsePayload: true });
  }
}

/** What a person has open: the stack of modals, the visible one last, and the app's Home view. */
export function viewsOf(lab: Lab, request: { user: string }): { modals: ViewObject[]; home: ViewObject | undefined } {
  const user = userOf(lab, request.user);
  return { modals: lab.views.stack(user.id), home: lab.views.home(user.id) };
}

function follow(lab: Lab, user: LabUser, view: ViewObject, response: Record<string, unknown>): SubmitResult {
  switch (response.response_action) {
    case 'errors':
      return errorsOf(view, response.errors);
    case 'update': {
      const updated = lab.views.update({ viewId: view.id }, validView(lab, response.view, 'modal'));
      return typeof updated === 'string' ? { status: 'closed' } : { status: 'updated', view: updated };
    }
    case 'push': {
      const pushed = lab.views.push(user.id, validView(lab, response.view, 'modal'));
      return pushed === undefined ? { status: 'closed' } : { status: 'updated', view: pushed };
    }
    case undefined:
    case 'clear':
      lab.views.close(user.id, view.id, response.response_action === 'clear');
      return { status: 'closed' };
    default:
      return { status: 'failed', error: 'invalid_response_action', text: troubleText };
  }
}

/** Errors are shown beside inputs: one that names another block is an answer the client cannot use. */
function errorsOf(view: ViewObject, errors: unknown): SubmitResult {
  const inputs = view.blocks.filter((block) => block.type === 'input').map((block) => block.block_id);
  const entries = isObject(errors) ? Object.entries(errors) : [];
  const known = entries.filter(([blockId, text]) => inputs.includes(blockId) && typeof text === 'string');
  return known.length === 0 || known.length < entries.length
    ? { status: 'failed', error: 'invalid_errors', text: troubleText }
    : { status: 'errors', errors: Object.fromEntries(known.map(([blockId, text]) => [blockId, String(text)])) };
}

function openModal(lab: Lab, user: LabUser, viewId: string): ViewObject {
  const view = lab.views.stack(user.id).at(-1);
  if (view === undefined || view.id !== viewId) {
    throw new PersonError('view-not-found', `${user.name} has no open modal ${viewId}.`);
  }
  return view;
}
