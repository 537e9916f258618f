import { errors, type OpsError } from '../../errors.ts';
import type { Redactor } from '../redact.ts';
import type { HttpReply, Method } from './http.ts';

/** One entry of `@Message.ExtendedInfo` or of a task's `Messages`. */
export interface RedfishMessage {
  readonly messageId: string;
  readonly message: string;
  readonly severity: 'OK' | 'Warning' | 'Critical';
  readonly resolution: string;
}

const severities = ['OK', 'Warning', 'Critical'] as const;

/** Parsed body, or undefined when it is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A property of something that may be no object at all. */
export function prop(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/**
 * All messages of a reply: in `error`, at the top level, and of single properties (`Password@Message.ExtendedInfo`).
 * Firmware that sends a bare `error.code` gives one message from that.
 */
export function extendedInfo(body: unknown): readonly RedfishMessage[] {
  if (typeof body !== 'object' || body === null) return [];
  const error = prop(body, 'error');
  const lists = [prop(error, '@Message.ExtendedInfo')];
  for (const [name, value] of Object.entries(body)) if (name.endsWith('@Message.ExtendedInfo')) lists.push(value);
  const messages = lists.flatMap(messageList);
  const bare = { MessageId: prop(error, 'code'), Message: prop(error, 'message'), Severity: 'Critical' };
  return messages.length > 0 || error === undefined ? messages : messageList([bare]);
}

/** Reads a list of Message objects; what is not one is left out. Without a severity it counts as Warning. */
export function messageList(list: unknown): readonly RedfishMessage[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const messageId = text(prop(entry, 'MessageId'));
    const message = text(prop(entry, 'Message'));
    if (messageId === '' && message === '') return [];
    const given = text(prop(entry, 'MessageSeverity')) || text(prop(entry, 'Severity'));
    const severity = severities.find((one) => one === given) ?? 'Warning';
    return [{ messageId, message, severity, resolution: text(prop(entry, 'Resolution')) }];
  });
}

/** The first of the most severe messages. */
export function mostSevere(messages: readonly RedfishMessage[]): RedfishMessage | undefined {
  return messages.reduce<RedfishMessage | undefined>(
    (worst, one) =>
      worst === undefined || severities.indexOf(one.severity) > severities.indexOf(worst.severity) ? one : worst,
    undefined,
  );
}

/** Registry versions differ between firmwares (`Base.1.8.1.X`, `Base.1.18.1.X`): only the last part counts. */
export function hasMessage(messages: readonly RedfishMessage[], key: string): boolean {
  return messages.some(({ messageId }) => messageId.split('.').at(-1) === key);
}

/** Errors of a read after which it may be tried again. */
export const retriedReads: ReadonlySet<string> = new Set(['bmc-unreachable', 'bmc-reply-lost']);

/** Statuses with which a BMC says "not now" (it starts, or is overloaded). */
export function isBusy(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

/** The error for a reply with a status that was not wanted: `redfish-busy` or `redfish-error`. Text is redacted. */
export function replyError(
  target: string,
  method: Method,
  path: string,
  reply: HttpReply,
  redactor: Redactor,
): OpsError {
  const request = `${method} ${path}`;
  const { status } = reply;
  const messages = extendedInfo(jsonOf(reply.text));
  if (isBusy(status) || hasMessage(messages, 'ServiceTemporarilyUnavailable'))
    return errors.redfishBusy({ target, request, status });
  const worst = mostSevere(messages);
  // A server error in the middle of a write says nothing about how far the write got.
  const state = method !== 'GET' && status >= 500 ? 'unknown' : 'unchanged';
  const shown = worst === undefined ? bareText(reply) : [worst.message, worst.resolution].filter(Boolean).join(' ');
  return errors.redfishError({
    target,
    request,
    status,
    state,
    message: redactor.redact(shown).slice(0, 600),
    ...(worst !== undefined && worst.messageId !== '' && { messageId: redactor.redact(worst.messageId).slice(0, 120) }),
  });
}

function bareText(reply: HttpReply): string {
  if (reply.status >= 300 && reply.status < 400) return 'It wants to send us elsewhere; redirects are not followed.';
  const line = reply.text.replace(/\s+/g, ' ').trim();
  return line === '' ? 'It gave no reason.' : line;
}

/** `Retry-After` in milliseconds (seconds or an HTTP date), at most `capMs`; undefined when absent or unreadable. */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
  capMs: number,
): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(capMs, Math.max(0, ms));
}
