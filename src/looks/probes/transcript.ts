import { stripVTControlCharacters } from 'node:util';
import type { BmcSession, HostReader } from '../../domain/device-ports.ts';
import type { ObserveContext } from '../../domain/step.ts';
import { withoutKeys } from '../../facts/ipsec-sas.ts';

/** Everything that was read through a context, as text: what was asked, and what came. */
export interface Transcript {
  readonly context: ObserveContext;
  text(): string;
}

const outputMax = 64 * 1024;
const wholeMax = 512 * 1024;

/** The same context, with all its readers overheard. Transport has taken known secrets out of what they return. */
export function overheard(context: ObserveContext): Transcript {
  const parts: string[] = [];
  const note = (asked: string, answer: string): void => {
    parts.push(`${asked}\n${cut(plain(answer))}`);
  };
  return {
    context: {
      ...context,
      host: { name: context.host.name, read: overheardRead(context.host, note) },
      bmc: {
        fingerprint: async (card, options) => context.bmc.fingerprint(card, options),
        login: async (card, options) => {
          const login = await context.bmc.login(card, options);
          return login.state === 'in' ? { ...login, session: overheardBmc(login.session, note) } : login;
        },
      },
      arm: {
        publicKey: async (card) => context.arm.publicKey(card),
        login: async (card, options) => {
          const login = await context.arm.login(card, options);
          if (login.state !== 'in') return login;
          return { ...login, session: { ...login.session, read: overheardRead(login.session, note) } };
        },
      },
    },
    text: () => parts.join('\n').slice(0, wholeMax),
  };
}

type Note = (asked: string, answer: string) => void;

function overheardRead(host: HostReader, note: Note): HostReader['read'] {
  return async (command, options) => {
    const result = await host.read(command, options);
    const ending = result.exitCode === 0 ? '' : `[exit code ${result.exitCode}]\n`;
    const missing = result.truncated ? '[the middle is left out]\n' : '';
    note(`${host.name} $ ${wordsOf(command.argv)}`, `${result.stdout}${result.stderr}${missing}${ending}`);
    return result;
  };
}

function overheardBmc(bmc: BmcSession, note: Note): BmcSession {
  return {
    ...bmc,
    get: async (resource, options) => {
      const body = await bmc.get(resource, options);
      note(`${bmc.target} BMC GET ${resource.path}`, JSON.stringify(body, undefined, 1) ?? '');
      return body;
    },
  };
}

/** Scripts are long and constant: their name says more. */
function wordsOf(argv: readonly string[]): string {
  return argv.map((word) => (/[\s;|]/.test(word) ? "'...'" : word)).join(' ');
}

function plain(text: string): string {
  const shown = stripVTControlCharacters(withoutKeys(text)).replaceAll('\r\n', '\n');
  return shown.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === '\n' || character === '\t' ? character : ''));
}

function cut(text: string): string {
  if (text.length <= outputMax) return text;
  return `${text.slice(0, outputMax / 2)}\n[...]\n${text.slice(-outputMax / 2)}`;
}
