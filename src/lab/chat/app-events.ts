import type { DeliveryError } from './deliverer.ts';
import type { Lab } from './lab.ts';
import { eventPayload } from './payloads.ts';
import type { ChatEvent, LabChannel, VisibleMessage } from './types.ts';

type AppEvent = Record<string, unknown>;

/** Delivery attempts after the first: at once, after one minute, after five (docs.slack.dev/apis/events-api#retries). */
export const standardRedeliveryDelaysMs = [0, 60_000, 300_000];

/** Sends what happens in the workspace to the app as Events API events; answers the function that stops it. */
export function startAppEvents(lab: Lab, redeliveryDelaysMs: readonly number[]): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const send = (event: AppEvent): void => {
    void deliver(lab, eventPayload(lab, event), redeliveryDelaysMs, timers);
  };
  const stopFollowing = lab.feed.follow(({ event }) => {
    for (const appEvent of toAppEvents(lab, event)) {
      send(appEvent);
    }
  });
  return () => {
    stopFollowing();
    for (const timer of timers) {
      clearTimeout(timer);
    }
  };
}

/** Tabs of the app's own page (docs.slack.dev/reference/events/app_home_opened). */
export type HomeTab = 'home' | 'messages';

/** Tells the app that someone looks at its Home tab or at its direct messages. */
export function sendHomeOpened(lab: Lab, userId: string, tab: HomeTab): void {
  if (!lab.directory.app.events.includes('app_home_opened')) {
    return;
  }
  const view = tab === 'home' ? lab.views.home(userId) : undefined;
  const event = {
    type: 'app_home_opened',
    user: userId,
    channel: lab.directory.directMessage(userId).id,
    tab,
    event_ts: lab.ids.ts(),
    ...(view !== undefined && { view }),
  };
  void deliver(lab, eventPayload(lab, event), [], new Set());
}

async function deliver(
  lab: Lab,
  payload: AppEvent,
  delaysMs: readonly number[],
  timers: Set<NodeJS.Timeout>,
  attempt = 0,
  reason = '',
): Promise<void> {
  const retry = attempt === 0 ? {} : { retry: { attempt, reason } };
  const delivery = await lab.deliverer.send({ type: 'events_api', payload, acceptsResponsePayload: false, ...retry });
  const delayMs = delaysMs[attempt];
  if (delivery.status === 'acked' || delivery.noRetry === true || delayMs === undefined) {
    return;
  }
  const nextReason = retryReason(delivery.error, lab.requestUrl.address !== undefined);
  const timer = setTimeout(() => {
    timers.delete(timer);
    lab.stats.redeliveries += 1;
    void deliver(lab, payload, delaysMs, timers, attempt + 1, nextReason);
  }, delayMs);
  timer.unref();
  timers.add(timer);
}

/** Why an event is sent again (docs.slack.dev/apis/events-api#retries); Socket Mode knows `timeout` alone. */
function retryReason(error: DeliveryError, isHttp: boolean): string {
  if (!isHttp) {
    return 'timeout';
  }
  switch (error) {
    case 'operation_timeout':
      return 'http_timeout';
    case 'dispatch_failed':
      return 'connection_failed';
    case 'http_client_error':
    case 'http_service_error':
      return 'http_error';
  }
}

function toAppEvents(lab: Lab, event: ChatEvent): AppEvent[] {
  if (event.type === 'group/changed') {
    return groupChanged(lab, event);
  }
  if (event.type !== 'message/new' && event.type !== 'message/changed' && event.type !== 'message/deleted') {
    return [];
  }
  const channel = lab.directory.findChannel(event.channel);
  if (channel === undefined || !lab.directory.botIsMember(channel)) {
    return [];
  }
  const base = { channel: channel.id, channel_type: channel.isIm ? 'im' : 'channel', event_ts: lab.ids.ts() };
  const wanted = lab.directory.app.events;
  const subscribed = wanted.includes(channel.isIm ? 'message.im' : 'message.channels');
  switch (event.type) {
    case 'message/new':
      return [
        ...(subscribed ? [{ ...wire(event.message), ...base }] : []),
        ...mention(lab, channel, event.message, base),
      ];
    case 'message/changed':
      return subscribed && event.isEdit
        ? [
            {
              type: 'message',
              subtype: 'message_changed',
              message: wire(event.message),
              hidden: true,
              ...base,
              ts: lab.ids.ts(),
            },
          ]
        : [];
    case 'message/deleted':
      return subscribed
        ? [
            {
              type: 'message',
              subtype: 'message_deleted',
              deleted_ts: event.ts,
              hidden: true,
              ...base,
              ts: lab.ids.ts(),
            },
          ]
        : [];
  }
}

function groupChanged(lab: Lab, event: Extract<ChatEvent, { type: 'group/changed' }>): AppEvent[] {
  if (!lab.directory.app.events.includes('subteam_members_changed')) {
    return [];
  }
  return [
    {
      type: 'subteam_members_changed',
      subteam_id: event.group,
      team_id: lab.directory.team.id,
      date_previous_update: event.beforeSec,
      date_update: event.nowSec,
      added_users: event.added,
      added_users_count: event.added.length,
      removed_users: event.removed,
      removed_users_count: event.removed.length,
      event_ts: lab.ids.ts(),
    },
  ];
}

function mention(lab: Lab, channel: LabChannel, message: VisibleMessage, base: AppEvent): AppEvent[] {
  const { app } = lab.directory;
  const isMentioned = message.text.includes(`<@${app.botUserId}>`) && message.user !== app.botUserId;
  if (!isMentioned || channel.isIm || message.subtype !== undefined || !app.events.includes('app_mention')) {
    return [];
  }
  return [{ ...wire(message), ...base, type: 'app_mention' }];
}

function wire(message: VisibleMessage): AppEvent {
  const { channel: _channel, is_ephemeral: _ephemeral, ...rest } = message;
  return rest;
}
