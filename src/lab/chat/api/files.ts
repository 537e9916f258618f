import type {
  FilesCompleteUploadExternalResponse,
  FilesGetUploadURLExternalResponse,
  FilesInfoResponse,
} from '@slack/web-api';
import { isObject } from '../blocks/report.ts';
import type { FileObject } from '../types.ts';
import {
  type Answer,
  ApiError,
  type Call,
  joinedChannelOf,
  type Method,
  optionalString,
  requiredString,
  structured,
} from './call.ts';
import { contentOf } from './content.ts';

/** files.* (docs.slack.dev/messaging/working-with-files#uploading_files). */
export const fileMethods: Record<string, Method> = {
  'files.getUploadURLExternal': getUploadUrl,
  'files.completeUploadExternal': completeUpload,
  'files.info': fileInfo,
};

function getUploadUrl({ lab, args }: Call): Answer<FilesGetUploadURLExternalResponse> {
  const name = requiredString(args, 'filename');
  const size = Number(requiredString(args, 'length'));
  const altText = optionalString(args, 'alt_txt');
  if (!Number.isInteger(size) || size < 1) {
    throw new ApiError('invalid_arguments');
  }
  if (altText !== undefined && altText.length > 1_000) {
    throw new ApiError('alt_txt_too_large');
  }
  if (optionalString(args, 'snippet_type') !== undefined && size > 1_000_000) {
    throw new ApiError('snippet_too_large');
  }
  const { id, path } = lab.files.reserve(lab.origin, name, size, altText);
  return { upload_url: `${lab.origin}${path}`, file_id: id };
}

function completeUpload(call: Call): Answer<FilesCompleteUploadExternalResponse, 'files'> {
  const { lab, args } = call;
  const wanted = structured(args, 'files', 'invalid_arguments');
  if (!Array.isArray(wanted) || wanted.length === 0) {
    throw new ApiError('invalid_arguments');
  }
  const target = optionalString(args, 'channel_id') === undefined ? undefined : joinedChannelOf(call, 'channel_id');
  const threadTs = optionalString(args, 'thread_ts');
  const files = wanted.map((one: unknown) => completeOne(call, one));
  if (target !== undefined) {
    const { text, blocks } = contentOf({ lab, args: { ...args, text: args.initial_comment } });
    const draft = { user: lab.directory.app.botUserId, text: text ?? '', blocks, threadTs, files };
    const message = lab.workspace.post(target, draft);
    for (const file of files) {
      lab.files.share(file, target, message.ts, threadTs);
    }
  }
  return { files };
}

function completeOne({ lab }: Call, wanted: unknown): FileObject {
  const file = isObject(wanted) ? lab.files.complete(String(wanted.id), titleOf(wanted.title)) : undefined;
  if (file === undefined) {
    throw new ApiError('file_not_found');
  }
  return file;
}

function titleOf(title: unknown): string | undefined {
  return typeof title === 'string' && title !== '' ? title : undefined;
}

function fileInfo({ lab, args }: Call): Answer<FilesInfoResponse, 'file'> {
  const file = lab.files.find(requiredString(args, 'file'));
  if (file === undefined) {
    throw new ApiError('file_not_found');
  }
  return { file, comments: [], response_metadata: { next_cursor: '' } };
}
