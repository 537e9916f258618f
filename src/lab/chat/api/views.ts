import type { ViewsOpenResponse, ViewsPublishResponse, ViewsPushResponse, ViewsUpdateResponse } from '@slack/web-api';
import { checkView, isViewTooLarge } from '../blocks/check-view.ts';
import type { Lab } from '../lab.ts';
import type { Trigger } from '../triggers.ts';
import type { ViewInput } from '../view-store.ts';
import {
  type Answer,
  ApiError,
  type Call,
  type Method,
  optionalString,
  reasons,
  requiredString,
  structured,
} from './call.ts';

/** views.* (docs.slack.dev/reference/methods). */
export const viewMethods: Record<string, Method> = {
  'views.open': open,
  'views.push': push,
  'views.update': update,
  'views.publish': publish,
};

function open(call: Call): Answer<ViewsOpenResponse, 'view'> {
  const input = viewOf(call, 'modal');
  refuseTakenId(call.lab, input, undefined);
  const { user } = spend(call);
  return { view: call.lab.views.open(user, input) };
}

function push(call: Call): Answer<ViewsPushResponse, 'view'> {
  const input = viewOf(call, 'modal');
  refuseTakenId(call.lab, input, undefined);
  const { user, viewId } = spend(call);
  if (viewId === undefined) {
    throw new ApiError('invalid_trigger_id');
  }
  // Only what happens in a modal can put another on top of it, and only while it is open.
  if (!call.lab.views.stack(user).some((view) => view.id === viewId)) {
    throw new ApiError('not_found');
  }
  const view = call.lab.views.push(user, input);
  if (view === undefined) {
    throw new ApiError('push_limit_reached');
  }
  return { view };
}

function update(call: Call): Answer<ViewsUpdateResponse, 'view'> {
  const { lab, args } = call;
  const input = viewOf(call, 'modal');
  const viewId = optionalString(args, 'view_id');
  const externalId = optionalString(args, 'external_id');
  const hash = optionalString(args, 'hash');
  if (viewId === undefined && externalId === undefined) {
    throw new ApiError('invalid_arguments', reasons(['must define either `view_id` or `external_id`']));
  }
  const result = lab.views.update(
    {
      ...(viewId !== undefined && { viewId }),
      ...(externalId !== undefined && { externalId }),
      ...(hash !== undefined && { hash }),
    },
    input,
  );
  if (typeof result === 'string') {
    throw new ApiError(result);
  }
  return { view: result };
}

function publish(call: Call): Answer<ViewsPublishResponse, 'view'> {
  const { lab, args } = call;
  const userId = requiredString(args, 'user_id');
  if (!lab.directory.users.some((one) => one.id === userId)) {
    throw new ApiError('invalid_arguments', reasons(['invalid `user_id` [json-pointer:/user_id]']));
  }
  const input = viewOf(call, 'home');
  refuseTakenId(lab, input, lab.views.home(userId)?.id);
  const result = lab.views.publish(userId, input, optionalString(args, 'hash'));
  if (typeof result === 'string') {
    throw new ApiError(result);
  }
  return { view: result };
}

function spend({ lab, args }: Call): Trigger {
  const trigger = lab.triggers.exchange(requiredString(args, 'trigger_id'));
  if (typeof trigger === 'string') {
    throw new ApiError(trigger);
  }
  return trigger;
}

/** An external_id stands for one view of the workspace at a time. */
function refuseTakenId(lab: Lab, { external_id: id }: ViewInput, ownViewId: string | undefined): void {
  if (
    id !== undefined &&
    id !== '' &&
    lab.views.all().some((view) => view.external_id === id && view.id !== ownViewId)
  ) {
    throw new ApiError('duplicate_external_id');
  }
}

function viewOf({ lab, args }: Call, type: 'modal' | 'home'): ViewInput {
  return validView(lab, structured(args, 'view', 'invalid_arguments'), type);
}

/** A view that passed the check; Slack answers `invalid_arguments` with its reasons otherwise. */
export function validView(lab: Lab, view: unknown, type: 'modal' | 'home'): ViewInput {
  if (isViewTooLarge(view)) {
    throw new ApiError('view_too_large');
  }
  const problems = checkView(view, type, { isUsableImage: (id) => lab.files.isUsableImage(id) });
  if (problems.length > 0) {
    lab.stats.refusedBlocks(problems);
    throw new ApiError('invalid_arguments', reasons(problems));
  }
  return view as ViewInput;
}
