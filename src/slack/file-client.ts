import { WebClient } from '@slack/web-api';
import type { ChatResult } from './chat-client.ts';
import { attempt, socketCode, webClientOptions } from './chat-client.ts';
import type { SlackAccess } from './log.ts';
import { reasonOf } from './log.ts';

/** A file that Slack has. */
export interface StoredFile {
  readonly fileId: string;
  readonly permalink: string;
  /** False while Slack still looks through it: until then it cannot be shown in a message. */
  readonly ready: boolean;
}

/**
 * Uploads of files, step by step, each request once. Nothing here names a channel: Slack shares a file that is completed
 * with one at once, in a message that cannot carry a key (and sometimes says so and does not, slackapi/python-slack-sdk#1818).
 */
export interface FilePort {
  /** Takes an id and an address to send the content to. */
  reserve(file: {
    readonly name: string;
    readonly bytes: number;
  }): Promise<ChatResult<{ readonly fileId: string; readonly uploadUrl: string }>>;
  upload(file: { readonly uploadUrl: string; readonly content: Uint8Array }): Promise<ChatResult<undefined>>;
  complete(file: { readonly fileId: string; readonly title: string }): Promise<ChatResult<undefined>>;
  /** Undefined: there is no such file, or its upload was never completed. */
  info(fileId: string): Promise<ChatResult<StoredFile | undefined>>;
}

/** A file of 1 MiB over a slow line; after that the outcome is unknown. */
const UPLOAD_TIMEOUT_MS = 30_000;
/** Refusals of `files.info` that mean: there is no such file. */
const NO_FILE = new Set(['file_not_found', 'file_deleted']);

/**
 * The publisher's way to bring files to Slack. Needs the scopes `files:write` and, for `files.info`, `files:read`. Sources:
 * docs.slack.dev/messaging/working-with-files (upload in three steps); slackapi/node-slack-sdk#2040 and
 * slackapi/python-slack-sdk#1658 (a file without `mimetype` is still looked through, and refused in blocks).
 */
export function createFilePort(access: SlackAccess): FilePort {
  const client = new WebClient(access.botToken, webClientOptions(access.apiUrl));
  return {
    reserve: async ({ name, bytes }) =>
      attempt(async () => {
        const reply = await client.files.getUploadURLExternal({ filename: name, length: bytes });
        if (reply.file_id === undefined || reply.upload_url === undefined)
          throw new Error('files.getUploadURLExternal answered without id or address');
        return { fileId: reply.file_id, uploadUrl: reply.upload_url };
      }),
    upload: async ({ uploadUrl, content }) => upload(uploadUrl, content),
    complete: async ({ fileId, title }) =>
      attempt(async () => {
        await client.files.completeUploadExternal({ files: [{ id: fileId, title }] });
        return undefined;
      }),
    info: async (fileId) => {
      const result = await attempt(async () => info(client, fileId));
      if (!result.ok && result.fault.kind === 'refused' && NO_FILE.has(result.fault.error))
        return { ok: true, value: undefined };
      return result;
    },
  };
}

async function info(client: WebClient, fileId: string): Promise<StoredFile> {
  const { file } = await client.files.info({ file: fileId });
  if (file?.permalink === undefined) throw new Error('files.info answered without a permalink');
  return { fileId, permalink: file.permalink, ready: (file.mimetype ?? '') !== '' };
}

/** Sends the content, without the token. The address is a secret of its own, so faults name only its host. */
async function upload(uploadUrl: string, content: Uint8Array): Promise<ChatResult<undefined>> {
  const host = URL.canParse(uploadUrl) ? new URL(uploadUrl).host : 'an address that cannot be read';
  try {
    const response = await fetch(uploadUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: Uint8Array.from(content),
      redirect: 'error',
      signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
    });
    await response.body?.cancel();
    const { status } = response;
    if (status === 200) return { ok: true, value: undefined };
    if (status === 429) {
      const seconds = Number(response.headers.get('retry-after')) || 1;
      return { ok: false, fault: { kind: 'rate-limited', retryAfterMs: seconds * 1000 } };
    }
    const said = `${host} answered HTTP ${status}`;
    return { ok: false, fault: status < 500 ? { kind: 'refused', error: said } : { kind: 'unknown', reason: said } };
  } catch (error) {
    const reason = socketCode(error) ?? reasonOf(error);
    return { ok: false, fault: { kind: 'unknown', reason: `${host}: ${reason}` } };
  }
}
