import { Duplex, PassThrough } from 'node:stream';
import type { Client } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../../src/transport/semaphore.ts';
import { execute } from '../../../src/transport/ssh/exec.ts';

/** A connection whose channel gets confirmation, output, exit status and end in one packet, as ssh2 gives them then. */
function quickConnection(): Parameters<typeof execute>[0] {
  const exec: Client['exec'] = function (this: Client, ...args: readonly unknown[]) {
    const channel = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    Object.assign(channel, { stderr: new PassThrough(), signal: () => undefined, close: () => undefined });
    const callback = args.at(-1) as (error: undefined, channel: Duplex) => void;
    callback(undefined, channel);
    channel.push('ok\n');
    channel.emit('exit', 3);
    channel.push(null);
    return this;
  };
  return {
    client: { exec } as Client,
    sessions: createSemaphore(1),
    forwards: createSemaphore(1),
    alive: () => true,
    onClose: () => () => undefined,
    retire: () => undefined,
  };
}

describe('a command that ends at once', () => {
  it('keeps its exit status when that arrives in the packet that opens the channel', async () => {
    const request = { host: 'as7', line: 'true', label: 'true', maxBytes: 100, channelOpenTimeoutMs: 1_000 };
    const call = { signal: new AbortController().signal, remainingMs: () => 1_000 };

    const result = await execute(quickConnection(), request, call);

    expect(result).toMatchObject({ exitCode: 3, truncated: false });
    expect(result.stdout.toString()).toBe('ok\n');
  });
});
