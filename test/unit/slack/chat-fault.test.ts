import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import { commandOfButton } from '../../../src/slack/app.ts';
import { chatFaultOf } from '../../../src/slack/chat-client.ts';

function fetchFailure(code: string): WebAPIRequestError {
  return new WebAPIRequestError(new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) }));
}

describe('what an error says about a request', () => {
  test.each([
    ['a 429', new WebAPIRateLimitedError(7), { kind: 'rate-limited', retryAfterMs: 7000 }],
    [
      'a refusal',
      new WebAPIPlatformError({ ok: false, error: 'is_archived' }),
      { kind: 'refused', error: 'is_archived' },
    ],
    [
      'an error after which some of it may have happened',
      new WebAPIPlatformError({ ok: false, error: 'internal_error' }),
      { kind: 'unknown', reason: 'internal_error' },
    ],
    ['a 503', new WebAPIHTTPError(503, 'Service Unavailable', {}), { kind: 'unknown', reason: 'HTTP 503' }],
    ['a refused connection', fetchFailure('ECONNREFUSED'), { kind: 'unsent', reason: 'ECONNREFUSED' }],
    ['a cut connection', fetchFailure('ECONNRESET'), { kind: 'unknown', reason: 'ECONNRESET' }],
    [
      'a timeout',
      new WebAPIRequestError(new DOMException('timed out', 'TimeoutError')),
      { kind: 'unknown', reason: 'TimeoutError: timed out' },
    ],
    ['anything else', new Error('odd'), { kind: 'unknown', reason: 'Error: odd' }],
  ])('%s is judged so that nothing is posted twice', (_, error, fault) => {
    expect(chatFaultOf(error)).toEqual(fault);
  });
});

describe('buttons as commands', () => {
  test.each([
    ['approve', 'approve 418 --generation 3'],
    ['reject', 'reject 418 --generation 3'],
    ['cancel', 'cancel 418 --generation 3'],
    ['resume', 'resume 418 --generation 3'],
    ['details', 'run 418'],
  ] as const)('%s is the line %s', (action, line) => {
    expect(commandOfButton({ action, runId: 418, generation: 3 })).toBe(line);
  });
});
