import { isObject } from './blocks/report.ts';
import { ApiError, reasons } from './api/call.ts';
import { validBlocks } from './api/content.ts';
import type { Lab } from './lab.ts';
import type { LabChannel, Message } from './types.ts';

const maxUses = 5;
const ttlMs = 30 * 60 * 1000;

/** What a response_url belongs to. */
export interface Hook {
  channelId: string;
  user: string;
  /** The message whose button was pressed; without it (slash commands) there is no original to replace. */
  messageTs?: string;
  isEphemeral?: boolean;
}

export interface HookAnswer {
  status: number;
  body: string | object;
}

/** response_url: five posts within 30 minutes (docs.slack.dev/interactivity/handling-user-interaction#message_responses). */
export class ResponseUrls {
  readonly #hooks = new Map<string, Hook & { issuedAtMs: number; uses: number }>();

  issue(lab: Lab, hook: Hook): string {
    const path = `/actions/${lab.directory.team.id}/${lab.ids.secret(10)}`;
    this.#hooks.set(path, { ...hook, issuedAtMs: lab.clock.nowMs(), uses: 0 });
    return `${lab.origin}${path}`;
  }

  /** Handles a POST to a response_url. */
  post(lab: Lab, path: string, body: unknown): HookAnswer {
    const hook = this.#hooks.get(path);
    if (hook === undefined || lab.clock.nowMs() - hook.issuedAtMs > ttlMs) {
      lab.stats.responseUrl.refused += 1;
      return { status: 404, body: 'expired_url' };
    }
    if (hook.uses >= maxUses) {
      lab.stats.responseUrl.refused += 1;
      return { status: 404, body: 'used_url' };
    }
    try {
      respond(lab, hook, isObject(body) ? body : {});
    } catch (error) {
      if (error instanceof ApiError) {
        lab.stats.responseUrl.refused += 1;
        return { status: 404, body: { ok: false, error: error.code, ...error.extra } };
      }
      throw error;
    }
    hook.uses += 1;
    lab.stats.responseUrl.posts += 1;
    return { status: 200, body: 'ok' };
  }
}

/** Does what an acknowledgement payload or a response_url post asks for. */
export function respond(lab: Lab, hook: Hook, body: Record<string, unknown>): void {
  const channel = lab.directory.findChannel(hook.channelId);
  if (channel === undefined) {
    throw new ApiError('channel_not_found');
  }
  const text = typeof body.text === 'string' ? body.text : undefined;
  const blocks = validBlocks(lab, body.blocks);
  if (body.delete_original === true) {
    changeOriginal(lab, channel, hook, undefined);
    return;
  }
  if (text === undefined && blocks === undefined) {
    throw new ApiError('no_text', reasons(['no text or blocks']));
  }
  if (body.replace_original === true) {
    changeOriginal(lab, channel, hook, { text, blocks });
    return;
  }
  if (hook.messageTs !== undefined && body.replace_original === undefined) {
    // Slack's pages disagree on what happens then, so it is counted: an app should always say which one it wants.
    lab.stats.responseUrl.implicitReplace += 1;
  }
  const draft = { user: lab.directory.app.botUserId, text: text ?? '', blocks };
  if (body.response_type === 'in_channel') {
    // Only shared answers can go to a thread; an ephemeral one lands in the channel (slackapi/bolt-js#963).
    const threadTs = typeof body.thread_ts === 'string' ? body.thread_ts : undefined;
    lab.workspace.post(channel, { ...draft, threadTs });
  } else {
    lab.workspace.postEphemeral(channel, hook.user, draft);
  }
}

/** Replaces or deletes the message a button belongs to. */
function changeOriginal(
  lab: Lab,
  channel: LabChannel,
  hook: Hook,
  edit: { text: string | undefined; blocks: Message['blocks'] | undefined } | undefined,
): void {
  const ts = hook.messageTs;
  if (ts === undefined) {
    throw new ApiError('no_original');
  }
  const { workspace } = lab;
  const ephemeral = workspace.findEphemeral(channel.id, hook.user, ts);
  if (hook.isEphemeral === true && ephemeral !== undefined) {
    if (edit === undefined) {
      workspace.removeEphemeral(channel, hook.user, ephemeral);
    } else {
      workspace.editEphemeral(channel, hook.user, ephemeral, edit);
    }
    return;
  }
  const message = workspace.find(channel.id, ts);
  if (message === undefined) {
    throw new ApiError('message_not_found');
  }
  if (edit === undefined) {
    workspace.remove(channel, message);
  } else {
    workspace.edit(channel, message, edit, lab.directory.app.botUserId);
  }
}
