import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../../src/transport/redact.ts';
import {
  extendedInfo,
  hasMessage,
  jsonOf,
  messageList,
  mostSevere,
  replyError,
  retryAfterMs,
} from '../../../src/transport/redfish/errors.ts';

const message = (id: string, severity: string) => ({
  MessageId: id,
  Message: `text of ${id}`,
  MessageSeverity: severity,
});

describe('extended info', () => {
  it('reads the messages of an error', () => {
    const body = { error: { code: 'x', '@Message.ExtendedInfo': [message('Base.1.18.1.PropertyUnknown', 'Warning')] } };
    expect(extendedInfo(body)).toEqual([
      {
        messageId: 'Base.1.18.1.PropertyUnknown',
        message: 'text of Base.1.18.1.PropertyUnknown',
        severity: 'Warning',
        resolution: '',
      },
    ]);
  });

  it('reads messages at the top level and of single properties', () => {
    const body = {
      '@Message.ExtendedInfo': [message('Base.1.8.1.PasswordChangeRequired', 'Critical')],
      'Password@Message.ExtendedInfo': [message('Base.1.8.1.PropertyValueFormatError', 'Warning')],
    };
    expect(extendedInfo(body).map(({ messageId }) => messageId.split('.').at(-1))).toEqual([
      'PasswordChangeRequired',
      'PropertyValueFormatError',
    ]);
  });

  it('makes one message of a bare error code', () => {
    const body = { error: { code: 'Base.1.15.0.PasswordChangeRequired', message: 'change it' } };
    expect(hasMessage(extendedInfo(body), 'PasswordChangeRequired')).toBe(true);
  });

  it('matches ids by their last part in every registry version, and not by a piece of it', () => {
    const messages = messageList([message('Base.1.18.1.PasswordChangeRequired', 'Critical')]);
    expect(hasMessage(messages, 'PasswordChangeRequired')).toBe(true);
    expect(hasMessage(messages, 'ChangeRequired')).toBe(false);
  });

  it('picks the first of the most severe', () => {
    const messages = messageList([message('A.1.a', 'OK'), message('A.1.b', 'Critical'), message('A.1.c', 'Critical')]);
    expect(mostSevere(messages)?.messageId).toBe('A.1.b');
    expect(mostSevere([])).toBeUndefined();
  });

  it('never throws, whatever JSON the BMC sends', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, inner) => {
        expect(Array.isArray(extendedInfo(body))).toBe(true);
        expect(Array.isArray(extendedInfo({ error: inner, '@Message.ExtendedInfo': body }))).toBe(true);
        expect(Array.isArray(extendedInfo({ error: { '@Message.ExtendedInfo': inner } }))).toBe(true);
      }),
    );
  });
});

describe('errors made of replies', () => {
  const make = (status: number, text: string, method: 'GET' | 'PATCH' = 'GET') =>
    replyError('dpu-07', method, '/redfish/v1/x', { status, text, headers: {} }, createRedactor()).failure;

  it.each([429, 502, 503, 504])('calls %i busy', (status) => {
    expect(make(status, '')).toMatchObject({ code: 'redfish-busy', kind: 'transient' });
  });

  it('calls ServiceTemporarilyUnavailable busy with whatever status it comes', () => {
    const text = JSON.stringify({ error: { code: 'Base.1.18.1.ServiceTemporarilyUnavailable', message: 'later' } });
    expect(make(400, text).code).toBe('redfish-busy');
  });

  it('shows id, text and resolution of the worst message', () => {
    const info = [
      message('Base.1.1.Success', 'OK'),
      { ...message('Base.1.1.Bad', 'Critical'), Resolution: 'Do it right.' },
    ];
    const failure = make(400, JSON.stringify({ error: { '@Message.ExtendedInfo': info } }));
    expect(failure).toMatchObject({ code: 'redfish-error', why: 'Base.1.1.Bad: text of Base.1.1.Bad Do it right.' });
  });

  it('shows a bare text, and says so when there is none', () => {
    expect(make(401, 'Invalid username\nor password').why).toBe('Invalid username or password');
    expect(make(403, '').why).toBe('It gave no reason.');
  });

  it('calls a write that ended in a server error unknown, a refused one unchanged', () => {
    expect(
      [make(500, '', 'PATCH'), make(400, '', 'PATCH'), make(500, '', 'GET')].map((one) => one.deviceState),
    ).toEqual(['unknown', 'unchanged', 'unchanged']);
  });

  it('cuts long replies and takes secrets out of them', () => {
    const failure = make(400, `{"Password":"abc"} ${'x'.repeat(5_000)}`);
    expect(failure.why.length).toBeLessThan(700);
    expect(failure.why).toContain('"Password":"[redacted]"');
  });

  it('names a redirect as what it is', () => {
    expect(make(301, '').why).toContain('redirects are not followed');
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-11-22T10:00:00Z');
  it.each([
    ['5', 5_000],
    ['3600', 10_000],
    ['Sun, 22 Nov 2026 10:00:04 GMT', 4_000],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('reads %j', (value, expected) => {
    expect(retryAfterMs({ 'retry-after': value }, nowMs, 10_000)).toBe(expected);
  });

  it('is absent when the header is', () => {
    expect(retryAfterMs({}, nowMs, 10_000)).toBeUndefined();
  });
});

describe('JSON of a reply', () => {
  it('is undefined when it cannot be read', () => {
    expect([jsonOf(''), jsonOf('{"a":'), jsonOf('{"a":1}')]).toEqual([undefined, undefined, { a: 1 }]);
  });
});
