import { describe, expect, it } from 'vitest';
import { parseTailscale } from '../../../src/facts/tailscale.ts';
import { fixture } from '../../support/fixture.ts';

const ended = (exitCode: number, stdout: string, stderr = ''): Parameters<typeof parseTailscale>[1] => ({
  exitCode,
  stdout,
  stderr,
});

describe('tailscale', () => {
  it('reads addresses and name of a machine that is in', () => {
    expect(parseTailscale('as7', ended(0, fixture('tailscale/running.txt')))).toEqual({
      state: 'Running',
      addresses: ['100.64.0.7', 'fd7a:115c:a1e0::7'],
      hostname: 'as7',
    });
  });

  it('reads a machine that is logged out, whatever the exit code', () => {
    const text = fixture('tailscale/needs-login.txt');

    expect(parseTailscale('as7', ended(0, text))).toMatchObject({ state: 'NeedsLogin', addresses: [] });
    expect(parseTailscale('as7', ended(1, text))).toMatchObject({ state: 'NeedsLogin' });
  });

  it('tells a missing program from a daemon that does not run', () => {
    const down =
      "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)";

    expect(parseTailscale('as7', ended(127, '')).state).toBe('missing');
    expect(parseTailscale('as7', ended(1, '', down)).state).toBe('daemon-down');
  });

  it.each([
    ['a state nobody knows', ended(0, '{"BackendState":"Dreaming"}')],
    ['a document cut in its middle', ended(0, '{"BackendState":"Run')],
    ['another document', ended(0, '{}')],
  ])('refuses %s', (_what, answer) => {
    expect(() => parseTailscale('as7', answer)).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
  });

  it('passes on any other failure', () => {
    expect(() => parseTailscale('as7', ended(1, '', 'permission denied'))).toThrow(
      expect.objectContaining({ code: 'command-failed' }),
    );
  });
});
