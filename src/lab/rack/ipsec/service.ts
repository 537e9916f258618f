/**
 * The IKE daemon as a service: reads its files, starts, stops.
 *
 * Source: swanctl --load-conns and --load-creds (what is gone from the files is unloaded, SAs stay); charon's deletes on
 * shutdown; the unit of charon-systemd, which loads everything when it has started.
 */
import type { ConnectionConfig } from '../data-path.ts';
import type { CardState, Rack } from '../state.ts';
import { cardState } from '../state.ts';
import { endSa, initiate } from './charon.ts';
import { connectionsOf, secretsOf } from './config.ts';
import type { Loaded } from './config.ts';
import { emptySection, readSettings } from './settings.ts';
import type { Section } from './settings.ts';

const mainFile = '/etc/swanctl/swanctl.conf';

/** The configuration of an Arm as its files say it. Throws SettingsError. */
function readConfiguration(rack: Rack, card: CardState): Section {
  const machine = rack.machines.get(card.name);
  if (machine === undefined || machine.files.find(mainFile) === null) return emptySection();
  return readSettings(machine.files, mainFile);
}

/** What loading did: each connection of the files, in their order, and how many were unloaded. */
interface LoadResult {
  outcomes: { name: string; problem?: string }[];
  unloaded: number;
}

/**
 * Take the connections of the files. What is not there any more is unloaded; its SAs stay, but for those that it started
 * itself. One that cannot be read stays as it was.
 */
export function loadConnections(rack: Rack, card: CardState, settings: Section): LoadResult {
  const { charon } = card.armOs.dataPath;
  const before = charon.connections;
  const all = connectionsOf(settings);
  const kept = all.flatMap((each) => {
    if ('connection' in each) return [each.connection];
    return before.filter(({ name }) => name === each.name);
  });
  charon.connections = kept;
  const gone = before.filter(({ name }) => all.every((each) => nameOf(each) !== name));
  for (const connection of gone) endStarted(rack, card, connection);
  const children = kept.flatMap((each) => each.children);
  charon.traps = children.filter(({ startAction }) => startAction.startsWith('trap')).map(({ name }) => name);
  for (const connection of kept)
    for (const child of connection.children)
      if (child.startAction === 'start' && !hasChild(card, connection.name, child.name))
        initiate(rack, card, { child: child.name });
  const outcomes = all.map((each) => ('connection' in each ? { name: each.connection.name } : each));
  return { outcomes, unloaded: gone.length };
}

function nameOf(loaded: Loaded): string {
  return 'connection' in loaded ? loaded.connection.name : loaded.name;
}

function endStarted(rack: Rack, card: CardState, { name, children }: ConnectionConfig): void {
  const started = children.filter(({ startAction }) => startAction === 'start').map((child) => child.name);
  for (const ike of card.armOs.dataPath.charon.sas.filter((each) => each.name === name))
    for (const child of ike.children) if (started.includes(child.name)) endSa(rack, card, ike, child);
}

/** Take the secrets of the files; gives their names. */
export function loadSecrets(card: CardState, settings: Section): string[] {
  const { charon } = card.armOs.dataPath;
  charon.secrets = secretsOf(settings);
  return charon.secrets.map(({ name }) => name);
}

function hasChild(card: CardState, connection: string, child: string): boolean {
  const found = card.armOs.dataPath.charon.sas.filter(({ name }) => name === connection);
  return found.some(({ children }) => children.some(({ name }) => name === child));
}

/** The daemon starts: its unit loads everything. */
export function startCharon(rack: Rack, card: CardState): void {
  card.armOs.dataPath.charon.active = true;
  try {
    const settings = readConfiguration(rack, card);
    loadSecrets(card, settings);
    loadConnections(rack, card, settings);
  } catch {
    // The daemon runs without what it could not read.
  }
}

/** The daemon stops and takes leave of its peers; what was loaded is gone. */
export function stopCharon(rack: Rack, name: string): void {
  const card = cardState(rack, name);
  for (const ike of card.armOs.dataPath.charon.sas) endSa(rack, card, ike);
  const { charon } = card.armOs.dataPath;
  Object.assign(charon, { active: false, connections: [], secrets: [], sas: [], connecting: [], traps: [] });
}
