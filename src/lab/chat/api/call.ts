import type { WebAPICallResult } from '@slack/web-api';
import { asText } from '../blocks/report.ts';
import type { Lab } from '../lab.ts';
import type { LabChannel, Message } from '../types.ts';

/** The known fields of an SDK response type, without its index signature; `Loose` fields are ours to fill. */
type Fields<Response, Loose extends PropertyKey> = {
  [Key in keyof Response as string extends Key ? never : Key]?: Key extends Loose ? unknown : Response[Key];
};

/** What a method answers, held against the response type of @slack/web-api so that a misspelt field does not compile. */
export type Answer<Response extends WebAPICallResult = WebAPICallResult, Loose extends PropertyKey = never> = Fields<
  Response,
  Loose
>;

export interface Call {
  lab: Lab;
  args: Record<string, unknown>;
}

/** One Web API method. It answers without `ok`; errors are thrown as ApiError. */
export type Method = (call: Call) => object;

/** An error answer: `{ok: false, error, ...}` with HTTP 200, as Slack does it. */
export class ApiError extends Error {
  readonly code: string;
  readonly extra: Record<string, unknown>;

  constructor(code: string, extra: Record<string, unknown> = {}) {
    super(code);
    this.code = code;
    this.extra = extra;
  }
}

/** `invalid_arguments` and friends carry their reasons like this. */
export function reasons(messages: string[]): Record<string, unknown> {
  return { errors: messages, response_metadata: { messages: messages.map((text) => `[ERROR] ${text}`) } };
}

export function optionalString(args: Call['args'], name: string): string | undefined {
  const value = asText(args[name]);
  return value === '' ? undefined : value;
}

export function requiredString(args: Call['args'], name: string): string {
  const value = optionalString(args, name);
  if (value === undefined) {
    throw new ApiError('invalid_arguments', reasons([`missing required field: ${name} [json-pointer:/${name}]`]));
  }
  return value;
}

export function flag(args: Call['args'], name: string): boolean {
  const value = args[name];
  return value === true || value === 'true' || value === '1' || value === 1;
}

export function limitOf(args: Call['args'], standard: number, max: number): number {
  const value = Number(args.limit ?? standard);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new ApiError('invalid_limit');
  }
  return value;
}

/** A structured argument: an object in a JSON body, a JSON string in a form. */
export function structured(args: Call['args'], name: string, errorCode: string): unknown {
  const value = args[name];
  if (typeof value !== 'string') {
    return value ?? undefined;
  }
  try {
    return value === '' ? undefined : JSON.parse(value);
  } catch {
    throw new ApiError(errorCode);
  }
}

/** The conversation a call names; a user id stands for the bot's direct message with that user. */
export function channelOf({ lab, args }: Call, name = 'channel'): LabChannel {
  const key = requiredString(args, name);
  const user = lab.directory.users.find((one) => one.id === key && !one.isBot);
  const channel = user === undefined ? lab.directory.findChannel(key) : lab.directory.directMessage(user.id);
  if (channel === undefined) {
    throw new ApiError('channel_not_found');
  }
  return channel;
}

/** The conversation a call names, provided the bot is in it. */
export function joinedChannelOf(call: Call, name = 'channel'): LabChannel {
  const channel = channelOf(call, name);
  if (!call.lab.directory.botIsMember(channel)) {
    throw new ApiError('not_in_channel');
  }
  return channel;
}

export function messageOf({ lab, args }: Call, channel: LabChannel, name: string): Message {
  const message = lab.workspace.find(channel.id, requiredString(args, name));
  if (message === undefined || message.subtype === 'tombstone') {
    throw new ApiError('message_not_found');
  }
  return message;
}

/** One page of a list, with Slack's opaque cursor. */
export function page<Item>(args: Call['args'], items: Item[], limit: number): { items: Item[]; nextCursor: string } {
  const cursor = optionalString(args, 'cursor');
  const start = cursor === undefined ? 0 : Number(/^from:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString())?.[1]);
  if (Number.isNaN(start)) {
    throw new ApiError('invalid_cursor');
  }
  const end = start + limit;
  const nextCursor = end < items.length ? Buffer.from(`from:${end}`).toString('base64') : '';
  return { items: items.slice(start, end), nextCursor };
}
