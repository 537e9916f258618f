/**
 * `swanctl --load-*`: files are read anew, and what is not in them any more is unloaded.
 *
 * Source: strongSwan 5.9.8 on a real system: exit codes, which text goes where, and that a file with a mistake counts as an
 * empty one, with exit code 0.
 */
import { FileError } from '../files/nodes.ts';
import { parentOf } from '../files/paths.ts';
import type { CardState } from '../state.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame } from '../shell/types.ts';
import { loadConnections, loadSecrets } from './service.ts';
import { emptySection, readSettings, SettingsError } from './settings.ts';
import type { Section } from './settings.ts';
import type { SwanctlCall } from './swanctl-options.ts';

const mainFile = '/etc/swanctl/swanctl.conf';
/** Where credentials lie beside a configuration. */
const folders = 'x509 x509ca x509ocsp x509aa x509ac x509crl pubkey private rsa ecdsa bliss pkcs8 pkcs12'.split(' ');

function readIn(frame: Frame, file: string): Section {
  const notes: string[] = [];
  let settings = emptySection();
  try {
    settings = readSettings(frame.machine.files, file, emptySection(), notes);
  } catch (error) {
    if (error instanceof FileError)
      notes.push(`no files found matching '${file}'`, `failed to open config file '${file}'`);
    else if (error instanceof SettingsError) notes.push(error.message, `invalid config file '${file}'`);
    else throw error;
    settings = emptySection();
  }
  complain(frame, notes.map((each) => `${each}\n`).join(''));
  return settings;
}

function credentials(frame: Frame, card: CardState, settings: Section, file: string): void {
  if (file !== mainFile)
    for (const each of folders) {
      const path = `${parentOf(file)}/${each}`;
      if (frame.machine.files.find(path) === null)
        complain(frame, `opening directory '${path}' failed: No such file or directory\n`);
    }
  for (const name of loadSecrets(card, settings)) out(frame, `loaded ike secret '${name}'\n`);
}

function connections(frame: Frame, card: CardState, settings: Section): number {
  const { outcomes, unloaded } = loadConnections(frame.rack, card, settings);
  const failed = outcomes.filter(({ problem }) => problem !== undefined).length;
  for (const { name, problem } of outcomes)
    if (problem === undefined) out(frame, `loaded connection '${name}'\n`);
    else complain(frame, `loading connection '${name}' failed: ${problem}\n`);
  if (failed > 0) {
    complain(
      frame,
      `loaded ${outcomes.length - failed} of ${outcomes.length} connections, ${failed} failed to load, ${unloaded} unloaded\n`,
    );
    return 22;
  }
  const text = outcomes.length === 0 ? 'no connections found' : `successfully loaded ${outcomes.length} connections`;
  out(frame, `${text}, ${unloaded} unloaded\n`);
  return 0;
}

/** The program's part. */
export function load(frame: Frame, card: CardState, { command, values }: SwanctlCall): number {
  const file = values.get('file') ?? mainFile;
  const what = command.slice('load-'.length);
  const settings = readIn(frame, file.startsWith('/') ? file : `${frame.directory}/${file}`);
  if (what === 'creds' || what === 'all') credentials(frame, card, settings, file);
  if (what === 'authorities' || what === 'all') out(frame, 'no authorities found, 0 unloaded\n');
  if (what === 'pools' || what === 'all') out(frame, 'no pools found, 0 unloaded\n');
  return what === 'conns' || what === 'all' ? connections(frame, card, settings) : 0;
}
