import type { Lab } from './lab.ts';
import type { Hook } from './response-urls.ts';
import type { LabChannel, LabUser, Message, StateValues, ViewObject } from './types.ts';

type Payload = Record<string, unknown>;

/** A slash command payload; there is no thread_ts (docs.slack.dev/interactivity/implementing-slash-commands). */
export function slashPayload(lab: Lab, user: LabUser, channel: LabChannel, command: string, text: string): Payload {
  return {
    token: lab.tokens.verification,
    team_id: lab.directory.team.id,
    team_domain: lab.directory.team.domain,
    channel_id: channel.id,
    channel_name: channel.name,
    user_id: user.id,
    user_name: user.name,
    command,
    text,
    api_app_id: lab.directory.app.appId,
    is_enterprise_install: 'false',
    response_url: lab.responseUrls.issue(lab, { channelId: channel.id, user: user.id }),
    trigger_id: lab.triggers.issue(user.id),
  };
}

/** Where an interactive element is: in a message, or in a view. */
export type Place =
  { kind: 'message'; channel: LabChannel; message: Message; isEphemeral: boolean } | { kind: 'view'; view: ViewObject };

/** A block_actions payload (docs.slack.dev/reference/interaction-payloads/block_actions-payload). */
export function actionPayload(lab: Lab, user: LabUser, place: Place, action: Payload, state: StateValues): Payload {
  const base = {
    type: 'block_actions',
    ...actor(lab, user),
    api_app_id: lab.directory.app.appId,
    token: lab.tokens.verification,
    trigger_id: lab.triggers.issue(user.id, place.kind === 'view' ? place.view.id : undefined),
    enterprise: null,
    is_enterprise_install: false,
    actions: [action],
  };
  if (place.kind === 'view') {
    const view = { ...place.view, state: { values: state } };
    return { ...base, container: { type: 'view', view_id: view.id }, view };
  }
  const { channel, message, isEphemeral } = place;
  const threadTs = message.thread_ts;
  const hook: Hook = { channelId: channel.id, user: user.id, messageTs: message.ts, isEphemeral };
  return {
    ...base,
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...(threadTs !== undefined && { thread_ts: threadTs }),
    },
    channel: { id: channel.id, name: channel.name },
    // Slack sends no message with a click on an ephemeral one.
    ...(!isEphemeral && { message: { ...message } }),
    state: { values: state },
    response_url: lab.responseUrls.issue(lab, hook),
  };
}

/** A view_submission payload (docs.slack.dev/reference/interaction-payloads/view-interactions-payload). */
export function submissionPayload(lab: Lab, user: LabUser, view: ViewObject, values: StateValues): Payload {
  return {
    type: 'view_submission',
    ...actor(lab, user),
    api_app_id: lab.directory.app.appId,
    token: lab.tokens.verification,
    trigger_id: lab.triggers.issue(user.id, view.id),
    view: { ...view, state: { values } },
    response_urls: [],
    is_enterprise_install: false,
    enterprise: null,
  };
}

export function closedPayload(lab: Lab, user: LabUser, view: ViewObject, isCleared: boolean): Payload {
  return {
    type: 'view_closed',
    ...actor(lab, user),
    api_app_id: lab.directory.app.appId,
    token: lab.tokens.verification,
    view,
    is_cleared: isCleared,
    is_enterprise_install: false,
    enterprise: null,
  };
}

/** The outer envelope of an Events API event (docs.slack.dev/apis/events-api#callback-field). */
export function eventPayload(lab: Lab, event: Payload): Payload {
  const { team, app } = lab.directory;
  const channel = lab.directory.findChannel(String(event.channel));
  return {
    token: lab.tokens.verification,
    team_id: team.id,
    context_team_id: team.id,
    api_app_id: app.appId,
    event,
    type: 'event_callback',
    event_id: lab.ids.next('Ev'),
    event_time: Math.floor(lab.clock.nowMs() / 1000),
    authorizations: [
      { enterprise_id: null, team_id: team.id, user_id: app.botUserId, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: channel?.isShared === true,
  };
}

function actor(lab: Lab, user: LabUser): Payload {
  return {
    user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId },
    team: { id: lab.directory.team.id, domain: lab.directory.team.domain },
  };
}
