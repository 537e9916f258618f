import { setTimeout as sleep } from 'node:timers/promises';
import { WebAPIPlatformError, WebClient } from '@slack/web-api';
import type { AuthTestResponse } from '@slack/web-api';
import { OpsError, errors } from '../errors.ts';
import { chatFaultOf, webClientOptions } from './chat-client.ts';
import type { Log, SlackAccess } from './log.ts';
import { reasonOf } from './log.ts';

/** Who the bot is in its workspace. */
export interface SlackIdentity {
  readonly teamId: string;
  readonly botUserId: string;
  readonly botId: string;
  /** Host name of the workspace's page, for messages to people. */
  readonly url: string;
}

/** A client for answers to people and for look-ups: reads and ephemerals may be repeated once without harm. */
export function createInteractiveClient(access: SlackAccess): WebClient {
  return new WebClient(access.botToken, webClientOptions(access.apiUrl, 1));
}

/**
 * Asks Slack who this token belongs to; while Slack cannot be reached it keeps asking until `signal` is aborted. Errors:
 * config-invalid when Slack refuses the token, or it is not a bot's.
 */
export async function identify(access: SlackAccess, log: Log, signal: AbortSignal): Promise<SlackIdentity> {
  const client = createInteractiveClient(access);
  for (let waitMs = 1000; ; waitMs = Math.min(30_000, waitMs * 2)) {
    signal.throwIfAborted();
    try {
      return identityOf(await client.auth.test());
    } catch (error) {
      if (error instanceof OpsError) throw error;
      const fault = chatFaultOf(error);
      if (fault.kind === 'refused')
        throw errors.configInvalid({ problems: [`SLACK_BOT_TOKEN is refused by Slack: ${fault.error}`] });
      log.warn({ reason: reasonOf(error), waitMs }, 'Slack cannot be asked who we are, trying again');
      await sleep(waitMs, undefined, { signal });
    }
  }
}

function identityOf(reply: AuthTestResponse): SlackIdentity {
  const { team_id: teamId, user_id: botUserId, bot_id: botId, url } = reply;
  if (teamId === undefined || botUserId === undefined || botId === undefined)
    throw errors.configInvalid({ problems: ['SLACK_BOT_TOKEN works, but it is not the token of a bot'] });
  return { teamId, botUserId, botId, url: url ?? '' };
}

/** The error code with which Slack refused a call, undefined when it was something else. */
export function slackErrorCode(error: unknown): string | undefined {
  return error instanceof WebAPIPlatformError ? error.data.error : undefined;
}
