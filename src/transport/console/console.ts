import { setTimeout as sleepMs } from 'node:timers/promises';
import type { ConsoleDialogue } from '../../domain/arm-ports.ts';
import type { CallOptions, CardRef, HostAccess, HostSession } from '../../domain/device-ports.ts';
import { errors } from '../../errors.ts';
import { withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import type { ProcessAccess } from '../ssh/host-access.ts';
import type { RemoteProcess } from '../ssh/process.ts';
import { createDialogue, type Pace } from './dialogue.ts';

export interface ConsoleDeps {
  readonly hosts: HostAccess & ProcessAccess;
  readonly redactor: Redactor;
  readonly pace?: Pace | undefined;
}

/** Opens serial consoles, each for one reader at a time. */
export interface Consoles {
  open(card: CardRef, device: string, options: CallOptions): Promise<ConsoleDialogue>;
  close(): Promise<void>;
}

const devicePath = /^\/dev\/rshim\d{1,3}\/console$/;
/** socat ends half a second after its input; more means that the host hangs. */
const endMs = 5_000;

/**
 * Serial consoles over rshim: socat on the host with the device in raw mode. rshim lets several programs open a console and
 * gives each a part of the text, so whoever has it open already is looked for before and after.
 * Source: rshim-user-space (src/rshim_fuse.c), socat(1), fuser(1).
 */
export function createConsoles(deps: ConsoleDeps): Consoles {
  const open = new Map<string, ConsoleDialogue | undefined>();

  async function start(card: CardRef, device: string, options: CallOptions, id: string): Promise<ConsoleDialogue> {
    const host = await deps.hosts.open(card.slice);
    await expectReaders(card, host, device, options, 0);
    const argv = ['sudo', '-n', 'socat', '-', `${device},raw,echo=0`];
    const carrier = await deps.hosts.openProcess(card.slice, argv, options);
    try {
      await expectReaders(card, host, device, options, 1);
    } catch (error) {
      await endOf(carrier);
      throw error;
    }
    const target = card.dpu.name;
    const dialogue = createDialogue({
      stream: carrier.stream,
      redactor: deps.redactor,
      signal: options.signal,
      ...(deps.pace && { pace: deps.pace }),
      onSilent: (said, timeoutMs) => errors.consoleSilent({ target, device, timeoutMs, said }),
      onEnd: () => goneError(card, device, carrier),
      close: async () => {
        open.delete(id);
        await endOf(carrier);
      },
    });
    void carrier.ended.then(() => open.delete(id));
    return dialogue;
  }

  return {
    async open(card, device, options) {
      if (!devicePath.test(device)) throw errors.bug({ detail: `no console of an rshim: ${device}` });
      const id = `${card.slice.name} ${device}`;
      if (open.has(id)) throw busy(card, device, 'dpubot itself');
      open.set(id, undefined);
      try {
        const host = card.slice.name;
        const onTimeout = (): Error => errors.sshTimeout({ host, command: device, timeoutMs: options.timeoutMs });
        const dialogue = await withCall(options, onTimeout, async (call) =>
          start(card, device, { ...options, timeoutMs: call.remainingMs() }, id),
        );
        open.set(id, dialogue);
        return dialogue;
      } catch (error) {
        open.delete(id);
        throw error;
      }
    },
    async close() {
      await Promise.all([...open.values()].map(async (dialogue) => dialogue?.close()));
    },
  };
}

/** Ends socat: it closes the device when its input has ended. Waits for it, so that the next one finds the console free. */
async function endOf(carrier: RemoteProcess): Promise<void> {
  // Unread text would keep the channel open.
  carrier.stream.resume();
  carrier.stream.end();
  await Promise.race([carrier.ended, sleepMs(endMs, undefined, { ref: false })]);
  carrier.stop();
}

/** Throws `console-busy` when more than `own` processes have the device open. */
export async function expectReaders(
  card: CardRef,
  host: HostSession,
  device: string,
  options: CallOptions,
  own: number,
): Promise<void> {
  const { exitCode, stdout, stderr } = await host.run(['sudo', '-n', 'fuser', device], options);
  const pids = stdout.trim() === '' ? [] : stdout.trim().split(/\s+/);
  // It ends with 1 and says nothing when nobody has it open.
  const complaint = stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith(`${device}:`))
    .join('; ');
  if (exitCode !== 0 && (exitCode !== 1 || complaint !== '')) throw cannotLook(host.name, device, exitCode, complaint);
  if (pids.length > own)
    throw busy(card, device, pids.length === 1 ? `Process ${pids[0]}` : `Processes ${pids.join(', ')}`);
}

function cannotLook(host: string, device: string, exitCode: number, output: string): Error {
  if (/fuser: (?:command )?not found/.test(output))
    return errors.hostToolMissing({
      host,
      tool: 'fuser',
      need: 'to see who reads a console',
      package: 'psmisc',
      afterwards: 'give the command again',
    });
  return errors.commandFailed({ host, command: `fuser ${device}`, exitCode, output });
}

function busy(card: CardRef, device: string, by: string): Error {
  return errors.consoleBusy({ target: card.dpu.name, host: card.slice.name, device, by });
}

/** Without a word of socat it was the connection. */
function goneError(card: CardRef, device: string, carrier: RemoteProcess): Error {
  const host = card.slice.name;
  const output = carrier.stderr().trim();
  if (/Device or resource busy/.test(output)) return busy(card, device, 'Another program');
  if (output === '') return errors.sshLost({ host, command: `socat - ${device}` });
  return errors.commandFailed({ host, command: `socat - ${device}`, exitCode: 1, output, state: 'unknown' });
}
