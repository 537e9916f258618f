import type { WebClient } from '@slack/web-api';

/** Name of a channel without `#`; undefined when it has none (a direct message) or Slack does not tell. */
export async function channelNameOf(
  client: Pick<WebClient, 'conversations'>,
  channel: string,
): Promise<string | undefined> {
  if (channel === '' || channel.startsWith('D')) return undefined;
  try {
    const { channel: info } = await client.conversations.info({ channel });
    return info?.name;
  } catch {
    // The name only matters where an inventory lists channels by name; the refusal then says which.
    return undefined;
  }
}
