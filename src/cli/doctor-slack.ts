import { z } from 'zod';
import type { CliConfig } from '../config.ts';
import type { Finding } from './findings.ts';
import { fail, ok, warn } from './findings.ts';

/** Bot scopes that the bot uses; the app manifest of the examples asks for exactly these. */
export const botScopes: readonly string[] = [
  'app_mentions:read',
  'channels:history',
  'channels:read',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'groups:history',
  'groups:read',
  'im:history',
  'im:read',
  'im:write',
  'usergroups:read',
  'users:read',
];

const AuthTest = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  team: z.string().optional(),
  user: z.string().optional(),
});
const TIMEOUT_MS = 10_000;

/** Asks Slack who the token is and what it may do. */
export async function checkSlack(config: CliConfig): Promise<Finding[]> {
  const token = config.slackBotToken;
  if (!token) return [warn('slack', 'not looked at: SLACK_BOT_TOKEN is not set', 'Set it to check the bot as well.')];
  const url = new URL('auth.test', config.slackApiUrl.endsWith('/') ? config.slackApiUrl : `${config.slackApiUrl}/`);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token.reveal()}` },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = AuthTest.safeParse(await response.json());
    if (!answer.success)
      return [fail('slack', `${url.host} answered with something else than Slack`, 'Check SLACK_API_URL.')];
    if (!answer.data.ok)
      return [
        fail('slack', `the token is refused: ${answer.data.error ?? 'no reason given'}`, 'Install the app again.'),
      ];
    const who = `token of ${answer.data.user ?? 'an app'} in ${answer.data.team ?? 'a workspace'}`;
    return [ok('slack', who), scopeFinding(response.headers.get('x-oauth-scopes'))];
  } catch {
    return [fail('slack', `${url.host} does not answer`, 'Check SLACK_API_URL, DNS and the proxy of this machine.')];
  }
}

function scopeFinding(header: string | null): Finding {
  if (header === null)
    return warn('slack', 'the answer names no scopes', 'Compare them with the app manifest by hand.');
  const has = new Set(header.split(',').map((scope) => scope.trim()));
  const missing = botScopes.filter((scope) => !has.has(scope));
  return missing.length === 0
    ? ok('slack', `all ${botScopes.length} scopes are there`)
    : fail(
        'slack',
        `scopes are missing: ${missing.join(', ')}`,
        'Add them (examples/slack-manifest.yaml), install again.',
      );
}
