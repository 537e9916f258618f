import { createHmac } from 'node:crypto';
import type { Delivery, DeliveryError, Envelope } from './deliverer.ts';
import type { Ids } from './ids.ts';
import type { Stats } from './stats.ts';
import type { Clock } from './types.ts';

export interface RequestUrlOptions {
  ids: Ids;
  stats: Stats;
  clock: Clock;
  ackTimeoutMs: number;
  signingSecret: string;
  verificationToken: string;
}

interface Sent {
  contentType: 'application/json' | 'application/x-www-form-urlencoded';
  body: string;
}

/**
 * Slack's end of an app's request URL: slash commands and interactions as forms, events as JSON, each signed
 * (docs.slack.dev/authentication/verifying-requests-from-slack). One URL takes all three, as Bolt's receivers do.
 */
export class RequestUrl {
  readonly #options: RequestUrlOptions;
  /** Undefined = the app is in Socket Mode. */
  address: string | undefined;

  constructor(options: RequestUrlOptions, address: string | undefined) {
    this.#options = options;
    this.address = address;
  }

  /** The handshake of docs.slack.dev/reference/events/url_verification; throws when the app does not give back the challenge. */
  async verify(address: string): Promise<void> {
    const challenge = this.#options.ids.secret(20);
    const token = this.#options.verificationToken;
    const body = JSON.stringify({ token, challenge, type: 'url_verification' });
    const response = await this.#post(address, { contentType: 'application/json', body }, {});
    if (!response.ok || challengeIn(await response.text()) !== challenge) {
      throw new Error(`${address} did not give back the challenge (HTTP ${response.status}).`);
    }
  }

  /** Posts a payload and reads the acknowledgement out of the answer: HTTP 200 in time, with or without content. */
  async send(envelope: Envelope): Promise<Delivery> {
    const { clock, stats } = this.#options;
    const startedAtMs = clock.nowMs();
    try {
      const response = await this.#post(this.address ?? '', sentForm(envelope), retryHeaders(envelope));
      const text = await response.text();
      if (!response.ok) {
        const error = response.status < 500 ? 'http_client_error' : 'http_service_error';
        return this.#failed(error, response.headers.get('x-slack-no-retry') === '1');
      }
      const latencyMs = clock.nowMs() - startedAtMs;
      stats.acked(latencyMs);
      return { status: 'acked', latencyMs, response: contentOf(text) };
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      return this.#failed(isLate ? 'operation_timeout' : 'dispatch_failed', false);
    }
  }

  #post(address: string, { contentType, body }: Sent, more: Record<string, string>): Promise<Response> {
    const timestamp = String(Math.floor(this.#options.clock.nowMs() / 1000));
    const signature = createHmac('sha256', this.#options.signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
    return fetch(address, {
      method: 'POST',
      headers: {
        'content-type': contentType,
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
        ...more,
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(this.#options.ackTimeoutMs),
    });
  }

  #failed(error: DeliveryError, noRetry: boolean): Delivery {
    this.#options.stats.ackMissed(error);
    return { status: 'failed', error, ...(noRetry && { noRetry }) };
  }
}

function sentForm({ type, payload }: Envelope): Sent {
  if (type === 'events_api') {
    return { contentType: 'application/json', body: JSON.stringify(payload) };
  }
  const fields = type === 'interactive' ? { payload: JSON.stringify(payload) } : payload;
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return { contentType: 'application/x-www-form-urlencoded', body: form.toString() };
}

function retryHeaders({ retry }: Envelope): Record<string, string> {
  return retry === undefined
    ? {}
    : { 'x-slack-retry-num': String(retry.attempt), 'x-slack-retry-reason': retry.reason };
}

/** Content of an acknowledgement: JSON, or plain text, which stands for a message with that text. */
function contentOf(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') {
    return undefined;
  }
  const value = parsed(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : { text };
}

function challengeIn(text: string): unknown {
  const value = parsed(text);
  return typeof value === 'object' && value !== null && 'challenge' in value ? value.challenge : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
