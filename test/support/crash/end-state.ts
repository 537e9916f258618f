import type { CredentialKey } from '../../../src/domain/device-ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import { comparableSnapshot } from '../../../src/lab/rack/model.ts';
import type { RackSnapshot } from '../../../src/lab/rack/state.ts';
import type { World } from '../engine-world.ts';
import { crashHost } from './segment.ts';

/** What a run leaves behind, and how often the rack did what must not be done twice. */
export interface EndState {
  /** Compared as a whole. */
  readonly left: unknown;
  /** Boots of the Arm. Each push makes it boot three times. */
  readonly armBoots: number;
  readonly hostBoots: number;
}

/** Other after every boot, login or run, and right all the same. Passwords are tried instead. */
const passing = new Set(['bootId', 'bootCount', 'rootPassword', 'password', 'passwordHash', 'nextJob']);
/** Each attempt has a folder of its own, which stays. */
const jobFolders = '/var/lib/dpubot/jobs/';

/** Host, card and stores after a run. */
export async function endStateOf(world: World, run: Run): Promise<EndState> {
  const snapshot = world.rack.snapshot();
  const { host, card } = partsOf(snapshot);
  const { name, serial } = card.hardware;
  const { pins, records, holds } = world.stores;
  const {
    atMs: _at,
    runId: _run,
    armKeyAtMs: _key,
    armWrongTriesAtMs: _tries,
    ...record
  } = (await records.get(serial)) ?? {};
  const isOnArm = (password: string): boolean => world.rack.card(name).armLogin('ubuntu', password) === 'ok';
  return {
    left: {
      run: [run.state, run.failure?.code ?? 'no failure', run.failure?.why ?? ''],
      rack: lasting(comparableSnapshot({ ...snapshot, hosts: [host], cards: [card] })),
      bmcPasswords: await filed(world, { serial }, (password) => password === card.bmc.rootPassword),
      armPasswords: await filed(world, { armSerial: serial }, isOnArm),
      pins: [await pins.get('bmc-certificate', name), await pins.get('ssh-host-key', name)],
      record,
      hold: (await holds.get(crashHost)) === undefined ? 'given back' : 'kept',
    },
    armBoots: card.arm.bootCount,
    hostBoots: host.bootCount,
  };
}

/** Which slots are filled, and whether the device takes what is in them. An older password that it refuses is no matter. */
async function filed(
  { stores }: World,
  key: CredentialKey,
  isRight: (password: string) => boolean,
): Promise<readonly string[]> {
  const entries = (await stores.credentials.bmc(key)).filter(({ slot }) => slot !== 'previous');
  return entries.map(({ slot, secret }) => `${slot}: ${isRight(secret.reveal()) ? 'right' : 'wrong'}`);
}

function partsOf({ hosts, cards }: RackSnapshot): {
  readonly host: RackSnapshot['hosts'][number];
  readonly card: RackSnapshot['cards'][number];
} {
  const host = hosts.find((one) => one.name === crashHost);
  const card = cards.find((one) => one.host === crashHost);
  if (host === undefined || card === undefined) throw new Error(`the rack model has no ${crashHost}`);
  return { host, card };
}

function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !passing.has(key) && !key.startsWith(jobFolders))
    // What proves that an image was checked names the time of its file.
    .map(([key, inner]) => [key, key.endsWith('.bfb.ok') ? 'checked' : lasting(inner)]);
  return Object.fromEntries(entries);
}

/** Where two states differ: path, what was expected, what is. Empty when they are equal. */
export function differences(expected: unknown, actual: unknown, path = ''): readonly string[] {
  if (Object.is(expected, actual)) return [];
  const isTree = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isTree(expected) || !isTree(actual)) return [`${path}: ${text(expected)} -> ${text(actual)}`];
  const [left, right] = [new Map(Object.entries(expected)), new Map(Object.entries(actual))];
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys].flatMap((key) => differences(left.get(key), right.get(key), `${path} > ${key}`));
}

function text(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200);
}
