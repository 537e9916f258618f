import type { ConsoleDialogue } from '../../../src/domain/arm-ports.ts';
import type { CardRef } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { errors } from '../../../src/errors.ts';
import { createTextCleaner } from '../../../src/transport/console/clean.ts';
import { createMatcher } from '../../../src/transport/console/match.ts';
import { createScreen } from '../../../src/transport/console/screen.ts';
import { quoteArgv } from '../../../src/transport/ssh/quote.ts';
import type { World } from '../engine-world.ts';

const lookMs = 200;

/** The serial console of a card of a rack model: socat on its host, read as the transport reads it, by the fake clock. */
export function createRackConsole({ rack, clock }: World, { slice, dpu }: CardRef, device: string): ConsoleDialogue {
  const cleaner = createTextCleaner();
  const matcher = createMatcher();
  const screen = createScreen();
  const take = (text: string): void => {
    const bytes = Buffer.from(text, 'latin1');
    matcher.push(cleaner.push(bytes));
    screen.push(bytes);
  };
  const host = rack.host(slice.name);
  const argv = ['sudo', '-n', 'socat', '-', `${device},raw,echo=0`];
  const program = host.start(host.user, quoteArgv(argv), { stdout: take, stderr: take });
  if (program === null) throw errors.sshLost({ host: slice.name, command: 'socat' });
  const goneError = (): Error => errors.sshLost({ host: slice.name, command: 'socat' });
  return {
    send: async (line) => {
      const text = line instanceof Secret ? line.reveal() : line;
      program.write(Buffer.from(`${text}\r`).toString('latin1'));
      await Promise.resolve();
      rack.tick();
    },
    expect: async (patterns, timeoutMs) => {
      const endMs = clock.nowMs() + timeoutMs;
      for (;;) {
        const found = matcher.find(patterns);
        if (found !== undefined) return found;
        if (program.ended() !== null) throw goneError();
        if (clock.nowMs() >= endMs) {
          const said = matcher.pending().trim().slice(-300);
          throw errors.consoleSilent({ target: dpu.name, device, timeoutMs, said });
        }
        clock.advance(lookMs);
        rack.tick();
        await Promise.resolve();
      }
    },
    screen: async () => {
      rack.tick();
      const lines = await screen.lines();
      const ended = program.ended() === null ? {} : { ended: goneError() };
      return { lines, receivedBytes: screen.receivedBytes(), ...ended };
    },
    close: async () => {
      program.hangUp();
      screen.dispose();
      await Promise.resolve();
    },
  };
}
