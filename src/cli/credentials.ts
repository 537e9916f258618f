import { readFile } from 'node:fs/promises';
import type { CliConfig } from '../config.ts';
import type { Inventory } from '../domain/inventory.ts';
import { sliceOf } from '../domain/inventory.ts';
import type { Ipsec } from '../domain/profile.ts';
import { Secret } from '../domain/secret.ts';
import type { CardPasswordListing } from '../store/card-passwords.ts';
import { listCardPasswords, passwordSlots } from '../store/card-passwords.ts';
import { createCredentialStore } from '../store/credentials.ts';
import { createCredentialImporter } from '../store/named-credentials.ts';
import type { RedisSpace } from '../store/redis.ts';
import type { CliIo } from './io.ts';
import { UsageError, exitCodes, textTable } from './io.ts';
import { looksWrong } from './secret-form.ts';
import { inventoryOf, systemClock, withRedis } from './setup.ts';

export interface ImportWish {
  readonly name: string;
  /** A path, or `-` for standard input. Never the secret itself: command lines are readable by everybody. */
  readonly file: string;
  readonly sites: readonly string[];
}

/** `credentials import NAME [FILE|-]`: encrypts to the sites that use it and files it. */
export async function importCredential(io: CliIo, config: CliConfig, wish: ImportWish): Promise<number> {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(wish.name))
    throw new UsageError('NAME is lower-case letters, digits, dots, dashes and underscores, as in ssh-ops');
  const inventory = await inventoryOf(config);
  const sites = wish.sites.length > 0 ? wish.sites : sitesUsing(inventory, wish.name);
  if (sites.length === 0)
    throw new UsageError(`no host of the inventory uses "${wish.name}"; give --site NAME to import it all the same`);
  const secret = await readSecret(io, wish.file);
  const wrong = looksWrong(secret);
  if (wrong !== undefined) throw new UsageError(wrong);
  await withRedis(config, async (space) =>
    createCredentialImporter(space, systemClock).saveNamed(wish.name, secret, recipientsOf(inventory, sites)),
  );
  io.out(`${wish.name} is stored, readable by the workers of ${sites.join(', ')}.`);
  return exitCodes.good;
}

/**
 * `credentials import-bmc SERIAL [FILE|-]` and `import-arm`: files the password that a DPU BMC, or the user of its Arm, has
 * now as the current one, for cards that were set up by hand. The one known before stays as the previous one.
 */
export async function importCardPassword(
  io: CliIo,
  config: CliConfig,
  wish: ImportWish,
  owner: 'BMC' | 'Arm',
): Promise<number> {
  const inventory = await inventoryOf(config);
  const card = cardOf(inventory, wish.name);
  const site = wish.sites[0] ?? card?.site;
  if (site === undefined)
    throw new UsageError(`no card of the inventory has the serial "${wish.name}"; give --site NAME of its site`);
  const [recipient] = recipientsOf(inventory, [site]);
  const secret = await readSecret(io, wish.file);
  if (recipient === undefined || /[\r\n]/.test(secret.reveal()))
    throw new UsageError('a password is one line of text; the rest of the file is not understood');
  const serial = card?.serial ?? wish.name;
  const key = owner === 'BMC' ? { serial } : { armSerial: serial };
  await withRedis(config, async (space) => {
    const store = createCredentialStore(space, { identities: config.ageIdentities, clock: systemClock });
    await store.savePending(key, secret, recipient, { replace: true });
    await store.promote(key);
  });
  io.out(`The ${owner} password of card ${serial} is stored, readable by the workers of ${site}.`);
  return exitCodes.good;
}

/**
 * `credentials list`: names, sites and dates; which cards have BMC and Arm passwords; and what the inventory names but
 * nobody has imported. Never a secret.
 */
export async function listCredentials(io: CliIo, config: CliConfig): Promise<number> {
  const inventory = await inventoryOf(config);
  const [stored, cards] = await withRedis(config, async (space: RedisSpace) =>
    Promise.all([createCredentialImporter(space, systemClock).list(), listCardPasswords(space)]),
  );
  const rows = stored.map(({ ref, savedAtMs, recipients }) => [
    ref,
    siteNames(inventory, recipients),
    new Date(savedAtMs).toISOString(),
  ]);
  const missing = usedCredentials(inventory).filter((ref) => !stored.some((entry) => entry.ref === ref));
  for (const line of textTable(['name', 'sites', 'stored'], rows)) io.out(line);
  for (const line of cardTable(cards)) io.out(line);
  for (const ref of missing) io.out(`warn  ${ref} is used by the inventory and not stored (${useOf(inventory, ref)})`);
  return exitCodes.good;
}

/** A line per card and kind of password, after an empty one; nothing when there are none. */
function cardTable(cards: readonly CardPasswordListing[]): string[] {
  if (cards.length === 0) return [];
  const rows = cards.map(({ card, kind, savedAtMs }) => [
    card,
    kind,
    ...passwordSlots.map((slot) => {
      const atMs = savedAtMs[slot];
      return atMs === undefined ? '-' : new Date(atMs).toISOString();
    }),
  ]);
  return ['', ...textTable(['card', 'password', ...passwordSlots], rows)];
}

/** Names of all credentials that the inventory uses. */
export function usedCredentials(inventory: Inventory): string[] {
  return [...new Set(Object.keys(inventory.hosts).flatMap((host) => [...credentialsOf(inventory, host).keys()]))];
}

/** Sites whose workers need the credential. */
export function sitesUsing(inventory: Inventory, ref: string): string[] {
  const hosts = Object.entries(inventory.hosts).filter(([name]) => credentialsOf(inventory, name).has(ref));
  return [...new Set(hosts.map(([, host]) => host.site))];
}

/** What the inventory needs a credential for, in words for a person: `tailscale.authKey of a profile`. */
export function useOf(inventory: Inventory, ref: string): string {
  const uses = Object.keys(inventory.hosts).flatMap((host) => credentialsOf(inventory, host).get(ref) ?? []);
  return [...new Set(uses)].join(', ');
}

/**
 * The credentials that work on a host and its cards needs, and what for: SSH keys (also of the jump host), the password of
 * the host's own BMC, and what the profiles in force refer to.
 */
function credentialsOf(inventory: Inventory, hostName: string): ReadonlyMap<string, readonly string[]> {
  const { entry, jump, hostProfile, profiles } = sliceOf(inventory, hostName);
  const cardProfiles = Object.values(profiles);
  const tailscale = [
    hostProfile.tailscale?.on.includes('host') === true ? hostProfile.tailscale : undefined,
    ...cardProfiles.map((profile) => (profile.tailscale?.on.includes('dpu') === true ? profile.tailscale : undefined)),
  ];
  const refs: readonly (readonly [string | undefined, string])[] = [
    [entry.ssh.key, 'ssh.key of a host'],
    [jump?.key, 'ssh.key of a host'],
    [entry.bmc?.password, 'bmc.password of a host'],
    ...cardProfiles.map((profile) => [profile.arm?.key, 'arm.key of a profile'] as const),
    ...cardProfiles.flatMap(({ ipsec }) => ipsecCredentials(ipsec?.auth)),
    ...tailscale.map((wanted) => [wanted?.authKey, 'tailscale.authKey of a profile'] as const),
  ];
  const uses = new Map<string, readonly string[]>();
  for (const [ref, use] of refs) if (ref !== undefined) uses.set(ref, [...(uses.get(ref) ?? []), use]);
  return uses;
}

function ipsecCredentials(auth: Ipsec['auth'] | undefined): readonly (readonly [string, string])[] {
  switch (auth?.kind) {
    case undefined:
      return [];
    case 'psk':
      return [[auth.secret, 'ipsec.auth.secret of a profile']];
    case 'certificates':
      return [
        [auth.ca, 'ipsec.auth.ca of a profile'],
        [auth.bundle, 'ipsec.auth.bundle of a profile'],
      ];
  }
}

function recipientsOf(inventory: Inventory, sites: readonly string[]): string[] {
  return sites.map((name) => {
    const site = inventory.sites[name];
    if (!site)
      throw new UsageError(`the inventory has no site "${name}"; it has ${Object.keys(inventory.sites).join(', ')}`);
    return site.recipient;
  });
}

function siteNames(inventory: Inventory, recipients: readonly string[]): string {
  return recipients
    .map(
      (recipient) => Object.entries(inventory.sites).find(([, site]) => site.recipient === recipient)?.[0] ?? 'unknown',
    )
    .join(', ');
}

/** A card by its serial number, or by its name where the inventory gives the serial. */
function cardOf(inventory: Inventory, word: string): { readonly serial: string; readonly site: string } | undefined {
  for (const host of Object.values(inventory.hosts))
    for (const dpu of host.dpus)
      if (dpu.serial !== undefined && (dpu.serial === word || dpu.name === word))
        return { serial: dpu.serial, site: host.site };
  return undefined;
}

async function readSecret(io: CliIo, file: string): Promise<Secret> {
  const text = file === '-' ? await io.readStdin() : await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new UsageError(`${file} cannot be read`);
  if (text.trim() === '') throw new UsageError(file === '-' ? 'standard input was empty' : `${file} is empty`);
  // An editor's last line break is no part of a password; keys keep theirs.
  return new Secret(text.startsWith('-----BEGIN') ? text : text.replace(/\r?\n$/, ''));
}
