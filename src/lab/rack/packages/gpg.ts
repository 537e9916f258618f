/** `gpg`: showing, importing and exporting public keys. Source: GnuPG 2.2 options, messages and doc/DETAILS. */
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program } from '../shell/types.ts';
import { at, attempt } from '../tools/file-tools.ts';
import { parseOptions } from '../tools/options.ts';
import { inputs } from '../tools/text-tools.ts';
import { keysIn } from './internet.ts';
import type { SigningKey } from './internet.ts';

function colons(key: SigningKey): string {
  return `pub:-:4096:1:${key.fingerprint.slice(-16)}:1400000000:::-:::scSC::::::23::0:\nfpr:::::::::${key.fingerprint}:\nuid:-::::1400000000::${key.fingerprint}::${key.user}::::::::::0:\n`;
}

/** The key as a binary packet: what `--dearmor` and `--export` write. */
function packet(armored: string): string {
  return `\u0099\u0002\r${armored.replace(/-----[^-]+-----\n?/g, '')}`;
}

function ringPath(frame: Frame, values: Record<string, string>): string {
  const home = values['homedir'] ?? (frame.root ? '/root/.gnupg' : `/home/${frame.user}/.gnupg`);
  return at(frame, `${home}/pubring.kbx`);
}

function ringText(frame: Frame, path: string): string {
  return frame.machine.files.find(path) === null ? '' : frame.machine.files.read(path, frame);
}

function write(frame: Frame, path: string, text: string): number {
  return attempt(frame, `gpg: can't create '${path}'`, () => frame.machine.files.write(path, text, frame)) ? 0 : 2;
}

function importKeys(frame: Frame, values: Record<string, string>, keys: SigningKey[], quiet: boolean): number {
  const path = ringPath(frame, values);
  const status = write(frame, path, ringText(frame, path) + keys.map((key) => packet(key.armored)).join(''));
  if (status === 0 && !quiet) {
    for (const key of keys)
      complain(frame, `gpg: key ${key.fingerprint.slice(-16)}: public key "${key.user}" imported\n`);
    complain(frame, `gpg: Total number processed: ${keys.length}\ngpg:               imported: ${keys.length}\n`);
  }
  return status;
}

function exportKeys(frame: Frame, values: Record<string, string>, names: string[]): number {
  const all = keysIn(ringText(frame, ringPath(frame, values)));
  const chosen = all.filter((key) => names.length === 0 || names.some((name) => key.fingerprint.endsWith(name)));
  if (chosen.length === 0) complain(frame, 'gpg: WARNING: nothing exported\n');
  const text = chosen.map((key) => packet(key.armored)).join('');
  const target = values['o'];
  if (target !== undefined && target !== '-') return write(frame, at(frame, target), text);
  out(frame, text);
  return 0;
}

/** The program. */
export const gpg: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'gpg', args, {
    flags:
      'dearmor show-keys with-colons batch no-tty yes quiet q=quiet import export no-default-keyring with-fingerprint dry-run no-options no-autostart armor a=armor',
    values: 'o output=o homedir keyring import-options fingerprint-digest',
  });
  if (options === null) return 2;
  const { flags, values, rest } = options;
  if (flags.has('export')) return exportKeys(frame, values, rest);
  const [input] = yield* inputs(frame, "gpg: can't open", rest);
  if (input?.text === null) return 2;
  const text = input?.text ?? '';
  const keys = keysIn(text);
  if (keys.length === 0) {
    complain(frame, 'gpg: no valid OpenPGP data found.\n');
    return 2;
  }
  if (flags.has('import')) return importKeys(frame, values, keys, flags.has('quiet'));
  if (flags.has('dearmor')) {
    const target = values['o'];
    if (target !== undefined && target !== '-') return write(frame, at(frame, target), packet(text));
    out(frame, packet(text));
    return 0;
  }
  for (const key of keys) {
    if (flags.has('with-colons')) out(frame, colons(key));
    else out(frame, `pub   rsa4096 2014-05-13 [SC]\n      ${key.fingerprint}\nuid           ${key.user}\n\n`);
  }
  return 0;
};
